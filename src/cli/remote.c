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
#include "cli/questions.h"
#include "cli/screen.h"
#include "code/code.h"
#include "lib/daemon.h"
#include "lib/policy_handle.h"
#include "lib/public.h"

#define CHUNK (64u << 10)
#define TERM_TEXT_MAX 80 /* a longer name is none (lib/environment.c) */
#define ATTEMPTS 50      /* of finding the session again, */
#define AGAIN_MS 100     /* so far from each other; and of a size that a terminal just begun did not take */

struct output {
	int from_fd; /* owned; -1: nothing is followed */
	int to_fd;   /* borrowed */
	bool terminal;
	uint64_t at, until; /* what was shown; what there is, as far as it is known */
	struct buf held;    /* the beginning of a character, on its way to a terminal */
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
	bool is_to_end; /* somebody wants it to */
	uint8_t input[CHUNK];
	size_t input_at, input_n;
	struct event_row row; /* how it ended; state 0: it has not */
	bool unseen;          /* it waits for our word that we took up what grew */

	/* with a terminal: */
	bool on_terminal; /* the event has one, for which the person's stands */
	bool hung_up;     /* the person's went, or we were told so */
	struct screen screen;
	uint32_t
		listing; /* a request that is not answered, 0: none: for how the event is, and becomes; rows that come later would be taken for another's */
	uint32_t rows, columns; /* as the event's terminal has them */
	uint32_t resize;        /* likewise; */
	bool resize_again;      /* the last came too early */
	uint32_t resume;        /* the same of SIGCONT: what is told before its answer is of the time before */
};

static const int caught[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2 };
/* with a terminal, which has to be given back, and whose size changes: */
static const int caught_beside[] = { SIGHUP, SIGWINCH, SIGTSTP, SIGCONT };

static int catch_signals(bool on_terminal)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN); /* an error number, of the event's input or of our output */
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		(void)sigaddset(&set, caught[i]);
	for (size_t i = 0; on_terminal && i < sizeof caught_beside / sizeof caught_beside[0]; i++)
		(void)sigaddset(&set, caught_beside[i]);
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

/* The next that is to be shown; 0: there is none, or it was pruned under our hands: nobody has it any more. */
static ssize_t next_output(const struct output *o, uint8_t *room, size_t size)
{
	const uint64_t left = o->until > o->at ? o->until - o->at : 0;
	const ssize_t n = o->from_fd < 0 || left == 0
				  ? 0
				  : pread(o->from_fd, room, left < size ? (size_t)left : size, (off_t)o->at);

	return n < 0 ? -errno : n;
}

/* What cannot be written any more is not, as with a pipe whose reader went. */
static int copy_output(struct output *o, bool last)
{
	static uint8_t room[CHUNK];
	ssize_t n;

	while ((n = next_output(o, room, sizeof room)) > 0) {
		int r;

		o->at += (uint64_t)n;
		r = put_out(o, room, (size_t)n, false);
		if (r < 0)
			return r;
	}
	return n < 0 ? (int)n : last && o->terminal ? put_out(o, "", 0, true) : 0;
}

/* As much as the relay takes: how fast the terminal is holds up nobody. */
static void show_output(struct remote *r)
{
	static uint8_t room[CHUNK];
	ssize_t n, shown = 1;

	while (shown > 0 && (n = next_output(&r->out, room, sizeof room)) > 0) {
		shown = screen_show(&r->screen, room, (size_t)n);
		r->out.at += shown > 0 ? (uint64_t)shown : 0;
	}
	if (shown < 0 || n <= 0)
		r->out.at = r->out.until; /* nobody is left to see it, or it is nowhere */
}

static bool all_is_shown(const struct remote *r)
{
	return r->screen.sock < 0 || r->out.at >= r->out.until;
}

static int copy_both(struct remote *r, bool last)
{
	const int first = copy_output(&r->out, last), second = copy_output(&r->err, last);

	return first < 0 ? first : second;
}

static int take_output(struct remote *r, uint64_t out, uint64_t err, bool last, struct err *e)
{
	int n;

	r->out.until = out;
	r->err.until = err;
	if (r->screen.sock >= 0)
		return 0; /* the loop shows it */
	n = copy_both(r, last);
	return n < 0 && n != -EPIPE
		       ? err_sys(e, AMBIT_SYSTEM, -n, "`ambit events` has it", "cannot write what the event wrote")
		       : 0;
}

static void say_seen(struct remote *r)
{
	if (r->unseen && all_is_shown(r)) {
		(void)daemon_say(&r->channel, WIRE_SESSION_SEEN, r->taken.n, 0, 0); /* gone: the next look sees it */
		r->unseen = false;
	}
}

/* ---- what it reads ---- */

static void end_input(struct remote *r)
{
	fd_close(&r->input_fd);
	(void)daemon_say(&r->channel, WIRE_SESSION_INPUT_END, r->taken.n, 0, 0); /* it may be over */
}

/* Where it is read: at the relay, whose end says nothing about the input; and before the event has its terminal nowhere, so that Ctrl-C is still ours. */
static int input_of(const struct remote *r)
{
	return r->on_terminal ? r->screen.sock : STDIN_FILENO;
}

static void copy_input(struct remote *r)
{
	ssize_t n;

	if (r->input_at == r->input_n) {
		n = read(input_of(r), r->input, sizeof r->input);
		if (n <= 0) {
			if (r->on_terminal)
				return;
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

/* ---- its terminal ---- */

/* The event has begun, so that there is a terminal that takes keys. */
static int begin_screen(struct remote *r, struct err *e)
{
	return r->on_terminal && r->screen.sock < 0 ? screen_begin(&r->screen, e) : 0;
}

/* One at a time: a window that is dragged changes faster than anybody draws. */
static void tell_size(struct remote *r)
{
	uint32_t rows, columns;

	r->resize_again = false;
	if (r->screen.sock < 0 || r->resize != 0 || !screen_size(&rows, &columns) ||
	    (rows == r->rows && columns == r->columns))
		return;
	if (daemon_say(&r->channel, WIRE_SESSION_RESIZE, r->taken.n, rows, columns) < 0)
		return; /* the next look sees it */
	r->resize = r->channel.request;
	r->rows = rows;
	r->columns = columns;
}

/* It changed meanwhile, or its terminal was not there yet. */
static void on_resized(struct remote *r, bool too_early)
{
	r->resize = 0;
	r->resize_again = too_early;
	if (too_early)
		r->rows = r->columns = 0;
	else
		tell_size(r);
}

/* It and we stop together and go on together. */
static void suspend(struct remote *r)
{
	screen_suspend(&r->screen);
	if (daemon_say(&r->channel, WIRE_SESSION_SIGNAL, r->taken.n, SIGCONT, 0) == 0) /* else: as above */
		r->resume = r->channel.request;
	tell_size(r);
}

/* Stopped from outside: the program first, and we when that is told. */
static void on_stop(struct remote *r)
{
	if (r->screen.sock < 0 ||
	    daemon_say(&r->channel, WIRE_SESSION_SIGNAL, r->taken.n, SIGSTOP, 0) < 0) /* it does not run */
		screen_suspend(&r->screen);
}

/* A row of ours: it runs, or was stopped. */
static int on_row(struct remote *r, const struct event_row *row, struct err *e)
{
	const bool runs = row->state == EVENT_RUNS;
	const int n = runs ? begin_screen(r, e) : 0;

	if (n < 0)
		return n;
	if (runs)
		tell_size(r);
	if (runs && (row->flags & EVENT_STOPPED) != 0 && r->screen.sock >= 0 && r->resume == 0)
		suspend(r);
	return 0;
}

/* ---- signals ---- */

static void on_signal(struct remote *r)
{
	struct signalfd_siginfo seen;

	if (read(r->signal_fd, &seen, sizeof seen) != (ssize_t)sizeof seen)
		return;
	if (seen.ssi_signo == SIGWINCH) {
		tell_size(r);
	} else if (seen.ssi_signo == SIGTSTP) {
		on_stop(r);
	} else if (seen.ssi_signo == SIGHUP) {
		r->hung_up = true;
	} else if (seen.ssi_signo == SIGCONT) {
		screen_continue(&r->screen);
		tell_size(r);
	} else if (seen.ssi_signo == SIGINT && ++r->interrupts > 1) {
		(void)daemon_say(&r->channel, WIRE_SESSION_CANCEL, r->taken.n, 0,
				 0); /* ended meanwhile: that is told */
	} else {
		r->is_to_end = r->is_to_end || (seen.ssi_signo != SIGUSR1 && seen.ssi_signo != SIGUSR2);
		(void)daemon_say(&r->channel, WIRE_SESSION_SIGNAL, r->taken.n, seen.ssi_signo, 0); /* likewise */
	}
}

static void on_done(struct remote *r, uint32_t request)
{
	if (request == r->resize)
		on_resized(r, false);
	else if (request == r->listing)
		r->listing = 0;
	else if (request == r->resume)
		r->resume = 0;
}

/* A signal that it could not get, since it waits for its turn: then it is not to have it. */
static void on_failed(struct remote *r, const struct daemon_news *news)
{
	if (news->done.request == r->resize)
		on_resized(r, news->failed.code == AMBIT_GONE);
	else if (news->done.request == r->resume)
		r->resume = 0;
	else if (news->done.request == r->listing)
		r->listing = 0; /* then it begins with what it writes */
	else if (news->failed.code == AMBIT_GONE && r->is_to_end)
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
	found_tell(row, r->o->quiet);
	if (row->denied != 0 && !r->o->quiet)
		(void)fprintf(stderr, "ambit: something was denied\n  hint: ambit explain %s\n", row->event);
	found_tell_labels(row, r->o->quiet);
	if (row->outcome.workspace == WORKSPACE_KEPT && !r->o->quiet)
		(void)fprintf(stderr, "ambit: what it changed is kept\n  hint: ambit diff %s\n", row->event);
	if ((row->denied != 0 || row->outcome.workspace == WORKSPACE_KEPT) && !r->o->quiet && questions_wait())
		(void)fprintf(stderr, "ambit: a question waits for you\n  hint: ambit approve\n");
	return (int)row->exit_status;
}

static int write_file(const char *what, const char *path, const struct buf *bytes, struct err *e)
{
	auto_fd int to = -1;
	int n = fd_create(path, O_TRUNC, 0600, &to);

	n = n < 0 ? n : fd_write_all(to, bytes->data, bytes->len);
	return n < 0 ? err_sys(e, AMBIT_SYSTEM, -n, "name a file that can be written", "cannot write the %s %s", what,
			       path)
		     : 0;
}

static int write_record(struct remote *r)
{
	auto_fd int from = -1;
	auto_buf json = { .max = 64u << 20 };
	struct err e;
	int n = daemon_record(&r->channel, r->taken.n, &from, &e);

	if (n == 0 && fd_read_into(from, &json) < 0)
		n = err_set(&e, AMBIT_SYSTEM, NULL, "cannot read the record");
	if (n == 0 && r->o->json)
		return cli_write(json.data, json.len);
	if (n == 0)
		n = write_file("record", r->o->record, &json, &e);
	return n < 0 ? found_refuse(r->o->json, &e) : 0;
}

/* As bytes: what it says is for whoever asked. One that was killed has none. */
static int write_result(struct remote *r)
{
	auto_fd int from = -1;
	auto_buf bytes = { .max = CODE_RESULT_MAX };
	struct err e;
	int n = r->row.result_bytes > 0 ? daemon_result(&r->channel, r->taken.n, &from, &e) : 0;

	if (n == 0 && from >= 0 && fd_read_into(from, &bytes) < 0)
		n = err_set(&e, AMBIT_SYSTEM, NULL, "cannot read the result");
	if (n == 0)
		n = write_file("result", r->o->result, &bytes, &e);
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

static bool is_ours(const struct remote *r, const struct event_row *row)
{
	return row->n == r->taken.n;
}

/* What it wrote before we knew that it runs is its terminal's, too. */
static int on_grew(struct remote *r, const struct session_grew *grew, struct err *e)
{
	const int n = begin_screen(r, e);

	r->unseen = true;
	return n < 0 ? n : take_output(r, grew->out, grew->err, false, e);
}

static int on_over(struct remote *r, const struct event_row *row, struct err *e)
{
	const int n = row->out_bytes > r->out.at ? begin_screen(r, e) : 0;

	r->row = *row;
	return n < 0 ? n : take_output(r, row->out_bytes, row->err_bytes, true, e);
}

/* The terminal is the person's again, and what is still told of the event is text. */
static int lose(struct remote *r, struct err *e)
{
	(void)screen_end(&r->screen); /* whatever became of the relay: it is no news here */
	r->on_terminal = false;
	r->listing = 0;
	return find_again(r, e);
}

static int hear(struct remote *r, struct err *e)
{
	struct daemon_news news;
	const int n = daemon_hear(&r->channel, 0, &news, e);

	if (n == -AMBIT_GONE)
		return lose(r, e);
	if (n <= 0)
		return n;
	if (news.what == WIRE_SESSION_GREW && news.grew.n == r->taken.n)
		return on_grew(r, &news.grew, e);
	if (news.what == WIRE_SESSION_OVER && is_ours(r, &news.row))
		return on_over(r, &news.row, e);
	if ((news.what == WIRE_SESSION_ROW || news.what == WIRE_SESSION_CHANGED) && is_ours(r, &news.row))
		return on_row(r, &news.row, e);
	if (news.what == WIRE_SESSION_DONE)
		on_done(r, news.done.request);
	else if (news.what == WIRE_SESSION_FAILED)
		on_failed(r, &news);
	return 0;
}

static bool is_over(const struct remote *r)
{
	return r->row.state != 0 && r->listing == 0 && all_is_shown(r);
}

/* Of the terminal alone: whoever is not there any more sees nothing, and the event goes on. */
static int left_alone(struct remote *r, struct err *e)
{
	const int how = screen_end(&r->screen);

	if (how != RELAY_DONE && how != RELAY_TERMINAL_GONE && !r->hung_up)
		return err_set(e, AMBIT_SYSTEM, "ambit events",
			       "what shows the event on the terminal ended (%d); the event goes on", how);
	r->hung_up = true;
	return err_set(e, AMBIT_GONE, "ambit events", "the terminal is gone; the event goes on");
}

enum { CHANNEL, SIGNALS, INPUT, EVENT, SCREEN, RELAY, POLLED };

static void watch(const struct remote *r, struct pollfd p[POLLED])
{
	const bool reads = r->input_fd >= 0, waits = r->input_at < r->input_n;
	const bool shows = r->screen.sock >= 0 && !all_is_shown(r);

	p[CHANNEL] = (struct pollfd){ .fd = r->row.state == 0 || r->listing != 0 ? r->channel.sock : -1,
				      .events = POLLIN };
	p[SIGNALS] = (struct pollfd){ .fd = r->signal_fd, .events = POLLIN };
	p[INPUT] = (struct pollfd){ .fd = reads && !waits ? input_of(r) : -1, .events = POLLIN };
	p[EVENT] = (struct pollfd){ .fd = reads ? r->input_fd : -1, .events = waits ? POLLOUT : 0 };
	p[SCREEN] = (struct pollfd){ .fd = shows ? r->screen.sock : -1, .events = POLLOUT };
	p[RELAY] = (struct pollfd){ .fd = r->screen.relay.pidfd, .events = POLLIN };
}

static int turn(struct remote *r, struct err *e)
{
	struct pollfd p[POLLED];

	watch(r, p);
	if (poll(p, POLLED, r->resize_again ? AGAIN_MS : -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for the event");
	if (p[SIGNALS].revents != 0)
		on_signal(r);
	if (r->hung_up || p[RELAY].revents != 0)
		return left_alone(r, e);
	if ((p[EVENT].revents & POLLERR) != 0)
		fd_close(&r->input_fd); /* it reads no more */
	else if (p[INPUT].revents != 0 || (p[EVENT].revents & POLLOUT) != 0)
		copy_input(r);
	if (r->screen.sock >= 0)
		show_output(r);
	if (r->resize_again)
		tell_size(r);
	return p[CHANNEL].revents != 0 ? hear(r, e) : 0;
}

static int loop(struct remote *r, struct err *e)
{
	int n = 0;

	while (n == 0 && !is_over(r)) {
		n = turn(r, e);
		say_seen(r);
	}
	return n;
}

static int run_of(const struct run_options *o, struct run *ret, struct err *e)
{
	*ret = (struct run){ .changes = o->event.changes,
			     .flags = (o->background ? EVENT_BACKGROUND : 0) |
				      (o->background || o->event.stream[0] == AMBIT_STREAM_NULL ? 0 : EVENT_INPUT) |
				      (o->event.code == AMBIT_CODE_SHOWN ? EVENT_SHOWS : 0) |
				      (uint32_t)o->kind << EVENT_KIND_SHIFT,
			     .argv = (char **)(uintptr_t)o->event.argv }; /* only written out */
	if (o->key != NULL && !text_copy(ret->key, sizeof ret->key, o->key))
		return err_set(e, AMBIT_LIMIT, NULL, "a key has %d bytes at most", SESSION_KEY_MAX);
	(void)text_copy(ret->limits, sizeof ret->limits, o->limits); /* of the same size */
	if (o->event.on_conflict != NULL && !text_copy(ret->on_conflict, sizeof ret->on_conflict, o->event.on_conflict))
		return err_set(e, AMBIT_USAGE, "ambit run --help", "--on-conflict takes fail, theirs or ours");
	ret->labels = o->labels;
	return 0;
}

/* With a key a request is the same wherever it is made, and the size of a window is of one place: so it has no terminal. */
static bool wants_terminal(const struct run_options *o)
{
	return o->event.terminal != 0 && o->kind == KIND_RUN && !o->no_pty && !o->json && !o->background &&
	       o->key == NULL && screen_is_there();
}

/* Its kind stands beside the environment that the session's grants pass on. Borrows from the environment; room is for the text. */
static void describe_terminal(struct remote *r, struct run *run, char room[TERM_TEXT_MAX], char *env[2])
{
	const char *term = getenv("TERM");

	if (!r->on_terminal)
		return;
	run->flags |= EVENT_TERMINAL;
	if (screen_size(&r->rows, &r->columns)) {
		run->rows = r->rows;
		run->columns = r->columns;
	}
	if (term != NULL && snprintf(room, TERM_TEXT_MAX, "TERM=%s", term) < TERM_TEXT_MAX) {
		env[0] = room;
		run->env = env;
	}
}

/* The session has its grants, and how its cells are. */
static int check(const struct run_options *o, struct err *e)
{
	static const char hint[] = "they are given to `ambit session new`";

	if (o->policy->policy.n_lines > 0 || o->policy->policy.n_sources > 0)
		return err_set(e, AMBIT_USAGE, hint, "grants for an event of a session, which has its own");
	if (policy_has_budgets(&o->policy->policy))
		return err_set(e, AMBIT_USAGE, hint, "budgets for an event of a session, which has its own");
	if (o->policy->policy.profile != PROFILE_UNSAID || o->policy->policy.canary != POLICY_CANARY_UNSAID)
		return err_set(
			e, AMBIT_USAGE, hint,
			"a word on what is unusual, or on canaries, for an event of a session, which has its own");
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if (o->policy->policy.warm[k][0] != 0)
			return err_set(e, AMBIT_USAGE, hint,
				       "interpreters for an event of a session, which has its own");
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
	char term[TERM_TEXT_MAX], *env[2] = { NULL };
	struct run run;
	int n = check(r->o, e);

	n = n < 0 ? n : run_of(r->o, &run, e);
	if (n == 0)
		describe_terminal(r, &run, term, env);
	n = n < 0 ? n : daemon_connect(&r->daemon, true, e);
	n = n < 0 ? n : found_session(&r->daemon, r->o->session, r->session, e);
	n = n < 0 ? n : daemon_open(&r->daemon, r->session, &r->channel, e);
	n = n < 0 ? n : daemon_run(&r->channel, &run, &r->taken, e);
	if (n < 0 || r->o->background)
		return n;
	n = follow(r, true, e);
	/* when it begins is told of all that follow */
	if (n < 0 || !r->on_terminal)
		return n;
	n = daemon_events(&r->channel, r->taken.n, DAEMON_AND_TO_COME, e);
	r->listing = r->channel.request;
	return n;
}

static void finish(struct remote *r)
{
	(void)screen_end(&r->screen); /* over, unless something failed */
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

/* As a hangup ends whoever does not care for it. */
static int end_by_hangup(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)signal(SIGHUP, SIG_DFL);
	(void)raise(SIGHUP);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + SIGHUP;
}

static int tell(struct remote *r)
{
	const int status = tell_end(r, &r->row);
	const bool wanted = r->o->json || r->o->record != NULL;
	int written = 0;

	if (wanted && r->row.state == EVENT_OVER && r->row.outcome.cause != CAUSE_REFUSED)
		written = write_record(r);
	if (written == 0 && r->o->result != NULL)
		written = write_result(r);
	return written != 0 ? written : status;
}

/* Its output looks as if it were another's. */
static void tell_replayed(const struct remote *r)
{
	char key[2 * SESSION_KEY_MAX];

	if (r->taken.replayed != 0 && !r->o->quiet)
		(void)fprintf(stderr, "ambit: it did not run again: event %s has the key %s\n", r->taken.event,
			      text_show(key, sizeof key, r->o->key, strlen(r->o->key)));
}

int remote_run(const struct run_options *o)
{
	static struct remote r = { .screen = SCREEN_NONE };
	struct err e;
	int n, status;

	r.o = o;
	r.input_fd = r.channel.sock = r.daemon.sock = -1;
	r.on_terminal = wants_terminal(o);
	prepare(&r.out, o->json ? STDERR_FILENO : STDOUT_FILENO);
	prepare(&r.err, STDERR_FILENO);
	r.signal_fd = catch_signals(r.on_terminal);
	n = begin(&r, &e);
	if (n == 0)
		tell_replayed(&r);
	if (n == 0 && o->background) {
		(void)printf("%s\n", r.taken.event);
		finish(&r);
		return cli_flush();
	}
	n = n < 0 ? n : loop(&r, &e);
	(void)screen_end(&r.screen); /* before anything is said: a terminal that is raw shows it askew */
	if (r.hung_up) {
		finish(&r);
		return end_by_hangup();
	}
	status = n < 0 ? found_refuse(o->json, &e) : tell(&r);
	finish(&r);
	return status;
}
