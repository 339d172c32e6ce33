/* seeds - the seed profiles that there are, for the keeper of profiles (usual/seeds.h).
 *
 * Owns:   where they lie, in the order in which they count: the person's ($XDG_CONFIG_HOME/ambit/seeds.d, or ~/.config/ambit/seeds.d), the machine's (/etc/ambit/seeds.d), and what Ambit brings with it (ambit-seeds, beside its helpers).
 * Holds:  nothing of them is read here. A directory and a file are taken that only root or the person can write; what is not is told in its place. None of it is fatal: where there are no seeds there are none.
 * Called: lib/usual.c. */
#ifndef LIB_SEEDS_H
#define LIB_SEEDS_H

#include "base/err.h"

/* A file of memory with all of them (usual/seeds_link.h), from its beginning; the caller owns it. -MEMORY. */
int seeds_gather(int *ret_fd, struct err *e);

#endif
