/* promise - what the role ambit-secret keeps itself to, from before the first file of the store is read.
 *
 * Owns:   its limits and system calls, and the two directories that it may open files in.
 * Called: serve.c, once. */
#ifndef SECRET_PROMISE_H
#define SECRET_PROMISE_H

#include "base/err.h"

int promise_keep(int store_fd, int key_fd, struct err *e);

#endif
