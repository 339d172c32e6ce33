/* promise - what the role ambit-dial does, once it knows what is allowed.
 *
 * Owns:   its list of system calls.
 * Holds:  nothing but connections of streams are made; of files no more than their place is opened, no process is started.
 * Called: once, after the resolvers were started. */
#ifndef DIAL_PROMISE_H
#define DIAL_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
