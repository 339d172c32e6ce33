/* promise - what the role ambit-guard does, and nothing else.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made or connected, no file opened, no process started, no descriptor sent. It has memory for the longest line, and what becomes of it.
 * Called: once, before the first message. */
#ifndef GUARD_PROMISE_H
#define GUARD_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
