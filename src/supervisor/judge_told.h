/* judge_told - what the library tells the supervisor of the person's authority: who acts, and which grants of the event ask.
 *
 * Owns:   the body of EVENT_AUTHORITY. With it comes a connection to the keeper that is bound to that badge.
 * Called: lib, supervisor/judge.c; pure. */
#ifndef SUPERVISOR_JUDGE_TOLD_H
#define SUPERVISOR_JUDGE_TOLD_H

#include "core/authority.h"

struct judge_told {
	authority_ref badge;
	uint64_t keep_ms; /* how long a question waits */
	uint32_t n;
	struct {
		uint32_t grant; /* of the event */
		authority_ref ref;
	} grants[GRANTS_MAX];
};
void judge_told_put(struct buf *out, const struct judge_told *t);
bool judge_told_take(struct rbuf *in, struct judge_told *ret);

#endif
