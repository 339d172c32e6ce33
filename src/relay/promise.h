/* promise - what the relay gives up before it reads a byte.
 *
 * Owns:   the relay's limits and its list of system calls, each a table.
 * Holds:  after promise_keep the process can read, write and close what it has, and wait; it cannot open, duplicate,
 *         map, fork, execute, signal, or control a device: TIOCSTI, which types into a terminal, is an ioctl.
 *         The limits stand without the filter and the filter without the limits.
 * Called: by ambit-relay once, at the start; by the test that tries to break it. */
#ifndef RELAY_PROMISE_H
#define RELAY_PROMISE_H

#include <stdbool.h>

/* Keeps the descriptors 0 to last_fd, which must all be open, and closes the others. 0 or -errno. */
int promise_close_others(int last_fd);
/* Lowers every limit that applies. may_write_files: a pair may end in a regular file. 0 or -errno. */
int promise_limit(int last_fd, bool may_write_files);
/* no_new_privs and the filter. 0 or -errno. */
int promise_filter(void);
/* The three. */
int promise_keep(int last_fd, bool may_write_files);

#endif
