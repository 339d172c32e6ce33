/* promise - what the role may still reach once it begins to change trees.
 *
 * Owns:   which directories those are; the rules are cell/confine.h's.
 * Holds:  from then on nothing outside of the stage's trees, its parts and the store can be opened, made, changed by name or removed
 *         by this process, whatever a link or a mistake leads to. What was judged and shown needs more and comes before.
 * Called: role ambit-stage. */
#ifndef STAGE_PROMISE_H
#define STAGE_PROMISE_H

#include "base/err.h"
#include "stage/shelf.h"
#include "stage/walk.h"

int promise_trees_only(const struct shelf *shelf, const struct stage *stage, const struct trees *trees, struct err *e);

#endif
