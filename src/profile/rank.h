/* rank - how well scores tell attacks from what is usual, whatever the threshold: the receiver operating characteristic.
 *
 * Owns:   struct rank: the scores.
 * Holds:  scores that are the same count as half each way, so no order of input changes anything.
 * Called: profile's evaluation; pure. */
#ifndef PROFILE_RANK_H
#define PROFILE_RANK_H

#include <stdbool.h>
#include <stddef.h>

struct rank_score {
	double score;
	bool is_attack;
};

struct rank {
	struct rank_score *scores; /* owned */
	size_t n, room, attacks;
};

bool rank_add(struct rank *r, double score, bool is_attack); /* false: no memory */
void rank_sort(struct rank *r);                              /* before what follows; the highest first */
void rank_finish(struct rank *r);

/* The chance that an attack scores higher than what is usual; -1: there are none of one kind. */
double rank_area(const struct rank *r);
/* The part of attacks that is flagged by the lowest threshold that flags at most this part of what is usual; -1: likewise. */
double rank_at(const struct rank *r, double false_alarms);
/* Calls each(arg, false alarms, flagged attacks) along the curve, from (0, 0) to (1, 1). */
void rank_walk(const struct rank *r, void (*each)(void *arg, double x, double y), void *arg);

#endif
