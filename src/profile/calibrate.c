#include "profile/calibrate.h"

#include <string.h>

#define DEBT (4 * CALIBRATION_RATE)

void calibration_init(struct calibration *c)
{
	memset(c, 0, sizeof *c);
}

void calibration_add(struct calibration *c, double score)
{
	c->ring[c->at] = (float)score;
	c->at = (c->at + 1) % CALIBRATION_RING;
	c->n += c->n < CALIBRATION_RING;
}

double calibration_p(const struct calibration *c, double score)
{
	uint32_t as_high = 0;

	for (uint32_t i = 0; i < c->n; i++)
		as_high += c->ring[i] >= (float)score;
	return (as_high + 1.0) / (c->n + 1.0);
}

double calibration_least(const struct calibration *c)
{
	return 1.0 / (c->n + 1.0);
}

void promise_init(struct promise_kept *k, double alpha)
{
	*k = (struct promise_kept){ .alpha = alpha, .level = alpha };
}

bool promise_flags(const struct promise_kept *k, double p, double least)
{
	return k->alpha >= least && (p <= k->level || p <= least);
}

/* Some flags too many are paid for by as few, later; but not by so few that whoever makes many false alarms is alone afterwards. */
void promise_learn(struct promise_kept *k, bool was_flagged)
{
	k->events++;
	k->flagged += was_flagged;
	k->level += CALIBRATION_RATE * (k->alpha - (was_flagged ? 1 : 0));
	k->level = k->level < -DEBT ? -DEBT : k->level > 1 ? 1 : k->level;
}

double promise_ratio(const struct promise_kept *k)
{
	return k->events == 0 ? 0 : (double)k->flagged / (double)k->events / k->alpha;
}
