#include "index/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of a role that keeps files (FILTER_KEEPER): the index is one. Which files it reaches its cell says. Beside them: no
 * process, no core, and memory for a bundle, the journal, and what SQLite may take (database.c). */
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
	return confine_role("index", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
