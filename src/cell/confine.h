/* confine - how a small role of ours gives up, for itself, whatever it does not need.
 *
 * Owns:   the order: no_new_privs, limits, then the filter.
 * Holds:  after confine_role a limit that was narrower already is as it was, the others are as told, and only the system calls of the
 *         shape are left. It stands inside the cell's wall and does not replace it.
 * Called: by promise.c of each role that has one of filter.h's shapes, once, before the first foreign byte is read. */
#ifndef CELL_CONFINE_H
#define CELL_CONFINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cell/filter.h"

struct confine_bound {
	int resource; /* RLIMIT_* */
	uint64_t most;
};

/* role is for messages. -SYSTEM. */
int confine_role(const char *role, enum filter_shape shape, const struct confine_bound *bounds, size_t n,
		 struct err *e);

#endif
