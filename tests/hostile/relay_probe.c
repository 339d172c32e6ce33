/* Keeps a part of the relay's promise (argument: none, limits, filter, both) and then tries what must be impossible.
 * One line for each attempt on standard output: name, then "reached" or the error's name. Descriptor 0 is a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/promise.h"

static long try_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
}

static long try_reopen(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/proc/self/fd/0", O_RDWR | O_NOCTTY);
}

static long try_dup(void)
{
	return dup(0);
}

static long try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_tiocsti(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static long try_tiocsti_high_bits(void)
{
	return syscall(SYS_ioctl, 0, 0x100000000ul | TIOCSTI, "x");
}

static long try_tioclinux(void)
{
	return ioctl(0, TIOCLINUX, "\3");
}

static long try_winsize(void)
{
	struct winsize w;

	return ioctl(0, TIOCGWINSZ, &w);
}

static long try_execve(void)
{
	static char *const none[] = { NULL };

	return execve("/nonexistent", none, none);
}

static long try_fork(void)
{
	const long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0); /* its end is all there is */
	return pid;
}

static long try_mmap(void)
{
	return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, -1, NULL, NULL);
}

static long try_fcntl(void)
{
	return fcntl(0, F_SETFL, O_NONBLOCK);
}

static long try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_setrlimit(void)
{
	return syscall(SYS_prlimit64, 0, 0, NULL, NULL);
}

static long try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}

static sigjmp_buf no_such_door;

/* Set before any filter is. */
static void on_fault(int number)
{
	(void)number;
	siglongjmp(no_such_door, 1);
}

#ifdef __x86_64__
static long try_x32(void)
{
	return syscall(0x40000000 | SYS_getpid);
}

/* 20 is getpid there. A kernel without 32-bit calls answers with SIGSEGV, whatever else holds. */
static long try_32bit(void)
{
	long r;

	if (sigsetjmp(no_such_door, 0) != 0) {
		errno = EOPNOTSUPP;
		return -1;
	}

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}
#endif

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{ "open", try_open },
	{ "reopen", try_reopen },
	{ "dup", try_dup },
	{ "socket", try_socket },
	{ "tiocsti", try_tiocsti },
	{ "tiocsti-high-bits", try_tiocsti_high_bits },
	{ "tioclinux", try_tioclinux },
	{ "winsize", try_winsize },
	{ "execve", try_execve },
	{ "fork", try_fork },
	{ "mmap", try_mmap },
	{ "kill", try_kill },
	{ "ptrace", try_ptrace },
	{ "fcntl", try_fcntl },
	{ "dumpable", try_dumpable },
	{ "setrlimit", try_setrlimit },
	{ "io-uring", try_io_uring },
#ifdef __x86_64__
	{ "x32", try_x32 },
	{ "32bit", try_32bit },
#endif
};

static int keep(const char *part)
{
	if (strcmp(part, "limits") == 0)
		return promise_limit(2, false);
	if (strcmp(part, "filter") == 0)
		return promise_filter();
	if (strcmp(part, "both") == 0)
		return promise_keep(2, false);
	return strcmp(part, "none") == 0 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc != 2 || signal(SIGSEGV, on_fault) == SIG_ERR || keep(argv[1]) < 0)
		_exit(2);
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		const long r = attempts[i].attempt();
		const int n = snprintf(line, sizeof line, "%s %s\n", attempts[i].name,
				       r >= 0 ? "reached" : strerrorname_np(errno));

		if (write(1, line, (size_t)n) != n)
			_exit(3);
	}
	_exit(0);
}
