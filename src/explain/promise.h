/* promise - all that the explain role will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_ROLE of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever the bytes of a record do to the parser. It stands inside
 *         the cell's wall and does not replace it.
 * Called: by main of the explain role, once, before the first byte is read. */
#ifndef EXPLAIN_PROMISE_H
#define EXPLAIN_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
