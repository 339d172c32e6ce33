#include "relay/promise.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_ARCH AUDIT_ARCH_RISCV64
#else
#error "which AUDIT_ARCH is this?"
#endif

/* Nothing can be made beyond what is there. The relay's memory is allocated before, so its data cannot grow either.
 * Left alone: CPU (a session may last for days), AS and RSS (DATA and the absence of mmap stand for them). */
static const struct limit_row {
	__rlimit_resource_t resource;
	rlim_t value;
} limit_rows[] = {
	{ RLIMIT_NPROC, 0 },    { RLIMIT_CORE, 1 },           { RLIMIT_DATA, 0 },  { RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_MSGQUEUE, 0 }, { RLIMIT_SIGPENDING, 0 },     { RLIMIT_LOCKS, 0 }, { RLIMIT_NICE, 0 },
	{ RLIMIT_RTPRIO, 0 },   { RLIMIT_STACK, 256u << 10 },
};

/* The address sanitizer looks for another stack in front of each call that does not return. */
#ifdef AMBIT_SANITIZED
#define SANITIZER(X) X(__NR_sigaltstack)
#else
#define SANITIZER(X)
#endif

/* All it does: copy, wait, end. restart_syscall is what poll becomes after a stop and a continue; clock_gettime is
 * the fall-back of a host without the vDSO. */
/* clang-format off */
#define ALLOWED(X) \
	X(__NR_read) X(__NR_write) X(__NR_close) X(__NR_ppoll) OLD_POLL(X) X(__NR_clock_gettime) \
	X(__NR_restart_syscall) X(__NR_rt_sigreturn) X(__NR_exit) X(__NR_exit_group) SANITIZER(X)
/* clang-format on */
#ifdef __NR_poll
#define OLD_POLL(X) X(__NR_poll)
#else
#define OLD_POLL(X)
#endif

#define ALLOW(nr)                                                                                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),

int promise_close_others(int last_fd)
{
	if (syscall(SYS_close_range, (unsigned)last_fd + 1, ~0u, 0) < 0)
		return -errno;
	return 0;
}

static int lower(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return -errno;
	if (value > now.rlim_max)
		value = now.rlim_max;
	return setrlimit(resource, &(struct rlimit){ value, value }) < 0 ? -errno : 0;
}

int promise_limit(int last_fd, bool may_write_files)
{
	int r = 0;

	for (size_t i = 0; i < sizeof limit_rows / sizeof limit_rows[0] && r == 0; i++)
		r = lower(limit_rows[i].resource, limit_rows[i].value);
	if (r == 0 && !may_write_files)
		r = lower(RLIMIT_FSIZE, 0);
	/* Not 0: poll refuses to look at more descriptors than this. All numbers below are taken, so it is the same. */
	return r == 0 ? lower(RLIMIT_NOFILE, (rlim_t)last_fd + 1) : r;
}

/* Numbers are compared whole, so the x32 calls, which have a bit more, are refused like all others. */
int promise_filter(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOWED(ALLOW) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int promise_keep(int last_fd, bool may_write_files)
{
	int r = promise_close_others(last_fd);

	if (r == 0)
		r = promise_limit(last_fd, may_write_files);
	return r == 0 ? promise_filter() : r;
}
