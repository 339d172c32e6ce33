#include "supervisor/clones.h"

#include <errno.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cell/kernel.h"

#define CLONES_PATIENCE_MS 2000 /* of a file system: it takes microseconds where it is well */
#define CLONES_END_MS 500

static int clone_at(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	auto_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	const int tree = fd < 0 ? -1
				: open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	return tree < 0 ? -errno : tree;
}

enum { ANSWERS = 3 };

/* One packet for each: an error number, or 0 and the tree. In the child, which must not outlive the supervisor; where a file system holds it up it does, and so
 * has nothing of what the supervisor holds. */
_Noreturn static void look(const struct clones *c, int user_fd, int mounts_fd, int sock, pid_t parent)
{
	int r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent ||
				setns(user_fd, CLONE_NEWUSER) < 0 || setns(mounts_fd, CLONE_NEWNS) < 0
			? -errno
			: 0;

	if (dup2(sock, ANSWERS) < 0 || syscall(SYS_close_range, ANSWERS + 1, ~0u, 0) < 0)
		_exit(1);
	for (size_t i = 0; i < c->n; i++) {
		const int tree = r < 0 ? r : clone_at(c->path[i]);
		const int32_t said = tree < 0 ? -tree : 0;

		if (fd_send(ANSWERS, &said, sizeof said, &tree, tree < 0 ? 0 : 1) < 0)
			break;
	}
	_exit(0);
}

static bool comes(int fd, uint64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int n = 0;

	while (n <= 0 && (now = clock_ms()) < until_ms)
		n = poll(&p, 1, (int)(until_ms - now)); /* interrupted: again */
	return n > 0;
}

static int does_not_answer(const struct clones *c, size_t i, struct err *e)
{
	return err_set(e, AMBIT_HOST, "see what is mounted there, or leave it out",
		       "the file system of %s does not answer", c->path[i]);
}

static int hear(struct clones *c, size_t i, int sock, uint64_t until_ms, struct err *e)
{
	int fds[FD_PASS_MAX] = { -1 };
	size_t n_fds = 0;
	int32_t said = EPROTO;
	ssize_t n;

	if (!comes(sock, until_ms))
		return does_not_answer(c, i, e);
	n = fd_receive(sock, &said, sizeof said, fds, &n_fds);
	if (n == (ssize_t)sizeof said && said == 0 && n_fds == 1)
		c->fd[i] = fds[0];
	if (c->fd[i] >= 0 || (n == (ssize_t)sizeof said && said == ENOENT))
		return 0;
	return err_sys(e, said == ELOOP ? AMBIT_DENIED : AMBIT_HOST, n < 0 ? (int)-n : said,
		       said == ELOOP ? "name the place itself, and no link" : NULL,
		       "cannot show %s of this cell to a sub-agent", c->path[i]);
}

/* 0, or the process that does not end since the kernel waits for a file system. */
static pid_t end(pid_t pid, uint64_t until_ms)
{
	auto_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	(void)kill(pid, SIGKILL); /* our own child, not yet reaped */
	if (pidfd >= 0)
		(void)comes(pidfd, until_ms);
	return waitpid(pid, NULL, pidfd >= 0 ? WNOHANG : 0) == 0 ? pid : 0;
}

int clones_make(struct clones *c, int proc_fd, int mounts_fd, struct err *e)
{
	auto_fd int user_fd = openat(proc_fd, "1/ns/user", O_RDONLY | O_CLOEXEC), ours = -1;
	const uint64_t until_ms = clock_ms() + CLONES_PATIENCE_MS;
	const pid_t parent = getpid();
	int pair[2], r = 0;
	pid_t pid;

	c->left = 0;
	for (size_t i = 0; i < c->n; i++)
		c->fd[i] = -1;
	if (c->n == 0)
		return 0;
	if (user_fd < 0 || mounts_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look into the cell");
	ours = pair[0];
	pid = fork();
	if (pid == 0)
		look(c, user_fd, mounts_fd, pair[1], parent);
	(void)close(pair[1]);
	if (pid < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot look into the cell");
	for (size_t i = 0; i < c->n && r == 0; i++)
		r = hear(c, i, ours, until_ms, e);
	c->left = end(pid, clock_ms() + CLONES_END_MS);
	if (r < 0)
		clones_finish(c);
	return r;
}

void clones_finish(struct clones *c)
{
	for (size_t i = 0; i < c->n; i++)
		fd_close(&c->fd[i]);
}
