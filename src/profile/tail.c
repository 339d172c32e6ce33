#include "profile/tail.h"

#include <math.h>

#define PART 0.9
#define MADE_UP 3.0 /* events of the tail that are made up */

void tail_of(const struct sketch *s, double spread, struct tail *ret)
{
	const uint32_t below = (uint32_t)(PART * s->n);
	uint32_t n = 0, beyond = 0;
	double sum = 0;
	unsigned from = 0;

	while (from < s->highest && n + s->bins[from] <= below)
		n += s->bins[from++];
	*ret = (struct tail){ .from = sketch_least(from), .is_nothing = s->highest == 0 };
	for (unsigned i = from + 1; i <= s->highest; i++) {
		beyond += s->bins[i];
		sum += s->bins[i] * log((sketch_least(i) + 1) / (ret->from + 1));
	}
	ret->begin = s->n == 0 ? 0 : -log((beyond + 1.0) / (s->n + 1.0));
	ret->by = (sum + MADE_UP * spread) / (beyond + MADE_UP);
}

double tail_surprise(const struct tail *t, uint64_t amount)
{
	const double least = sketch_least(sketch_bin(amount));

	if (least <= t->from || t->begin <= 0)
		return 0;
	return t->begin + (t->is_nothing ? 0 : log((least + 1) / (t->from + 1)) / t->by);
}
