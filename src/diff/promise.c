#include "diff/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of every small role (FILTER_ROLE: read, write, memory, the end). Beside them: no process, no
 * core, no file beyond the three, and memory for two contents and their lines. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, UINT64_C(4) << 30 }, /* the text, should descriptor 1 be a file */
	{ RLIMIT_CPU, 60 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 512u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("diff", FILTER_ROLE, bounds, sizeof bounds / sizeof bounds[0], e);
}
