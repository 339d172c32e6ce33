/* daemon_place - where the daemon of this person is to be found.
 *
 * Owns:   the names of its sockets and of its lock, and how they are told: its lock, in the directory of sessions, says in which directory it listens.
 * Holds:  a directory of sessions has one daemon, wherever that listens: who has another XDG_RUNTIME_DIR than whoever started it (a job of cron's, a login
 *         without a session) finds it by the lock. One that listens where we look and keeps other sessions (another XDG_STATE_HOME) is not ours.
 * Called: lib/daemon.c; serve/place.c writes the lock. */
#ifndef LIB_DAEMON_PLACE_H
#define LIB_DAEMON_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define DAEMON_NATIVE "native.sock" /* SOCK_SEQPACKET: session/link.h */
#define DAEMON_RPC "rpc.sock"       /* SOCK_STREAM: doc/PROTOCOL.md */
#define DAEMON_POOL "pool.sock"     /* SOCK_SEQPACKET: lib/pool.h */
#define DAEMON_LOCK "daemon.lock"   /* "PID\nDIRECTORY\n" of who holds it */

/* The socket that is called so: in the place of this environment; where the lock says. -HOST; false: it says nothing else. */
int daemon_place_own(const char *name, char ret[PATH_MAX], struct err *e);
bool daemon_place_told(const char *name, char ret[PATH_MAX]);
/* Which directory of sessions this environment's is: its device and inode; 0 and 0: there is none. */
void daemon_place_sessions(uint64_t *ret_dev, uint64_t *ret_ino);

#endif
