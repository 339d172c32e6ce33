#include "warden/promise.h"

#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/build.h"
#include "cell/filter.h"

/* Limits of the warden itself: it opens links of /proc to read them and nothing more. */
static const struct {
	unsigned which;
	rlim_t value;
} bounds[] = {
	{ RLIMIT_CORE, 1 }, /* as of the workload (cell/rlimits.c) */
	{ RLIMIT_FSIZE, 0 },
};

int promise_make(void)
{
	struct sock_fprog program = { .filter = NULL };
	size_t n;

	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
		if (rlimit_lower(bounds[i].which, bounds[i].value) < 0)
			return -1;
	program.filter = (struct sock_filter *)(uintptr_t)filter_program(FILTER_WARDEN, &n); /* only read */
	program.len = (unsigned short)n; /* at most 4096 instructions */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -1 : 0;
}
