#include "profile/calibrate.h"

#include <string.h>

#define DEBT (4 * CALIBRATION_RATE)

void calibration_init(struct calibration *c)
{
	memset(c, 0, sizeof *c);
}

/* How many are lower. */
static uint32_t lower(const struct calibration *c, float score)
{
	uint32_t from = 0, to = c->n;

	while (from < to) {
		const uint32_t at = (from + to) / 2;

		if (c->sorted[at] < score)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static void take_out(struct calibration *c, float score)
{
	const uint32_t at = lower(c, score);

	c->n--;
	memmove(&c->sorted[at], &c->sorted[at + 1], (c->n - at) * sizeof c->sorted[0]);
}

void calibration_add(struct calibration *c, double score)
{
	const float new = score < CALIBRATION_MOST ? (float)score : (float)CALIBRATION_MOST;
	uint32_t at;

	if (c->n == CALIBRATION_RING)
		take_out(c, c->ring[c->at]);
	at = lower(c, new);
	memmove(&c->sorted[at + 1], &c->sorted[at], (c->n - at) * sizeof c->sorted[0]);
	c->sorted[at] = c->ring[c->at] = new;
	c->at = (c->at + 1) % CALIBRATION_RING;
	c->n++;
}

double calibration_p(const struct calibration *c, double score)
{
	return (c->n - lower(c, score < CALIBRATION_MOST ? (float)score : (float)CALIBRATION_MOST) + 1.0) /
	       (c->n + 1.0);
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
