#include "approve/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* Files of that directory alone, and the system calls of a role that keeps files (FILTER_KEEPER): no socket of its own, no process, no core. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED            /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 320u << 20 }, /* KEY_KIB_MAX for a password, and the rest */
#endif
};

int promise_keep(int dir_fd, struct err *e)
{
	const int r = confine_files("approver", &dir_fd, 1, e);

	return r < 0 ? r : confine_role("approver", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
