#include "audit/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of a role that reads files (FILTER_READER). Beside them: no process, no core, nothing to be written but what it
 * says, and memory for one bundle of entries, the journal, and what is found. */
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
	return confine_role("audit", FILTER_READER, bounds, sizeof bounds / sizeof bounds[0], e);
}
