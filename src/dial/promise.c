#include "dial/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

static const struct confine_bound bounds[] = {
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 0 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 64u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("dial", FILTER_DIALER, bounds, sizeof bounds / sizeof bounds[0], e);
}
