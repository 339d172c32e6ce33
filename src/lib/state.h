/* state - where what Ambit keeps of a person's events lies.
 *
 * Owns:   the rule: $XDG_STATE_HOME/ambit, or ~/.local/state/ambit; where there is no home, in /var/tmp/.ambit-UID.
 * Called: lib (stages, the ledger, the daemon), serve, the command line. */
#ifndef LIB_STATE_H
#define LIB_STATE_H

#include <stddef.h>

/* The path of `name` there, absolute and normal; nothing is made. 0, or -HOST: it does not fit. */
int state_path(const char *name, char *ret, size_t size);

/* Likewise of what ends with the person's session on this machine: $XDG_RUNTIME_DIR/ambit, or `run` in the place above. */
int runtime_path(const char *name, char *ret, size_t size);

#endif
