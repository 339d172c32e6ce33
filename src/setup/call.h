/* call - what a client says of a tool that it is about to use.
 *
 * Called: main of the role, its tests. Pure, but for memory. */
#ifndef SETUP_CALL_H
#define SETUP_CALL_H

#include "setup/ask.h"

/* ret: whether it is a command of a shell, and what is kept of it; its texts lie in out. */
int call_read(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e);

#endif
