#include "cli/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/harmless.h"
#include "lib/daemon.h"
#include "lib/policy_handle.h"
#include "lib/public.h"

#define CHUNK (64u << 10)
#define ATTEMPTS 50  /* of finding the session again, */
#define AGAIN_MS 100 /* so far from each other */

struct output {
	int from_fd; /* owned; -1: nothing is followed */
	int to_fd;   /* borrowed */
	bool terminal;
	uint64_t at;
	struct buf held; /* the beginning of a character, on its way to a terminal */
};

struct remote {
	const struct run_options *o;
	char session[ID_TEXT_MAX];
	struct daemon_link daemon;
	struct daemon_channel channel;
	struct session_taken taken;
	struct output out, err;
	int input_fd;  /* owned: to the event; -1: none, or ended */
	int signal_fd; /* owned */
	unsigned interrupts;
	bool input_waits; /* the event takes no more now */
	uint8_t input[CHUNK];
	size_t input_at, input_n;
};

static const int caught[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2 };

static int catch_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN); /* an error number, of the event's input or of our output */
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		(void)sigaddset(&set, caught[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- what it wrote ---- */

static int put_out(struct output *o, const void *bytes, size_t n, bool last)
{
	if (!o->terminal)
		return fd_write_all(o->to_fd, bytes, n);
	buf_put(&o->held, bytes, n);
	return o->held.failed ? -ENOMEM : harmless_write(o->to_fd, &o->held, last);
}

/* Up to `until`; what cannot be written any more is not, as with a pipe whose reader went. */
static int copy_output(struct output *o, uint64_t until, bool last)
{
	static uint8_t room[CHUNK];

	while (o->from_fd >= 0 && o->at < until) {
		const uint64_t left = until - o->at;
		const ssize_t n = pread(o->from_fd, room, left < sizeof room ? (size_t)left : sizeof room,
					(off_t)o->at);
		int r;

		if (n <= 0)
			return n < 0 ? -errno : 0; /* it was pruned under our hands: nobody has it any more */
		o->at += (uint64_t)n;
		r = put_out(o, room, (size_t)n, false);
		if (r < 0)
			return r;
	}
	return last && o->terminal ? put_out(o, "", 0, true) : 0;
}

static int copy_both(struct remote *r, uint64_t out, uint64_t err, bool last)
{
	const int first = copy_output(&r->out, out, last), second = copy_output(&r->err, err, last);

	return first < 0 ? first : second;
}

/* ---- what it reads ---- */

static void end_input(struct remote *r)
{
	fd_close(&r->input_fd);
	(void)daemon_say(&r->channel, WIRE_SESSION_INPUT_END, r->taken.n, 0, 0); /* it may be over */
}

static void copy_input(struct remote *r)
{
	ssize_t n;

	if (r->input_at == r->input_n) {
		n = read(STDIN_FILENO, r->input, sizeof r->input);
		if (n <= 0) {
			end_input(r);
			return;
		}
		r->input_at = 0;
		r->input_n = (size_t)n;
	}
	n = write(r->input_fd, r->input + r->input_at, r->input_n - r->input_at);
	if (n < 0 && errno != EAGAIN) { /* it reads no more */
		fd_close(&r->input_fd);
		return;
	}
	r->input_at += n > 0 ? (size_t)n : 0;
}

/* ---- signals ---- */

static void on_signal(struct remote *r)
{
	struct signalfd_siginfo seen;

	if (read(r->signal_fd, &seen, sizeof seen) != (ssize_t)sizeof seen)
		return;
	if (seen.ssi_signo == SIGINT && ++r->interrupts > 1)
		(void)daemon_say(&r->channel, WIRE_SESSION_CANCEL, r->taken.n, 0,
				 0); /* ended meanwhile: that is told */
	else
		(void)daemon_say(&r->channel, WIRE_SESSION_SIGNAL, r->taken.n, seen.ssi_signo, 0);
}

/* A signal that it could not get, since it waits for its turn: then it is not to have it. */
static void on_failed(struct remote *r, const struct daemon_news *news)
{
	if (news->failed.code == AMBIT_GONE && r->interrupts > 0)
		(void)daemon_say(&r->channel, WIRE_SESSION_CANCEL, r->taken.n, 0, 0);
}

/* ---- its end ---- */

static int tell_end(const struct remote *r, const struct event_row *row)
{
	struct ambit_error e = { .size = sizeof e, .code = AMBIT_GONE };

	if (row->state == EVENT_INTERRUPTED) {
		(void)snprintf(e.message, sizeof e.message,
			       "event %llu of the session was interrupted: its process, or the machine, ended",
			       (unsigned long long)row->n);
		(void)snprintf(e.hint, sizeof e.hint,
			       "`ambit stage list` shows what it had changed; it is not begun again by itself");
		return cli_refuse(false, &e);
	}
	if (row->outcome.cause == CAUSE_REFUSED || (row->message[0] != 0 && !r->o->quiet)) {
		e.code = (int)row->code;
		(void)text_copy(e.message, sizeof e.message, row->message); /* of the same size, as below */
		(void)text_copy(e.hint, sizeof e.hint, row->hint);
		(void)cli_refuse(false, &e);
	} else if (row->outcome.cause == CAUSE_LIMIT && !r->o->quiet) {
		(void)fprintf(stderr, "ambit: ended by the limit %s\n", limit_word(row->outcome.limit));
	}
	if (row->denied != 0 && !r->o->quiet)
		(void)fprintf(stderr, "ambit: something was denied\n  hint: ambit explain %s\n", row->event);
	if (row->outcome.workspace == WORKSPACE_KEPT && !r->o->quiet)
		(void)fprintf(stderr, "ambit: what it changed is kept\n  hint: ambit diff %s\n", row->event);
	return (int)row->exit_status;
}

static int write_record(struct remote *r)
{
	auto_fd int from = -1, to = -1;
	auto_buf json = { .max = 64u << 20 };
	struct err e;
	int n = daemon_record(&r->channel, r->taken.n, &from, &e);

	if (n == 0 && fd_read_into(from, &json) < 0)
		n = err_set(&e, AMBIT_SYSTEM, NULL, "cannot read the record");
	if (n == 0 && r->o->json)
		return cli_write(json.data, json.len);
	if (n == 0) {
		n = fd_create(r->o->record, O_TRUNC, 0600, &to);
		n = n < 0 ? n : fd_write_all(to, json.data, json.len);
		n = n < 0 ? err_sys(&e, AMBIT_SYSTEM, -n, "name a file that can be written",
				    "cannot write the record %s", r->o->record)
			  : 0;
	}
	return n < 0 ? found_refuse(r->o->json, &e) : 0;
}

/* ---- the loop ---- */

/* Follows it, from where we are, in the session's process of now. */
static int follow(struct remote *r, bool input, struct err *e)
{
	int fds[3], n = daemon_follow(&r->channel, r->taken.n, input, fds, e);

	if (n < 0)
		return n;
	fd_close(&r->out.from_fd);
	fd_close(&r->err.from_fd);
	r->out.from_fd = fds[0];
	r->err.from_fd = fds[1];
	if (fds[2] >= 0) {
		fd_close(&r->input_fd);
		r->input_fd = fds[2];
		(void)fd_set_nonblock(r->input_fd, true);
	}
	return 0;
}

static int reach_again(struct remote *r, struct err *e)
{
	int n;

	daemon_part(&r->channel);
	daemon_leave(&r->daemon);
	n = daemon_connect(&r->daemon, true, e);
	return n < 0 ? n : daemon_open(&r->daemon, r->session, &r->channel, e);
}

/* One that is about to end may let us in first. What is typed meanwhile is nobody's any more. */
static int find_again(struct remote *r, struct err *e)
{
	int n = -AMBIT_GONE;

	fd_close(&r->input_fd);
	for (unsigned i = 0; i < ATTEMPTS && n == -AMBIT_GONE; i++) {
		n = reach_again(r, e);
		if (n == -AMBIT_GONE)
			(void)poll(NULL, 0, AGAIN_MS);
	}
	return n < 0 ? n : follow(r, false, e);
}

/* 1: it is over, and *ret how. */
static int hear(struct remote *r, struct event_row *ret, struct err *e)
{
	struct daemon_news news;
	int n = daemon_hear(&r->channel, 0, &news, e), copied;

	if (n == -AMBIT_GONE)
		return find_again(r, e);
	if (n <= 0)
		return n;
	if (news.what == WIRE_SESSION_GREW && news.grew.n == r->taken.n) {
		copied = copy_both(r, news.grew.out, news.grew.err, false);
		(void)daemon_say(&r->channel, WIRE_SESSION_SEEN, r->taken.n, 0, 0); /* gone: the next look sees it */
		n = 0;
	} else if (news.what == WIRE_SESSION_OVER && news.row.n == r->taken.n) {
		copied = copy_both(r, news.row.out_bytes, news.row.err_bytes, true);
		*ret = news.row;
		n = 1;
	} else {
		if (news.what == WIRE_SESSION_FAILED)
			on_failed(r, &news);
		return 0;
	}
	if (copied < 0 && copied != -EPIPE)
		return err_sys(e, AMBIT_SYSTEM, -copied, "`ambit events` has it", "cannot write what the event wrote");
	return n == 1 ? 1 : 0;
}

static int loop(struct remote *r, struct event_row *ret, struct err *e)
{
	int n = 0;

	while (n == 0) {
		const bool reads = r->input_fd >= 0;
		struct pollfd p[] = {
			{ .fd = r->channel.sock, .events = POLLIN },
			{ .fd = r->signal_fd, .events = POLLIN },
			{ .fd = reads && r->input_at == r->input_n ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = reads ? r->input_fd : -1, .events = r->input_at < r->input_n ? POLLOUT : 0 },
		};

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for the event");
		if (p[1].revents != 0)
			on_signal(r);
		if (reads && ((p[3].revents & POLLERR) != 0))
			fd_close(&r->input_fd); /* it reads no more */
		else if (reads && (p[2].revents != 0 || (p[3].revents & POLLOUT) != 0))
			copy_input(r);
		if (p[0].revents != 0)
			n = hear(r, ret, e);
	}
	return n;
}

static int run_of(const struct run_options *o, struct run *ret, struct err *e)
{
	*ret = (struct run){ .changes = o->event.changes,
			     .flags = EVENT_INPUT | (o->background ? EVENT_BACKGROUND : 0),
			     .argv = (char **)(uintptr_t)o->event.argv }; /* only written out */
	if (o->background)
		ret->flags &= ~(uint32_t)EVENT_INPUT;
	if (o->key != NULL && !text_copy(ret->key, sizeof ret->key, o->key))
		return err_set(e, AMBIT_LIMIT, NULL, "a key has %d bytes at most", SESSION_KEY_MAX);
	(void)text_copy(ret->limits, sizeof ret->limits, o->limits); /* of the same size */
	if (o->event.on_conflict != NULL && !text_copy(ret->on_conflict, sizeof ret->on_conflict, o->event.on_conflict))
		return err_set(e, AMBIT_USAGE, "ambit run --help", "--on-conflict takes fail, theirs or ours");
	return 0;
}

/* The session has its grants, and how its cells are. */
static int check(const struct run_options *o, struct err *e)
{
	static const char hint[] = "they are given to `ambit session new`";

	if (o->policy->policy.n_lines > 0 || o->policy->policy.n_sources > 0)
		return err_set(e, AMBIT_USAGE, hint, "grants for an event of a session, which has its own");
	if (o->event.workspace != NULL || o->event.base != NULL || o->event.observe != NULL ||
	    o->event.without != NULL || o->event.ledger != NULL || o->event.unrecorded != 0)
		return err_set(
			e, AMBIT_USAGE, hint,
			"a workspace, a base, a level, a property or a ledger for an event of a session, which has its own");
	if ((o->event.changes & AMBIT_CHANGES_DIRECT) != 0)
		return err_set(e, AMBIT_USAGE, "ambit session new --direct",
			       "whether events write in place is the session's to say");
	if (o->background && (o->json || o->record != NULL))
		return err_set(e, AMBIT_USAGE, "ambit events SESSION",
			       "nobody waits for the record of an event of the background");
	return 0;
}

static int begin(struct remote *r, struct err *e)
{
	struct run run;
	int n = check(r->o, e);

	n = n < 0 ? n : run_of(r->o, &run, e);
	n = n < 0 ? n : daemon_connect(&r->daemon, true, e);
	n = n < 0 ? n : found_session(&r->daemon, r->o->session, r->session, e);
	n = n < 0 ? n : daemon_open(&r->daemon, r->session, &r->channel, e);
	n = n < 0 ? n : daemon_run(&r->channel, &run, &r->taken, e);
	if (n < 0 || r->o->background)
		return n;
	return follow(r, true, e);
}

static void finish(struct remote *r)
{
	fd_close(&r->out.from_fd);
	fd_close(&r->err.from_fd);
	fd_close(&r->input_fd);
	fd_close(&r->signal_fd);
	buf_finish(&r->out.held);
	buf_finish(&r->err.held);
	daemon_part(&r->channel);
	daemon_leave(&r->daemon);
}

static void prepare(struct output *o, int to_fd)
{
	o->from_fd = -1;
	o->to_fd = to_fd;
	o->terminal = isatty(to_fd) == 1;
	buf_init(&o->held, 2 * CHUNK);
}

int remote_run(const struct run_options *o)
{
	static struct remote r;
	struct event_row row = { .n = 0 };
	struct err e;
	int n, status;

	r.o = o;
	r.input_fd = r.channel.sock = r.daemon.sock = -1;
	prepare(&r.out, o->json ? STDERR_FILENO : STDOUT_FILENO);
	prepare(&r.err, STDERR_FILENO);
	r.signal_fd = catch_signals();
	n = begin(&r, &e);
	if (n == 0 && o->background) {
		(void)printf("%s\n", r.taken.event);
		finish(&r);
		return cli_flush();
	}
	n = n < 0 ? n : loop(&r, &row, &e);
	status = n < 0 ? found_refuse(o->json, &e) : tell_end(&r, &row);
	if (n >= 0 && (o->json || o->record != NULL) && row.state == EVENT_OVER && row.outcome.cause != CAUSE_REFUSED) {
		const int written = write_record(&r);

		status = written != 0 ? written : status;
	}
	finish(&r);
	return status;
}
