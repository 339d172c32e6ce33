/* promise - what the role ambit-web does, and nothing else.
 *
 * Owns:   its list of system calls.
 * Holds:  no socket is made, connected or listened at, no file opened, no process started, no descriptor sent. It has memory for what is read and told at one time.
 * Called: once, before the first message. */
#ifndef WEB_PROMISE_H
#define WEB_PROMISE_H

#include "base/err.h"

int promise_keep(struct err *e); /* -SYSTEM */

#endif
