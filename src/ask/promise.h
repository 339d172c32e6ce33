/* promise - all that the role ambit-ask will ever ask of the kernel.
 *
 * Owns:   the table of system calls and limits, in promise.c.
 * Holds:  after promise_keep nothing else is possible, whatever an issuer sends. It stands
 *         inside the cell's wall and does not replace it.
 * Called: by main of the role ambit-ask, once, before the first byte of the issuer is read. */
#ifndef ASK_PROMISE_H
#define ASK_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
