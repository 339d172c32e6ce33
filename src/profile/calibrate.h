/* calibrate - a score becomes the part of usual events that score as high: split conformal prediction, over the last ones.
 *
 * Owns:   struct calibration: a ring of the last scores of events that were no attack, which includes those that were flagged and then released.
 * Holds:  for a score that comes from the same as the ring's, P(p <= a) <= a, whatever the scores are like. No p is below 1 / (n + 1), so an alpha below that is no promise, and flags nothing.
 *         Where what is usual drifts, the level at which is flagged follows (adaptive conformal inference: level += RATE * (alpha - flagged)), so that over time the part that is flagged is alpha.
 *         What is more unusual than all of the ring is flagged whatever the level: who makes many false alarms is not alone with what comes next. That is 1 / (n + 1) of usual events at most.
 *         What was promised is held against what came of it.
 * Called: profile; pure. */
#ifndef PROFILE_CALIBRATE_H
#define PROFILE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALIBRATION_RING 4096 /* the least p is below PROMISE_ASK from 999 on */
#define CALIBRATION_MOST 1e6  /* higher scores are as high */
#define CALIBRATION_RATE 0.005

struct calibration {
	float ring[CALIBRATION_RING], sorted[CALIBRATION_RING]; /* as they came, and from the lowest */
	uint32_t n, at;
};

/* One promise: that at most alpha of usual events are flagged. */
struct promise_kept {
	double alpha, level;
	uint64_t events, flagged; /* since it was made, of usual ones; flagged ones, released or not known */
};

void calibration_init(struct calibration *c);
void calibration_add(struct calibration *c, double score);
/* (1 + how many score as high) / (1 + n). */
double calibration_p(const struct calibration *c, double score);
double calibration_least(const struct calibration *c); /* 1 / (n + 1) */

void promise_init(struct promise_kept *k, double alpha);
/* Whether an event with this p is flagged; least: no p is below that. */
bool promise_flags(const struct promise_kept *k, double p, double least);
/* That one was no attack. */
void promise_learn(struct promise_kept *k, bool was_flagged);
/* Of what was promised; 0: nothing was yet. */
double promise_ratio(const struct promise_kept *k);

#endif
