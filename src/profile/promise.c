#include "profile/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls of every small role. Beside them: no process, no core, no file beyond the three; memory for texts of a gigabyte and some thousand profiles. */
static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 128u << 20 }, /* the answer, should descriptor 1 be a file */
	{ RLIMIT_CPU, 1800 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, UINT64_C(4) << 30 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("profile", FILTER_ROLE, bounds, sizeof bounds / sizeof bounds[0], e);
}
