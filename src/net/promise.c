#include "net/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of who passes bytes between sockets that it was given (FILTER_RELAY). Beside them: no process, no core, no
 * file, and memory for as many connections as there may be. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 0 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 64u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("net", FILTER_RELAY, bounds, sizeof bounds / sizeof bounds[0], e);
}
