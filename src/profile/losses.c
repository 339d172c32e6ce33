#include "profile/losses.h"

#include <string.h>

#include "profile/costs.h"

#define BIN ((COSTS_MAX + 1u) / LOSSES_BINS)

void losses_init(struct losses *l)
{
	memset(l, 0, sizeof *l);
}

void losses_thread(struct losses *l)
{
	l->in_thread = 0;
	l->window.sum = l->burst.sum = 0;
}

static void add(struct losses *l, struct losses_window *w, uint64_t length, uint16_t loss)
{
	w->sum += loss;
	if (l->in_thread >= length)
		w->sum -= l->last[(l->in_thread - length) % LOSSES_WINDOW];
	if (w->sum <= w->best)
		return;
	w->best = w->sum;
	w->at = l->n + 1;
}

void losses_add(struct losses *l, uint16_t loss)
{
	add(l, &l->window, LOSSES_WINDOW, loss);
	add(l, &l->burst, LOSSES_BURST, loss);
	l->last[l->in_thread % LOSSES_WINDOW] = loss;
	l->in_thread++;
	l->sum += loss;
	l->bins[loss / BIN]++;
	l->n++;
}

/* The mean of the highest tenth, and of one word at least; each counts as the middle of its bin. */
static double worst(const struct losses *l)
{
	const uint64_t want = l->n / 10 > 0 ? l->n / 10 : 1;
	const unsigned wide = BIN;
	uint64_t left = want;
	double sum = 0;

	for (size_t i = LOSSES_BINS; i-- > 0 && left > 0;) {
		const uint64_t n = l->bins[i] < left ? l->bins[i] : left;

		sum += (double)n * ((double)i + 0.5) * wide;
		left -= n;
	}
	return sum / (double)want;
}

void losses_end(const struct losses *l, double ret[LOSSES_KINDS])
{
	const double n = l->n > 0 ? (double)l->n : 1;

	ret[LOSSES_MEAN] = (double)l->sum / n / COSTS_BIT;
	ret[LOSSES_WORST] = l->n > 0 ? worst(l) / COSTS_BIT : 0;
	ret[LOSSES_IN_WINDOW] = (double)l->window.best / LOSSES_WINDOW / COSTS_BIT;
	ret[LOSSES_IN_BURST] = (double)l->burst.best / LOSSES_BURST / COSTS_BIT;
}
