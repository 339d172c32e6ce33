/* hunks - the part of a difference that holds lines.
 *
 * Owns:   nothing.
 * Holds:  the numbers in a header are right for the lines that follow, unless the output became full; then the text ends
 *         early, perhaps inside a line, and the caller is told.
 * Called: patch.c. */
#ifndef DIFF_HUNKS_H
#define DIFF_HUNKS_H

#include "diff/out.h"
#include "diff/script.h"

/* lead: what stands before each line. False: the output is full, and lines are missing. */
bool hunks_write(struct out *o, const struct text *old, const struct text *new, const struct script *s,
		 uint32_t context, const char *lead);

#endif
