/* promise - what the role ambit-approver keeps itself to, from before the first file of a key, and the first word of an agent, is read.
 *
 * Owns:   its limits and system calls, and the one directory that it may open files in.
 * Called: serve.c, once. */
#ifndef APPROVE_PROMISE_H
#define APPROVE_PROMISE_H

#include "base/err.h"

/* dir_fd: -1 for none. */
int promise_keep(int dir_fd, struct err *e);

#endif
