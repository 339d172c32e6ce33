/* myers - the fewest lines to take away and to add.
 *
 * Owns:   the search.
 * Holds:  memory and depth are bounded whatever the texts are. Below MYERS_EXACT differences in a row the result is minimal; above it,
 *         and above the square root of the length, the search goes on from as far as it came. When the work is used up,
 *         what is not yet compared is all changed.
 * Called: script.c; pure but for memory. */
#ifndef DIFF_MYERS_H
#define DIFF_MYERS_H

#include "diff/lines.h"

#define MYERS_EXACT 256

/* Marks the changed lines of both sides. 1: the work went out; -AMBIT_MEMORY. */
int myers_mark(struct lines *l, uint64_t *work);

#endif
