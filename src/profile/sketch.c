#include "profile/sketch.h"

#include <math.h>
#include <string.h>

#define TAIL 10 /* a tenth */

void sketch_init(struct sketch *s)
{
	memset(s, 0, sizeof *s);
}

static unsigned bin_of(uint64_t amount)
{
	unsigned octave = 0;

	while (amount >> octave >= 2u * SKETCH_PARTS)
		octave++;
	return octave * SKETCH_PARTS + (unsigned)(amount >> octave);
}

/* The least that is in it. */
static double least(unsigned bin)
{
	if (bin < 2 * SKETCH_PARTS)
		return bin;
	return ldexp(SKETCH_PARTS + bin % SKETCH_PARTS, (int)(bin / SKETCH_PARTS) - 1);
}

static void halve(struct sketch *s)
{
	s->n = 0;
	for (unsigned i = 0; i < SKETCH_BINS; i++) {
		s->bins[i] = (uint16_t)((s->bins[i] + 1) / 2); /* what was once is not forgotten before it is old */
		s->n += s->bins[i];
	}
}

void sketch_add(struct sketch *s, uint64_t amount)
{
	const unsigned bin = bin_of(amount);

	if (s->n >= SKETCH_FULL)
		halve(s);
	s->bins[bin]++;
	s->n++;
	if (bin > s->highest)
		s->highest = bin;
}

static uint32_t as_much(const struct sketch *s, unsigned bin)
{
	uint32_t n = 0;

	for (unsigned i = s->highest + 1; i-- > bin;)
		n += s->bins[i];
	return n;
}

double sketch_above(const struct sketch *s, uint64_t amount)
{
	return (as_much(s, bin_of(amount)) + 1.0) / (s->n + 1.0);
}

/* The bin at which the highest tenth begins, how many are in it, and by how much they are beyond its beginning. */
static unsigned tail_of(const struct sketch *s, uint32_t *ret_n, double *ret_excess)
{
	const uint32_t want = s->n / TAIL > 0 ? s->n / TAIL : 1;
	unsigned from = s->highest + 1;
	double excess = 0;

	for (*ret_n = 0; from > 0 && *ret_n < want;)
		*ret_n += s->bins[--from];
	for (unsigned i = from; i <= s->highest; i++)
		excess += s->bins[i] * (least(i) - least(from));
	*ret_excess = excess / *ret_n;
	return from;
}

double sketch_surprise(const struct sketch *s, uint64_t amount)
{
	const unsigned bin = bin_of(amount);
	uint32_t n;
	double excess;
	unsigned from;

	if (s->n == 0)
		return 0;
	from = tail_of(s, &n, &excess);
	if (bin <= from)
		return -log(sketch_above(s, amount));
	excess += least(from) / SKETCH_PARTS + 1; /* that many in one bin are not all the same */
	return -log((n + 1.0) / (s->n + 1.0)) + ((double)amount - least(from)) / excess;
}

uint64_t sketch_quantile(const struct sketch *s, double q)
{
	double n = 0;

	for (unsigned i = 0; i <= s->highest && s->n > 0; i++) {
		n += s->bins[i];
		if (n >= q * s->n)
			return (uint64_t)least(i);
	}
	return 0;
}
