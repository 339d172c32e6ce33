/* order - how usual the order of a run's tools is.
 *
 * Owns:   nothing; what it counts is in struct novelty.
 * Holds:  between 0 and 1, and a tie-break only: alone it says little (doc/PROFILE-CALLS.md).
 * Called: profile/verdict.c, profile/events_eval.c; pure. */
#ifndef PROFILE_ORDER_H
#define PROFILE_ORDER_H

#include "profile/novelty.h"

#define ORDER_STEPS_MAX 4096 /* of one run; later ones are not looked at */

void order_learn(struct novelty *n, uint64_t scope, const struct doings *d);
/* The least likely step after its two before (Witten-Bell), in tenths of 10 bits at most; 1 where nothing was learned. */
double order_score(const struct novelty *n, uint64_t scope, const struct doings *d);

#endif
