/* promise - what the role ambit-net does, and nothing else.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made or connected, no file opened, no process started. What it needs for all connections that there may be is all the memory it gets.
 * Called: once, before the first message. */
#ifndef NET_PROMISE_H
#define NET_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
