#include "secret/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* Files of the two directories alone, and the system calls of a role that keeps files (FILTER_KEEPER): no socket of its own, no process, no core. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 64u << 20 },
#endif
};

int promise_keep(int store_fd, int key_fd, struct err *e)
{
	const int dirs[] = { store_fd, key_fd };
	const int r = confine_files("secret", dirs, 2, e);

	return r < 0 ? r : confine_role("secret", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
