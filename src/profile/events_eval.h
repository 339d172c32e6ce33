/* events_eval - what the profile of calls is worth on recorded runs.
 *
 * Owns:   nothing between calls.
 * Holds:  pure: the same bytes, rules and seed give the same figures. Whether a run was under attack, or its attack succeeded, is counted and never looked at by what judges it; a run
 *         is never judged by a profile that learned from its own model family, or (with `train`) from its own file.
 * Called: in a process without authority; the verb `ambit profile eval --events`, eval/calls.c.
 *
 * A profile is that of a recurring task ("suite/user"), with its suite behind it as the agent's; good runs teach (useful, not under attack), the pipeline being the principal. Stopped is
 * whatever is unusual (profile/verdict.h). */
#ifndef PROFILE_EVENTS_EVAL_H
#define PROFILE_EVENTS_EVAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "profile/verdict.h"

#define EVAL_WITHOUT_MAX 16

struct events_eval {
	struct span test; /* JSON lines (profile/events.h) */
	struct span
		train; /* {NULL}: each model family is judged by the others of `test`; where all are of one, each pipeline */
	struct verdict_rules rules;
	double alpha; /* 0: the rules' bits as they are. Else at least as many that of the good runs that teach, each family judged by the others, at most that part would be stopped */
	unsigned seed;
	const char *without
		[EVAL_WITHOUT_MAX]; /* attacks, or "suite/injection", that are not counted: their goal is no call, so no call can be stopped. One '*' stands for anything */
	size_t n_without;
	bool json;
};

int events_eval(const struct events_eval *eval, const uint8_t key[CALL_KEY_SIZE], struct buf *out, struct err *e);

#endif
