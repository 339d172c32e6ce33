/* confine - how a small role of ours gives up, for itself, whatever it does not need.
 *
 * Owns:   the order: no_new_privs, limits, then the filter. Files come before, since the filters know no Landlock.
 * Holds:  after confine_role a limit that was narrower already is as it was, the others are as told, and only the system calls of the
 *         shape are left. After confine_files nothing outside of the trees can be opened, made, changed by name or removed by this
 *         process, whatever a link or a mistake leads to, and nothing executed. Both stand inside the cell's wall and do not replace it.
 * Called: by promise.c of each role that has one of filter.h's shapes, or changes trees of the person's, once, before the first foreign
 *         byte is read. Landlock with moves between directories: Linux 5.19; before, the look-ups alone hold it, and confine_reading holds nothing. */
#ifndef CELL_CONFINE_H
#define CELL_CONFINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cell/filter.h"

struct confine_bound {
	int resource; /* RLIMIT_*; of RLIMIT_CORE 1 and not 0 (cell/rlimits.c) */
	uint64_t most;
};

/* Of these directories what lies beneath stays in reach; -1 is passed over. role is for messages, here and below. -SYSTEM. */
int confine_files(const char *role, const int *dir_fds, size_t n, struct err *e);
/* Of these directories what lies beneath may be read, if they are there, and nothing else; by TCP no port but this one is connected to (Linux
 * 6.7), and none is listened at; no signal goes to others, and no abstract socket is connected to (6.12). -SYSTEM. */
int confine_reading(const char *role, const char *const *dirs, size_t n, uint16_t port, struct err *e);
/* -SYSTEM. */
int confine_role(const char *role, enum filter_shape shape, const struct confine_bound *bounds, size_t n,
		 struct err *e);

#endif
