#include "backup/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls of a role that keeps files (FILTER_KEEPER); which files it reaches its cell says. Beside them: no process, no core, and memory
 * for a bundle, the names of what is not on disk yet, and the verification. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_CPU, 1800 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 192u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("backup", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
