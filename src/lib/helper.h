/* helper - finding and starting our own executables.
 *
 * Owns:   where helpers are, and the clone by which they start.
 * Holds:  a helper is started with exit signal 0 and a pidfd, in a session of its own, with one socket as descriptor 3 and
 *         nothing else; no signal handler, mask, directory or environment of the host goes with it. Safe in a host with
 *         threads: nothing but async-signal-safe calls happens between clone and exec.
 * Called: lib only. */
#ifndef LIB_HELPER_H
#define LIB_HELPER_H

#include "base/err.h"

/* A descriptor (O_PATH) of the helper: beside the running executable, in ../libexec/ambit from it, or where Ambit was
 * installed. */
int helper_open(const char *name, int *ret_fd, struct err *e);

/* Starts the executable; the caller owns *ret_pidfd and reaps with waitid(P_PIDFD, ..., __WALL). */
int helper_start(int exe_fd, const char *name, int sock, int *ret_pidfd, struct err *e);

#endif
