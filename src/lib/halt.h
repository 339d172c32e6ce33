/* halt - freezing, thawing and killing, whoever asks for it.
 *
 * Owns:   struct halted: the events that were reached.
 * Holds:  what it gives is true when it returns. A word that cannot be written stops what runs all the same; what was killed is gone also where something
 *         of it did not stand still.
 * Called: cli, and the role ambit-freeze, which does it for everybody else (halter.h). It raises the limit of open files, so it is not for a product's process. */
#ifndef LIB_HALT_H
#define LIB_HALT_H

#include "lib/freeze.h"
#include "session/link.h"

struct halt {
	enum halt_deed deed;
	const char *what;   /* FROZEN_ALL, or an id */
	const char *reason; /* at most FROZEN_REASON_MAX - 1 bytes */
	bool keep;          /* what is killed stays frozen */
};

struct halted {
	bool before;        /* it was frozen already */
	unsigned cancelled; /* killed: those that waited, and never begin */
	struct held_events held;
};

/* *ret is the caller's to finish, also where it fails. -LIMIT: not everything stands still; -NOT_FOUND: an event that ended meanwhile; -FROZEN: thawed, and something
 * else holds it; -HOST, -SYSTEM, -GONE. */
int halt_do(const struct halt *h, struct halted *ret, struct err *e);
void halted_finish(struct halted *h);

#endif
