#include "ebpf/promise.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/confine.h"

/* Linux 5.8. */
#define PERFMON (1u << (38 - 32))
#define BPF (1u << (39 - 32))

static const struct confine_bound bounds[] = {
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 0 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 256u << 20 },
#endif
};

int promise_narrow(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[2],
		keeps[2] = { { .effective = 0 }, { .effective = PERFMON | BPF, .permitted = PERFMON | BPF } };

	if (syscall(SYS_capget, &head, has) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot tell the capabilities of the ebpf role");
	if ((has[1].permitted & (PERFMON | BPF)) != (PERFMON | BPF))
		return err_why(
			e,
			err_set(e, AMBIT_HOST,
				"run it as root, or give `ambit-ebpf` both (setcap cap_bpf,cap_perfmon=ep); --observe full does without",
				"who asks may not observe by eBPF"),
			"it takes CAP_BPF and CAP_PERFMON");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* there is nothing it executes */
	if (syscall(SYS_capset, &head, keeps) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot narrow the capabilities of the ebpf role");
	return 0;
}

int promise_keep(struct err *e)
{
	const int none[] = { -1 };
	const int r = confine_files("ebpf", none, 1, e);

	return r < 0 ? r : confine_role("ebpf", FILTER_WATCHER, bounds, sizeof bounds / sizeof bounds[0], e);
}
