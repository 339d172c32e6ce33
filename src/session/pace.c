#include "session/pace.h"

#include "base/clock.h"

#define REST_MS 2 /* then some are heard at once: a wake for each would cost more than it holds back */
#define MS_PER_S 1000

void pace_init(struct pace *p)
{
	p->rests_ms = 0;
	rate_init(&p->rate, PACE_AT_ONCE, PACE_AT_ONCE * MS_PER_S / PACE_RATE, clock_ms());
}

void pace_take(struct pace *p, uint64_t n)
{
	const uint64_t now = clock_ms();

	while (n > 0 && rate_take(&p->rate, now))
		n--;
	if (n > 0 || rate_wait_ms(&p->rate, now) > 0)
		p->rests_ms = now + REST_MS + n * MS_PER_S / PACE_RATE; /* what there was not is waited for */
}

bool pace_rests(struct pace *p)
{
	if (p->rests_ms != 0 && clock_ms() >= p->rests_ms)
		p->rests_ms = 0;
	return p->rests_ms != 0;
}

int pace_timeout(const struct pace *p, int timeout)
{
	uint64_t now, left;

	if (p->rests_ms == 0)
		return timeout;
	now = clock_ms();
	left = p->rests_ms > now ? p->rests_ms - now : 0;
	return timeout < 0 || left < (uint64_t)timeout ? (int)left : timeout;
}
