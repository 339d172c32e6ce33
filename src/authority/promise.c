#include "authority/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* Files of its directory, the tables of time zones and the approver's keys alone, and the system calls of a role that keeps files (FILTER_KEEPER). Beside them: no process, no
 * core, and memory for a state that is full, a snapshot of it, and who is connected. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 1536u << 20 },
#endif
};

int promise_keep(int dir_fd, int zones_fd, int keys_fd, struct err *e)
{
	const int dirs[] = { dir_fd, zones_fd, keys_fd };
	const int r = confine_files("authority", dirs, 3, e);

	return r < 0 ? r : confine_role("authority", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
