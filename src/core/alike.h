/* alike - names that a reader takes for one another.
 *
 * Owns:   what is told apart: letters whatever their case, O from 0, l from 1 and I, rn from m, vv from w, and `_`, `-` and `.` among themselves are not.
 * Holds:  names are of ASCII (core/tool.h); others are refused before.
 * Called: from any process; pure. */
#ifndef CORE_ALIKE_H
#define CORE_ALIKE_H

#include <stdbool.h>

/* Whether two names look alike, or are the same. */
bool alike_is(const char *a, const char *b);

#endif
