/* promise - all that the witness role will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_ROLE of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever a witness answers. It stands inside
 *         the cell's wall and does not replace it.
 * Called: by main of the witness role, once, when it has its socket and before it reads from it. */
#ifndef WITNESS_PROMISE_H
#define WITNESS_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
