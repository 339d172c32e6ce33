/* promise - what the role ambit-ssh does, and nothing else.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made or connected, no file opened, no process started. Memory is bounded.
 * Called: once, before the first message. */
#ifndef SSH_PROMISE_H
#define SSH_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
