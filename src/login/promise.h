/* promise - all that ambit-login will ever ask of the kernel.
 *
 * Owns:   the table of limits, in promise.c; the system calls are FILTER_DIALER of cell/filter.h.
 * Holds:  after promise_keep it can connect, and read and write what is open, and nothing else; to where, is the cell's to say.
 * Called: by main, once, before a byte of a server or a browser is read. */
#ifndef LOGIN_PROMISE_H
#define LOGIN_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
