#include "usual/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* Files of its directory alone, and the system calls of a role that keeps files. Beside them: no process, no core, and memory for as many profiles as are hot, and their forms. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 1024u << 20 },
#endif
};

int promise_keep(int dir_fd, struct err *e)
{
	const int dirs[] = { dir_fd };
	const int r = confine_files("usual", dirs, 1, e);

	return r < 0 ? r : confine_role("usual", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
