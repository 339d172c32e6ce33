#include "web/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of who speaks for somebody (FILTER_SPEAKER). Beside them: no process, no core, and memory for what clients send (32 MB), what servers say, and what is on its way. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 448u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("web", FILTER_SPEAKER, bounds, sizeof bounds / sizeof bounds[0], e);
}
