/* sketch - what amounts of one kind usually are: a histogram of their logarithms.
 *
 * Owns:   nothing on the heap.
 * Holds:  amounts from 0 to 2^64 - 1 (fractions are given in thousandths, or so), each to a sixteenth; what is asked of it is how many were as much or more (tail.h goes on beyond what was
 *         seen). What is old is forgotten by halves.
 * Called: profile; pure. */
#ifndef PROFILE_SKETCH_H
#define PROFILE_SKETCH_H

#include <stdint.h>

#define SKETCH_PARTS 16                      /* of each doubling */
#define SKETCH_BINS (SKETCH_PARTS * 60 + 16) /* below 16 each number is its own */
#define SKETCH_FULL 60000                    /* then all counts are halved */

struct sketch {
	uint32_t n;
	uint32_t highest; /* amount's bin */
	uint16_t bins[SKETCH_BINS];
};

void sketch_init(struct sketch *s);
void sketch_add(struct sketch *s, uint64_t amount);
/* How many of all were as much or more, with the amount itself as one of them: from 1/(n+1) to 1. */
double sketch_above(const struct sketch *s, uint64_t amount);
unsigned sketch_bin(uint64_t amount);
double sketch_least(unsigned bin); /* amount that is in it */
/* So that the part `q` of all is less or as much; 0 where nothing was. */
uint64_t sketch_quantile(const struct sketch *s, double q);

#endif
