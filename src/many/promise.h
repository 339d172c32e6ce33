/* promise - what the role ambit-many does, and nothing else.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made or connected, no file opened, no process started, no descriptor sent.
 * Called: once, before the first message. */
#ifndef MANY_PROMISE_H
#define MANY_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
