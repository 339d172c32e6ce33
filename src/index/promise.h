/* promise - what the role that looks things up gives up for itself, inside its cell.
 *
 * Called: index/main.c, tests. */
#ifndef INDEX_PROMISE_H
#define INDEX_PROMISE_H

#include "base/err.h"

/* Once, before the first foreign byte is read. -SYSTEM. */
int promise_keep(struct err *e);

#endif
