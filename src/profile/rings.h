/* rings - what the layers of one event come to together, and how usual that is.
 *
 * Owns:   nothing; the last scores of each layer, and of all together, are the profile's.
 * Holds:  layers are in natural units (-ln), and are added, as if they had nothing to do with each other (Fisher). A layer that is always noisy would drown another that is not; so what the most unusual of them is by its own ring (-ln of its p) is added, too.
 *         Whatever that number is like, it is calibrated as such: the event's p is the part of usual events of which it is as high. So no correction for several is due.
 * Called: profile/profile.c, eval.c; pure. */
#ifndef PROFILE_RINGS_H
#define PROFILE_RINGS_H

#include "profile/calibrate.h"
#include "profile/unusual.h"

enum { RING_WHOLE = LAYERS, RINGS };

/* By what was there before. ps: of each layer. */
double rings_whole(const struct calibration rings[RINGS], const double scores[LAYERS], double ps[LAYERS]);
void rings_add(struct calibration rings[RINGS], const double scores[LAYERS], double whole);

#endif
