/* helper - starting our own executables.
 *
 * Owns:   the clone by which they start, and their end; where they are is place.h's.
 * Holds:  a helper is held by a pidfd and is nobody's child here: the host's waitpid and SIGCHLD never see it. (An exit
 *         signal of 0 alone would not do: exec sets it back to SIGCHLD.) It runs in a session of its own, with one socket as
 *         descriptor 3 and nothing else; no signal handler, mask or directory of the host goes with it, and no environment but what helper_start_with was given. Safe in a
 *         host with threads: nothing but async-signal-safe calls happens between clone and exec.
 * Called: lib only. */
#ifndef LIB_HELPER_H
#define LIB_HELPER_H

#include "base/err.h"

/* A descriptor (O_PATH) of the helper, from the first of its places (place.h) that has it. -SYSTEM: none has; -UNTRUSTED. */
int helper_open(const char *name, int *ret_fd, struct err *e);

/* Where it lies, in a room of PATH_MAX: for one that is run in a cell as a program of the person's would be. */
int helper_path(const char *name, char *ret, struct err *e);

/* Starts the executable; the caller owns *ret_pidfd, which is readable once it has ended. */
int helper_start(int exe_fd, const char *name, int sock, int *ret_pidfd, struct err *e);
/* The same with this environment: of a role that runs what the person named. */
int helper_start_with(int exe_fd, const char *name, int sock, char *const *envp, int *ret_pidfd, struct err *e);

/* Waits for its end, if there is one to wait for, and closes. */
void helper_end(int *pidfd);
/* Closes, without waiting. Of one that ended nothing is left, also where this process is init. */
void helper_part(int *pidfd);

#endif
