#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "relay/termfilter.h"

#define RELAY_FDS_MAX (RELAY_FIRST_PAIR + 2 * RELAY_PAIRS_MAX)
#define RELAY_WORDS_MAX (2 + RELAY_PAIRS_MAX)

/* ---- modes ---- */

int terminal_save(struct terminal *t, int fd, struct err *e)
{
	struct termios now;
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || tcgetattr(fd, &now) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "run it in a terminal", "cannot read the terminal's settings");
	*t = (struct terminal){ .fd = fd, .flags = flags, .saved = now };
	return 0;
}

/* tcsetattr says yes if it could do a part; nothing here depends on a part that a terminal may lack. */
static int set_modes(int fd, int when, const struct termios *modes)
{
	while (tcsetattr(fd, when, modes) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int terminal_raw(struct terminal *t, struct err *e)
{
	struct termios modes = t->saved;
	int r;

	cfmakeraw(&modes);
	modes.c_cc[VMIN] = 1;
	modes.c_cc[VTIME] = 0;
	r = set_modes(t->fd, TCSADRAIN, &modes); /* what was typed before belongs to the program */
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot set the terminal to raw mode");
	t->raw = true;
	return 0;
}

void terminal_restore(struct terminal *t)
{
	const int saved_errno = errno;

	if (t == NULL || t->fd < 0)
		return;
	if (t->raw)
		(void)set_modes(t->fd, TCSAFLUSH, &t->saved); /* gone: then there is nothing to restore */
	(void)fcntl(t->fd, F_SETFL, t->flags);                /* likewise */
	t->raw = false;
	errno = saved_errno;
}

int terminal_copy_size(const struct terminal *t, int master, struct err *e)
{
	struct winsize size;

	if (ioctl(t->fd, TIOCGWINSZ, &size) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot copy the window's size");
	return 0;
}

/* A pipe and a device have no position, so that a second description of them is as good as the first. */
static bool can_open_again(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

int terminal_open_own(int fd, int flags)
{
	char path[32];
	int own = -1;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* fits any int */
	if (can_open_again(fd))
		own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool terminal_is_8bit(const char *locale)
{
	const char *charset = locale == NULL ? NULL : strchr(locale, '.');

	return charset != NULL && strncasecmp(charset + 1, "utf-8", 5) != 0 && strncasecmp(charset + 1, "utf8", 4) != 0;
}

/* ---- the relay: start ---- */

/* Everything the child needs, made before there is a child. */
struct child {
	const char *path;
	char *argv[1 + RELAY_WORDS_MAX + 1];
	char words[RELAY_WORDS_MAX][8];
	int fds[RELAY_FDS_MAX]; /* what becomes 0, 1, 2, ... */
	int n_fds;
	int exe;    /* in the child only */
	int report; /* write end of the pipe, close-on-exec */
};

static bool add_word(struct child *c, size_t *n, const char *word)
{
	if (snprintf(c->words[*n], sizeof c->words[*n], "%s", word) >= (int)sizeof c->words[*n])
		return false;
	c->argv[1 + *n] = c->words[*n];
	(*n)++;
	return true;
}

static bool prepare_child(struct child *c, const struct relay_start *how)
{
	static char name[] = "ambit-relay";
	size_t n = 0;

	*c = (struct child){ .path = how->path, .argv = { name }, .report = -1 };
	c->fds[RELAY_TERMINAL_IN] = how->terminal_in;
	c->fds[RELAY_TERMINAL_OUT] = how->terminal_out;
	c->fds[STDERR_FILENO] =
		how->terminal_in; /* the relay would do the same; a gap would be taken by something else */
	c->fds[RELAY_MASTER] = how->master;
	c->n_fds = RELAY_FIRST_PAIR;
	if (how->n_pairs > RELAY_PAIRS_MAX || (how->ascii && !add_word(c, &n, "ascii")) ||
	    (how->mute && !add_word(c, &n, "mute")))
		return false;
	for (size_t i = 0; i < how->n_pairs; i++) {
		if (!add_word(c, &n, how->pairs[i].word))
			return false;
		c->fds[c->n_fds++] = how->pairs[i].from;
		c->fds[c->n_fds++] = how->pairs[i].to;
	}
	return true;
}

/* A descriptor's place above those that the relay gets. Async-signal-safe, as all below. */
static int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, RELAY_FDS_MAX);
}

/* Puts the descriptors at their numbers, by way of numbers that none of them has. The program is opened before: its path
 * may name a descriptor that is about to be replaced. */
static bool place_descriptors(struct child *c)
{
	c->report = lift(c->report);
	c->exe = open(c->path, O_PATH | O_CLOEXEC);
	if (c->exe < 0)
		return false;
	c->exe = lift(c->exe);
	for (int i = 0; i < c->n_fds; i++)
		c->fds[i] = lift(c->fds[i]);
	for (int i = 0; i < c->n_fds; i++)
		if (c->fds[i] < 0 || dup2(c->fds[i], i) < 0)
			return false;
	return syscall(SYS_close_range, (unsigned)c->n_fds, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static void default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(
			s, SIG_DFL); /* fails for KILL, STOP and those of the C library, which are as they should be */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
}

static _Noreturn void be_relay(struct child *c)
{
	static char *const no_environment[] = { NULL };
	int why;

	if (place_descriptors(c) && chdir("/") == 0) {
		default_signals();
		/* returns only if it failed */
		(void)syscall(SYS_execveat, c->exe, "", c->argv, no_environment, AT_EMPTY_PATH);
	}
	why = errno;
	(void)fd_write_all(c->report, &why, sizeof why); /* nobody else to tell */
	_exit(RELAY_USAGE);
}

/* A fork that gives a pidfd; clone3 would be clearer, but is refused in older containers. */
static pid_t fork_held(int *ret_pidfd)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PIDFD | SIGCHLD, NULL, ret_pidfd, NULL, NULL);
}

/* The errno that the child reported, 0 once it is executed. */
static int await_exec(int report)
{
	int why = 0;

	return fd_read_all(report, &why, sizeof why) == (ssize_t)sizeof why ? why : 0;
}

int relay_start(const struct relay_start *how, struct relay_process *ret, struct err *e)
{
	auto_relay started = RELAY_NONE;
	auto_fd int from_child = -1, to_parent = -1;
	struct child c;
	int ends[2], why;
	pid_t pid;

	if (!prepare_child(&c, how))
		return err_set(e, AMBIT_INTERNAL, NULL, "start the relay: too many pairs, or an unknown word");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pipe for the relay");
	from_child = ends[0];
	to_parent = ends[1];
	c.report = to_parent;
	pid = fork_held(&started.pidfd);
	if (pid == 0)
		be_relay(&c);
	if (pid < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "the limit on processes may be reached",
			       "cannot start the relay");
	fd_close(&to_parent);
	why = await_exec(from_child);
	if (why != 0)
		return err_sys(e, why == ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, why, "is Ambit installed completely?",
			       "cannot start the relay %s", how->path);
	ret->pidfd = steal_fd(&started.pidfd);
	return 0;
}

/* ---- the relay: end ---- */

static int pidfd_signal(int pidfd, int signal_number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

/* 0 or -errno. */
static int wait_for_end(int pidfd, siginfo_t *ret)
{
	*ret = (siginfo_t){ 0 };
	while (waitid(P_PIDFD, (id_t)pidfd, ret, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int relay_wait(struct relay_process *r, int terminal_out, struct err *e)
{
	siginfo_t end;
	const int failed = wait_for_end(r->pidfd, &end);

	if (failed < 0)
		return err_sys(e, AMBIT_SYSTEM, -failed, NULL, "cannot wait for the relay");
	fd_close(&r->pidfd);
	if (end.si_code == CLD_EXITED)
		return end.si_status;
	if (terminal_out >= 0) /* as much as it takes: the relay died, the terminal may have as well */
		(void)fd_write_all(terminal_out, termfilter_reset_all(), strlen(termfilter_reset_all()));
	return 128 + end.si_status;
}

void relay_finish(struct relay_process *r)
{
	siginfo_t end;
	const int saved_errno = errno;

	if (r == NULL || r->pidfd < 0)
		return;
	(void)pidfd_signal(r->pidfd, SIGKILL); /* has ended: as well */
	(void)wait_for_end(r->pidfd, &end);
	fd_close(&r->pidfd);
	errno = saved_errno;
}

/* ---- job control ---- */

int terminal_suspend(struct terminal *t, int master, struct relay_process *r, struct err *e)
{
	const bool was_raw = t->raw;

	if (r != NULL && r->pidfd >= 0)
		(void)pidfd_signal(r->pidfd, SIGSTOP); /* has ended: the caller will see it */
	terminal_restore(t);
	(void)kill(getpid(), SIGSTOP); /* cannot fail; goes on with SIGCONT */
	t->raw = was_raw;
	return terminal_continue(t, master, r, e);
}

int terminal_continue(struct terminal *t, int master, struct relay_process *r, struct err *e)
{
	int code = t->raw ? terminal_raw(t, e) : 0;

	if (code == 0 && master >= 0)
		code = terminal_copy_size(t, master, e);
	if (r != NULL && r->pidfd >= 0)
		(void)pidfd_signal(r->pidfd, SIGCONT); /* as above */
	return code;
}
