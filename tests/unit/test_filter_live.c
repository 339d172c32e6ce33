/* The filters in the kernel: each row is tried in a process with the filter and, as its twin, in one without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/filter.h"

/* Exit statuses of a probe's process: an error number, 0, or one of these. Error numbers end at 133. */
enum { NOT_INSTALLED = 250, DIED = 251, OTHER = 252, IMPOSSIBLE = 253 };
#define UNLIKE (-1) /* without a filter: anything but the filter's answer */
#define MAYBE (-2)  /* without a filter: unlike where the machine has it and lets this user; else that is said aloud */

static int answer(long r)
{
	return r < 0 ? errno : 0;
}

static int try_socket(const long *a)
{
	return answer(socket((int)a[0], (int)a[1], (int)a[2]));
}

static int try_pair(const long *a)
{
	int pair[2];

	return answer(socketpair((int)a[0], (int)a[1], 0, pair));
}

static int try_call(const long *a)
{
	return answer(syscall(a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* A child must not run on as a second test program. */
static int try_clone(const long *a)
{
	const long pid = syscall(SYS_clone, a[0], 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, __WALL);
	return answer(pid);
}

/* On a terminal of its own: without a filter TIOCSTI works or, from Linux 6.2, is switched off (EIO). */
static int try_terminal(const long *a)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	union {
		char c;
		int room;
	} x = { .c = 'x' };
	int slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || setsid() < 0)
		return IMPOSSIBLE;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return IMPOSSIBLE;
	return answer(syscall(SYS_ioctl, slave, a[0], &x));
}

static int try_map(const long *a)
{
	void *p = mmap(NULL, 4096, (int)a[0], MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	return a[1] ? answer(mprotect(p, 4096, (int)a[1])) : 0;
}

/* Before Linux 6.3 there is no such flag, and the kernel refuses what the filter lets through. */
static int try_sealed_memfd(const long *a)
{
	const int r = answer(syscall(SYS_memfd_create, "x", a[0]));

	return r == EINVAL ? IMPOSSIBLE : r;
}

static int try_segment(const long *a)
{
	const int id = shmget(IPC_PRIVATE, 4096, 0700);
	int r;

	if (id < 0)
		return IMPOSSIBLE;
	r = shmat(id, NULL, (int)a[0]) == (void *)-1 ? errno : 0;
	(void)shmctl(id, IPC_RMID, NULL);
	return r;
}

static int try_filter(const long *a)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = 1, .filter = &pass };

	return answer(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, a[0], &program));
}

static int try_open(const long *a)
{
	return answer(syscall(SYS_openat, AT_FDCWD, "/dev/null", a[0], 0));
}

/* In a file without a name, which needs a directory that can have one. */
static int try_create(const long *a)
{
	return answer(syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_WRONLY, a[0]));
}

static int try_chmod(const long *a)
{
	const int fd = open("/tmp", O_TMPFILE | O_WRONLY, 0600);

	return fd < 0 ? IMPOSSIBLE : answer(syscall(SYS_fchmod, fd, a[0]));
}

static int try_exec(const long *a)
{
	static const char *const argv[] = { "true", NULL };

	(void)a;
	(void)execve("/bin/true", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)&argv[1]);
	return errno;
}

/* getpid or socketcall by the door of 32-bit programs. */
static int try_int80(const long *a)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(a[0]), "b"(0), "c"(0) : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
#else
	(void)a;
	return IMPOSSIBLE;
#endif
}

static const struct row {
	const char *what;
	enum filter_shape shape;
	int (*probe)(const long *a);
	long args[6];
	int inside;
	int outside; /* exactly, or UNLIKE, or MAYBE */
} rows[] = {
#define PLAIN FILTER_WORKLOAD_OFF
	{ "tcp socket", PLAIN, try_socket, { AF_INET, SOCK_STREAM }, 0, 0 },
	{ "udp socket", PLAIN, try_socket, { AF_INET, SOCK_DGRAM }, 0, 0 },
	{ "unix socket", PLAIN, try_socket, { AF_UNIX, SOCK_STREAM }, 0, 0 },
	{ "routes", PLAIN, try_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, 0, 0 },
	{ "uevents", PLAIN, try_socket, { AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT }, EPROTONOSUPPORT, 0 },
	{ "generic netlink", PLAIN, try_socket, { AF_NETLINK, SOCK_RAW, NETLINK_GENERIC }, EPROTONOSUPPORT, 0 },
	{ "mptcp", PLAIN, try_socket, { AF_INET, SOCK_STREAM, 262 }, EPROTONOSUPPORT, MAYBE },
	{ "sctp", PLAIN, try_socket, { AF_INET, SOCK_STREAM, IPPROTO_SCTP }, EPROTONOSUPPORT, MAYBE },
	{ "ping", PLAIN, try_socket, { AF_INET, SOCK_DGRAM, IPPROTO_ICMP }, EPROTONOSUPPORT, MAYBE },
	{ "raw socket", PLAIN, try_socket, { AF_INET, SOCK_RAW, IPPROTO_TCP }, EPROTONOSUPPORT, MAYBE },
	{ "packet socket", PLAIN, try_socket, { AF_PACKET, SOCK_RAW }, EAFNOSUPPORT, MAYBE },
	{ "vsock", PLAIN, try_socket, { AF_VSOCK, SOCK_STREAM }, EAFNOSUPPORT, MAYBE },
	{ "kernel crypto", PLAIN, try_socket, { AF_ALG, SOCK_SEQPACKET }, EAFNOSUPPORT, MAYBE },
	{ "bluetooth", PLAIN, try_socket, { AF_BLUETOOTH, SOCK_RAW }, EAFNOSUPPORT, MAYBE },
	{ "xdp", PLAIN, try_socket, { AF_XDP, SOCK_RAW }, EAFNOSUPPORT, MAYBE },
	{ "unix pair", PLAIN, try_pair, { AF_UNIX, SOCK_STREAM }, 0, 0 },
	{ "inet pair", PLAIN, try_pair, { AF_INET, SOCK_STREAM }, EAFNOSUPPORT, EOPNOTSUPP },
	{ "process", PLAIN, try_clone, { SIGCHLD }, 0, 0 },
	{ "user namespace", PLAIN, try_clone, { CLONE_NEWUSER | SIGCHLD }, EPERM, MAYBE },
	{ "user namespace, high bits", PLAIN, try_clone, { CLONE_NEWUSER | SIGCHLD | 1L << 40 }, EPERM, MAYBE },
	{ "unshare of nothing", PLAIN, try_call, { SYS_unshare, 0 }, EPERM, 0 },
	{ "clone3", PLAIN, try_call, { SYS_clone3, 0, 0 }, ENOSYS, EINVAL },
	{ "io_uring", PLAIN, try_call, { SYS_io_uring_setup, 0, 0 }, ENOSYS, MAYBE },
	{ "TIOCSTI", PLAIN, try_terminal, { TIOCSTI }, EPERM, UNLIKE },
	{ "TIOCSTI, high bits", PLAIN, try_terminal, { (long)(1UL << 63 | 1UL << 32 | TIOCSTI) }, EPERM, UNLIKE },
	{ "TIOCLINUX", PLAIN, try_terminal, { TIOCLINUX }, EPERM, UNLIKE },
	{ "TIOCLINUX, high bits", PLAIN, try_terminal, { (long)(1UL << 33 | TIOCLINUX) }, EPERM, UNLIKE },
	{ "TIOCOUTQ", PLAIN, try_terminal, { TIOCOUTQ }, 0, 0 },
	{ "ptrace", PLAIN, try_call, { SYS_ptrace, PTRACE_TRACEME }, EPERM, 0 },
	{ "userfaultfd", PLAIN, try_call, { SYS_userfaultfd, 1 }, EPERM, MAYBE },
	{ "perf", PLAIN, try_call, { SYS_perf_event_open, 0, 0, 0, 0, 0 }, EPERM, MAYBE },
	{ "bpf", PLAIN, try_call, { SYS_bpf, 9999, 0, 0 }, EPERM, MAYBE },
	{ "keyctl", PLAIN, try_call, { SYS_keyctl, 9999 }, EPERM, MAYBE },
	{ "handles", PLAIN, try_call, { SYS_open_by_handle_at, -1, 0, 0 }, EPERM, MAYBE },
	{ "new mounts", PLAIN, try_call, { SYS_fsconfig, -1, 9999, 0, 0, 0 }, EPERM, EINVAL },
	{ "personality asked", PLAIN, try_call, { SYS_personality, 0xffffffff }, 0, 0 },
	{ "no randomisation", PLAIN, try_call, { SYS_personality, ADDR_NO_RANDOMIZE }, EPERM, 0 },
	{ "dumpable", PLAIN, try_call, { SYS_prctl, PR_SET_DUMPABLE, 1 }, 0, 0 },
	{ "not dumpable", PLAIN, try_call, { SYS_prctl, PR_SET_DUMPABLE, 0 }, EPERM, 0 },
	{ "PR_SET_MM", PLAIN, try_call, { SYS_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, 0, 0, 0 }, EPERM, MAYBE },
	{ "an unknown option", PLAIN, try_call, { SYS_prctl, 9999 }, EINVAL, EINVAL },
	{ "memfd", PLAIN, try_call, { SYS_memfd_create, (long)(uintptr_t) "x", 0 }, ENOSYS, 0 },
	{ "memfd with jit",
	  FILTER_WORKLOAD_OFF_JIT,
	  try_call,
	  { SYS_memfd_create, (long)(uintptr_t) "x", 0 },
	  ENOSYS,
	  0 },
	{ "sealed memfd with jit", FILTER_WORKLOAD_OFF_JIT, try_sealed_memfd, { 8 /* MFD_NOEXEC_SEAL */ }, 0, 0 },
	{ "segment", PLAIN, try_segment, { 0 }, 0, 0 },
	{ "executable segment", PLAIN, try_segment, { SHM_EXEC }, EPERM, 0 },
	{ "executable segment with jit", FILTER_WORKLOAD_OFF_JIT, try_segment, { SHM_EXEC }, 0, 0 },
	{ "a plain filter", PLAIN, try_filter, { 0 }, 0, 0 },
	{ "a listener", PLAIN, try_filter, { SECCOMP_FILTER_FLAG_NEW_LISTENER }, EPERM, 0 },
	{ "x32", PLAIN, try_call, { 0x40000000 | SYS_getpid }, ENOSYS, MAYBE },
	{ "int 0x80, getpid", PLAIN, try_int80, { 20 }, ENOSYS, 0 },
	{ "int 0x80, socketcall", PLAIN, try_int80, { 102 }, ENOSYS, EINVAL },
	{ "a number of tomorrow", PLAIN, try_call, { 900 }, ENOSYS, MAYBE },
	/* Without anyone listening a notified call is ENOSYS: that shows which calls are. */
	{ "exec, not observed", PLAIN, try_exec, { 0 }, 0, 0 },
	{ "exec, effects", FILTER_WORKLOAD_EFFECTS, try_exec, { 0 }, ENOSYS, 0 },
	{ "open, effects", FILTER_WORKLOAD_EFFECTS, try_open, { O_RDWR }, 0, 0 },
	{ "created setuid", PLAIN, try_create, { 04700 }, EPERM, 0 },
	{ "created setgid", PLAIN, try_create, { 02700 }, EPERM, 0 },
	{ "created", PLAIN, try_create, { 0700 }, 0, 0 },
	{ "setuid", PLAIN, try_chmod, { 04700 }, EPERM, 0 },
	{ "setuid, high bits", PLAIN, try_chmod, { 1L << 32 | 04700 }, EPERM, 0 },
	{ "plain mode", PLAIN, try_chmod, { 0700 }, 0, 0 },
	{ "openat2", PLAIN, try_call, { SYS_openat2, AT_FDCWD, (long)(uintptr_t) "/", 0, 0 }, ENOSYS, EINVAL },
	{ "open, full", FILTER_WORKLOAD_FULL, try_open, { O_RDONLY }, ENOSYS, 0 },
	{ "open, full and jit", FILTER_WORKLOAD_FULL_JIT, try_open, { O_RDONLY }, ENOSYS, 0 },
	{ "data", FILTER_WX, try_map, { PROT_READ | PROT_WRITE }, 0, 0 },
	{ "writable code", FILTER_WX, try_map, { PROT_WRITE | PROT_EXEC }, EPERM, 0 },
	{ "data becomes code", FILTER_WX, try_map, { PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC }, EPERM, 0 },
	{ "named socket", FILTER_SOCKETS, try_socket, { AF_UNIX, SOCK_STREAM }, EACCES, 0 },
	{ "network socket", FILTER_SOCKETS, try_socket, { AF_INET, SOCK_STREAM }, 0, 0 },
	{ "pair", FILTER_SOCKETS, try_pair, { AF_UNIX, SOCK_STREAM }, 0, 0 },
	{ "pair of datagrams", FILTER_SOCKETS, try_pair, { AF_UNIX, SOCK_DGRAM }, EACCES, 0 },
	{ "warden reads", FILTER_WARDEN, try_open, { O_RDONLY | O_CLOEXEC }, 0, 0 },
	{ "warden writes", FILTER_WARDEN, try_open, { O_WRONLY }, EPERM, 0 },
	{ "warden creates", FILTER_WARDEN, try_open, { O_RDONLY | O_CREAT }, EPERM, 0 },
	{ "warden executes", FILTER_WARDEN, try_exec, { 0 }, ENOSYS, 0 },
	{ "warden connects", FILTER_WARDEN, try_socket, { AF_UNIX, SOCK_STREAM }, ENOSYS, 0 },
	{ "warden makes code", FILTER_WARDEN, try_map, { PROT_READ, PROT_READ | PROT_EXEC }, EPERM, 0 },
	{ "role executes", FILTER_ROLE, try_exec, { 0 }, ENOSYS, 0 },
	{ "role connects", FILTER_ROLE, try_socket, { AF_UNIX, SOCK_STREAM }, ENOSYS, 0 },
	{ "role takes memory", FILTER_ROLE, try_map, { PROT_READ, PROT_READ | PROT_WRITE }, 0, 0 },
};

static bool install(enum filter_shape shape)
{
	struct sock_fprog program = { .filter = NULL };
	size_t n;

	program.filter = (struct sock_filter *)(uintptr_t)filter_program(shape, &n); /* only read */
	program.len = (unsigned short)n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static int run(const struct row *row, bool filtered)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* cmocka's would take a death for an answer */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || (filtered && !install(row->shape)))
			_exit(NOT_INSTALLED);
		_exit(row->probe(row->args));
	}
	assert_true(pid > 0);
	assert_true(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : DIED;
}

/* The twin shows that the probe notices when nothing is in its way. */
static void judge_twin(const struct row *row, int outside)
{
	if (row->outside >= 0 && outside != row->outside)
		fail_msg("%s: %d without a filter, expected %d", row->what, outside, row->outside);
	if (row->outside < 0 && outside == row->inside) {
		if (row->outside == UNLIKE)
			fail_msg("%s: %d without a filter too, so nothing was shown", row->what, outside);
		print_message("no twin: %s answers alike on this machine without a filter\n", row->what);
	}
}

static void the_kernel_answers_as_the_rows_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		const int outside = run(row, false), inside = run(row, true);

		/* a kernel without 32-bit programs kills int 0x80 before the filter sees it */
		if (outside == IMPOSSIBLE || (row->probe == try_int80 && outside == DIED)) {
			print_message("skipped: %s cannot be tried on this machine\n", row->what);
			continue;
		}
		if (inside != row->inside)
			fail_msg("%s: %d, expected %d", row->what, inside, row->inside);
		judge_twin(row, outside);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_answers_as_the_rows_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
