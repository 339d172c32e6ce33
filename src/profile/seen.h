/* seen - what there is of a profile to be drawn: its most frequent items and runs of calls, its scores in order, and what came of its promises.
 *
 * Owns:   nothing: texts are the profile's.
 * Holds:  whoever draws knows a profile by this alone, and not how it is laid out. What is given is bounded by who asks; how much there is beside it is told.
 * Called: profile/show.c, page.c, draw.c: profile's role; pure, but for memory. */
#ifndef PROFILE_SEEN_H
#define PROFILE_SEEN_H

#include "profile/profile.h"

/* ---- what is usual ---- */

struct seen_item {
	const char *text;    /* of whatever program ran */
	uint32_t had;        /* events that had it; of calls sessions */
	unsigned principals; /* up to FIRSTS_SUPPORT_MAX are told apart; 0: `had` says it */
};
const char *seen_plural(unsigned kind);
uint32_t seen_all(const struct profile *p, unsigned kind); /* of how many */
/* That, in words. */
#define SEEN_SAYS_MAX 80
const char *seen_says(const struct profile *p, unsigned kind, char ret[SEEN_SAYS_MAX]);
/* The most frequent first, `most` of them at most. Gives how many there are; 0 also where there is no memory. */
size_t seen_items(const struct profile *p, unsigned kind, struct seen_item *ret, size_t most);

const struct sketch *seen_amount(const struct profile *p, enum amount which);

struct seen_run {
	const char *words[GRAMMAR_ORDER];
	size_t n;
	uint32_t times;
};
/* Runs of the greatest length that there is, at most GRAMMAR_ORDER, likewise. *ret_n: how many there are. */
size_t seen_runs(const struct profile *p, struct seen_run *ret, size_t most, size_t *ret_n);

/* ---- scores ---- */

#define SEEN_RINGS RINGS /* each layer's, and that of all together, which alone flags */

struct seen_ring {
	const char *word;
	uint32_t n;
	float scores[CALIBRATION_RING]; /* the oldest first */
	float most;
	float above
		[PROMISES]; /* what is higher is flagged, by what the level is now; INFINITY: nothing is, -INFINITY: all */
};
void seen_ring(const struct profile *p, size_t ring, struct seen_ring *ret);

/* ---- promises ---- */

struct seen_promise {
	double alpha, level, ratio;
	uint64_t events, flagged;
	uint32_t wants; /* events that it takes to be made */
	bool is_made;
};
void seen_promise(const struct profile *p, enum promised which, struct seen_promise *ret);

/* Of the events in the rings, which p each had by those that came before it. */
struct seen_ps {
	uint32_t n;
	double p[CALIBRATION_RING], least[CALIBRATION_RING]; /* least: none was below that then */
};
void seen_ps(const struct profile *p, struct seen_ps *ret);
/* How many events alpha was promised for, and which part of them is flagged at it. False: too few to expect one that is. */
bool seen_realised(const struct seen_ps *ps, double alpha, double *ret_part);

#endif
