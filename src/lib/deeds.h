/* deeds - what an event did, out of its result: what a profile is told.
 *
 * Owns:   how names are told so that the same work elsewhere has the same names: in a granted tree from there on, in the home behind ~.
 * Holds:  it says what was asked for and what was proved before anything is committed; what the stage finds is not known yet.
 * Called: lib/usual_event.c, when an event has ended; pure, but for memory. */
#ifndef LIB_DEEDS_H
#define LIB_DEEDS_H

#include "lib/result.h"
#include "profile/deeds.h"

/* The trace's form is borrowed from r. -AMBIT_MEMORY; then ret holds nothing. */
int deeds_of(const struct event_result *r, struct deeds *ret);

#endif
