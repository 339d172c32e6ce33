/* promise - all that the policy role will ever ask of the kernel.
 *
 * Owns:   the table of system calls and limits, in promise.c.
 * Holds:  after promise_keep nothing else is possible, whatever the bytes of a policy do to the parser. It stands
 *         inside the cell's wall and does not replace it.
 * Called: by main of the policy role, once, before the first byte is read. */
#ifndef POLICY_PROMISE_H
#define POLICY_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e);

#endif
