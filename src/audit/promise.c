#include "audit/promise.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cell/filter.h"

/* The system calls are those of a role that reads files (FILTER_READER). Beside them: no process, no core, nothing to be written but what it
 * says, and memory for one bundle of entries, the journal, and what is found. */
static const struct {
	int resource;
	rlim_t most;
} bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_CPU, 1800 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 192u << 20 },
#endif
};

static int keep_bounds(struct err *e)
{
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		const struct rlimit r = { .rlim_cur = bounds[i].most, .rlim_max = bounds[i].most };
		struct rlimit old;

		if (getrlimit((__rlimit_resource_t)bounds[i].resource, &old) == 0 && old.rlim_max < r.rlim_max)
			continue; /* narrower already */
		if (setrlimit((__rlimit_resource_t)bounds[i].resource, &r) < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set limit %d of the audit role",
				       bounds[i].resource);
	}
	return 0;
}

/* prctl takes a pointer to what it does not change. */
static int keep_calls(struct err *e)
{
	size_t n;
	const struct sock_filter *program = filter_program(FILTER_READER, &n);
	const struct sock_fprog f = { .len = (unsigned short)n, .filter = (struct sock_filter *)(uintptr_t)program };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot filter the system calls of the audit role");
	return 0;
}

int promise_keep(struct err *e)
{
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set no_new_privs of the audit role");
	rc = keep_bounds(e);
	return rc < 0 ? rc : keep_calls(e);
}
