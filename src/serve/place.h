/* place - where the daemon is found, and where sessions lie.
 *
 * Owns:   the directory of sessions, with the lock that makes this the one daemon of it, and the two sockets, with a lock of their own: for programs that use
 *         libambit, and for those that speak JSON-RPC.
 * Holds:  both lie in a directory that is the person's alone, and are made anew; whoever connects is asked by the kernel who they are. A socket that the
 *         service manager passed is taken instead (LISTEN_FDS: "native", "rpc" by LISTEN_FDNAMES, or in that order).
 * Called: serve. */
#ifndef SERVE_PLACE_H
#define SERVE_PLACE_H

#include "base/err.h"

/* All owned; both directories are locked, the one of sessions says where the sockets are (lib/daemon_place.h). */
struct place {
	int sessions_fd, lock_fd;
	int native_fd, rpc_fd; /* listening */
	int pool_fd; /* likewise, for the role ambit-pool; -1: the sockets are the service manager's, and so is the control group, which is nobody's who runs a command */
	int run_fd;  /* the directory of the sockets; -1: they are the service manager's */
	int run_lock_fd;
};

void place_init(struct place *p);
/* -CONFLICT: there is a daemon already; -HOST, -SYSTEM, -DENIED. */
int place_take(struct place *p, struct err *e);
/* Anew, by a program that took over the rest. place_take has done it. */
int place_listen_for_pool(struct place *p, struct err *e);
/* Nobody is let in any more: the listeners go, and the names of those that are ours. The directory and its lock stay. */
void place_shut(struct place *p);
void place_leave(struct place *p);

/* Owned, close-on-exec, not blocking; of the person's own alone, whoever else came is sent away. -EAGAIN: nobody, or it was somebody else. */
int place_accept(int listen_fd);

#endif
