#include "profile/sketch.h"

#include <math.h>
#include <string.h>

void sketch_init(struct sketch *s)
{
	memset(s, 0, sizeof *s);
}

unsigned sketch_bin(uint64_t amount)
{
	unsigned octave = 0;

	while (amount >> octave >= 2u * SKETCH_PARTS)
		octave++;
	return octave * SKETCH_PARTS + (unsigned)(amount >> octave);
}

double sketch_least(unsigned bin)
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
	const unsigned bin = sketch_bin(amount);

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
	return (as_much(s, sketch_bin(amount)) + 1.0) / (s->n + 1.0);
}

uint64_t sketch_quantile(const struct sketch *s, double q)
{
	double n = 0;

	for (unsigned i = 0; i <= s->highest && s->n > 0; i++) {
		n += s->bins[i];
		if (n >= q * s->n)
			return (uint64_t)sketch_least(i);
	}
	return 0;
}
