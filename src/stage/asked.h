/* asked - changes that a policy wants a person to say yes to.
 *
 * Owns:   which of them a grant with `ask` is of.
 * Holds:  what lies in the object of such a grant, is it or holds it is asked for, under its new name and its old one (of another name for a file: the
 *         first), whatever other grants say: asking wins. The grants are those of the event, written down before its program ran.
 * Called: role ambit-stage; pure. */
#ifndef STAGE_ASKED_H
#define STAGE_ASKED_H

#include "core/change.h"
#include "stage/store.h"

/* The index of the first of these grants among the names of the description; -1: it is not asked for. all: NULL, or by index: each of them is set. */
int asked_by(const struct stage_meta *m, const struct change *c, bool *all);

#endif
