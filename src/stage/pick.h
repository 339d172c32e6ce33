/* pick - which stage a person means by a word.
 *
 * Owns:   the meaning of "last", and what is said where a word names no stage, or several.
 * Holds:  1. An id, or the beginning of one, names that stage wherever its trees are.
 *         2. "last" is the latest of those at hand: that have a tree in which the current directory lies, or that lies in it. What
 *            is latest elsewhere is never taken, only named.
 *         3. One that is in use (its event runs) is "last" only where it is the only one at hand and nothing else is.
 * Called: role ambit-stage. */
#ifndef STAGE_PICK_H
#define STAGE_PICK_H

#include <stdbool.h>

#include "stage/shelf.h"

struct pick {
	const char *word; /* an id, the beginning of one, or "last" */
	const char *here; /* the current directory; "": everything is at hand */
	unsigned
		states; /* of "last": bit set of 1 << enum stage_state, one that was committed in part counts as committed too */
};

/* -NOT_FOUND, -CONFLICT: several. */
int pick_stage(const struct shelf *s, const struct pick *p, char ret[STAGE_ID_MAX], struct err *e);

/* Whether one of its trees holds `here` or lies in it; "": each does. */
bool pick_is_at_hand(const struct stage_meta *meta, const char *here);

#endif
