/* holder - which event works on a tree.
 *
 * Owns:   nothing.
 * Holds:  it is for a person to read: an event may end, and another begin, while it is looked for. No lock is kept.
 * Called: role ambit-stage, while it waits. */
#ifndef STAGE_HOLDER_H
#define STAGE_HOLDER_H

#include <stdbool.h>

#include "stage/shelf.h"

/* One that writes the tree, or one that overlaps it, in place; else one whose stage is in use and has the tree, and is not `own`. tree NULL: one of
 * any tree, with a stage. */
bool holder_find(const struct shelf *s, const struct stage_tree *tree, const char *own, char ret[STAGE_ID_MAX]);

#endif
