#include "profile/rings.h"

#include "profile/amounts.h"

#include <math.h>

double rings_whole(const struct calibration rings[RINGS], const double scores[LAYERS], double ps[LAYERS])
{
	double each[LAYERS], least = 1;

	for (size_t i = 0; i < LAYERS; i++) {
		ps[i] = calibration_p(&rings[i], scores[i]);
		least = fmin(least, ps[i]);
		each[i] = scores[i];
	}
	return fading_sum(each, LAYERS) - log(least);
}

void rings_add(struct calibration rings[RINGS], const double scores[LAYERS], double whole)
{
	for (size_t i = 0; i < LAYERS; i++)
		calibration_add(&rings[i], scores[i]);
	calibration_add(&rings[RING_WHOLE], whole);
}
