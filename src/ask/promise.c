#include "ask/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of every small role (FILTER_ROLE: read, write, poll, memory, the end), of one connection that stands already. Beside them: no process, no
 * core, no file. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },       { RLIMIT_CORE, 1 }, { RLIMIT_FSIZE, 1u << 20 }, { RLIMIT_CPU, 20 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 128u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("ask", FILTER_ROLE, bounds, sizeof bounds / sizeof bounds[0], e);
}
