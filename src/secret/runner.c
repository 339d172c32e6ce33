#include "secret/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "secret/words.h"

#define COMPLAINT_MAX 240 /* of what a command says to standard error */

enum ending { EXITED = 1, SIGNALLED, TOO_SLOW, NOT_STARTED };

/* ---- in the runner ---- */

struct command {
	int sock;     /* borrowed: ambit-secret's */
	int terminal; /* borrowed; -1: none */
	char *argv[WORDS_MAX + 1];
	pid_t pid;
	int out[2], err[2], failed[2]; /* owned: pipes; the last is closed by exec */
};

static void close_pair(int pair[2])
{
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/* Without one it stays where it is, in /. */
static bool go_home(void)
{
	const char *home = getenv("HOME");

	return home == NULL || home[0] == 0 || chdir(home) == 0;
}

static void become(struct command *c)
{
	const int in = c->terminal >= 0 ? c->terminal : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int why;

	(void)setpgid(0, 0); /* so that all of it can be ended */
	(void)signal(SIGPIPE, SIG_DFL);
	if (go_home() && in >= 0 && dup2(in, 0) == 0 && dup2(c->out[1], 1) == 1 && dup2(c->err[1], 2) == 2)
		(void)execvp(c->argv[0], c->argv);
	why = errno;
	(void)fd_write_all(c->failed[1], &why, sizeof why);
	_exit(127);
}

static bool split(struct command *c, char *words, size_t n)
{
	size_t count = 0;

	if (n == 0 || words[n - 1] != 0)
		return false;
	for (char *at = words; at < words + n; at += strlen(at) + 1) {
		if (count == WORDS_MAX)
			return false;
		c->argv[count++] = at;
	}
	c->argv[count] = NULL;
	return true;
}

/* Read ends that do not wait: what is left in them at the end is read, and not waited for. */
static bool make_pipes(struct command *c)
{
	return pipe2(c->out, O_CLOEXEC) == 0 && pipe2(c->err, O_CLOEXEC) == 0 && pipe2(c->failed, O_CLOEXEC) == 0 &&
	       fd_set_nonblock(c->out[0], true) == 0 && fd_set_nonblock(c->err[0], true) == 0;
}

static void tell(const struct command *c, enum ending how, int number)
{
	uint8_t room[8];
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	buf_put_u32(&out, how);
	buf_put_u32(&out, (uint32_t)number);
	(void)fd_send(c->sock, room, sizeof room, NULL, 0); /* who is gone is seen by the next poll */
}

/* Until it ends, is too slow, or nobody wants it any more. */
static bool wait_end(const struct command *c)
{
	auto_fd int pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	const uint64_t end = clock_ms() + RUNNER_PATIENCE_MS;
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = c->sock, .events = 0 } };

	for (uint64_t now = clock_ms(); pidfd >= 0 && now < end && p[1].revents == 0; now = clock_ms())
		if (poll(p, 2, (int)(end - now)) > 0 && p[0].revents != 0)
			return true;
	return false;
}

static void follow(struct command *c)
{
	const bool ended = wait_end(c);
	int status = 0;

	if (!ended)
		(void)kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!ended)
		tell(c, TOO_SLOW, 0);
	else if (WIFEXITED(status))
		tell(c, EXITED, WEXITSTATUS(status));
	else
		tell(c, SIGNALLED, WTERMSIG(status));
}

static void start(struct command *c)
{
	int why = 0;

	c->pid = fork();
	if (c->pid == 0)
		become(c);
	why = c->pid < 0 ? errno : 0;
	(void)setpgid(c->pid, c->pid); /* whoever of the two comes first */
	fd_close(&c->out[1]);
	fd_close(&c->err[1]);
	fd_close(&c->failed[1]);
	if (c->pid > 0 && fd_read_all(c->failed[0], &why, sizeof why) <= 0) {
		follow(c);
		return;
	}
	if (c->pid > 0)
		(void)waitpid(c->pid, NULL, 0);
	tell(c, NOT_STARTED, why);
}

static void run_one(struct command *c)
{
	c->out[0] = c->out[1] = c->err[0] = c->err[1] = c->failed[0] = c->failed[1] = -1;
	if (make_pipes(c) && fd_send(c->sock, "", 1, (const int[]){ c->out[0], c->err[0] }, 2) == 0) {
		fd_close(&c->out[0]);
		fd_close(&c->err[0]);
		start(c);
	}
	close_pair(c->out);
	close_pair(c->err);
	close_pair(c->failed);
}

static void runner(int sock, int terminal)
{
	static char words[WORDS_BYTES_MAX + 1];
	struct command c = { .sock = sock, .terminal = terminal };
	int fds[FD_PASS_MAX];
	size_t n_fds = 0;
	ssize_t n;

	while ((n = fd_receive(sock, words, sizeof words, fds, &n_fds)) > 0 && n_fds == 0 &&
	       split(&c, words, (size_t)n))
		run_one(&c);
}

int runner_start(struct runner *r, int terminal_fd, struct err *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for commands");
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		(void)close(3); /* the library's: that it hangs up is ambit-secret's to see */
		runner(pair[1], terminal_fd);
		_exit(0);
	}
	(void)close(pair[1]);
	r->sock = pair[0];
	return pid < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot start a process for commands") : 0;
}

void runner_finish(struct runner *r)
{
	fd_close(&r->sock);
}

/* ---- in ambit-secret ---- */

struct listening {
	int out, err;    /* owned */
	bool is_full;    /* it wrote more than a value may have */
	enum ending how; /* 0: it runs */
	uint32_t number; /* its status, its signal, why it was not started */
	size_t complained;
	char complaint[COMPLAINT_MAX];
};

/* What is there; a pipe at its end is closed. */
static void drain_out(struct listening *l, struct typed *t)
{
	while (l->out >= 0 && !l->is_full) {
		const ssize_t n = read(l->out, t->bytes + t->n, sizeof t->bytes - t->n);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fd_close(&l->out);
			return;
		}
		t->n += (size_t)n;
		l->is_full = t->n == sizeof t->bytes;
	}
	fd_close(&l->out); /* it is told by SIGPIPE that nobody wants more */
}

static void drain_err(struct listening *l)
{
	char room[512];
	ssize_t n;

	while (l->err >= 0 && (n = read(l->err, room, sizeof room)) != -1) {
		const size_t free = sizeof l->complaint - l->complained, took = (size_t)n < free ? (size_t)n : free;

		if (n == 0)
			fd_close(&l->err);
		memcpy(l->complaint + l->complained, room, took); /* the first is why, as a rule */
		l->complained += took;
	}
}

static int take_end(const struct runner *r, struct listening *l, struct err *e)
{
	uint8_t room[8];
	int fds[FD_PASS_MAX];
	size_t n_fds = 0;
	struct rbuf in;
	const ssize_t n = fd_receive(r->sock, room, sizeof room, fds, &n_fds);

	rbuf_init(&in, room, n > 0 ? (size_t)n : 0);
	l->how = (enum ending)rbuf_u32(&in);
	l->number = rbuf_u32(&in);
	return rbuf_done(&in) && n_fds == 0 ? 0 : err_set(e, AMBIT_GONE, NULL, "the process for commands is gone");
}

static int listen_to(const struct runner *r, struct listening *l, struct typed *t, struct err *e)
{
	int result = 0;

	while (l->how == 0 && result == 0) {
		struct pollfd p[4] = { { .fd = r->sock, .events = POLLIN },
				       { .fd = l->out, .events = POLLIN },
				       { .fd = l->err, .events = POLLIN },
				       { .fd = t->sock, .events = 0 } };

		if (poll(p, 4, -1) < 0)
			continue; /* EINTR alone */
		if (p[3].revents != 0)
			return err_set(e, AMBIT_GONE, NULL, "who asked for the secret is gone");
		if (p[0].revents != 0)
			result = take_end(r, l, e);
		drain_out(l, t);
		drain_err(l);
	}
	return result;
}

static int failed(const struct listening *l, struct err *e)
{
	static const char hint[] = "run it yourself and see; `ambit secret set NAME --command ...` names another";
	char said[ERR_WHY_MAX - 64];
	size_t n = l->complained;

	while (n > 0 && (l->complaint[n - 1] == '\n' || l->complaint[n - 1] == '\r'))
		n--;
	(void)text_escape(said, sizeof said, l->complaint, n);
	if (l->how == NOT_STARTED)
		return err_sys(e, AMBIT_NOT_FOUND, (int)l->number, hint, "its command cannot be executed");
	if (l->how == TOO_SLOW)
		(void)err_set(e, AMBIT_LIMIT, hint, "its command took longer than %d seconds, and was ended",
			      RUNNER_PATIENCE_MS / 1000);
	else
		(void)err_set(e, AMBIT_DENIED, hint, "its command failed: %s %" PRIu32,
			      l->how == EXITED ? "status" : "signal", l->number);
	return n == 0 ? -(int)e->code : err_why(e, -(int)e->code, "it says: %s", said);
}

static int judge(struct listening *l, struct typed *t, struct err *e)
{
	if (l->is_full)
		return err_set(
			e, AMBIT_LIMIT,
			"a secret is a single line: take the part that is meant, as `pass show x | head -1` in a shell does",
			"its command wrote more than %d bytes", SECRET_VALUE_MAX);
	if (l->how != EXITED || l->number != 0)
		return failed(l, e);
	t->n -= t->n > 0 && t->bytes[t->n - 1] == '\n';
	return t->n <= SECRET_VALUE_MAX
		       ? 0
		       : err_set(e, AMBIT_LIMIT, NULL, "its command wrote more than %d bytes", SECRET_VALUE_MAX);
}

int runner_run(const struct runner *r, const char *words, size_t n, struct typed *t, struct err *e)
{
	struct listening l = { .out = -1, .err = -1 };
	int fds[FD_PASS_MAX], result;
	size_t n_fds = 0;
	char mark;

	t->n = 0;
	if (fd_send(r->sock, words, n, NULL, 0) < 0 || fd_receive(r->sock, &mark, 1, fds, &n_fds) != 1 || n_fds != 2)
		return err_set(e, AMBIT_GONE, NULL, "the process for commands is gone");
	l.out = fds[0];
	l.err = fds[1];
	result = listen_to(r, &l, t, e);
	fd_close(&l.out);
	fd_close(&l.err);
	return result < 0 ? result : judge(&l, t, e);
}
