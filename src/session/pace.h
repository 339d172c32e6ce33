/* pace - how much somebody may ask of a process that serves others, too.
 *
 * Owns:   struct pace.
 * Holds:  no more than PACE_AT_ONCE at first and PACE_RATE a second in the long run. Who asks for more is heard later, some at a time, and meanwhile waits in
 *         a socket: so a flood sleeps most of the time, and nothing of it is lost.
 * Called: line.c, for messages of fixed size; the role ambit-rpc, for lines. */
#ifndef SESSION_PACE_H
#define SESSION_PACE_H

#include <stdbool.h>

#include "core/rate.h"

#define PACE_RATE 4000 /* a second: who asks for one thing after the other does not come near it */
#define PACE_AT_ONCE 400

struct pace {
	struct rate rate;
	uint64_t rests_ms; /* until then, by clock_ms; 0: it does not */
};

void pace_init(struct pace *p);
/* So many were done, at least 1. */
void pace_take(struct pace *p, uint64_t n);
/* Whether it has to wait now. */
bool pace_rests(struct pace *p);
/* For poll(2): timeout (-1: none), or until it need not wait, if that is before. */
int pace_timeout(const struct pace *p, int timeout);

#endif
