#include "policy/promise.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name the audit architecture of this machine"
#endif

/* What it uses: no process, no file beyond the three, no core, and memory for the largest policy many times over. */
static const struct {
	int resource;
	rlim_t most;
} bounds[] = {
	{ RLIMIT_NPROC, 0 },        { RLIMIT_CORE, 1 },
	{ RLIMIT_FSIZE, 2u << 20 }, /* the answer, should descriptor 1 be a file */
	{ RLIMIT_CPU, 5 },
#ifndef AMBIT_SANITIZED /* shadow memory is terabytes of address space */
	{ RLIMIT_AS, 64u << 20 },
#endif
};

#define BOUNDS (sizeof bounds / sizeof bounds[0])

static int keep_bounds(struct err *e)
{
	for (size_t i = 0; i < BOUNDS; i++) {
		const struct rlimit r = { .rlim_cur = bounds[i].most, .rlim_max = bounds[i].most };
		struct rlimit old;

		if (getrlimit((__rlimit_resource_t)bounds[i].resource, &old) == 0 && old.rlim_max < r.rlim_max)
			continue; /* narrower already */
		if (setrlimit((__rlimit_resource_t)bounds[i].resource, &r) < 0)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set limit %d of the policy parser",
				       bounds[i].resource);
	}
	return 0;
}

#ifndef AMBIT_SANITIZED /* the sanitizers' own calls are many; the bounds hold for them too */
/* What it calls: reading the file, writing the answer, memory, the end. Nothing opens, nothing starts. */
static const unsigned int calls[] = {
	SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_exit_group, SYS_exit,
};

#define CALLS (sizeof calls / sizeof calls[0])

/* The program: another architecture or a call that is not listed is refused with an error number. */
static void write_program(struct sock_filter *f)
{
	size_t n = 0;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) /* to the end, over those behind it and the refusal */
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], (unsigned char)(CALLS - i),
						      0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static int keep_calls(struct err *e)
{
	struct sock_filter filter[CALLS + 6];
	const struct sock_fprog program = { .len = CALLS + 6, .filter = filter };

	write_program(filter);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot filter the system calls of the policy parser");
	return 0;
}
#else
static int keep_calls(struct err *e)
{
	(void)e;
	return 0;
}
#endif

int promise_keep(struct err *e)
{
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set no_new_privs of the policy parser");
	rc = keep_bounds(e);
	return rc < 0 ? rc : keep_calls(e);
}
