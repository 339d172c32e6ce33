/* sat - sums that stay at a maximum where they would pass it: counts from a log, which may say anything.
 *
 * Called: from everywhere; pure. */
#ifndef BASE_SAT_H
#define BASE_SAT_H

#include <stdint.h>

#define SAT_JSON ((UINT64_C(1) << 53) - 1) /* the largest that each reader of JSON takes (RFC 8785) */

/* a + b, at most max, where a is no more than that. */
static inline uint64_t sat_add(uint64_t a, uint64_t b, uint64_t max)
{
	return b < max - a ? a + b : max;
}

/* The same in place, up to SAT_JSON. */
static inline void sat_count(uint64_t *sum, uint64_t n)
{
	*sum = sat_add(*sum, n, SAT_JSON);
}

#endif
