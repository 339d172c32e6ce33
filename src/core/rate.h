/* rate - so many at once, and as many again evenly in each period.
 *
 * Owns:   struct rate: pure data.
 * Holds:  in one period no more than twice as many as at once, and in the long run as many as were said.
 * Called: the dialer (connections), ambit-http (requests), the daemon and its roles (what clients say); pure, told the time. */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint32_t most, period_ms;  /* most 0: no bound */
	uint64_t level, filled_ms; /* of the bucket: one takes the period in ms; when it was filled last */
};

/* Full. */
void rate_init(struct rate *r, uint32_t most, uint32_t period_ms, uint64_t now_ms);
/* False: there is none left; nothing is taken. */
bool rate_take(struct rate *r, uint64_t now_ms);
/* After how many milliseconds one can be taken; 0: now. */
uint64_t rate_wait_ms(struct rate *r, uint64_t now_ms);

#endif
