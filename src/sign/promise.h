/* promise - what the role ambit-sign does, once it knows what is allowed.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made or connected, no file opened, no process started, no descriptor passed on.
 * Called: once, before the first byte of a file or of the agent is read. */
#ifndef SIGN_PROMISE_H
#define SIGN_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
