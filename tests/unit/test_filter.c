/* The programs themselves, run by an interpreter: every number, both architectures, every shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <seccomp.h>

#include "bpf_eval.h"
#include "cell/filter_table.h"

#define NUMBERS 1024
#define REFUSED(number) (SECCOMP_RET_ERRNO | (uint32_t)(number))
#define PASSED SECCOMP_RET_ALLOW
#define NOTIFIED SECCOMP_RET_USER_NOTIF
#ifdef AMBIT_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

static const struct arch {
	const char *name;
	uint32_t audit, scmp;
	const struct filter_table *tables;
} archs[] = {
	{ "x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, filter_table_x86_64 },
	{ "aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, filter_table_aarch64 },
};
#define N_ARCHS (sizeof archs / sizeof archs[0])

static const struct {
	const char *name;
	bool workload, exec_seen, all_seen, jit;
} shapes[FILTER_COUNT] = {
	[FILTER_WORKLOAD_OFF] = { "off", true, false, false, false },
	[FILTER_WORKLOAD_EFFECTS] = { "effects", true, true, false, false },
	[FILTER_WORKLOAD_FULL] = { "full", true, true, true, false },
	[FILTER_WORKLOAD_OFF_JIT] = { "off, jit", true, false, false, true },
	[FILTER_WORKLOAD_EFFECTS_JIT] = { "effects, jit", true, true, false, true },
	[FILTER_WORKLOAD_FULL_JIT] = { "full, jit", true, true, true, true },
	[FILTER_WX] = { "wx", false, false, false, false },
	[FILTER_SOCKETS] = { "sockets", false, false, false, false },
	[FILTER_WARDEN] = { "warden", false, false, false, false },
	[FILTER_ROLE] = { "role", false, false, false, false },
	[FILTER_READER] = { "reader", false, false, false, false },
	[FILTER_KEEPER] = { "keeper", false, false, false, false },
	[FILTER_RELAY] = { "relay", false, false, false, false },
	[FILTER_SPEAKER] = { "speaker", false, false, false, false },
	[FILTER_DIALER] = { "dialer", false, false, false, false },
	[FILTER_RESOLVER] = { "resolver", false, false, false, false },
	[FILTER_WATCHER] = { "watcher", false, false, false, false },
	[FILTER_TEMPLATE] = { "template", true, false, false, true },
};

static struct bpf_result run(const struct arch *arch, int shape, const struct seccomp_data *d)
{
	const struct bpf_result r = bpf_eval(arch->tables[shape].program, arch->tables[shape].len, d);

	if (r.broken)
		fail_msg("%s, %s: the program is broken at number %d", arch->name, shapes[shape].name, d->nr);
	return r;
}

static struct bpf_result run_number(const struct arch *arch, int shape, uint32_t number, uint64_t arg)
{
	struct seccomp_data d = { .nr = (int)number, .arch = arch->audit };

	for (int i = 0; i < 6; i++)
		d.args[i] = arg;
	return run(arch, shape, &d);
}

/* The table again, read with other eyes than the generator's. */
static const struct call {
	const char *name;
	int number;
	const char *workload, *warden, *role;
} calls[] = {
#define NEW(number, name, workload, warden, role, why) { #name, number, #workload, #warden, #role },
#define CALL(name, workload, warden, role, why) { #name, -1, #workload, #warden, #role },
#define STACKED(filter, name, check)
#define RESOLVES(name, answer, why)
#include "cell/syscalls.def"
#undef CALL
#undef NEW
#undef STACKED
#undef RESOLVES
};

static const struct call added[] = {
#define NEW(number, name, workload, warden, role, why)
#define CALL(name, workload, warden, role, why)
#define STACKED(filter, name, check)
#define RESOLVES(name, answer, why) { #name, -1, "", "", #answer },
#include "cell/syscalls.def"
#undef CALL
#undef NEW
#undef STACKED
#undef RESOLVES
};

/* What lies on top of another filter passes what it does not name. */
static bool is_stacked(int shape)
{
	return shape == FILTER_WX || shape == FILTER_SOCKETS;
}

static int call_number(const struct arch *arch, const struct call *c)
{
	return c->number >= 0 ? c->number : seccomp_syscall_resolve_name_arch(arch->scmp, c->name);
}

static const struct call *call_of(const struct arch *arch, int shape, int number)
{
	for (size_t i = 0; i < sizeof added / sizeof added[0] && shape == FILTER_RESOLVER; i++)
		if (call_number(arch, &added[i]) == number)
			return &added[i];
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (call_number(arch, &calls[i]) == number)
			return &calls[i];
	return NULL;
}

static bool reads_files(int shape)
{
	return shape == FILTER_READER || shape == FILTER_KEEPER;
}

/* What the words of the table say for a shape; false if arguments decide. */
static bool said(const char *word, int shape, uint32_t *ret)
{
	const uint32_t absent = REFUSED(ENOSYS);

	if (strncmp(word, "CHECK", 5) == 0 || strncmp(word, "SEEN_IF(", 8) == 0 ||
	    (strncmp(word, "FILES(", 6) == 0 && (reads_files(shape) || (shape == FILTER_DIALER && !SANITIZED))) ||
	    (strncmp(word, "DIALS(", 6) == 0 && shape == FILTER_DIALER) ||
	    (strncmp(word, "WATCHES(", 8) == 0 && shape == FILTER_WATCHER) ||
	    (strncmp(word, "RELAYS_IF(", 10) == 0 && shape == FILTER_RELAY && !SANITIZED) ||
	    (strncmp(word, "RELAYS_OR(", 10) == 0 && (shape == FILTER_RELAY || shape == FILTER_SPEAKER) &&
	     !SANITIZED) ||
	    (strncmp(word, "NETS(", 5) == 0 && (shape == FILTER_DIALER || shape == FILTER_RELAY)))
		return false;
	if (strncmp(word, "NO_JIT(", 7) == 0 && !shapes[shape].jit)
		return false;
	if (strncmp(word, "JIT(", 4) == 0 && shapes[shape].jit)
		return false;
	*ret = PASSED;
	if (strcmp(word, "DENY") == 0)
		*ret = REFUSED(EPERM);
	else if (strcmp(word, "ABSENT") == 0)
		*ret = absent;
	else if (strncmp(word, "JIT(", 4) == 0 || strncmp(word, "DIALS(", 6) == 0 || strncmp(word, "NETS(", 5) == 0 ||
		 strncmp(word, "WATCHES(", 8) == 0)
		*ret = absent;
	else if (strcmp(word, "TALKS") == 0)
		*ret = shape == FILTER_KEEPER || shape == FILTER_RELAY || shape == FILTER_DIALER ||
				       shape == FILTER_WATCHER
			       ? PASSED
			       : absent;
	else if (strcmp(word, "KNOWS") == 0)
		*ret = shape == FILTER_DIALER || shape == FILTER_WATCHER ? PASSED : absent;
	else if (strcmp(word, "HEARS") == 0)
		*ret = shape == FILTER_KEEPER || shape == FILTER_RELAY || shape == FILTER_DIALER ||
				       shape == FILTER_SPEAKER || shape == FILTER_WATCHER
			       ? PASSED
			       : absent;
	else if (strcmp(word, "GIVEN") == 0)
		*ret = reads_files(shape) || shape == FILTER_SPEAKER || SANITIZED ? PASSED : absent;
	else if (strcmp(word, "SENDS") == 0)
		*ret = shape == FILTER_KEEPER || shape == FILTER_DIALER || shape == FILTER_WATCHER ? PASSED : absent;
	else if (strcmp(word, "RELAYS") == 0)
		*ret = shape == FILTER_RELAY || SANITIZED ? PASSED : absent;
	else if (strcmp(word, "KEEPS") == 0)
		*ret = shape == FILTER_KEEPER ? PASSED : absent;
	else if (strcmp(word, "READS") == 0 && reads_files(shape))
		*ret = PASSED;
	else if (strcmp(word, "SANE") == 0 || strncmp(word, "RELAYS_IF(", 10) == 0 ||
		 strncmp(word, "RELAYS_OR(", 10) == 0 || strcmp(word, "READS") == 0 || strncmp(word, "FILES(", 6) == 0)
		*ret = SANITIZED ? PASSED : absent;
	else if (strcmp(word, "SEEN") == 0)
		*ret = shapes[shape].all_seen ? NOTIFIED : PASSED;
	else if (strcmp(word, "EXEC") == 0)
		*ret = shapes[shape].exec_seen ? NOTIFIED : PASSED;
	else if (strcmp(word, "ALLOW") != 0 && strncmp(word, "NO_JIT(", 7) != 0)
		fail_msg("the table says '%s'", word);
	return true;
}

/* What a copy of a template does before it has the filter of its own cell: its limits are really set, and not only said to be. */
static bool is_for_copies(int shape, const char *name)
{
	static const char *const names[] = { "setns", "seccomp", "prctl", "keyctl", "prlimit64", "setrlimit" };

	for (size_t i = 0; shape == FILTER_TEMPLATE && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *word_of(const struct call *c, int shape)
{
	if (!c)
		return "ABSENT";
	if (shape == FILTER_WARDEN)
		return c->warden;
	return shapes[shape].workload ? c->workload : c->role;
}

/* Every number under arguments that are all zeroes and all ones: as the table says, or refused by a check with an
 * error; never a signal, a trace or a log. */
static void every_number_answers_as_the_table_says(void **state)
{
	static const uint64_t patterns[] = { 0, UINT64_MAX, 0x5412, UINT64_C(0xdeadbeef00000004) };

	(void)state;
	for (size_t a = 0; a < N_ARCHS; a++)
		for (int number = 0; number < NUMBERS; number++)
			for (int s = 0; s < FILTER_COUNT; s++) {
				const struct call *c = call_of(&archs[a], s, number);

				for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
					const uint32_t got =
						run_number(&archs[a], s, (uint32_t)number, patterns[p]).value;
					uint32_t want;

					if (is_stacked(s))
						continue;
					if (c != NULL && is_for_copies(s, c->name)) {
						assert_int_equal(got, PASSED);
						continue;
					}
					if (said(word_of(c, s), s, &want)
						    ? got != want
						    : got != PASSED && !(shapes[s].all_seen && got == NOTIFIED) &&
							      (got & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
						fail_msg("%s, %s, number %d (%s): 0x%08x", archs[a].name,
							 shapes[s].name, number, c ? c->name : "no such call", got);
				}
			}
}

static void a_stacked_filter_passes_all_but_its_own(void **state)
{
	static const struct {
		enum filter_shape shape;
		const char *name;
		uint32_t answer; /* to arguments of all ones */
	} own[] = {
		{ FILTER_WX, "mmap", REFUSED(EPERM) },
		{ FILTER_WX, "mprotect", REFUSED(EPERM) },
		{ FILTER_WX, "pkey_mprotect", REFUSED(EPERM) },
		{ FILTER_SOCKETS, "socket", PASSED },
		{ FILTER_SOCKETS, "socketpair", REFUSED(EACCES) },
	};
	static const enum filter_shape stacked[] = { FILTER_WX, FILTER_SOCKETS };

	(void)state;
	for (size_t a = 0; a < N_ARCHS; a++)
		for (size_t s = 0; s < sizeof stacked / sizeof stacked[0]; s++)
			for (int number = 0; number < NUMBERS; number++) {
				const uint32_t got =
					run_number(&archs[a], (int)stacked[s], (uint32_t)number, UINT64_MAX).value;
				const struct call *c = call_of(&archs[a], (int)stacked[s], number);
				uint32_t want = PASSED;

				for (size_t i = 0; c && i < sizeof own / sizeof own[0]; i++)
					if (own[i].shape == stacked[s] && !strcmp(c->name, own[i].name))
						want = own[i].answer;
				if (got != want)
					fail_msg("%s, %s, number %d: 0x%08x", archs[a].name, shapes[stacked[s]].name,
						 number, got);
			}
}

static void other_abis_are_absent(void **state)
{
	static const uint32_t foreign[] = { AUDIT_ARCH_I386,    AUDIT_ARCH_ARM,     AUDIT_ARCH_X86_64,
					    AUDIT_ARCH_AARCH64, AUDIT_ARCH_RISCV64, 0,
					    UINT32_MAX };
	static const uint32_t bits[] = { 0x40000000, 0x80000000, 0xc0000000 };

	(void)state;
	for (size_t a = 0; a < N_ARCHS; a++)
		for (int s = 0; s < FILTER_COUNT; s++)
			for (uint32_t number = 0; number < NUMBERS; number++) {
				for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++)
					assert_int_equal(run_number(&archs[a], s, number | bits[b], 0).value,
							 REFUSED(ENOSYS));
				for (size_t f = 0; f < sizeof foreign / sizeof foreign[0]; f++) {
					const struct seccomp_data d = { .nr = (int)number, .arch = foreign[f] };

					if (foreign[f] != archs[a].audit)
						assert_int_equal(run(&archs[a], s, &d).value, REFUSED(ENOSYS));
				}
			}
	for (size_t a = 0; a < N_ARCHS; a++)
		for (int s = 0; s < FILTER_COUNT; s++) {
			assert_int_equal(run_number(&archs[a], s, UINT32_MAX, 0).value, REFUSED(ENOSYS));
			if (!is_stacked(s))
				assert_int_equal(run_number(&archs[a], s, NUMBERS, 0).value, REFUSED(ENOSYS));
		}
}

/* The kernel answers these without running the program. */
static void frequent_calls_depend_on_no_argument(void **state)
{
	static const char *const often[] = {
		"read",           "write",           "readv",
		"writev",         "pread64",         "pwrite64",
		"close",          "lseek",           "fstat",
		"newfstatat",     "statx",           "mmap",
		"munmap",         "mprotect",        "brk",
		"madvise",        "mremap",          "futex",
		"epoll_wait",     "epoll_pwait",     "poll",
		"ppoll",          "select",          "pselect6",
		"fcntl",          "clock_gettime",   "clock_nanosleep",
		"nanosleep",      "sched_yield",     "getpid",
		"gettid",         "getppid",         "rt_sigaction",
		"rt_sigprocmask", "rt_sigreturn",    "sendto",
		"recvfrom",       "sendmsg",         "recvmsg",
		"getdents64",     "readlink",        "access",
		"stat",           "lstat",           "wait4",
		"exit_group",     "pipe2",           "getrandom",
		"rseq",           "set_robust_list", "accept4",
		"epoll_ctl",
	};

	(void)state;
	for (size_t a = 0; a < N_ARCHS; a++)
		for (int s = 0; s < FILTER_COUNT; s++)
			for (size_t i = 0; shapes[s].workload && i < sizeof often / sizeof often[0]; i++) {
				const int number = seccomp_syscall_resolve_name_arch(archs[a].scmp, often[i]);
				struct bpf_result r;

				if (number < 0)
					continue;
				r = run_number(&archs[a], s, (uint32_t)number, 0);
				if (!r.constant || r.value != PASSED)
					fail_msg("%s, %s: %s is not free", archs[a].name, shapes[s].name, often[i]);
			}
}

/* Rows: numbers come from the kernel's headers by way of libseccomp's names. WORKLOAD: in every workload shape. */
enum { WORKLOAD = -1, JIT_ONLY = -2, PLAIN_ONLY = -3 };
#define HIGH UINT64_C(0x8000000100000000)
#define WX_BITS (PROT_WRITE | PROT_EXEC)

static const struct row {
	const char *what;
	int shape;
	const char *call;
	uint64_t args[6];
	uint32_t want;
} rows[] = {
	{ "TIOCSTI", WORKLOAD, "ioctl", { 0, TIOCSTI }, REFUSED(EPERM) },
	{ "TIOCSTI with high bits", WORKLOAD, "ioctl", { 0, HIGH | TIOCSTI }, REFUSED(EPERM) },
	{ "TIOCLINUX", WORKLOAD, "ioctl", { 0, TIOCLINUX }, REFUSED(EPERM) },
	{ "TIOCLINUX with high bits", WORKLOAD, "ioctl", { 0, HIGH | TIOCLINUX }, REFUSED(EPERM) },
	{ "TIOCSETD", WORKLOAD, "ioctl", { 0, TIOCSETD }, REFUSED(EPERM) },
	{ "TIOCCONS", WORKLOAD, "ioctl", { 0, TIOCCONS }, REFUSED(EPERM) },
	{ "FS_IOC_RESVSP", WORKLOAD, "ioctl", { 0, 0x40305828 }, REFUSED(EOPNOTSUPP) },
	{ "FS_IOC_RESVSP64 with high bits", WORKLOAD, "ioctl", { 0, HIGH | 0x4030582a }, REFUSED(EOPNOTSUPP) },
	{ "FS_IOC_ZERO_RANGE", WORKLOAD, "ioctl", { 0, 0x40305839 }, REFUSED(EOPNOTSUPP) },
	{ "FS_IOC_UNRESVSP64 gives back", WORKLOAD, "ioctl", { 0, 0x4030582b }, PASSED },
	{ "TCGETS", WORKLOAD, "ioctl", { 0, TCGETS }, PASSED },
	{ "FIONREAD, TIOCSTI elsewhere", WORKLOAD, "ioctl", { TIOCSTI, FIONREAD, TIOCSTI }, PASSED },
	{ "thread", WORKLOAD, "clone", { CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD }, PASSED },
	{ "fork", WORKLOAD, "clone", { SIGCHLD }, PASSED },
	{ "fork by vfork", WORKLOAD, "clone", { CLONE_VM | CLONE_VFORK | SIGCHLD }, PASSED },
	{ "a child of its parent's", WORKLOAD, "clone", { CLONE_PARENT | SIGCHLD }, REFUSED(EPERM) },
	{ "new user", WORKLOAD, "clone", { CLONE_NEWUSER | SIGCHLD }, REFUSED(EPERM) },
	{ "new mount", WORKLOAD, "clone", { CLONE_NEWNS }, REFUSED(EPERM) },
	{ "new cgroup", WORKLOAD, "clone", { CLONE_NEWCGROUP }, REFUSED(EPERM) },
	{ "new uts", WORKLOAD, "clone", { CLONE_NEWUTS }, REFUSED(EPERM) },
	{ "new ipc", WORKLOAD, "clone", { CLONE_NEWIPC }, REFUSED(EPERM) },
	{ "new pid", WORKLOAD, "clone", { CLONE_NEWPID }, REFUSED(EPERM) },
	{ "new net, high bits", WORKLOAD, "clone", { HIGH | CLONE_NEWNET }, REFUSED(EPERM) },
	{ "clone3", WORKLOAD, "clone3", { 0 }, REFUSED(ENOSYS) },
	{ "io_uring", WORKLOAD, "io_uring_setup", { 0 }, REFUSED(ENOSYS) },
	{ "io_uring", WORKLOAD, "io_uring_enter", { 0 }, REFUSED(ENOSYS) },
	{ "io_uring", WORKLOAD, "io_uring_register", { 0 }, REFUSED(ENOSYS) },
	{ "ptrace", WORKLOAD, "ptrace", { 0 }, REFUSED(EPERM) },
	{ "reading memory", WORKLOAD, "process_vm_readv", { 0 }, REFUSED(EPERM) },
	{ "writing memory", WORKLOAD, "process_vm_writev", { 0 }, REFUSED(EPERM) },
	{ "bpf", WORKLOAD, "bpf", { 0 }, REFUSED(EPERM) },
	{ "perf", WORKLOAD, "perf_event_open", { 0 }, REFUSED(EPERM) },
	{ "userfaultfd", WORKLOAD, "userfaultfd", { 0 }, REFUSED(EPERM) },
	{ "keyctl", WORKLOAD, "keyctl", { 0 }, REFUSED(EPERM) },
	{ "unshare", WORKLOAD, "unshare", { 0 }, REFUSED(EPERM) },
	{ "setns", WORKLOAD, "setns", { 0 }, REFUSED(EPERM) },
	{ "mount", WORKLOAD, "mount", { 0 }, REFUSED(EPERM) },
	{ "move_mount", WORKLOAD, "move_mount", { 0 }, REFUSED(EPERM) },
	{ "handles", WORKLOAD, "open_by_handle_at", { 0 }, REFUSED(EPERM) },
	{ "unix", WORKLOAD, "socket", { AF_UNIX, SOCK_STREAM }, PASSED },
	{ "unix packets", WORKLOAD, "socket", { AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC }, PASSED },
	{ "tcp", WORKLOAD, "socket", { AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 }, PASSED },
	{ "tcp by number", WORKLOAD, "socket", { AF_INET, SOCK_STREAM, IPPROTO_TCP }, PASSED },
	{ "tcp 6", WORKLOAD, "socket", { AF_INET6, SOCK_STREAM, IPPROTO_TCP }, PASSED },
	{ "udp", WORKLOAD, "socket", { AF_INET, SOCK_DGRAM, IPPROTO_UDP }, PASSED },
	{ "udp 6", WORKLOAD, "socket", { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, PASSED },
	{ "udp over a stream", WORKLOAD, "socket", { AF_INET, SOCK_STREAM, IPPROTO_UDP }, REFUSED(EPROTONOSUPPORT) },
	{ "mptcp", WORKLOAD, "socket", { AF_INET, SOCK_STREAM, 262 }, REFUSED(EPROTONOSUPPORT) },
	{ "mptcp 6, high bits",
	  WORKLOAD,
	  "socket",
	  { HIGH | AF_INET6, SOCK_STREAM, HIGH | 262 },
	  REFUSED(EPROTONOSUPPORT) },
	{ "sctp", WORKLOAD, "socket", { AF_INET, SOCK_STREAM, IPPROTO_SCTP }, REFUSED(EPROTONOSUPPORT) },
	{ "dccp", WORKLOAD, "socket", { AF_INET, SOCK_DCCP, IPPROTO_DCCP }, REFUSED(EPROTONOSUPPORT) },
	{ "ping", WORKLOAD, "socket", { AF_INET, SOCK_DGRAM, IPPROTO_ICMP }, REFUSED(EPROTONOSUPPORT) },
	{ "ping 6", WORKLOAD, "socket", { AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 }, REFUSED(EPROTONOSUPPORT) },
	{ "udp-lite", WORKLOAD, "socket", { AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE }, REFUSED(EPROTONOSUPPORT) },
	{ "raw", WORKLOAD, "socket", { AF_INET, SOCK_RAW, IPPROTO_TCP }, REFUSED(EPROTONOSUPPORT) },
	{ "SOCK_PACKET", WORKLOAD, "socket", { AF_INET, SOCK_PACKET, 0 }, REFUSED(EPROTONOSUPPORT) },
	{ "routes", WORKLOAD, "socket", { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE }, PASSED },
	{ "other netlink", WORKLOAD, "socket", { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, REFUSED(EPROTONOSUPPORT) },
	{ "uevents", WORKLOAD, "socket", { AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT }, REFUSED(EPROTONOSUPPORT) },
	{ "packet", WORKLOAD, "socket", { AF_PACKET, SOCK_RAW }, REFUSED(EAFNOSUPPORT) },
	{ "vsock", WORKLOAD, "socket", { AF_VSOCK, SOCK_STREAM }, REFUSED(EAFNOSUPPORT) },
	{ "crypto", WORKLOAD, "socket", { AF_ALG, SOCK_SEQPACKET }, REFUSED(EAFNOSUPPORT) },
	{ "crypto, high bits", WORKLOAD, "socket", { HIGH | AF_ALG, SOCK_SEQPACKET }, REFUSED(EAFNOSUPPORT) },
	{ "bluetooth", WORKLOAD, "socket", { AF_BLUETOOTH, SOCK_RAW }, REFUSED(EAFNOSUPPORT) },
	{ "keys", WORKLOAD, "socket", { AF_KEY, SOCK_RAW }, REFUSED(EAFNOSUPPORT) },
	{ "xdp", WORKLOAD, "socket", { AF_XDP, SOCK_RAW }, REFUSED(EAFNOSUPPORT) },
	{ "tipc", WORKLOAD, "socket", { AF_TIPC, SOCK_SEQPACKET }, REFUSED(EAFNOSUPPORT) },
	{ "smc", WORKLOAD, "socket", { 43, SOCK_STREAM }, REFUSED(EAFNOSUPPORT) },
	{ "an upper layer protocol", WORKLOAD, "setsockopt", { 5, IPPROTO_TCP, 31 }, REFUSED(ENOPROTOOPT) },
	{ "an upper layer protocol, high bits",
	  WORKLOAD,
	  "setsockopt",
	  { 5, HIGH | IPPROTO_TCP, HIGH | 31 },
	  REFUSED(ENOPROTOOPT) },
	{ "no delay", WORKLOAD, "setsockopt", { 5, IPPROTO_TCP, 1 }, PASSED },
	{ "31 of another level", WORKLOAD, "setsockopt", { 5, SOL_SOCKET, 31 }, PASSED },
	{ "asynchronous reading", WORKLOAD, "io_setup", { 128 }, REFUSED(ENOSYS) },
	{ "a pair", WORKLOAD, "socketpair", { AF_UNIX, SOCK_STREAM }, PASSED },
	{ "a tipc pair", WORKLOAD, "socketpair", { AF_TIPC, SOCK_SEQPACKET }, REFUSED(EAFNOSUPPORT) },
	{ "limits of one's own", WORKLOAD, "prlimit64", { 0 }, PASSED },
	{ "core dumps asked", WORKLOAD, "prlimit64", { 0, RLIMIT_CORE, 0, 1 }, PASSED },
	{ "core dumps, said and not done", WORKLOAD, "prlimit64", { 0, RLIMIT_CORE, 1 }, REFUSED(0) },
	{ "core dumps, from an even address", WORKLOAD, "prlimit64", { 0, RLIMIT_CORE, HIGH }, REFUSED(0) },
	{ "core dumps, high bits", WORKLOAD, "prlimit64", { 0, HIGH | RLIMIT_CORE, 1 }, REFUSED(0) },
	{ "core dumps of another", WORKLOAD, "prlimit64", { 2, RLIMIT_CORE, 1 }, REFUSED(EPERM) },
	{ "core dumps of another asked", WORKLOAD, "prlimit64", { 2, RLIMIT_CORE, 0 }, REFUSED(EPERM) },
	{ "core dumps by setrlimit", WORKLOAD, "setrlimit", { HIGH | RLIMIT_CORE, 1 }, REFUSED(0) },
	{ "files by setrlimit", WORKLOAD, "setrlimit", { RLIMIT_NOFILE, 1 }, PASSED },
	{ "limits of the warden", WORKLOAD, "prlimit64", { 1 }, REFUSED(EPERM) },
	{ "limits of another", WORKLOAD, "prlimit64", { HIGH | 2 }, REFUSED(EPERM) },
	{ "personality asked", WORKLOAD, "personality", { 0xffffffff }, PASSED },
	{ "personality asked, sign-extended", WORKLOAD, "personality", { UINT64_MAX }, PASSED },
	{ "PER_LINUX", WORKLOAD, "personality", { 0 }, PASSED },
	{ "no randomisation", WORKLOAD, "personality", { ADDR_NO_RANDOMIZE }, REFUSED(EPERM) },
	{ "readable is executable", WORKLOAD, "personality", { HIGH | READ_IMPLIES_EXEC }, REFUSED(EPERM) },
	{ "a plain filter", WORKLOAD, "seccomp", { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC }, PASSED },
	{ "a listener",
	  WORKLOAD,
	  "seccomp",
	  { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER },
	  REFUSED(EPERM) },
	{ "a listener and more",
	  WORKLOAD,
	  "seccomp",
	  { SECCOMP_SET_MODE_FILTER, HIGH | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH },
	  REFUSED(EPERM) },
	{ "fallocate", WORKLOAD, "fallocate", { 3, 0, 0, 4096 }, REFUSED(EOPNOTSUPP) },
	{ "fallocate that keeps the size", WORKLOAD, "fallocate", { 3, 1, 0, 4096 }, REFUSED(EOPNOTSUPP) },
	{ "a hole", WORKLOAD, "fallocate", { 3, 3, 0, 4096 }, PASSED },
	{ "name", WORKLOAD, "prctl", { PR_SET_NAME }, PASSED },
	{ "dumpable", WORKLOAD, "prctl", { PR_SET_DUMPABLE, 1 }, PASSED },
	{ "not dumpable", WORKLOAD, "prctl", { PR_SET_DUMPABLE, 0 }, REFUSED(EPERM) },
	{ "PR_SET_VMA", WORKLOAD, "prctl", { PR_SET_VMA }, PASSED },
	{ "PR_SET_MDWE", WORKLOAD, "prctl", { 65 }, PASSED },
	{ "PR_SET_MM", WORKLOAD, "prctl", { PR_SET_MM }, REFUSED(EPERM) },
	{ "PR_SET_MM, high bits", WORKLOAD, "prctl", { HIGH | PR_SET_MM }, REFUSED(EPERM) },
	{ "merged memory", WORKLOAD, "prctl", { 67 }, REFUSED(EPERM) },
	{ "speculation", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 0, 2 }, REFUSED(EPERM) },
	{ "speculation, all bits", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 0, 6 }, REFUSED(EPERM) },
	{ "less speculation", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 0, 4 }, PASSED },
	{ "less speculation for ever", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 1, 8 }, PASSED },
	{ "no flush of the first cache", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 2, 4 }, REFUSED(EPERM) },
	{ "less of what is not known", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 0x80000000, 4 }, REFUSED(EPERM) },
	{ "less speculation until exec", WORKLOAD, "prctl", { PR_SET_SPECULATION_CTRL, 0, 16 }, PASSED },
	{ "an unknown option", WORKLOAD, "prctl", { 9999 }, REFUSED(EINVAL) },
	{ "memfd", WORKLOAD, "memfd_create", { 0 }, REFUSED(ENOSYS) },
	{ "executable memfd", WORKLOAD, "memfd_create", { 0, 0x10 }, REFUSED(ENOSYS) },
	{ "memfd that asks for both", WORKLOAD, "memfd_create", { 0, 0x18 }, REFUSED(ENOSYS) },
	{ "sealed memfd", PLAIN_ONLY, "memfd_create", { 0, 0x8 }, REFUSED(ENOSYS) },
	{ "sealed memfd", JIT_ONLY, "memfd_create", { 0, HIGH | 0x8 | MFD_CLOEXEC }, PASSED },
	{ "watch for changes",
	  WORKLOAD,
	  "inotify_add_watch",
	  { 0, 0, IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE },
	  PASSED },
	{ "watch for opens", WORKLOAD, "inotify_add_watch", { 0, 0, IN_MODIFY | IN_OPEN }, REFUSED(EPERM) },
	{ "watch for reads", WORKLOAD, "inotify_add_watch", { 0, 0, IN_ACCESS }, REFUSED(EPERM) },
	{ "watch for everything", WORKLOAD, "inotify_add_watch", { 0, 0, HIGH | IN_ALL_EVENTS }, REFUSED(EPERM) },
	{ "executable segment", PLAIN_ONLY, "shmat", { 0, 0, SHM_EXEC }, REFUSED(EPERM) },
	{ "executable segment, read-only",
	  PLAIN_ONLY,
	  "shmat",
	  { 0, 0, HIGH | SHM_EXEC | SHM_RDONLY },
	  REFUSED(EPERM) },
	{ "executable segment", JIT_ONLY, "shmat", { 0, 0, SHM_EXEC }, PASSED },
	{ "segment", WORKLOAD, "shmat", { 0, 0, SHM_RND }, PASSED },
	{ "open", FILTER_WORKLOAD_OFF, "openat", { 0 }, PASSED },
	{ "open", FILTER_WORKLOAD_EFFECTS, "openat", { 0 }, PASSED },
	{ "open", FILTER_WORKLOAD_FULL, "openat", { 0 }, NOTIFIED },
	{ "open", FILTER_WORKLOAD_FULL_JIT, "openat", { 0 }, NOTIFIED },
	{ "open, mode unseen", WORKLOAD, "openat2", { 0 }, REFUSED(ENOSYS) },
	{ "setuid", WORKLOAD, "fchmodat", { 0, 0, 04755 }, REFUSED(EPERM) },
	{ "setuid, high bits", WORKLOAD, "fchmodat", { 0, 0, HIGH | 04755 }, REFUSED(EPERM) },
	{ "setgid", WORKLOAD, "fchmodat", { 0, 0, 02755 }, REFUSED(EPERM) },
	{ "plain mode", FILTER_WORKLOAD_OFF, "fchmodat", { 0, 04000, 01755 }, PASSED },
	{ "plain mode", FILTER_WORKLOAD_FULL, "fchmodat", { 0, 04000, 01755 }, NOTIFIED },
	{ "setuid by descriptor", WORKLOAD, "fchmod", { 0, 04755 }, REFUSED(EPERM) },
	{ "setgid by descriptor", WORKLOAD, "fchmod", { 0, 02000 }, REFUSED(EPERM) },
	{ "plain mode by descriptor", WORKLOAD, "fchmod", { 06000, 0777 }, PASSED },
	{ "setuid node", WORKLOAD, "mknodat", { 0, 0, S_IFREG | 04755 }, REFUSED(EPERM) },
	{ "pipe", WORKLOAD, "mknodat", { 0, 0, S_IFIFO | 0644 }, PASSED },
	{ "created setuid", WORKLOAD, "openat", { 0, 0, O_WRONLY | O_CREAT, 04755 }, REFUSED(EPERM) },
	{ "created setgid, nameless", WORKLOAD, "openat", { 0, 0, O_WRONLY | O_TMPFILE, 02755 }, REFUSED(EPERM) },
	{ "created", FILTER_WORKLOAD_OFF_JIT, "openat", { 0, 0, O_WRONLY | O_CREAT, 0755 }, PASSED },
	{ "created", FILTER_WORKLOAD_FULL, "openat", { 0, 0, O_WRONLY | O_CREAT, 0755 }, NOTIFIED },
	{ "a mode without effect", FILTER_WORKLOAD_EFFECTS, "openat", { 0, 0, O_RDONLY, 06777 }, PASSED },
	{ "a directory without effect",
	  FILTER_WORKLOAD_EFFECTS,
	  "openat",
	  { 0, 0, O_RDONLY | O_DIRECTORY, 06777 },
	  PASSED },
	{ "connect", FILTER_WORKLOAD_FULL, "connect", { 0 }, NOTIFIED },
	{ "connect", FILTER_WORKLOAD_EFFECTS, "connect", { 0 }, PASSED },
	{ "exec", FILTER_WORKLOAD_OFF, "execve", { 0 }, PASSED },
	{ "exec", FILTER_WORKLOAD_EFFECTS, "execve", { 0 }, NOTIFIED },
	{ "exec", FILTER_WORKLOAD_EFFECTS_JIT, "execveat", { 0 }, NOTIFIED },
	{ "exec", FILTER_WORKLOAD_FULL, "execve", { 0 }, NOTIFIED },
	{ "writable and executable", FILTER_WX, "mmap", { 0, 0, PROT_READ | WX_BITS }, REFUSED(EPERM) },
	{ "the same, high bits", FILTER_WX, "mmap", { 0, 0, HIGH | WX_BITS }, REFUSED(EPERM) },
	{ "code from a file", FILTER_WX, "mmap", { 0, 0, PROT_READ | PROT_EXEC }, PASSED },
	{ "data", FILTER_WX, "mmap", { 0, 0, PROT_READ | PROT_WRITE }, PASSED },
	{ "made executable", FILTER_WX, "mprotect", { 0, 0, PROT_READ | PROT_EXEC }, REFUSED(EPERM) },
	{ "made executable by key", FILTER_WX, "pkey_mprotect", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
	{ "made read-only", FILTER_WX, "mprotect", { 0, 0, PROT_READ }, PASSED },
	{ "a named socket", FILTER_SOCKETS, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(EACCES) },
	{ "the same, high bits", FILTER_SOCKETS, "socket", { HIGH | AF_UNIX, SOCK_DGRAM }, REFUSED(EACCES) },
	{ "a network socket", FILTER_SOCKETS, "socket", { AF_INET, SOCK_STREAM }, PASSED },
	{ "streams", FILTER_SOCKETS, "socketpair", { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC }, PASSED },
	{ "packets", FILTER_SOCKETS, "socketpair", { AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK }, PASSED },
	{ "datagrams", FILTER_SOCKETS, "socketpair", { AF_UNIX, SOCK_DGRAM }, REFUSED(EACCES) },
	{ "datagrams by another word", FILTER_SOCKETS, "socketpair", { AF_UNIX, SOCK_RAW }, REFUSED(EACCES) },
	{ "open for reading", FILTER_WARDEN, "openat", { 0, 0, O_RDONLY | O_CLOEXEC | O_DIRECTORY }, PASSED },
	{ "open for writing", FILTER_WARDEN, "openat", { 0, 0, O_WRONLY }, REFUSED(EPERM) },
	{ "open for both", FILTER_WARDEN, "openat", { 0, 0, HIGH | O_RDWR }, REFUSED(EPERM) },
	{ "create", FILTER_WARDEN, "openat", { 0, 0, O_RDONLY | O_CREAT }, REFUSED(EPERM) },
	{ "truncate", FILTER_WARDEN, "openat", { 0, 0, O_RDONLY | O_TRUNC }, REFUSED(EPERM) },
	{ "exec", FILTER_WARDEN, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "socket", FILTER_WARDEN, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(ENOSYS) },
	{ "receive a notice", FILTER_WARDEN, "ioctl", { 0, SECCOMP_IOCTL_NOTIF_RECV }, PASSED },
	{ "answer a notice", FILTER_WARDEN, "ioctl", { 0, SECCOMP_IOCTL_NOTIF_SEND }, PASSED },
	{ "is it still there", FILTER_WARDEN, "ioctl", { 0, SECCOMP_IOCTL_NOTIF_ID_VALID }, PASSED },
	{ "add a descriptor", FILTER_WARDEN, "ioctl", { 0, SECCOMP_IOCTL_NOTIF_ADDFD }, REFUSED(EPERM) },
	{ "read arguments", FILTER_WARDEN, "process_vm_readv", { 0 }, PASSED },
	{ "write arguments", FILTER_WARDEN, "process_vm_writev", { 0 }, REFUSED(ENOSYS) },
	{ "code", FILTER_WARDEN, "mmap", { 0, 0, PROT_READ | PROT_EXEC }, REFUSED(EPERM) },
	{ "memory", FILTER_WARDEN, "mmap", { 0, 0, PROT_READ | PROT_WRITE }, PASSED },
	{ "code", FILTER_ROLE, "mprotect", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
	{ "memory", FILTER_ROLE, "mmap", { 0, 0, PROT_READ | PROT_WRITE }, PASSED },
	{ "open", FILTER_ROLE, "openat", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "socket", FILTER_ROLE, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(ENOSYS) },
	{ "receive", FILTER_ROLE, "recvmsg", { 0 }, REFUSED(ENOSYS) },
	{ "exec", FILTER_ROLE, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "kill", FILTER_ROLE, "kill", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "exit", FILTER_ROLE, "exit_group", { 0 }, PASSED },
	{ "list", FILTER_ROLE, "getdents64", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "list", FILTER_READER, "getdents64", { 0 }, PASSED },
	{ "open", FILTER_READER, "openat", { 0, 0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC }, PASSED },
	{ "open for writing", FILTER_READER, "openat", { 0, 0, O_WRONLY }, REFUSED(EPERM) },
	{ "create", FILTER_READER, "openat", { 0, 0, O_RDONLY | O_CREAT }, REFUSED(EPERM) },
	{ "truncate", FILTER_READER, "openat", { 0, 0, O_RDONLY | O_TRUNC }, REFUSED(EPERM) },
	{ "code", FILTER_READER, "mprotect", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
	{ "socket", FILTER_READER, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(ENOSYS) },
	{ "exec", FILTER_READER, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "remove", FILTER_READER, "unlinkat", { 0 }, REFUSED(ENOSYS) },
	{ "list", FILTER_KEEPER, "getdents64", { 0 }, PASSED },
	{ "open", FILTER_KEEPER, "openat", { 0, 0, O_RDONLY | O_NOFOLLOW, 07777 }, PASSED },
	{ "append", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_APPEND, 07777 }, PASSED },
	{ "create", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_CREAT | O_EXCL, 0600 }, PASSED },
	{ "create for others", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_CREAT, 0640 }, REFUSED(EPERM) },
	{ "create a program", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_CREAT, 0700 }, REFUSED(EPERM) },
	{ "create setuid", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_CREAT, 04600 }, REFUSED(EPERM) },
	{ "no name", FILTER_KEEPER, "openat", { 0, 0, O_WRONLY | O_TMPFILE, 0644 }, REFUSED(EPERM) },
	{ "remove", FILTER_KEEPER, "unlinkat", { 0 }, PASSED },
	{ "accept", FILTER_KEEPER, "accept4", { 0 }, PASSED },
	{ "connect", FILTER_KEEPER, "connect", { 0 }, REFUSED(ENOSYS) },
	{ "socket", FILTER_KEEPER, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(ENOSYS) },
	{ "link", FILTER_KEEPER, "linkat", { 0 }, REFUSED(ENOSYS) },
	{ "symbolic link", FILTER_KEEPER, "symlinkat", { 0 }, REFUSED(ENOSYS) },
	{ "pipe", FILTER_KEEPER, "mknodat", { 0 }, REFUSED(ENOSYS) },
	{ "mode", FILTER_KEEPER, "fchmod", { 0, 0644 }, REFUSED(ENOSYS) },
	{ "process", FILTER_KEEPER, "clone", { SIGCHLD }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "exec", FILTER_KEEPER, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "splice", FILTER_RELAY, "splice", { 0 }, PASSED },
	{ "accept", FILTER_RELAY, "accept4", { 0 }, PASSED },
	{ "sendmsg", FILTER_RELAY, "sendmsg", { 0 }, REFUSED(ENOSYS) },
	{ "sendto", FILTER_RELAY, "sendto", { 0 }, SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "answer", FILTER_RELAY, "sendto", { 3, 0, 0, MSG_DONTWAIT }, PASSED },
	{ "fast open",
	  FILTER_RELAY,
	  "sendto",
	  { 3, 0, 0, MSG_DONTWAIT | MSG_FASTOPEN },
	  SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "sendto of another",
	  FILTER_DIALER,
	  "sendto",
	  { 3, 0, 0, MSG_DONTWAIT },
	  SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "linger", FILTER_RELAY, "setsockopt", { 3, SOL_SOCKET, SO_LINGER }, PASSED },
	{ "fast open", FILTER_RELAY, "setsockopt", { 3, IPPROTO_TCP, TCP_FASTOPEN_CONNECT }, REFUSED(ENOPROTOOPT) },
	{ "a large pipe", FILTER_RELAY, "fcntl", { 0, F_SETPIPE_SZ, 512 << 10 }, PASSED },
	{ "a larger one", FILTER_RELAY, "fcntl", { 0, F_SETPIPE_SZ, 1 << 20 }, SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "a copy", FILTER_RELAY, "fcntl", { 0, F_DUPFD, 0 }, SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "a large pipe",
	  FILTER_DIALER,
	  "fcntl",
	  { 0, F_SETPIPE_SZ, 512 << 10 },
	  SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "hearing", FILTER_SPEAKER, "recvmsg", { 0 }, PASSED },
	{ "a file that came", FILTER_SPEAKER, "pread64", { 0 }, PASSED },
	{ "sending", FILTER_SPEAKER, "sendmsg", { 0 }, REFUSED(ENOSYS) },
	{ "accept", FILTER_SPEAKER, "accept4", { 0 }, REFUSED(ENOSYS) },
	{ "open", FILTER_SPEAKER, "openat", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "flags", FILTER_SPEAKER, "fcntl", { 0, F_GETFL, 0 }, PASSED },
	{ "not waiting", FILTER_SPEAKER, "fcntl", { 0, F_SETFL, O_RDWR | O_NONBLOCK }, PASSED },
	{ "signals when there is something",
	  FILTER_SPEAKER,
	  "fcntl",
	  { 0, F_SETFL, O_RDWR | O_ASYNC },
	  SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "a copy", FILTER_SPEAKER, "fcntl", { 0, F_DUPFD, 0 }, SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "connect", FILTER_RELAY, "connect", { 0 }, REFUSED(ENOSYS) },
	{ "socket", FILTER_RELAY, "socket", { AF_INET, SOCK_STREAM }, REFUSED(ENOSYS) },
	{ "open", FILTER_RELAY, "openat", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "a ring", FILTER_WATCHER, "bpf", { BPF_MAP_CREATE }, PASSED },
	{ "a cell", FILTER_WATCHER, "bpf", { BPF_MAP_UPDATE_ELEM }, PASSED },
	{ "its counts", FILTER_WATCHER, "bpf", { BPF_MAP_LOOKUP_ELEM }, PASSED },
	{ "its end", FILTER_WATCHER, "bpf", { BPF_MAP_DELETE_ELEM }, PASSED },
	{ "attached", FILTER_WATCHER, "bpf", { BPF_RAW_TRACEPOINT_OPEN }, PASSED },
	{ "another program", FILTER_WATCHER, "bpf", { BPF_PROG_LOAD }, REFUSED(EPERM) },
	{ "pinned", FILTER_WATCHER, "bpf", { BPF_OBJ_PIN }, REFUSED(EPERM) },
	{ "another's map", FILTER_WATCHER, "bpf", { BPF_MAP_GET_FD_BY_ID }, REFUSED(EPERM) },
	{ "another's program", FILTER_WATCHER, "bpf", { HIGH | BPF_PROG_GET_FD_BY_ID }, REFUSED(EPERM) },
	{ "whose namespace", FILTER_WATCHER, "ioctl", { 0, NS_GET_USERNS }, PASSED },
	{ "another ioctl", FILTER_WATCHER, "ioctl", { 0, TIOCSTI }, REFUSED(EPERM) },
	{ "open", FILTER_WATCHER, "openat", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "exec", FILTER_WATCHER, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "connect", FILTER_WATCHER, "connect", { 0 }, REFUSED(ENOSYS) },
	{ "bpf", FILTER_WARDEN, "bpf", { BPF_MAP_UPDATE_ELEM }, REFUSED(ENOSYS) },
	{ "connect", FILTER_DIALER, "connect", { 0 }, PASSED },
	{ "socket", FILTER_DIALER, "socket", { AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC }, PASSED },
	{ "datagrams", FILTER_DIALER, "socket", { AF_INET, SOCK_DGRAM }, REFUSED(EPERM) },
	{ "raw", FILTER_DIALER, "socket", { AF_INET, SOCK_RAW, IPPROTO_ICMP }, REFUSED(EPERM) },
	{ "unsent", FILTER_DIALER, "setsockopt", { 3, IPPROTO_TCP, TCP_NOTSENT_LOWAT }, PASSED },
	{ "pause", FILTER_DIALER, "setsockopt", { 3, SOL_SOCKET, SO_ATTACH_FILTER }, PASSED },
	{ "the end of one", FILTER_DIALER, "setsockopt", { 3, SOL_SOCKET, SO_DETACH_FILTER }, PASSED },
	{ "another's pause", FILTER_RELAY, "setsockopt", { 3, SOL_SOCKET, SO_ATTACH_FILTER }, REFUSED(ENOPROTOOPT) },
	{ "the end of it", FILTER_RELAY, "setsockopt", { 3, SOL_SOCKET, SO_DETACH_FILTER }, REFUSED(ENOPROTOOPT) },
	{ "mark", FILTER_DIALER, "setsockopt", { 3, SOL_SOCKET, SO_MARK }, REFUSED(ENOPROTOOPT) },
	{ "unix", FILTER_DIALER, "socket", { AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC }, PASSED },
	{ "unix packets", FILTER_DIALER, "socket", { AF_UNIX, SOCK_SEQPACKET }, REFUSED(EPERM) },
	{ "unix datagrams", FILTER_DIALER, "socket", { AF_UNIX, SOCK_DGRAM }, REFUSED(EPERM) },
	{ "a place", FILTER_DIALER, "openat", { 0, 0, O_PATH | O_NOFOLLOW | O_CLOEXEC }, PASSED },
	{ "a place beyond a link",
	  FILTER_DIALER,
	  "openat",
	  { 0, 0, O_PATH | O_CLOEXEC },
	  SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "open", FILTER_DIALER, "openat", { 0, 0, O_RDONLY | O_CLOEXEC }, SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "open to write",
	  FILTER_DIALER,
	  "openat",
	  { 0, 0, O_WRONLY | O_CREAT | O_CLOEXEC, 0600 },
	  SANITIZED ? PASSED : REFUSED(EPERM) },
	{ "exec", FILTER_DIALER, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "code", FILTER_RESOLVER, "mmap", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
	{ "code later", FILTER_RESOLVER, "mprotect", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
	{ "read", FILTER_RESOLVER, "openat", { 0, 0, O_RDONLY | O_CLOEXEC }, PASSED },
	{ "write", FILTER_RESOLVER, "openat", { 0, 0, O_WRONLY }, REFUSED(EPERM) },
	{ "datagrams", FILTER_RESOLVER, "socket", { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC }, PASSED },
	{ "streams", FILTER_RESOLVER, "socket", { AF_INET6, SOCK_STREAM }, PASSED },
	{ "routes", FILTER_RESOLVER, "socket", { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, REFUSED(EACCES) },
	{ "raw", FILTER_RESOLVER, "socket", { AF_INET, SOCK_RAW, IPPROTO_ICMP }, REFUSED(EACCES) },
	{ "unix", FILTER_RESOLVER, "socket", { AF_UNIX, SOCK_STREAM }, REFUSED(EACCES) },
	{ "exec", FILTER_RESOLVER, "execve", { 0 }, REFUSED(ENOSYS) },
	{ "fork", FILTER_RESOLVER, "clone", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "kill", FILTER_RESOLVER, "kill", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "ptrace", FILTER_RESOLVER, "ptrace", { 0 }, SANITIZED ? PASSED : REFUSED(ENOSYS) },
	{ "memory of others", FILTER_RESOLVER, "process_vm_readv", { 0 }, REFUSED(ENOSYS) },
	{ "listen", FILTER_RESOLVER, "listen", { 0 }, REFUSED(ENOSYS) },
	{ "code", FILTER_KEEPER, "mprotect", { 0, 0, PROT_EXEC }, REFUSED(EPERM) },
};

static bool concerns(const struct row *row, int shape)
{
	if (is_for_copies(shape, row->call))
		return false;
	if (row->shape >= 0)
		return row->shape == shape;
	return shapes[shape].workload && (row->shape == WORKLOAD || shapes[shape].jit == (row->shape == JIT_ONLY));
}

static void arguments_decide_as_the_rows_say(void **state)
{
	(void)state;
	for (size_t a = 0; a < N_ARCHS; a++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			for (int s = 0; s < FILTER_COUNT; s++) {
				struct seccomp_data d = { .arch = archs[a].audit };

				if (!concerns(&rows[i], s))
					continue;
				d.nr = seccomp_syscall_resolve_name_arch(archs[a].scmp, rows[i].call);
				assert_true(d.nr >= 0);
				memcpy(d.args, rows[i].args, sizeof d.args);
				if (run(&archs[a], s, &d).value != rows[i].want)
					fail_msg("%s, %s: %s (%s): 0x%08x", archs[a].name, shapes[s].name, rows[i].call,
						 rows[i].what, run(&archs[a], s, &d).value);
			}
}

/* High bits change no answer: the kernel drops them, but not those of prlimit64's address. */
static void high_bits_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int s = 0; s < FILTER_COUNT; s++) {
			struct seccomp_data d = { .arch = archs[0].audit };
			uint32_t plain;

			d.nr = seccomp_syscall_resolve_name_arch(archs[0].scmp, rows[i].call);
			memcpy(d.args, rows[i].args, sizeof d.args);
			plain = run(&archs[0], s, &d).value;
			for (int arg = 0; arg < 6; arg++)
				if (arg != 2 || strcmp(rows[i].call, "prlimit64") != 0)
					d.args[arg] ^= UINT64_C(0xffffffff00000000);
			assert_int_equal(run(&archs[0], s, &d).value, plain);
		}
}

/* A program that the kernel would not take, or that says something else than it seems, is noticed. */
static void the_interpreter_notices_broken_programs(void **state)
{
	static const struct sock_filter no_end[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	static const struct sock_filter outside[] = { BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
						      BPF_STMT(BPF_RET | BPF_K, 0) };
	static const struct sock_filter unknown[] = { BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
						      BPF_STMT(BPF_RET | BPF_K, 0) };
	static const struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
						     BPF_STMT(BPF_RET | BPF_K, 0) };
	static const struct sock_filter reads[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
						    BPF_STMT(BPF_RET | BPF_K, 7) };
	const struct seccomp_data d = { .nr = 0 };

	(void)state;
	assert_true(bpf_eval(no_end, 1, &d).broken);
	assert_true(bpf_eval(outside, 2, &d).broken);
	assert_true(bpf_eval(unknown, 2, &d).broken);
	assert_true(bpf_eval(beyond, 2, &d).broken);
	assert_false(bpf_eval(reads, 2, &d).broken);
	assert_false(bpf_eval(reads, 2, &d).constant);
	assert_int_equal(bpf_eval(reads, 2, &d).value, 7);
}

static void the_running_architecture_gets_its_own(void **state)
{
#ifdef __x86_64__
	const struct arch *own = &archs[0];
#else
	const struct arch *own = &archs[1];
#endif

	(void)state;
	for (int s = 0; s < FILTER_COUNT; s++) {
		size_t len = 0;

		assert_ptr_equal(filter_program((enum filter_shape)s, &len), own->tables[s].program);
		assert_int_equal(len, own->tables[s].len);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interpreter_notices_broken_programs),
		cmocka_unit_test(every_number_answers_as_the_table_says),
		cmocka_unit_test(a_stacked_filter_passes_all_but_its_own),
		cmocka_unit_test(other_abis_are_absent),
		cmocka_unit_test(frequent_calls_depend_on_no_argument),
		cmocka_unit_test(arguments_decide_as_the_rows_say),
		cmocka_unit_test(high_bits_change_nothing),
		cmocka_unit_test(the_running_architecture_gets_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
