/* authority - what may be done while time passes: who holds which grant, what of it is used up, what a person was asked, what is frozen or
 * revoked, and which labels there are.
 *
 * Owns:   struct authority: the state of one person's sessions on one machine, in memory that the caller gave; and the one function that
 *         changes it.
 * Holds:  state', answer and actions depend on the state and the request, and on nothing else: no system call, no clock, no allocation. So
 *         who has the requests has the state, later and elsewhere. A request that is refused changes nothing but the time. What is named is
 *         named by a reference, which is never used again for something else; whoever names what it does not hold is refused alike, be it
 *         forged, ended or another's.
 * Called: the role ambit-authority, which keeps requests on disk before it answers; audit, which makes the decisions again; tests, beside a
 *         second implementation of the rules below (tests/unit/authority_model.h). Pure.
 *
 * The rules. `badge` is a session or a sub-agent: who acts. All sums are exact, and what does not fit is refused.
 *
 *  1. Time. Each step begins with it: what has its `until` at or before `now_ms` is expired for good, as are grants derived from it (action
 *     CLOSE), also if the clock is set back later. What was asked, or approved and not used, by then is forgotten. `passed_ms` is by a clock that nobody
 *     sets; it alone fills rates.
 *  2. OPEN makes a badge: at the top (no badge named), or a sub-agent of `badge` by its grant `delegate`, which is used once for that (rules 5 to 9;
 *     the agent's name is the object; "*" covers any), to `depth` below it. A badge and all above and below it have the same labels at each moment: their files, input and output are each other's. Its `event` is the one whose end is its own.
 *  3. GIVE makes a grant of a badge at the top. DERIVE makes one out of a grant that `badge` holds, for itself or for `to`, a sub-agent of its
 *     own: not wider in object, rights, terms, numbers, time and depth (one less for another badge), and with every label, every `unless` and every
 *     ask of the parent. A grant `declassify` takes off no other labels. Nothing is derived from what is revoked, expired or frozen.
 *  4. REVOKE ends a grant and all that are derived from it, the latter first (CLOSE, each once); RESTORE takes that back for the one that it names, and is the only
 *     thing that does: who gives or derives it again is told that it was revoked. END ends a badge with its sub-agents and all grants
 *     (END, the sub-agents first); EVENT_END the sub-agents of `badge` that came with `event`, unless they were handed over (HAND_OVER) before.
 *  5. USE. The grant is the badge's own; neither the badge, nor one above it, nor everything is frozen. What was allowed under an idempotency key is
 *     allowed again, for the same grant, digest and amounts, and charges nothing; with others it is a conflict.
 *  6. It is neither revoked nor expired; it is within its time of day (`minute`); the object lies within it, and the arguments of a tool are as its terms
 *     want them (core/where.h).
 *  7. Labels. A use is refused if all labels of one of the sets of `unless` are on the badge, or come by the grant itself, or asks, if the grant says so. Labels
 *     that a pass takes off do not count: a use of a grant `declassify` makes a pass, for one digest, which the next use allowed with that digest takes.
 *  8. Budgets: uses, bytes, rows and rate of the grant and of all that it is derived from, of the badge and those above it, and of the agent of the topmost (of `delegate` the first alone). All
 *     have room, or nothing is charged. MORE charges bytes and rows of a use that was allowed, and no use; RETURN gives back what was charged for bytes and rows by USE and not needed; a RESTART forgets that anything was lent.
 *  9. Asking. A grant that asks is used only by an approval of just that digest: once, or (for the session) as often as the badge wants until it
 *     expires. Without one the question is kept, once, and its reference given. A person's no holds for that digest until it expires, and for the grant, and what is derived from it, if it said so.
 *     Of questions no more than AUTHORITY_WAITING_MAX wait for a badge at the top and its sub-agents, and ASKS_PER_HOUR are new.
 * 10. ANSWER is for one question, which waits, and the digest that was shown. FORGET takes back an approval that was not used.
 * 11. FREEZE stops uses of a badge and those below it, or all; the actions name them, those below first. THAW ends what was frozen by the same name, and nothing else.
 * 12. Labels only grow: LABEL puts some on a badge, which may come by a grant of it (with none it asks which there are); TAKE those of another badge; ENTER those of its grants on files, and of the
 *     marks that lie within their objects or above them, also of grants that ended, since what a cell was shown it has until its own end; a use allowed those of its grant. When that closes grants (rule 7, and they would not ask), they are named
 *     (CLOSE), and stay refused. MARK puts the badge's labels, or those it names, on a path (but what a pass of that digest takes off, and takes the pass), and on
 *     each badge that had them by an ENTER now. UNMARK takes labels off a path, and off no badge; JOIN puts those of all marks in a directory on that, in their place.
 * 13. Of each label that a badge gets the origin is kept, if there is a row: in which event it came, and what brought it. No decision looks at it. */
#ifndef CORE_AUTHORITY_H
#define CORE_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/grant.h"
#include "core/id.h"
#include "core/qualifiers.h"
#include "core/where.h"
#include "core/window.h"

#define AUTHORITY_ID 16 /* bytes of an id: 6 of milliseconds, 10 random (core/id.h) */
#define AUTHORITY_DIGEST 32
#define AUTHORITY_UNLESS_MAX 4
#define AUTHORITY_DEPTH_MAX 8
#define AUTHORITY_WAITING_MAX 8
#define AUTHORITY_ASKS_PER_HOUR 30
#define AUTHORITY_LABELS_MAX 64
#define AUTHORITY_NAME_MAX 64 /* of an agent, with its NUL */
#define AUTHORITY_MINUTE_NONE UINT16_MAX

#define LABEL_PRIVATE (UINT64_C(1) << 0)
#define LABEL_UNTRUSTED (UINT64_C(1) << 1)

/* A row and the turn in which it was given out; 0: none. */
typedef uint64_t authority_ref;
#define AUTHORITY_ROW(ref)                                                                                             \
	((uint32_t)((ref) & ((UINT64_C(1) << 24) - 1))) /* below what authority_used says of its kind */

/* What is counted, and when. Of an agent, and of a badge, uses, bytes, rows and rate alone. */
struct authority_bounds {
	struct qualifiers q;
	uint64_t rows; /* 0: no bound */
	struct window window;
};

/* What a use may be short of. */
enum authority_limit { AUTHORITY_USES, AUTHORITY_BYTES, AUTHORITY_ROWS, AUTHORITY_RATE };

enum authority_op {
	AUTHORITY_TIME, /* nothing but rule 1 */
	AUTHORITY_OPEN,
	AUTHORITY_GIVE,
	AUTHORITY_DERIVE,
	AUTHORITY_REVOKE,
	AUTHORITY_END,
	AUTHORITY_EVENT_END,
	AUTHORITY_HAND_OVER,
	AUTHORITY_USE,
	AUTHORITY_RETURN,
	AUTHORITY_ANSWER,
	AUTHORITY_FORGET,
	AUTHORITY_FREEZE,
	AUTHORITY_THAW,
	AUTHORITY_LABEL,
	AUTHORITY_TAKE,
	AUTHORITY_ENTER,
	AUTHORITY_MARK,
	AUTHORITY_AGENT, /* what all badges of an agent may use together: numbers and rate; what was used stays used */
	AUTHORITY_RESTART,
	AUTHORITY_MORE,    /* of a use that was allowed: its amounts alone */
	AUTHORITY_RESTORE, /* a grant that was revoked */
	AUTHORITY_UNMARK,
	AUTHORITY_JOIN,
	AUTHORITY_OP_COUNT
};

enum authority_flag {
	AUTHORITY_ASK = 1,          /* of a grant: each use asks */
	AUTHORITY_ASK_LABELLED = 2, /* where labels would refuse it, it asks */
	AUTHORITY_YES = 4,          /* of an answer; else no */
	AUTHORITY_SESSION = 8,      /* the approval is used as often as it is wanted */
	AUTHORITY_STOP = 16,        /* no, and for any other use of that grant and of what is derived from it, too */
	AUTHORITY_KEYED = 32,       /* of a use: it has a key */
};

struct authority_request {
	uint8_t op; /* enum authority_op */
	uint8_t flags;
	uint8_t verb; /* enum grant_verb: of a grant; of a use, of what is done */
	uint8_t depth;
	uint16_t minute; /* of the day, in the time zone of the grant that is used; AUTHORITY_MINUTE_NONE: not known */
	uint64_t now_ms; /* since 1970 */
	uint32_t passed_ms; /* since the request before */
	authority_ref badge, to, grant, ask;
	uint8_t id[AUTHORITY_ID]; /* of the badge or grant that is made, or of the question, if there will be one */
	uint8_t event
		[AUTHORITY_ID]; /* zeroes: none; of what is used, labelled or marked, for the ledger and for origins alone */
	uint8_t digest[AUTHORITY_DIGEST], key[AUTHORITY_DIGEST];
	uint64_t bytes, rows;
	uint64_t until_ms; /* of a question: when it is forgotten; of an answer: how long it holds */
	uint64_t labels;   /* of MARK 0: the badge's; of UNMARK those that go */
	uint8_t n_unless;
	uint64_t unless[AUTHORITY_UNLESS_MAX]; /* none is empty */
	struct authority_bounds bounds;
	const char *
		object; /* borrowed; of OPEN and AGENT the agent's name, of MARK, UNMARK and JOIN a path; of USE "" is the grant's own */
	const char *terms;                /* as terms_format writes them, of a tool where_format */
	struct where_arguments arguments; /* of a use of a tool; borrowed */
};

enum authority_verdict { AUTHORITY_ALLOWED, AUTHORITY_DENIED, AUTHORITY_ASKS };

enum authority_why {
	WHY_NONE,
	WHY_RECORDED, /* allowed: it was, under this key */
	WHY_ALREADY,  /* allowed: so it is, without this request */
	WHY_NOT_HELD, /* refused, from here on: there is no such thing, or it is not whose it is said to be */
	WHY_FROZEN,
	WHY_REVOKED,
	WHY_EXPIRED,
	WHY_NOT_NOW, /* by the time of day */
	WHY_BEYOND,  /* wider than the grant */
	WHY_DEPTH,
	WHY_LABELLED, /* of `unless` */
	WHY_SPENT,    /* `limit` says which number */
	WHY_REFUSED,  /* by a person */
	WHY_FLOOD,    /* too many questions */
	WHY_CONFLICT, /* the key is another request's */
	WHY_MISMATCH, /* the digest is not that of the question */
	WHY_ANSWERED, /* before */
	WHY_TAKEN,    /* the id is: `made` has it */
	WHY_FULL,     /* no row, or no room for texts, is left */
	WHY_MALFORMED,
	WHY_COUNT
};

enum authority_act { AUTHORITY_ACT_CLOSE, AUTHORITY_ACT_END, AUTHORITY_ACT_FREEZE, AUTHORITY_ACT_THAW };

struct authority_action {
	uint32_t act;      /* enum authority_act */
	authority_ref ref; /* a grant to close, else a badge */
};

struct authority_answer {
	uint8_t verdict, why; /* enum authority_verdict, authority_why */
	uint8_t limit;        /* enum authority_limit, of WHY_SPENT */
	authority_ref made;   /* badge or grant; of a use that asks, the question */
	uint64_t labels;      /* of the badge, after this */
	uint32_t n_actions;
	const struct authority_action *actions; /* in the authority's memory, until the next step */
};

/* How many rows there are of each. */
struct authority_size {
	uint32_t badges, grants, asks, keys, passes, marks, agents, origins, text;
};

struct authority;

/* Bytes that authority_init wants; 0: one is 0, or too large. */
size_t authority_bytes(const struct authority_size *size);
/* In room of that many bytes, all zero (mmap's are: what is not used is not touched), aligned as malloc's, which must live as long. */
struct authority *authority_init(void *room, const struct authority_size *size);
void authority_step(struct authority *a, const struct authority_request *q, struct authority_answer *ret);
/* Before this time a step changes nothing by rule 1 alone; UINT64_MAX: never. */
uint64_t authority_next_ms(const struct authority *a);
/* Whether the answer to this request, at a time before authority_next_ms, left all as it was: who keeps requests need not keep it, if what passed is added to
 * that of the next one. */
bool authority_left_alone(const struct authority_request *q, const struct authority_answer *answer);

/* Grants that the answer to the last step closes: the first of them, by their ids. */
#define AUTHORITY_CLOSED_MAX 64
struct authority_closed {
	unsigned n;
	uint8_t ids[AUTHORITY_CLOSED_MAX][AUTHORITY_ID];
};
void authority_closed(const struct authority *a, const struct authority_answer *answer, struct authority_closed *ret);

/* What there is, for lists; false: there is none of that row. Texts are borrowed until the next step. */
struct authority_badge_told {
	authority_ref ref, parent;
	uint8_t id[AUTHORITY_ID], event[AUTHORITY_ID];
	const char *agent;
	uint8_t depth;
	bool frozen; /* itself, one above, or everything */
	uint64_t labels;
	struct authority_bounds bounds;
	uint64_t uses, bytes, rows; /* used, by it and all below it */
};
bool authority_badge_at(const struct authority *a, uint32_t row, struct authority_badge_told *ret);

struct authority_grant_told {
	authority_ref ref, parent, badge;
	uint8_t id[AUTHORITY_ID];
	uint8_t verb, flags, depth;
	bool revoked, expired;
	uint64_t labels;
	uint8_t n_unless;
	uint64_t unless[AUTHORITY_UNLESS_MAX];
	struct authority_bounds bounds;
	uint64_t uses, bytes, rows; /* used, of it and of what is derived from it */
	uint64_t lent_bytes, lent_rows;
	const char *object, *terms;
};
bool authority_grant_at(const struct authority *a, uint32_t row, struct authority_grant_told *ret);
/* By its reference; false: it refers to nothing that lives. */
bool authority_grant_by(const struct authority *a, authority_ref grant, struct authority_grant_told *ret);

enum authority_ask_state { ASK_WAITS = 1, ASK_APPROVED, ASK_REFUSED };
struct authority_ask_told {
	authority_ref ref, badge, grant;
	uint8_t id[AUTHORITY_ID], digest[AUTHORITY_DIGEST];
	uint8_t state; /* enum authority_ask_state */
	bool session, stop;
	uint64_t until_ms;
};
bool authority_ask_at(const struct authority *a, uint32_t row, struct authority_ask_told *ret);
bool authority_ask_by(const struct authority *a, authority_ref ask, struct authority_ask_told *ret);

struct authority_agent_told {
	const char *name;
	struct authority_bounds bounds;
	uint64_t uses, bytes, rows; /* used, since it has bounds */
};
bool authority_agent_at(const struct authority *a, uint32_t row, struct authority_agent_told *ret);

struct authority_mark_told {
	const char *path;
	uint64_t labels;
};
bool authority_mark_at(const struct authority *a, uint32_t row, struct authority_mark_told *ret);

/* What brought a label to a badge. */
enum authority_by {
	AUTHORITY_BY_GRANT, /* that was used, entered with, or said to bring it */
	AUTHORITY_BY_MARK,  /* of a path that it may reach */
	AUTHORITY_BY_BADGE, /* that it was taken of, or the one above */
	AUTHORITY_BY_GIVEN, /* whoever said so */
	AUTHORITY_BY_COUNT
};

/* One label of one badge. */
struct authority_origin_told {
	authority_ref badge;
	uint8_t label; /* its bit */
	uint8_t by;    /* enum authority_by */
	uint8_t verb;  /* of the grant; else 0 */
	uint8_t event[AUTHORITY_ID],
		from[AUTHORITY_ID]; /* in which it came, or zeroes; by a badge, whose it was, else zeroes */
	const char *object;         /* of the grant, or the path; else "" */
};
bool authority_origin_at(const struct authority *a, uint32_t row, struct authority_origin_told *ret);
/* The same; but one that came by a badge of the same tree is told as it came to that, as long as that is there. */
bool authority_origin_traced(const struct authority *a, uint32_t row, struct authority_origin_told *ret);

const struct authority_size *authority_size(const struct authority *a);
/* How many of the rows were ever given out (text: bytes of all that live): behind them lists have nothing to look for. */
void authority_used(const struct authority *a, struct authority_size *ret);
bool authority_is_frozen(const struct authority *a); /* everything */
/* Both live, and the badge is that one or below it. */
bool authority_is_in(const struct authority *a, authority_ref badge, authority_ref tree);
/* Whose grant it is; 0: it does not live. */
authority_ref authority_holder(const struct authority *a, authority_ref grant);
/* The narrowest grant of the badge, neither revoked nor expired, that covers the object; 0: none. For who has a name and no reference. */
authority_ref authority_find(const struct authority *a, authority_ref badge, enum grant_verb verb, const char *object);
/* The same for a use that lacks its grant alone, of which each other field counts: one of which it would be allowed in silence, before one that asks, before one
 * that refuses it (doc/AUTHORITY.md). As things stood after the last step. */
authority_ref authority_find_use(struct authority *a, const struct authority_request *use);

/* The state as bytes, and from bytes (anybody's: all is checked) in a room of its own size. */
void authority_put(const struct authority *a, struct buf *out);
/* -PROTOCOL: it is none; -LIMIT: of another size than `a` has room for. Then *a is as after authority_init. */
int authority_take(struct rbuf *in, struct authority *a, struct err *e);
/* A request as bytes, with the texts that its op has. */
void authority_put_request(struct buf *out, const struct authority_request *q);
/* Texts are copied to room; arguments stay where they were read. False: it is none. */
#define AUTHORITY_TEXTS_MAX (GRANT_OBJECT_MAX + TERMS_TEXT_MAX)
bool authority_take_request(struct rbuf *in, struct authority_request *ret, char room[AUTHORITY_TEXTS_MAX]);

/* Bounds as bytes; taking fails the cursor on what is not well-formed. */
void authority_put_bounds(struct buf *out, const struct authority_bounds *b);
void authority_take_bounds(struct rbuf *in, struct authority_bounds *ret);

const char *authority_why_word(enum authority_why why);
/* As ids are written (core/id.h). */
void authority_id_text(char prefix, const uint8_t id[AUTHORITY_ID], char ret[ID_TEXT_MAX]);

#endif
