#include "login/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of who connects (FILTER_DIALER). Beside them: no process, no core, no file, and memory for one answer. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },       { RLIMIT_CORE, 1 }, { RLIMIT_FSIZE, 0 }, { RLIMIT_CPU, 20 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 128u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("login", FILTER_DIALER, bounds, sizeof bounds / sizeof bounds[0], e);
}
