/* promise - all that the judge role will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_ROLE of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever the bytes of a file do to a judge. It stands inside the cell's
 *         wall and does not replace it.
 * Called: by main of the judge role, once, before the first byte is read. */
#ifndef JUDGE_PROMISE_H
#define JUDGE_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
