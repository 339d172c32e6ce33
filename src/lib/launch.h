/* launch - from a policy and options to an event.
 *
 * Owns:   what words mean on this host: the workspace, the home directory, the program's path, the environment.
 * Holds:  decided once, with the caller's authority, before anything foreign runs.
 * Called: lib (ambit_event_start), cli_learn. */
#ifndef LIB_LAUNCH_H
#define LIB_LAUNCH_H

#include "ambit/ambit.h"

/* As ambit_event_start; with hide not NULL the cell also sees, read-only, everything of the host that the caller can see but
 * /proc, /dev, /sys, /run, /tmp and the paths of `hide` (ends with NULL; absolute and normal). */
int launch_event(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		 struct ambit_event **ret, struct ambit_error *e);

#endif
