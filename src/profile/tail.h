/* tail - how unusual an amount is that is more than nine in ten had.
 *
 * Owns:   nothing on the heap: struct tail is made of a sketch, and looked into in no time.
 * Holds:  what nine in ten had at most is not unusual. Beyond it the logarithm goes on as an exponential with the mean excess of those that were there (Hill), a few made-up ones among them, so that a few events that are all alike do not make the next one
 *         impossible: ten times more is more unusual than twice. Of what never was but nothing there is no scale, and whatever there is counts as one thing that is new.
 * Called: profile; pure. */
#ifndef PROFILE_TAIL_H
#define PROFILE_TAIL_H

#include <stdbool.h>

#include "profile/sketch.h"

struct tail {
	double begin;    /* its surprise there, -ln */
	double from, by; /* amounts of a higher bin than `from` lie in it; mean of ln((amount + 1) / (from + 1)) */
	bool is_nothing; /* none ever had any */
};

/* spread: of the made-up ones, as a logarithm. */
void tail_of(const struct sketch *s, double spread, struct tail *ret);
double tail_surprise(const struct tail *t, uint64_t amount); /* 0: it does not lie in it */

#endif
