/* promise - what the role ambit-authority gives up before it reads the first file.
 *
 * Owns:   the promise. Holds: all other files, programs and sockets are out of its reach after it. Called: main.c. */
#ifndef AUTHORITY_PROMISE_H
#define AUTHORITY_PROMISE_H

#include "base/err.h"

/* zones_fd: the tables of time zones, keys_fd: the approver's keys; or -1. */
int promise_keep(int dir_fd, int zones_fd, int keys_fd, struct err *e);

#endif
