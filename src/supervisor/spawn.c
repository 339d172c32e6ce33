#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* All but the network's, which the warden has made while it builds (cell/net.c). */
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

enum spawn_step {
	SPAWN_OK,
	SPAWN_IDS,
	SPAWN_NAMESPACES,
	SPAWN_SETGROUPS,
	SPAWN_MAP,
	SPAWN_NUMBERS,
	SPAWN_CAPS,
	SPAWN_EXEC
};

static const struct {
	const char *what, *hint;
} step_texts[] = {
	[SPAWN_OK] = { "nothing failed", "" },
	[SPAWN_IDS] = { "take an unprivileged id", "run as an ordinary user" },
	[SPAWN_NAMESPACES] = { "make the namespaces of a cell",
			       "allow them: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone; on Ubuntu "
			       "install the package's AppArmor profile; `ambit doctor` tells which" },
	[SPAWN_SETGROUPS] = { "deny setgroups in the user namespace", "`ambit doctor` tells more" },
	[SPAWN_MAP] = { "map the user id", "`ambit doctor` tells more" },
	[SPAWN_NUMBERS] = { "number the processes of a cell", "" },
	[SPAWN_CAPS] = { "keep the capabilities for building", "on Ubuntu install the package's AppArmor profile" },
	[SPAWN_EXEC] = { "execute ambit-warden", "the installation is incomplete: reinstall Ambit" },
};

struct child {
	const struct spawn *spawn;
	int step; /* written by the child, which shares memory until exec */
	int sys_errno;
	char uid_map[64], gid_map[64];
	char before_first[24]; /* with has_more: the number before that of its second process */
};

static int write_file(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* An ordinary id has no capabilities after exec unless they are ambient. These are what building needs; the warden drops
 * them before foreign code runs. */
static int keep_for_building(void)
{
	static const unsigned keep[] = {
		CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SETPCAP, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE,
		/* an overlay works with its maker's: it enters a work directory of mode 0, and copies files that their
		 * owner may not read (who asks is checked before) */
		CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_CHOWN, CAP_FSETID
	};
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof data);
	for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++)
		data[0].effective |= 1u << keep[i];
	data[0].permitted = data[0].inheritable = data[0].effective;
	if (syscall(SYS_capset, &head, data) < 0)
		return -1;
	for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, keep[i], 0, 0) < 0)
			return -1;
	return 0;
}

/* Of what the kernel counts for each user, also for the caller outside: a cell that took it all would leave none to the
 * caller's own programs. Best effort: a container may show /proc/sys read-only. No namespace is made in a cell; the
 * filter says so too. */
static void narrow_counts(bool has_more)
{
	static const struct {
		const char *file, *value;
	} counts[] = {
		{ "/proc/sys/user/max_inotify_instances", "64" },
		{ "/proc/sys/user/max_inotify_watches", "65536" },
		{ "/proc/sys/user/max_user_namespaces", "0" }, /* the last: see below */
	};

	for (size_t i = 0; i < sizeof counts / sizeof counts[0] - (has_more ? 1 : 0); i++)
		(void)write_file(counts[i].file, counts[i].value);
}

#define NUMBERS_ABOVE 1024 /* of the highest, which a process that is not the last of very many never has */

/* Libraries that draw random numbers see by its number that a process is a copy, and draw others (OpenSSL, Python's tempfile). So no process of a copy's cell, where they are counted
 * from 2, may have the number of what it is a copy of. */
static void number_apart(char ret[static 24])
{
	auto_fd int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);
	char text[16];
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = 0;
	(void)snprintf(ret, 24, "%ld", strtol(text, NULL, 10) - NUMBERS_ABOVE); /* fits */
}

static int failed_at(struct child *c, enum spawn_step step)
{
	c->step = (int)step;
	c->sys_errno = errno;
	/* not _exit: a sanitizer looks at the stack before functions that do not return, and this one is not the thread's own */
	return (int)syscall(SYS_exit_group, 127);
}

/* In the new namespaces, on a stack of its own, sharing memory with the suspended supervisor: async-signal-safe calls
 * only, and nothing of the supervisor's is written but *c. */
static int in_namespaces(void *arg)
{
	char *const argv[] = { (char[]){ "ambit-warden" }, NULL }, *const envp[] = { NULL };
	struct child *c = arg;
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* the socket tells as well */
	(void)sigemptyset(&none);                        /* the supervisor has no handlers and ignores nothing */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (write_file("/proc/self/setgroups", "deny") < 0)
		return failed_at(c, SPAWN_SETGROUPS);
	if (write_file("/proc/self/uid_map", c->uid_map) < 0 || write_file("/proc/self/gid_map", c->gid_map) < 0)
		return failed_at(c, SPAWN_MAP);
	narrow_counts(c->spawn->has_more);
	if (c->spawn->has_more && write_file("/proc/sys/kernel/ns_last_pid", c->before_first) < 0)
		return failed_at(c, SPAWN_NUMBERS);
	if (keep_for_building() < 0)
		return failed_at(c, SPAWN_CAPS);
	if (dup2(c->spawn->sock, 3) < 0 || fcntl(3, F_SETFD, 0) < 0)
		return failed_at(c, SPAWN_EXEC);
	/* everything else, 0 to 2 too, goes at exec */
	if (syscall(SYS_close_range, 0, 2, 4 /* CLOSE_RANGE_CLOEXEC */) < 0 || syscall(SYS_close_range, 4, ~0U, 4) < 0)
		return failed_at(c, SPAWN_EXEC);
	(void)syscall(SYS_execveat, c->spawn->warden_exe_fd, "", argv, envp, AT_EMPTY_PATH);
	return failed_at(c, SPAWN_EXEC);
}

#define STACK_BYTES (64u << 10)

static pid_t clone_into(struct child *c, int flags, int *ret_pidfd)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));

	return clone(in_namespaces, stack + sizeof stack,
		     flags | NAMESPACES | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c, ret_pidfd);
}

static bool is_other(const struct spawn *s)
{
	return s->outside_uid != geteuid();
}

static bool become_other(const struct spawn *s)
{
	if (setgroups(0, NULL) < 0 || setresgid(s->outside_gid, s->outside_gid, s->outside_gid) < 0 ||
	    setresuid(s->outside_uid, s->outside_uid, s->outside_uid) < 0)
		return false;
	/* the change of id made the process non-dumpable, and its /proc files root's */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return true;
}

/* A copy of this process, born in the cgroup if there is one: moving the warden there afterwards makes it wait for all
 * processors (20 ms). Before Linux 5.7, or where this is refused, it is moved. */
static pid_t fork_into(int cgroup_fd, bool *ret_inside)
{
	struct clone_args how = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)cgroup_fd };
	const pid_t pid = cgroup_fd < 0 ? -1 : (pid_t)syscall(SYS_clone3, &how, sizeof how);

	*ret_inside = pid >= 0;
	return pid >= 0 ? pid : fork();
}

/* A short-lived child makes the cell, as the supervisor's own child: as root it becomes the unprivileged id before that, and
 * where there is a cgroup it is born there. */
static pid_t clone_through_other(struct child *c, int *ret_pidfd, bool *ret_inside)
{
	struct {
		pid_t pid;
		int step, sys_errno;
	} told = { .pid = -1 };
	int pair[2], fds[FD_PASS_MAX];
	size_t n_fds;
	pid_t between;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	between = fork_into(c->spawn->cgroup_fd, ret_inside);
	if (between == 0) {
		int pidfd = -1;

		if (is_other(c->spawn) && !become_other(c->spawn))
			(void)failed_at(c, SPAWN_IDS);
		told.pid = clone_into(c, CLONE_PARENT, &pidfd);
		told.step = told.pid < 0 ? SPAWN_NAMESPACES : c->step;
		told.sys_errno = told.pid < 0 ? errno : c->sys_errno;
		(void)fd_send(pair[1], &told, sizeof told, &pidfd, told.pid < 0 ? 0 : 1);
		_exit(0);
	}
	(void)close(pair[1]);
	if (between < 0) {
		(void)close(pair[0]);
		return -1;
	}
	if (fd_receive(pair[0], &told, sizeof told, fds, &n_fds) != (ssize_t)sizeof told)
		told.step = is_other(c->spawn) ? SPAWN_IDS : SPAWN_NAMESPACES;
	*ret_pidfd = n_fds == 1 ? fds[0] : -1;
	c->step = told.step;
	c->sys_errno = told.sys_errno;
	(void)waitpid(between, NULL, 0);
	(void)close(pair[0]);
	return told.pid;
}

/* A copy of this process and a child of its parent. */
static pid_t fork_sibling(void)
{
	struct clone_args how = { .flags = CLONE_PARENT };

	return (pid_t)syscall(SYS_clone3, &how, sizeof how);
}

struct cloned {
	pid_t inner; /* the process that makes the cell; 0: it says this itself */
	int step, sys_errno;
};

/* Enters the namespaces; only what is forked then is in that of processes. Both that one and the cell are the supervisor's own children. */
_Noreturn static void clone_beneath(struct child *c, int sock)
{
	struct cloned told = { .inner = -1, .step = SPAWN_NAMESPACES };
	int pidfd = -1;

	if (setns(c->spawn->beneath_pidfd, CLONE_NEWUSER | CLONE_NEWPID) == 0)
		told.inner = fork_sibling();
	told.sys_errno = errno;
	if (told.inner == 0) {
		const pid_t pid = clone_into(c, CLONE_PARENT, &pidfd);

		told.step = pid < 0 ? SPAWN_NAMESPACES : c->step;
		told.sys_errno = pid < 0 ? errno : c->sys_errno;
	}
	(void)fd_send(sock, &told, sizeof told, &pidfd, pidfd < 0 ? 0 : 1);
	_exit(0);
}

/* The number that it has here: who made it has others. */
static pid_t pid_of(int pidfd)
{
	char path[64], text[512];
	const char *at;
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd); /* fits */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "\nPid:");
	return at != NULL ? (pid_t)strtol(at + strlen("\nPid:"), NULL, 10) : -1;
}

static pid_t clone_beneath_other(struct child *c, int *ret_pidfd)
{
	struct cloned told = { .inner = 0, .step = SPAWN_NAMESPACES, .sys_errno = ECHILD };
	int pair[2], fds[FD_PASS_MAX];
	pid_t between, inner = 0;
	size_t n_fds;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	between = fork();
	if (between == 0)
		clone_beneath(c, pair[1]);
	(void)close(pair[1]);
	c->step = SPAWN_NAMESPACES;
	c->sys_errno = ECHILD;
	/* in either order; the one that could not enter speaks alone */
	while (between > 0 && fd_receive(pair[0], &told, sizeof told, fds, &n_fds) == (ssize_t)sizeof told) {
		if (n_fds == 1)
			*ret_pidfd = fds[0];
		if (told.inner > 0) {
			inner = told.inner;
			continue;
		}
		c->step = told.step;
		c->sys_errno = told.sys_errno;
	}
	(void)close(pair[0]);
	if (between > 0)
		(void)waitpid(between, NULL, 0);
	if (inner > 0)
		(void)waitpid(inner, NULL, 0);
	return *ret_pidfd < 0 ? -1 : pid_of(*ret_pidfd);
}

static int told(const struct child *c, struct err *e)
{
	if (c->step == SPAWN_NAMESPACES && c->sys_errno == ENOSPC) /* which is not about a disk: clone(2) */
		return err_why(
			e,
			err_set(e, AMBIT_HOST,
				"as root: sysctl user.max_user_namespaces=15000, and the same of mnt, pid, net, ipc, uts",
				"cannot make the namespaces of a cell"),
			"a limit on their number is reached");
	if (c->step == SPAWN_NAMESPACES && c->sys_errno == EPERM)
		return err_why(e,
			       err_set(e, AMBIT_HOST, step_texts[c->step].hint, "cannot make the namespaces of a cell"),
			       "this host does not let you make a user namespace");
	return err_sys(e, AMBIT_HOST, c->sys_errno, step_texts[c->step].hint, "cannot %s", step_texts[c->step].what);
}

int spawn_warden(const struct spawn *s, pid_t *ret_pid, int *ret_pidfd, bool *ret_inside, struct err *e)
{
	struct child c = { .spawn = s };
	int pidfd = -1;
	pid_t pid;

	if (s->outside_uid == 0)
		return err_set(e, AMBIT_HOST, "run as an ordinary user", "a cell never runs as root");
	/* of the namespace above, which knows it by what it is inside if that is a cell's, too */
	(void)snprintf(c.uid_map, sizeof c.uid_map, "%u %u 1", s->inside_uid,
		       s->beneath_pidfd >= 0 ? s->inside_uid : s->outside_uid);
	(void)snprintf(c.gid_map, sizeof c.gid_map, "%u %u 1", s->inside_gid,
		       s->beneath_pidfd >= 0 ? s->inside_gid : s->outside_gid);
	if (s->has_more)
		number_apart(c.before_first);
	*ret_inside = false;
	if (s->beneath_pidfd >= 0)
		pid = clone_beneath_other(&c, &pidfd);
	else
		pid = is_other(s) || s->cgroup_fd >= 0 ? clone_through_other(&c, &pidfd, ret_inside)
						       : clone_into(&c, 0, &pidfd);
	if (pid < 0 && c.step == SPAWN_OK) {
		c.step = SPAWN_NAMESPACES;
		c.sys_errno = errno;
	}
	if (c.step != SPAWN_OK) {
		if (pid > 0)
			(void)waitpid(pid, NULL, 0);
		fd_close(&pidfd);
		return told(&c, e);
	}
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}
