/* judge_told - what the library tells the supervisor of the person's authority: who acts, and which grants of the event it is asked of.
 *
 * Owns:   the body of EVENT_AUTHORITY. With it come two connections to the keeper that are bound to that badge, of which the second watches.
 * Called: lib, supervisor/judge.c; pure. */
#ifndef SUPERVISOR_JUDGE_TOLD_H
#define SUPERVISOR_JUDGE_TOLD_H

#include "core/authority.h"

struct judge_told {
	authority_ref badge;
	uint64_t keep_ms; /* how long a question waits */
	uint32_t n;
	struct judge_told_grant {
		uint32_t grant; /* of the event */
		authority_ref ref;
		bool asks;    /* it may put a question to the person */
		bool counted; /* so are its bytes */
		uint8_t n_unless;
		uint64_t unless[AUTHORITY_UNLESS_MAX]; /* labels that close it */
	} grants[GRANTS_MAX];
};
void judge_told_put(struct buf *out, const struct judge_told *t);
bool judge_told_take(struct rbuf *in, struct judge_told *ret);

#endif
