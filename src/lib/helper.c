#include "lib/helper.h"

#include <errno.h>
#include <fcntl.h>
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

#include "base/fd.h"

static int open_in(const char *directory, const char *between, const char *name)
{
	char path[4096];
	auto_fd int fd = -1;

	if (snprintf(path, sizeof path, "%s%s/%s", directory, between, name) >= (int)sizeof path)
		return -1;
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 4); /* 3 will be the helper's socket */
}

int helper_open(const char *name, int *ret_fd, struct err *e)
{
	char self[4096];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	int fd = -1;

	if (n > 0) {
		char *slash;

		self[n] = 0;
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = 0;
		fd = open_in(self, "", name);
		if (fd < 0)
			fd = open_in(self, "/../libexec/ambit", name);
	}
	if (fd < 0)
		fd = open_in(AMBIT_LIBEXECDIR, "", name);
	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "the installation is incomplete: reinstall Ambit",
			       "cannot open %s", name);
	*ret_fd = fd;
	return 0;
}

struct start {
	int exe_fd, sock;
	char *const *argv, *const *envp;
	char *stack; /* of the helper before exec */
	int pidfd;   /* written by the go-between, which shares memory and descriptors */
	int sys_errno;
};

/* Not _exit: a sanitizer looks at the stack before functions that do not return, and this one is not the thread's own. */
static int end_child(int status)
{
	return (int)syscall(SYS_exit_group, status);
}

static int helper(void *arg)
{
	struct start *s = arg;
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL); /* SIGKILL and SIGSTOP refuse */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid(); /* a signal to the caller's group is the caller's */
	if (chdir("/") == 0 && dup2(s->sock, 3) == 3 && fcntl(3, F_SETFD, 0) == 0 &&
	    syscall(SYS_close_range, 0, 2, 4 /* CLOSE_RANGE_CLOEXEC */) == 0 &&
	    syscall(SYS_close_range, 4, ~0U, 4) == 0)
		(void)syscall(SYS_execveat, s->exe_fd, "", s->argv, s->envp, AT_EMPTY_PATH);
	s->sys_errno = errno;
	return end_child(127);
}

#define STACK_BYTES (32u << 10)

/* Starts the helper and goes, so that the helper is a child of init. Its own end has no signal, and only we wait for it. */
static int go_between(void *arg)
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
		(void)waitpid(pid, NULL, __WALL);
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
