/* standing - who acts in the person's authority, and by which of its grants: a stream of events.
 *
 * Owns:   how badges and grants are named there: by a digest of what they are, so that nobody has to remember them, and the same thing is the same one.
 * Holds:  what is there already is found again, with what was used of it, asked and said. A stream is a session that is kept, and ends with it; of events
 *         that are in none, those of one agent in one workspace.
 * Called: lib (an event that begins, a session that ends), ambit-stage (one that is committed). */
#ifndef LIB_STANDING_H
#define LIB_STANDING_H

#include "base/sha256.h"
#include "core/grant.h"
#include "lib/authority.h"

/* Of things with the same names. Neither may have a NUL in it, nor kind. */
void standing_name(const char *kind, const void *a, size_t a_n, const void *b, size_t b_n, uint8_t ret[SHA256_BYTES]);

#define STANDING_PATH_MAX 4096

struct standing {
	authority_ref badge, above; /* above: of a sub-agent, who asked for it; else 0 */
	char stream[ID_TEXT_MAX];
	bool is_new; /* it was not there */
};

/* The stream of a session, or, if that is NULL, of an agent ("": nobody named one) in a workspace. */
void standing_stream(const char *session, const char *agent, const char *workspace, char ret[ID_TEXT_MAX]);
/* What sub-agents of that name act in, which were asked for from that stream: by it a question meets its answer when they are begun again. */
void standing_stream_below(const char *above, const char *agent, char ret[ID_TEXT_MAX]);

/* Where what Ambit keeps of the person lies: beside the store of stages, for who has no environment. -HOST: there is no store. */
int standing_place(const char *store, char ret[STANDING_PATH_MAX], struct err *e);
/* The keeper there. ledger: as keeper_open has it. */
/* Whether anything of it was ever labelled. One system call. */
bool standing_is_labelled(const char *store);
int standing_open(const char *store, const char *ledger, struct keeper **ret, struct err *e);
/* The badge, which is made where it is missing. agent: "" if nobody named one; budget: of all that is done by it, where it is made; NULL: none. */
int standing_take(struct keeper *k, const char *stream, const char *agent, const struct qualifiers *budget,
		  struct standing *ret, struct err *e);
/* The same of a sub-agent, which is made by that grant of who asked for it. event: in which that is. */
int standing_take_below(struct keeper *k, const struct standing *above, authority_ref delegate, const char *stream,
			const char *agent, const char *event, struct standing *ret, struct err *e);
/* What all streams of an agent may use together, from now on; what was used stays used. */
int standing_bound(struct keeper *k, const char *agent, const struct qualifiers *budget, struct err *e);

/* What a grant is to be in the authority. */
struct standing_grant {
	enum grant_verb verb;
	const char *object, *terms; /* as core/grant.h keeps them; borrowed */
	authority_ref from;         /* of a sub-agent: the grant of who asked for it from which it is derived; else 0 */
	uint8_t flags;              /* AUTHORITY_ASK, AUTHORITY_ASK_LABELLED */
	uint8_t depth;              /* of `delegate` */
	struct authority_bounds bounds;
	uint64_t labels;
	uint8_t n_unless;
	uint64_t unless[AUTHORITY_UNLESS_MAX];
};
/* The grant of just that, which is made where it is missing. -DENIED: also one that was revoked. */
int standing_grant(struct keeper *k, const struct standing *s, const struct standing_grant *g, authority_ref *ret,
		   struct err *e);

/* What a step that was not allowed is told as, with what helps. -DENIED. */
int standing_refused(const struct keeper_answer *a, struct err *e);

/* The session is over: what it was labelled with, granted and asked goes. What fails is left, and does no harm. */
void standing_end(const char *store, const char *ledger, const char *session);

/* What a step would have closed may be open still: who has it does not say. */
int standing_late(struct err *e);

/* An id of a question: of this moment, and another one each time. */
int standing_name_question(uint8_t ret[AUTHORITY_ID], struct err *e);
/* Of what is shown with it. */
void standing_digest(const struct buf *shown, uint8_t ret[AUTHORITY_DIGEST]);
/* The id of a question, as a person names it; "": there is none. */
void standing_question(struct keeper *k, authority_ref ask, char ret[ID_TEXT_MAX]);
/* The question of this badge that was asked last and waits; "": none does. A keeper that cannot be had says none. */
void standing_waits(const char *store, authority_ref badge, char ret[ID_TEXT_MAX]);

#endif
