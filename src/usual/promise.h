/* promise - all that the keeper of profiles will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_KEEPER of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible. It stands inside the cell's wall and does not replace it.
 * Called: by main of the role, once, before it hears anybody. */
#ifndef USUAL_PROMISE_H
#define USUAL_PROMISE_H

#include "base/err.h"

int promise_keep(int dir_fd, struct err *e);

#endif
