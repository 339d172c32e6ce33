#include "sign/promise.h"

#include <sys/resource.h>

#include "cell/confine.h"

/* The system calls are those of who reads and writes sockets that it was given (FILTER_RELAY). */
static const struct confine_bound bounds[] = {
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 0 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 128u << 20 },
#endif
};

int promise_keep(struct err *e)
{
	return confine_role("sign", FILTER_RELAY, bounds, sizeof bounds / sizeof bounds[0], e);
}
