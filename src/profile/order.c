#include "profile/order.h"

#include <math.h>

#define STEP_BEGIN UINT64_C(1)
#define STEP_END UINT64_C(2)
#define TOOLS_GUESS 50.0 /* there may be as many: what is never seen has that part of what is new */
#define BITS_MAX 10.0

static uint64_t step_at(const struct doings *d, size_t i)
{
	return i < d->n_steps && i < ORDER_STEPS_MAX ? d->steps[i] : STEP_END;
}

static size_t steps_of(const struct doings *d)
{
	return d->n_steps < ORDER_STEPS_MAX ? d->n_steps : ORDER_STEPS_MAX;
}

/* The two before the i-th, as one number. */
static uint64_t before(const struct doings *d, size_t i)
{
	const uint64_t last = i > 0 ? step_at(d, i - 1) : STEP_BEGIN, other = i > 1 ? step_at(d, i - 2) : STEP_BEGIN;

	return other * UINT64_C(0x9e3779b97f4a7c15) ^ last; /* hashes of a key, mixed again where they are looked up */
}

void order_learn(struct novelty *n, uint64_t scope, const struct doings *d)
{
	for (size_t i = 0; i <= steps_of(d); i++)
		novelty_step(n, scope, before(d, i), step_at(d, i));
}

double order_score(const struct novelty *n, uint64_t scope, const struct doings *d)
{
	double worst = 0;

	for (size_t i = 0; i <= steps_of(d); i++) {
		const struct follow f = novelty_follow(n, scope, before(d, i), step_at(d, i));
		const double p = (f.times + (f.different + 1) / TOOLS_GUESS) / (f.all + f.different + 1);

		worst = fmax(worst, -log2(p));
	}
	return fmin(worst, BITS_MAX) / BITS_MAX;
}
