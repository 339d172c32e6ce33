/* tidy - what is left in the store beside stages: locks of trees, claims, and what is remembered of trees.
 *
 * Owns:   which of it goes: the lock of a tree, and a claim, that nobody holds (its supervisor was killed), the cache of a tree that is
 *         gone, and what is recorded of moves where there is no stage.
 * Holds:  what anybody uses stays.
 * Called: role ambit-stage. */
#ifndef STAGE_TIDY_H
#define STAGE_TIDY_H

#include <stdint.h>

#include "stage/shelf.h"

/* The caches that stay. */
struct tidy_counts {
	uint32_t caches;
	uint64_t bytes; /* on disk */
};

/* Best effort: what cannot be removed is counted, and tried again. ret may be NULL; counting takes a look at each file. */
void tidy(const struct shelf *s, struct tidy_counts *ret);

#endif
