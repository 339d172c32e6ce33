/* state - where what Ambit keeps of a person's events lies.
 *
 * Owns:   the rule: $XDG_STATE_HOME/ambit, or ~/.local/state/ambit; where there is no home, in /var/tmp/.ambit-UID.
 * Called: lib (stages, the ledger, the daemon), serve, the command line. */
#ifndef LIB_STATE_H
#define LIB_STATE_H

#include <stddef.h>

#include "base/err.h"

/* The path of `name` there, absolute and normal; nothing is made. 0, or -HOST: it does not fit. */
int state_path(const char *name, char *ret, size_t size);
/* Opens a directory of the person's alone, which is made where it is missing; the caller owns *ret_fd. -DENIED: it is for others, too; -SYSTEM. */
int state_open(const char *path, int *ret_fd, struct err *e);

/* Likewise of what ends with the person's session on this machine: $XDG_RUNTIME_DIR/ambit, or `run` in the place above. */
int runtime_path(const char *name, char *ret, size_t size);

#endif
