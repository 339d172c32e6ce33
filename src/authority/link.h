/* link - what is asked of the role ambit-authority, and what it tells.
 *
 * Owns:   the bodies of the messages AUTHORITY_* (wire/messages.def).
 * Holds:  what was put is taken again; what is no such body is refused whole.
 *           STEP     u32 number of the asker's own watching connection (it is not waited for; 0: none), then a request (authority_put_request; its
 *                    now_ms, passed_ms and minute do not count)
 *           BIND     u64 badge                DONE  u64 step: what it tells of is true now
 *           LIST     u8 kind, u32 first row   FIND  u64 badge, u8 verb, object
 *           LABEL_NAME a name                 SHOWN u64 question
 *           PART     bytes of what is shown with the question that the next STEP may lead to
 *           SIGNED   as below
 *           HELLO    u64 steps so far, u64 bytes that were cut off the journal when it started, 16 bytes of its realm
 *           TAKEN    u64: of BIND 0, of WATCH the number of the connection, of LABEL_NAME the bit, of FIND the grant or 0
 *           NAMES    u8 how many, then names by bit
 * Called: authority/serve.c, lib/authority.c; pure. */
#ifndef AUTHORITY_LINK_H
#define AUTHORITY_LINK_H

#include "approve/link.h"
#include "core/authority.h"

#define KEEPER_LATE_MAX 8
#define KEEPER_ACTIONS_MAX 5000     /* of a message */
#define KEEPER_SHOWN_MAX (1u << 20) /* bytes that are shown with a question */
#define KEEPER_PAGE_END UINT32_MAX
#define KEEPER_ROW_MAX 9400 /* bytes of one row: two texts and what has a fixed size */

/* AUTHORITY_ANSWERED. */
struct keeper_answer {
	uint64_t step; /* its number; 0: nothing changed, and nothing was kept */
	uint8_t verdict, why, limit;
	authority_ref made;
	uint64_t labels;
	uint32_t
		n_late; /* connections that watch and have not said that it is true for them, though they were waited for */
	struct {
		authority_ref bound; /* the badge that it is bound to; 0: the person's */
		uint32_t number;
	} late[KEEPER_LATE_MAX]; /* the first of them */
};
void keeper_answer_put(struct buf *out, const struct keeper_answer *a);
bool keeper_answer_take(struct rbuf *in, struct keeper_answer *ret);

/* AUTHORITY_SIGNED: a person's answer to a question. */
struct keeper_signed {
	authority_ref ask;
	char key[APPROVE_NAME_MAX];    /* whose signature it is */
	char statement[STATEMENT_MAX]; /* as statement_put has it */
	struct approve_signature signature;
};
void keeper_signed_put(struct buf *out, const struct keeper_signed *q);
bool keeper_signed_take(struct rbuf *in, struct keeper_signed *ret);

/* AUTHORITY_ACTIONS: of one step, in as many messages as it takes. */
struct keeper_actions {
	uint64_t step;
	bool more; /* of the same step come */
	uint32_t n;
	struct authority_action actions[KEEPER_ACTIONS_MAX];
};
void keeper_actions_put(struct buf *out, uint64_t step, bool more, const struct authority_action *actions, uint32_t n);
bool keeper_actions_take(struct rbuf *in, struct keeper_actions *ret);

/* AUTHORITY_PAGE: u8 kind, u32 the row at which the next page begins (KEEPER_PAGE_END: that was the last), then rows. */
enum keeper_kind {
	KEEPER_BADGES,
	KEEPER_GRANTS,
	KEEPER_ASKS,
	KEEPER_MARKS,
	KEEPER_AGENTS,
	KEEPER_ORIGINS,
	KEEPER_KIND_COUNT
};

struct keeper_row {
	union {
		struct authority_badge_told badge;
		struct authority_grant_told grant;
		struct authority_ask_told ask;
		struct authority_mark_told mark;
		struct authority_agent_told agent;
		struct authority_origin_told origin;
	};
	char text[GRANT_OBJECT_MAX], terms[GRANT_OBJECT_MAX]; /* what these refer to */
};
/* False: there is none of that number. */
bool keeper_row_put(struct buf *out, const struct authority *a, enum keeper_kind kind, uint32_t row);
bool keeper_row_take(struct rbuf *in, enum keeper_kind kind, struct keeper_row *ret);

#endif
