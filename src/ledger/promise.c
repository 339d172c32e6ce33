#include "ledger/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* Files of the ledger's directory alone, and the system calls of a role that keeps files (FILTER_KEEPER). Beside them: no process, no core,
 * and memory for a journal that is full, its tiles, and who is connected. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 192u << 20 },
#endif
};

int promise_keep(int dir_fd, struct err *e)
{
	const int r = confine_files("ledger", &dir_fd, 1, e);

	return r < 0 ? r : confine_role("ledger", FILTER_KEEPER, bounds, sizeof bounds / sizeof bounds[0], e);
}
