#include "series.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int series_init(struct series *s, size_t room)
{
	*s = (struct series){ .values = calloc(room, sizeof *s->values), .room = room };
	return s->values == NULL ? -ENOMEM : 0;
}

void series_finish(struct series *s)
{
	free(s->values);
	*s = (struct series){ .values = NULL };
}

void series_add(struct series *s, double value)
{
	if (s->n < s->room)
		s->values[s->n++] = value;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_at(const struct series *s, double share)
{
	double *sorted, value;

	if (s->n == 0 || (sorted = calloc(s->n, sizeof *sorted)) == NULL)
		return 0;
	memcpy(sorted, s->values, s->n * sizeof *sorted);
	qsort(sorted, s->n, sizeof *sorted, by_size);
	value = sorted[(size_t)(share * (double)(s->n - 1) + 0.5)];
	free(sorted);
	return value;
}

double series_median(const struct series *s)
{
	return series_at(s, 0.5);
}

enum pairing { RATIO, EXCESS, STRAY };

static double of_pair(enum pairing how, double a, double b)
{
	switch (how) {
	case RATIO: return a / b;
	case EXCESS: return a - b;
	case STRAY: return a > b ? a / b - 1 : b / a - 1;
	}
	return 0;
}

static double of_pairs(enum pairing how, const struct series *a, const struct series *b, double share)
{
	const size_t n = a->n < b->n ? a->n : b->n;
	struct series pairs;
	double value;

	if (n == 0 || series_init(&pairs, n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		series_add(&pairs, of_pair(how, a->values[i], b->values[i]));
	value = series_at(&pairs, share);
	series_finish(&pairs);
	return value;
}

double series_ratio(const struct series *a, const struct series *b)
{
	return of_pairs(RATIO, a, b, 0.5);
}

double series_excess(const struct series *a, const struct series *b)
{
	return of_pairs(EXCESS, a, b, 0.5);
}

double series_noise(const struct series *a, const struct series *b)
{
	return of_pairs(STRAY, a, b, 0.95);
}

void figure_tell(const char *name, double value, double target, const char *unit)
{
	const char *gap = unit[0] != 0 ? " " : "";

	(void)printf("figure %-44s %8.2f%s%s  target at most %.2f%s%s  %s\n", name, value, gap, unit, target, gap, unit,
		     value <= target ? "met" : "missed");
}

unsigned series_draw(unsigned n)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}
