#include "profile/amounts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FADES 0.3
#define SPREAD 0.7 /* what is made up is twice as much */

void amounts_init(struct amounts *a)
{
	for (size_t i = 0; i < AMOUNTS; i++)
		sketch_init(&a->of[i]);
	memset(a->tails, 0, sizeof a->tails);
}

void amounts_learn(struct amounts *a, const struct amounts *scores, const uint64_t amounts[AMOUNTS])
{
	for (size_t i = 0; i < AMOUNTS; i++) {
		const double most = scores != NULL ? 2 * sketch_least(scores->of[i].highest + 1) : HUGE_VAL;

		if (amounts[i] != AMOUNT_UNKNOWN)
			sketch_add(&a->of[i], (double)amounts[i] < most ? amounts[i] : (uint64_t)most);
	}
}

void amounts_freeze(struct amounts *a)
{
	for (size_t i = 0; i < AMOUNTS; i++)
		tail_of(&a->of[i], SPREAD, &a->tails[i]);
}

static int higher_first(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

double fading_sum(double *surprises, size_t n)
{
	double sum = 0;

	qsort(surprises, n, sizeof *surprises, higher_first);
	for (size_t i = n; i-- > 0;)
		sum = surprises[i] + FADES * sum;
	return sum;
}

double amounts_score(const struct amounts *a, const uint64_t amounts[AMOUNTS], double each[AMOUNTS])
{
	double high[AMOUNTS];
	size_t n = 0;

	for (size_t i = 0; i < AMOUNTS; i++) {
		const double surprise = amounts[i] != AMOUNT_UNKNOWN ? tail_surprise(&a->tails[i], amounts[i]) : 0;

		if (each != NULL)
			each[i] = surprise;
		if (surprise > 0)
			high[n++] = surprise;
	}
	return fading_sum(high, n);
}
