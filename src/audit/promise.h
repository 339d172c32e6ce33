/* promise - all that the audit role will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_READER of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever the bytes of a log do to the role. It stands inside
 *         the cell's wall and does not replace it.
 * Called: by main of the audit role, once, before the first byte is read. */
#ifndef AUDIT_PROMISE_H
#define AUDIT_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
