/* under - what would become of an effect of before under another policy.
 *
 * Owns:   struct under: the grants that one event would have had, and what it would have written into places of its cell's own.
 * Holds:  what the log does not say is not guessed: where an answer hangs on a fact that nobody looked at then, both are tried, and where
 *         they differ it is said that it cannot be told. What the base of a cell shows, and which names are hidden, is as in
 *         this program. A program that is denied something may do other things after it: nothing of that is known.
 * Called: audit/replay.c; pure, but for its memory. */
#ifndef AUDIT_UNDER_H
#define AUDIT_UNDER_H

#include "audit/past.h"
#include "audit/policy_asked.h"
#include "audit/seen.h"
#include "cell/spec.h"
#include "core/denial.h"

struct under {
	struct grant_set grants;
	struct cell_spec spec;     /* of the cell that it would have had, as far as that follows from its base */
	uint16_t line[GRANTS_MAX]; /* of the policy: an index of fixed, or GRANTS_MAX + one of within; UNDER_NO_LINE */
	struct seen
		made; /* names that it would have written into places of its own; no more, as in supervisor/classify.c */
};
#define UNDER_NO_LINE UINT16_MAX

/* NULL, or why it cannot be tried on this event: static. */
const char *under_begin(struct under *u, const struct past *p, const struct policy_asked *policy);

enum under_answer {
	UNDER_SAME,
	UNDER_DENIED,  /* it would not be allowed */
	UNDER_ALLOWED, /* it would be */
	UNDER_LOST,    /* it would be written to a place of the cell's own, and go with it */
	UNDER_KEPT,    /* so it was, and would be written where it belongs */
	UNDER_UNKNOWN,
	UNDER_COUNT
};

struct under_told {
	enum under_answer answer;
	struct decision decision; /* under the other policy; with UNDER_UNKNOWN one of the two */
	struct denial denial;     /* with UNDER_DENIED: why, and what would allow it */
	enum fact unknown;        /* with UNDER_UNKNOWN: what nobody looked at */
};

/* was: what follows from its facts under the grants that it had. */
void under_decide(struct under *u, const struct past *p, const struct past_effect *f, const struct decision *was,
		  struct under_told *ret);

#endif
