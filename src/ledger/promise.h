/* promise - all that the ledger's role will ask of the kernel once it has its directory and the lock.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_KEEPER of cell/filter.h.
 * Holds:  after promise_keep nothing else is possible, whatever the files of a ledger or its clients do to the role: what has the key
 *         neither leaves the directory, nor starts, connects or speaks to anything but who comes. It stands inside the cell's wall and
 *         does not replace it.
 * Called: by main of the role, once, before the first byte of a file is read. */
#ifndef LEDGER_PROMISE_H
#define LEDGER_PROMISE_H

#include "base/err.h"

int promise_keep(int dir_fd, struct err *e);

#endif
