/* amounts - how much of what the events of a profile had.
 *
 * Owns:   struct amounts: a sketch of each.
 * Holds:  what scores is what was frozen. The most unusual amount counts most (fading_sum): they have much to do with each other.
 * Called: profile; pure. */
#ifndef PROFILE_AMOUNTS_H
#define PROFILE_AMOUNTS_H

#include "profile/deeds.h"
#include "profile/tail.h"

struct amounts {
	struct sketch of[AMOUNTS];
	struct tail tails[AMOUNTS];
};

void amounts_init(struct amounts *a);
/* scores: what scores now, or NULL. Of an amount no more than twice the most that it knows is learned: so what is usual grows by doubling from one promotion to the next, and by no step that nobody has seen. */
void amounts_learn(struct amounts *a, const struct amounts *scores, const uint64_t amounts[AMOUNTS]);
void amounts_freeze(struct amounts *a);
/* Its surprise. each: of each amount, may be NULL. */
double amounts_score(const struct amounts *a, const uint64_t amounts[AMOUNTS], double each[AMOUNTS]);

/* The sum of n, in any order: the highest counts in full, each next one three tenths as much as the one before it, since what goes together is no proof each. */
double fading_sum(double *surprises, size_t n);

#endif
