#include "guard/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of who speaks for somebody (FILTER_SPEAKER). Beside them: no process, no core, and memory for a line of four megabytes,
 * its JSON, what was asked of it, and what is on its way to the client. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 128u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("guard", FILTER_SPEAKER, bounds, sizeof bounds / sizeof bounds[0], e);
}
