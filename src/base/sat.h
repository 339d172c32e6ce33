/* sat - sums of counts that somebody else wrote: they stay at the most that the reader of the sum can have, rather than begin anew.
 *
 * Owns:   nothing.
 * Holds:  a sum is never below what went into it, unless that was over the maximum itself.
 * Called: from everywhere; pure. */
#ifndef BASE_SAT_H
#define BASE_SAT_H

#include <stdint.h>

#define INT53_MAX ((UINT64_C(1) << 53) - 1) /* the most that every reader of JSON has as it is (RFC 8785) */

static inline uint64_t sat_add(uint64_t a, uint64_t b, uint64_t max)
{
	return a >= max || b >= max - a ? max : a + b;
}

/* In place, up to INT53_MAX. */
static inline void sat_count(uint64_t *sum, uint64_t n)
{
	*sum = sat_add(*sum, n, INT53_MAX);
}

#endif
