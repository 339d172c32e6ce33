#include "minicell.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static bool put(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool become(uid_t uid)
{
	if (uid == geteuid())
		return true;
	return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0 &&
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool enter(uid_t uid)
{
	char map[64];
	const gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC) < 0 ||
	    !put("/proc/self/setgroups", "deny"))
		return false;
	(void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
	return put("/proc/self/gid_map", map);
}

static bool mount_own(int ret_fds[2])
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, "size=256m") < 0)
		return false;
	ret_fds[0] = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret_fds[1] = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return ret_fds[0] >= 0 && ret_fds[1] >= 0;
}

/* Process 1: mounts, tells, starts the work when it is told, reaps. */
_Noreturn static void first(int sock, int go, void (*work)(void *), void *arg)
{
	char byte;
	int fds[2], zero = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!mount_own(fds)) {
		(void)fd_send(sock, &errno, sizeof errno, NULL, 0);
		_exit(1);
	}
	if (fd_send(sock, &zero, sizeof zero, fds, 2) < 0)
		_exit(1);
	(void)close(sock);
	(void)!read(go, &byte, 1);
	if (fork() == 0) {
		(void)close(fds[0]);
		work(arg);
		_exit(0);
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	_exit(0);
}

/* Our child: stays outside, ends process 1 when it is told to and waits for the end of the whole namespace, so that the
 * figures of all come to us. */
_Noreturn static void outer(int sock, int go, uid_t uid, void (*work)(void *), void *arg)
{
	sigset_t set;
	pid_t pid;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (!become(uid) || !enter(uid)) {
		(void)fd_send(sock, &errno, sizeof errno, NULL, 0);
		_exit(1);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* not before: a change of id clears it */
	pid = fork();
	if (pid == 0) {
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
		first(sock, go, work, arg);
	}
	(void)close(sock);
	while (sigwaitinfo(&set, NULL) < 0 && errno == EINTR)
		;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	_exit(0);
}

bool minicell_start(struct minicell *c, uid_t uid, void (*work)(void *), void *arg, int *ret_errno)
{
	int pair[2], go[2], told = EPROTO, fds[FD_PASS_MAX];
	size_t n_fds = 0;

	*c = (struct minicell){ .pid = -1, .proc_fd = -1, .scratch_fd = -1, .go = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || pipe2(go, O_CLOEXEC) < 0) {
		*ret_errno = errno;
		return false;
	}
	c->pid = fork();
	if (c->pid == 0) {
		(void)close(pair[0]);
		(void)close(go[1]);
		outer(pair[1], go[0], uid, work, arg);
	}
	(void)close(pair[1]);
	(void)close(go[0]);
	c->go = go[1];
	(void)fd_receive(pair[0], &told, sizeof told, fds, &n_fds);
	(void)close(pair[0]);
	if (n_fds == 2) {
		c->proc_fd = fds[0];
		c->scratch_fd = fds[1];
		return true;
	}
	*ret_errno = told;
	minicell_end(c, NULL);
	return false;
}

void minicell_go(struct minicell *c)
{
	(void)!write(c->go, "g", 1); /* closing alone would not do: another cell's processes may hold a copy */
	fd_close(&c->go);
}

void minicell_end(struct minicell *c, struct rusage *ret_usage)
{
	if (c->pid > 0) {
		(void)kill(c->pid, SIGTERM);
		(void)wait4(c->pid, NULL, 0, ret_usage);
	}
	c->pid = -1;
	fd_close(&c->go);
	fd_close(&c->proc_fd);
	fd_close(&c->scratch_fd);
}
