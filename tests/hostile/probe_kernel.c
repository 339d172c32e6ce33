/* System calls that a cell has no use for, each called so that it would do something. */
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static int ring(struct attempt *a)
{
	struct io_uring_params params = { .flags = 0 };

	(void)a;
	return got(syscall(SYS_io_uring_setup, 4, &params));
}

/* What io_uring answers to a descriptor that is none of its own shows whether the call is there at all. */
static int ring_enter(struct attempt *a)
{
	const long r = syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0);

	return r < 0 && errno != EOPNOTSUPP ? -errno : said(a, "the call answers");
}

static int ring_register(struct attempt *a)
{
	const long r = syscall(SYS_io_uring_register, 0, 0, NULL, 0);

	return r < 0 && errno != EOPNOTSUPP && errno != EBADFD ? -errno : said(a, "the call answers");
}

static int bpf_map(struct attempt *a)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	(void)a;
	return got(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
}

static int perf(struct attempt *a)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof attr,
					.config = PERF_COUNT_SW_TASK_CLOCK,
					.exclude_kernel = 1,
					.exclude_hv = 1 };

	(void)a;
	return got(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int userfault(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */));
}

static int keyring(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1, 0, 0));
}

/* args[0]: the persona. */
static int persona(struct attempt *a)
{
	const unsigned long want = (unsigned long)number(a->args[0]);

	if (personality(want) < 0)
		return -errno;
	return ((unsigned long)personality(0xffffffff) & want) == want ? said(a, "taken") : -EINVAL;
}

/* ---- other doors into the same kernel ---- */

static long by_int80(long call, uintptr_t a1, uintptr_t a2, uintptr_t a3)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(call), "b"(a1), "c"(a2), "d"(a3)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* A buffer that a 32-bit call can name. */
static char *low_memory(struct attempt *a, const char *text)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (at == MAP_FAILED) {
		(void)failed_try(a, "no memory below 4 GiB");
		return NULL;
	}
	(void)snprintf(at, 4096, "%s", text);
	return at;
}

static int call_32_open(struct attempt *a)
{
	const char *at = low_memory(a, a->args[0]);

	if (at == NULL)
		return CANNOT;
	return (int)by_int80(5 /* open */, (uintptr_t)at, O_RDONLY, 0);
}

static int call_32_pid(struct attempt *a)
{
	const long r = by_int80(20 /* getpid */, 0, 0, 0);

	return r < 0 ? (int)r : said(a, "process %ld", r);
}

/* socketcall hides which call it is from a filter that looks at numbers only. */
static int call_32_socket(struct attempt *a)
{
	uint32_t *args = (uint32_t *)(void *)low_memory(a, "");
	long r;

	if (args == NULL)
		return CANNOT;
	args[0] = 2; /* AF_INET */
	args[1] = 1; /* SOCK_STREAM */
	args[2] = 0;
	r = by_int80(102 /* socketcall */, 1 /* SYS_SOCKET */, (uintptr_t)args, 0);
	return r < 0 ? (int)r : said(a, "socket %ld", r);
}

#define X32 0x40000000L

static int call_x32_pid(struct attempt *a)
{
	const long r = syscall(X32 | SYS_getpid);

	return r < 0 ? -errno : said(a, "process %ld", r);
}

static int call_x32_open(struct attempt *a)
{
	return got(syscall(X32 | SYS_open, a->args[0], O_RDONLY, 0));
}

/* ---- namespaces: args[0] is the CLONE_ flag ---- */

static int by_unshare(struct attempt *a)
{
	return got(unshare((int)number(a->args[0])));
}

/* Waits for the child that a clone gave; the child only ends. */
static int child_of(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	(void)waitpid((pid_t)pid, NULL, __WALL);
	return 0;
}

static int by_clone(struct attempt *a)
{
	return child_of(syscall(SYS_clone, (unsigned long)number(a->args[0]) | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int by_clone3(struct attempt *a)
{
	struct clone_args args = { .flags = (uint64_t)number(a->args[0]), .exit_signal = SIGCHLD };

	return child_of(syscall(SYS_clone3, &args, sizeof args));
}

/* args[0]: a process, args[1]: name of the namespace. */
static int by_setns(struct attempt *a)
{
	char name[128];
	int fd;

	(void)snprintf(name, sizeof name, "/proc/%s/ns/%s", a->args[0], a->args[1]);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : got(setns(fd, 0));
}

static int by_setns_pidfd(struct attempt *a)
{
	const int fd = (int)syscall(SYS_pidfd_open, strcmp(a->args[0], "self") == 0 ? getpid() : number(a->args[0]), 0);

	return fd < 0 ? -errno : got(setns(fd, (int)number(a->args[1])));
}

/* ---- privilege ---- */

static int becomes(struct attempt *a)
{
	const uid_t uid = (uid_t)number(a->args[0]);

	if (setresuid(uid, uid, uid) < 0)
		return -errno;
	return said(a, "uid %u", getuid());
}

static int becomes_group(struct attempt *a)
{
	const gid_t gid = (gid_t)number(a->args[0]);

	return got(setresgid(gid, gid, gid));
}

static int drops_groups(struct attempt *a)
{
	(void)a;
	return got(setgroups(0, NULL));
}

/* Any capability at all, in any set. */
static int has_capability(struct attempt *a)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	int r = f == NULL ? failed_try(a, "/proc/self/status") : -EPERM;

	while (f != NULL && r < 0 && fgets(line, sizeof line, f) != NULL)
		for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
			if (strncmp(line, sets[i], 6) == 0 && strspn(line + 8, "0") < 16) {
				line[strcspn(line, "\n")] = 0;
				r = said(a, "%s", line);
			}
	if (f != NULL)
		(void)fclose(f);
	return r;
}

static int may_gain(struct attempt *a)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? -EPERM : said(a, "no_new_privs is not set");
}

static int host_name(struct attempt *a)
{
	char name[65];

	if (gethostname(name, sizeof name) < 0)
		return -errno;
	return got(sethostname(name, strlen(name))) < 0 ? -errno : said(a, "set %s", name);
}

/* Another listener would take the eye's place. */
static int listener(struct attempt *a)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	(void)a;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return got(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

static int kernel_log(struct attempt *a)
{
	char text[4096];

	(void)a;
	return got(syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof text));
}

static int segments(struct attempt *a)
{
	uint32_t entry[4] = { 0, 0, 0, 0 };

	(void)a;
	return got(syscall(SYS_modify_ldt, 1, entry, sizeof entry));
}

static int secret_memory(struct attempt *a)
{
	(void)a;
	return got(syscall(447 /* memfd_secret */, O_CLOEXEC));
}

static int accounting(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_acct, NULL));
}

static int io_ports(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_iopl, 3));
}

static int clock_of_host(struct attempt *a)
{
	struct timespec now;

	(void)a;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	return got(clock_settime(CLOCK_REALTIME, &now));
}

static int watch_files(struct attempt *a)
{
	(void)a;
	return got(syscall(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY));
}

/* Who opens files of a directory that the host uses as well. */
static int watch_openers(struct attempt *a)
{
	const int fd = inotify_init1(IN_CLOEXEC);

	return fd < 0 ? failed_try(a, "no inotify") : got(inotify_add_watch(fd, a->args[0], IN_OPEN));
}

const struct probe probes_kernel[] = {
	{ "io-uring", 0, .tries = ring },
	{ "io-uring-enter", 0, .tries = ring_enter },
	{ "io-uring-register", 0, .tries = ring_register },
	{ "bpf", 0, .tries = bpf_map },
	{ "perf", 0, .tries = perf },
	{ "userfaultfd", 0, .tries = userfault },
	{ "keyctl", 0, .tries = keyring },
	{ "personality", 1, .tries = persona },
	{ "call-32-open", 1, .opens = call_32_open },
	{ "call-32-pid", 0, .tries = call_32_pid },
	{ "call-32-socket", 0, .tries = call_32_socket },
	{ "call-x32-pid", 0, .tries = call_x32_pid },
	{ "call-x32-open", 1, .opens = call_x32_open },
	{ "unshare", 1, .tries = by_unshare },
	{ "clone", 1, .tries = by_clone },
	{ "clone3", 1, .tries = by_clone3 },
	{ "setns", 2, .tries = by_setns },
	{ "setns-pidfd", 2, .tries = by_setns_pidfd },
	{ "become", 1, .tries = becomes },
	{ "become-group", 1, .tries = becomes_group },
	{ "drop-groups", 0, .tries = drops_groups },
	{ "capabilities", 0, .tries = has_capability },
	{ "may-gain", 0, .tries = may_gain },
	{ "host-name", 0, .tries = host_name },
	{ "listener", 0, .tries = listener },
	{ "kernel-log", 0, .tries = kernel_log },
	{ "modify-ldt", 0, .tries = segments },
	{ "memfd-secret", 0, .tries = secret_memory },
	{ "acct", 0, .tries = accounting },
	{ "iopl", 0, .tries = io_ports },
	{ "clock-settime", 0, .tries = clock_of_host },
	{ "fanotify", 0, .tries = watch_files },
	{ "watch-openers", 1, .tries = watch_openers },
	{ .name = NULL },
};
