#include "setup/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of every small role (FILTER_ROLE: read, write, memory, the end). Beside them: no process, no core, no file beyond the three, and memory for the
 * largest file, as it is and as it was, and both as trees. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },         { RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 32u << 20 }, /* the answer, should descriptor 1 be a file */
	{ RLIMIT_CPU, 20 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 1u << 30 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("setup", FILTER_ROLE, bounds, sizeof bounds / sizeof bounds[0], e);
}
