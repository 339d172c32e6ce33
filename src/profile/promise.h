/* promise - all that the profile role will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_ROLE of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever the bytes of a text do to their reader. It stands inside the cell's wall and does not replace it.
 * Called: by main of the profile role, once, before the first byte is read. */
#ifndef PROFILE_PROMISE_H
#define PROFILE_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
