/* Limits that the kernel keeps for each process, set on the workload before it is executed. */
#include "cell/build.h"

#include <errno.h>
#include <sys/resource.h>

int rlimit_lower(unsigned which, uint64_t value)
{
	struct rlimit now, want;

	if (getrlimit(which, &now) < 0)
		return -errno;
	want.rlim_cur = want.rlim_max = value < now.rlim_max ? value : now.rlim_max;
	return setrlimit(which, &want) < 0 ? -errno : 0;
}

int rlimits_set(const struct cell_spec *spec, struct cell_failure *f)
{
	const uint64_t *limit = spec->limits.value;
	const struct {
		unsigned which;
		uint64_t value; /* 0: leave it */
	} rows[] = {
		/* 1 and not 0: with a piped core_pattern 0 still runs the helper, as root, outside (supervisor/bounds.c) */
		{ RLIMIT_CORE, 1 },
		{ RLIMIT_NOFILE, limit[LIMIT_FILES] },
		/* one more for the warden, which counts in the same user namespace */
		{ RLIMIT_NPROC, limit[LIMIT_TASKS] != 0 ? limit[LIMIT_TASKS] + 1 : 0 },
		{ RLIMIT_FSIZE, limit[LIMIT_DISK] },
		/* private writable memory of each process; never the address space: runtimes reserve terabytes. Sanitizers
		 * reserve theirs as private and writable, so where the cgroup counts what is used, nothing else does */
		{ RLIMIT_DATA, (spec->flags & CELL_MEMORY_EXACT) == 0 ? limit[LIMIT_MEMORY] : 0 },
		{ RLIMIT_MSGQUEUE, 1u << 20 },
		/* counts for the caller's uid outside as well: a cell that took them all would leave none to the caller */
		{ RLIMIT_SIGPENDING, 4096 },
		{ RLIMIT_RTPRIO, 0 },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && r == 0; i++)
		if (rows[i].value != 0 || rows[i].which == RLIMIT_RTPRIO)
			r = rlimit_lower(rows[i].which, rows[i].value);
	return r < 0 ? build_failed(f, STEP_RLIMITS, -r) : 0;
}
