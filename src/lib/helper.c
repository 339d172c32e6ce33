#include "lib/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/place.h"

/* The first of the directories that has it. -EACCES: what is there is not to be started. */
static int open_first(const struct places *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		char path[PLACE_PATH_MAX];
		auto_fd int fd = -1;

		if (snprintf(path, sizeof path, "%s/%s", p->directory[i], name) >= (int)sizeof path)
			continue;
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!place_trusts(p, i, fd))
			return -EACCES;
		return fcntl(fd, F_DUPFD_CLOEXEC, 4); /* 3 will be the helper's socket */
	}
	return -ENOENT;
}

/* "A, B": cut is fine. */
static const char *list_places(const struct places *p, char *text, size_t size)
{
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < p->n && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", i == 0 ? "" : ", ", p->directory[i]);
	return text;
}

int helper_open(const char *name, int *ret_fd, struct err *e)
{
	auto_free struct places *p = calloc(1, sizeof *p);
	char all[ERR_WHY_MAX / 2];
	int fd;

	if (p == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start %s", name);
	places_find(p);
	fd = open_first(p, name);
	if (fd == -EACCES)
		return err_why(
			e, err_set(e, AMBIT_UNTRUSTED, "install Ambit again, as one user", "%s is not started", name),
			"others may change it than may change this library: it was looked for in %s",
			list_places(p, all, sizeof all));
	if (fd < 0)
		return err_why(e,
			       err_set(e, AMBIT_SYSTEM, "the installation is incomplete: reinstall Ambit",
				       "cannot open %s", name),
			       "it is in none of %s", list_places(p, all, sizeof all));
	*ret_fd = fd;
	return 0;
}

int helper_path(const char *name, char *ret, struct err *e)
{
	char link[64];
	auto_fd int fd = -1;
	ssize_t n;
	int r = helper_open(name, &fd, e);

	if (r < 0)
		return r;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	ret[n > 0 ? n : 0] = 0;
	return n > 0 ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot find %s", name);
}

struct start {
	int exe_fd, sock;
	char *const *argv, *const *envp;
	char *stack; /* of the helper before exec */
	int pidfd;   /* written by the go-between, which shares memory and descriptors */
	int sys_errno;
};

/* gcc's ThreadSanitizer keeps a stack of calls for each thread, and a thread that is lent to a child has it filled by one that never returns. */
#define UNTRACED __attribute__((no_sanitize_thread))

/* Not _exit: a sanitizer looks at the stack before functions that do not return, and this one is not the thread's own. */
UNTRACED static int end_child(int status)
{
	return (int)syscall(SYS_exit_group, status);
}

#define SIGNAL_SET_BYTES 8
/* Zeros: the kernel's SIG_DFL without flags, and a mask without signals. */
static const uint64_t default_action[8];

UNTRACED static int helper(void *arg)
{
	struct start *s = arg;

	/* the kernel's own calls throughout: what a C library, or a sanitizer, notes beside them is noted in the host */
	for (int i = 1; i < NSIG; i++)
		(void)syscall(SYS_rt_sigaction, i, default_action, NULL,
			      SIGNAL_SET_BYTES); /* SIGKILL, SIGSTOP refuse */
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, default_action, NULL, SIGNAL_SET_BYTES);
	(void)syscall(SYS_setsid); /* a signal to the caller's group is the caller's */
	if (syscall(SYS_chdir, "/") == 0 && (s->sock == 3 || syscall(SYS_dup3, s->sock, 3, 0) == 3) &&
	    syscall(SYS_fcntl, 3, F_SETFD, 0) == 0 &&
	    syscall(SYS_close_range, 0, 2, 4 /* CLOSE_RANGE_CLOEXEC */) == 0 &&
	    syscall(SYS_close_range, 4, ~0U, 4) == 0)
		(void)syscall(SYS_execveat, s->exe_fd, "", s->argv, s->envp, AT_EMPTY_PATH);
	s->sys_errno = errno;
	return end_child(127);
}

#define STACK_BYTES (32u << 10)

/* Starts the helper and goes, so that the helper is a child of init. Its own end has no signal, and only we wait for it. */
UNTRACED static int go_between(void *arg)
{
	struct start *s = arg;
	const pid_t pid = clone(helper, s->stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD, s, &s->pidfd);

	if (pid < 0)
		s->sys_errno = errno;
	return end_child(0);
}

int helper_start(int exe_fd, const char *name, int sock, int *ret_pidfd, struct err *e)
{
	char *const none[] = { NULL };

	return helper_start_with(exe_fd, name, sock, none, ret_pidfd, e);
}

int helper_start_with(int exe_fd, const char *name, int sock, char *const *envp, int *ret_pidfd, struct err *e)
{
	char *argv[] = { (char *)(uintptr_t)name, NULL }; /* exec does not write it */
	struct start s = { .exe_fd = exe_fd, .sock = sock, .argv = argv, .envp = envp, .pidfd = -1 };
	sigset_t all, before;
	char *stack;
	pid_t pid;

	stack = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start %s", name);
	s.stack = stack + STACK_BYTES;
	/* no handler of the host may run in the child, which shares its memory */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(go_between, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_FILES, &s);
	if (pid < 0)
		s.sys_errno = errno;
	else
		(void)syscall(SYS_wait4, pid, NULL, __WALL,
			      NULL); /* waitpid would be a point where threads are cancelled */
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)munmap(stack, 2 * STACK_BYTES);
	if (s.sys_errno != 0) {
		fd_close(&s.pidfd);
		return err_sys(e, AMBIT_SYSTEM, s.sys_errno,
			       s.sys_errno == ENOENT || s.sys_errno == EACCES
				       ? "the installation is incomplete: reinstall Ambit"
				       : NULL,
			       "cannot start %s", name);
	}
	*ret_pidfd = s.pidfd;
	return 0;
}

/* A host that is init, or has made itself the reaper of orphans (PR_SET_CHILD_SUBREAPER), gets ours as well. Nobody else's child is waited for by this, and
 * where the host was faster there is none. */
static void reap(int pidfd)
{
	(void)syscall(SYS_waitid, P_PIDFD, pidfd, NULL, WEXITED | WNOHANG, NULL);
}

void helper_part(int *pidfd)
{
	if (*pidfd >= 0)
		reap(*pidfd);
	fd_close(pidfd);
}

void helper_end(int *pidfd)
{
	struct pollfd p = { .fd = *pidfd, .events = POLLIN };

	while (*pidfd >= 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	helper_part(pidfd);
}
