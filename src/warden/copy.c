/* The template's own side: loaded by an interpreter that has run nothing but its start (src/code/python.py), in a cell of its own. ambit_template comes back in each copy, behind the
 * wall of the copy's cell, and in the template itself when nobody wants copies any more. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cell/build.h"
#include "warden/ownwall.h"
#include "warden/template.h"
#include "wire/wire.h"

#define REPORT_FD TEMPLATE_STREAMS
#define RULES_FD (REPORT_FD + 1)
#define COPIES_MAX 256
#define NAMESPACES                                                                                                     \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)

/* CPython's, for who forks without os.fork. Another interpreter has none. */
void PyOS_BeforeFork(void) __attribute__((weak));
void PyOS_AfterFork_Parent(void) __attribute__((weak));
void PyOS_AfterFork_Child(void) __attribute__((weak));

__attribute__((visibility("default"))) int ambit_template(int sock);

/* In the order of TEMPLATE_COPY. */
enum { WARDEN_FD, TOLD_FD, STATUS_FD, FIRST_STREAM, RULESET_FD = FIRST_STREAM + TEMPLATE_STREAMS };

struct copy {
	pid_t pid;     /* as this cell sees it; 0: this place is free */
	int status_fd; /* owned, as the next */
	int io_fd; /* what it wrote, as the kernel counts it until it is waited for; opened before it ends, when it becomes root's */
};

struct template
{
	int sock, signal_fd;
	pid_t number; /* its own */
	struct copy copies[COPIES_MAX];
};

static void tell_failure(int fd, enum cell_step step, int sys_errno)
{
	const uint32_t told[2] = { (uint32_t)step, (uint32_t)sys_errno };

	(void)fd_send(fd, told, sizeof told, NULL, 0); /* nobody else to tell */
}

/* ---- a copy, in its cell ---- */

/* Each to its number, and all others closed: those of the template are no business of the copy's. */
static int arrange(const struct wire_message *m)
{
	const bool has_rules = m->n_fds > RULESET_FD;
	int from[RULES_FD + 1];
	const int n = has_rules ? RULES_FD + 1 : RULES_FD;

	for (int i = 0; i < n; i++) {
		const int fd = i < TEMPLATE_STREAMS ? m->fds[FIRST_STREAM + i]
			       : i == REPORT_FD     ? m->fds[TOLD_FD]
						    : m->fds[RULESET_FD];

		/* above all of them, so that none is overwritten before it is used */
		from[i] = fcntl(fd, F_DUPFD_CLOEXEC, RULES_FD + 1);
		if (from[i] < 0)
			return -errno;
	}
	for (int i = 0; i < n; i++)
		if (dup2(from[i], i) < 0)
			return -errno;
	return close_range((unsigned)n, ~0U, 0) < 0 ? -errno : 0;
}

static int become(const struct template *t, struct wire_message *m, struct cell_failure *f)
{
	static struct cell_spec spec; /* of both only what ownwall_raise looks at is touched */
	static struct cell_made made;
	struct template_wall wall;
	const uint32_t number = (uint32_t)getpid();
	sigset_t none;
	int r;

	template_wall_decode(&m->body, &wall);
	spec.flags = wall.flags;
	spec.observe = wall.observe;
	spec.limits = wall.limits;
	made.achieved = wall.achieved;
	made.ruleset_fd = m->n_fds > RULESET_FD ? RULES_FD : -1;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* what the interpreter does with signals stays */
	(void)umask((mode_t)wall.umask);
	if (wall.observe < CELL_OBSERVE_OFF || wall.observe > CELL_OBSERVE_FULL || (wall.flags & CELL_TEMPLATE) != 0)
		return build_failed(f, STEP_DECODE, EPROTO);
	if (getpid() >= t->number) /* what sees by that whether it is another process would not (supervisor/spawn.c) */
		return build_failed(f, STEP_FORK, EEXIST);
	if (setsid() < 0)
		return build_failed(f, STEP_STDIO, errno);
	r = fd_send(REPORT_FD, &number, sizeof number, NULL, 0);
	if (r < 0)
		return build_failed(f, STEP_GONE, -r);
	/* it came here with all capabilities over the cell */
	if (identity_keyring(&made, f) < 0 || identity_prepare(&made, f) < 0 ||
	    ownwall_raise(&spec, &made, REPORT_FD, f) < 0)
		return -1;
	if (made.ruleset_fd >= 0)
		(void)close(RULES_FD);
	return ownwall_await_release(REPORT_FD, f);
}

/* Comes back as the program of the cell, or not at all. */
static void be_copy(const struct template *t, struct wire_message *m)
{
	struct cell_failure f;
	const int r = arrange(m);

	if (r < 0) { /* no number is certain to be what it should */
		tell_failure(m->fds[TOLD_FD], STEP_STDIO, -r);
		_exit(127);
	}
	if (become(t, m, &f) < 0) {
		tell_failure(REPORT_FD, f.step, f.sys_errno);
		_exit(127);
	}
	(void)close(REPORT_FD); /* the end of it says that the program begins */
}

/* In a process between the two, which enters the cell; only what it forks then is in the pid namespace of that. */
static void enter(struct wire_message *m, int pipe_fd)
{
	pid_t pid;

	if (setns(m->fds[WARDEN_FD], NAMESPACES) < 0) {
		tell_failure(m->fds[TOLD_FD], STEP_FORK, errno);
		_exit(127);
	}
	pid = fork();
	if (pid == 0)
		return;
	if (pid < 0)
		tell_failure(m->fds[TOLD_FD], STEP_FORK, errno);
	(void)!write(pipe_fd, &pid, sizeof pid); /* who does not read it is gone */
	_exit(0);
}

/* ---- the template ---- */

static struct copy *place_of(struct template *t, pid_t pid)
{
	for (size_t i = 0; i < COPIES_MAX; i++)
		if (t->copies[i].pid == pid)
			return &t->copies[i];
	return NULL;
}

static int open_io(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/io", (int)pid); /* fits */
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* True: this is the copy. */
static bool copy(struct template *t, struct wire_message *m)
{
	struct copy *place = place_of(t, 0);
	pid_t between, pid = -1;
	int pair[2];

	if (place == NULL || pipe2(pair, O_CLOEXEC) < 0) {
		tell_failure(m->fds[TOLD_FD], STEP_FORK, EAGAIN);
		return false;
	}
	PyOS_BeforeFork();
	between = fork();
	if (between == 0) {
		enter(m, pair[1]);
		be_copy(t, m);
		PyOS_AfterFork_Child();
		return true;
	}
	PyOS_AfterFork_Parent();
	(void)close(pair[1]);
	if (between < 0)
		tell_failure(m->fds[TOLD_FD], STEP_FORK, errno);
	else if (fd_read_all(pair[0], &pid, sizeof pid) != (ssize_t)sizeof pid)
		pid = -1;
	(void)close(pair[0]);
	if (between > 0)
		(void)waitpid(between, NULL, 0);        /* then the copy is this process's own child */
	(void)fd_set_nonblock(m->fds[STATUS_FD], true); /* a warden that somebody stopped holds nobody up */
	if (pid > 0)
		*place = (struct copy){ pid, steal_fd(&m->fds[STATUS_FD]), open_io(pid) };
	return false;
}

static uint64_t written_by(const struct copy *c)
{
	char text[512];
	const char *at;
	const ssize_t n = c->io_fd < 0 ? -1 : pread(c->io_fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "\nwrite_bytes: ");
	return at != NULL ? strtoull(at + strlen("\nwrite_bytes: "), NULL, 10) : 0;
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

/* true: there was one. */
static bool tell_one(struct template *t)
{
	siginfo_t info = { .si_pid = 0 };
	struct rusage used;
	struct template_end end = { .status = 0 };
	struct copy *c;
	uint8_t body[64];
	struct buf b;
	int status = 0;

	if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return false;
	c = place_of(t, info.si_pid);
	end.written_bytes = c != NULL ? written_by(c) : 0;
	if (wait4(info.si_pid, &status, WNOHANG | WUNTRACED, &used) <= 0)
		return false;
	if (c == NULL)
		return true;
	end.status = (uint32_t)status;
	end.user_us = microseconds(&used.ru_utime);
	end.system_us = microseconds(&used.ru_stime);
	end.memory_bytes = (uint64_t)used.ru_maxrss * 1024;
	buf_init_in(&b, body, sizeof body);
	template_end_encode(&end, &b);
	(void)wire_send(c->status_fd, WIRE_TEMPLATE_ENDED, &b, NULL,
			0); /* a warden that is gone wants to know nothing */
	if (!WIFSTOPPED(status)) {
		fd_close(&c->status_fd);
		fd_close(&c->io_fd);
		c->pid = 0;
	}
	return true;
}

/* 1: this is a copy; 0: serve on; -1: nobody wants more. */
static int serve_one(struct template *t)
{
	struct pollfd p[] = { { .fd = t->sock, .events = POLLIN }, { .fd = t->signal_fd, .events = POLLIN } };
	auto_message m = { .n_fds = 0 };
	uint8_t room[WIRE_HEAD + 128];
	struct signalfd_siginfo seen;

	if (poll(p, 2, -1) < 0)
		return errno == EINTR ? 0 : -1;
	if (p[1].revents != 0) {
		(void)!read(t->signal_fd, &seen, sizeof seen); /* one may stand for several */
		while (tell_one(t))
			;
	}
	if (p[0].revents == 0)
		return 0;
	if (wire_receive(t->sock, WIRE_WARDEN, WIRE_RUNNING, room, sizeof room, &m) <= 0)
		return -1;
	if (!copy(t, &m))
		return 0;
	m.n_fds = 0; /* closed, and their numbers are the program's */
	return 1;
}

static int begin(struct template *t)
{
	sigset_t child;

	if (PyOS_BeforeFork == NULL || PyOS_AfterFork_Parent == NULL || PyOS_AfterFork_Child == NULL)
		return -ENOSYS;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		return -errno;
	t->signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return t->signal_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int ambit_template(int sock)
{
	static struct template t;
	int r;

	t.sock = sock;
	t.number = getpid();
	if (begin(&t) < 0 || wire_send(sock, WIRE_TEMPLATE_READY, NULL, NULL, 0) < 0)
		return -1;
	do
		r = serve_one(&t);
	while (r == 0);
	return r == 1 ? 0 : 1;
}
