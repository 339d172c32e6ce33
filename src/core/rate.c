#include "core/rate.h"

/* Below 2^53: a rate is at most 2^30, a period 3.6 million ms. */
static uint64_t full(const struct rate *r)
{
	return (uint64_t)r->most * r->period_ms;
}

void rate_init(struct rate *r, uint32_t most, uint32_t period_ms, uint64_t now_ms)
{
	*r = (struct rate){ .most = most, .period_ms = period_ms, .filled_ms = now_ms };
	r->level = full(r);
}

/* In a whole period an empty bucket is filled. */
static void fill(struct rate *r, uint64_t now_ms)
{
	const uint64_t passed = now_ms - r->filled_ms, most = r->period_ms;

	r->level += (passed < most ? passed : most) * r->most;
	r->level = r->level < full(r) ? r->level : full(r);
	r->filled_ms = now_ms;
}

bool rate_take(struct rate *r, uint64_t now_ms)
{
	if (rate_wait_ms(r, now_ms) > 0)
		return false;
	if (r->most != 0)
		r->level -= r->period_ms;
	return true;
}

uint64_t rate_wait_ms(struct rate *r, uint64_t now_ms)
{
	if (r->most == 0)
		return 0;
	fill(r, now_ms);
	return r->level >= r->period_ms ? 0 : (r->period_ms - r->level + r->most - 1) / r->most;
}
