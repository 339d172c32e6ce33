/* changes - a list of changes that are kept.
 *
 * Owns:   each change with its texts, in one piece as long as it has to be: there may be 65,536 of them, whose names are short.
 * Called: role ambit-stage, lib; pure. */
#ifndef STAGE_CHANGES_H
#define STAGE_CHANGES_H

#include <stddef.h>

#include "core/change.h"

/* Adds a copy. 0, or -ENOMEM: the list is as it was. */
int changes_add(struct change ***list, size_t *n, const struct change *c);
void changes_free(struct change **list, size_t n);

#endif
