/* hostport - what listens on the host's loopback for a server of a cell.
 *
 * Owns:   nothing: who asks gets the sockets.
 * Holds:  nothing but the loopback of this machine reaches it, and anybody on this machine does: it asks nobody who he is.
 * Called: supervisor. */
#ifndef SUPERVISOR_HOSTPORT_H
#define SUPERVISOR_HOSTPORT_H

#include <stdint.h>

#include "base/err.h"

/* Listens on 127.0.0.1 and, where there is IPv6, on ::1, at port, or at one that the kernel chooses (0): how many sockets there are in ret_fd.
 * -CONFLICT: somebody has it; -DENIED: it is not the person's to have; -SYSTEM. */
int hostport_listen(uint16_t port, int ret_fd[2], uint16_t *ret_port, struct err *e);

#endif
