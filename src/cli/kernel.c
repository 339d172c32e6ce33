#include "cli/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/harmless.h"
#include "code/code.h"
#include "lib/daemon.h"
#include "lib/policy_handle.h"

#define CHUNK (64u << 10)

struct visit {
	const struct run_options *o;
	struct daemon_link daemon;
	struct daemon_channel channel;
	struct session_taken taken;
	uint64_t step;
	int out_fd, err_fd;   /* owned: what the kernel writes */
	int signal_fd;        /* owned */
	struct step_row row;  /* state 0: it is not over */
	struct event_row end; /* of the kernel; state 0: it has none yet */
};

static int catch_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What is the kernel's own is said when it is started, and by who gives it steps it is not. */
static int check(const struct run_options *o, struct err *e)
{
	static const char hint[] = "they are given to `ambit session new`";

	if (!code_has_kernel(o->kind))
		return err_set(e, AMBIT_UNAVAILABLE, "--python or --node; a shell's files carry over without",
			       "there are no kernels of a shell");
	if (!kernel_name_is(o->kernel) || o->kernel[0] == 0)
		return err_set(e, AMBIT_USAGE, "letters, digits, '.', '_' and '-'", "'%s' is no name of a kernel",
			       o->kernel);
	if (o->policy->policy.n_lines > 0 || o->policy->policy.n_sources > 0 ||
	    policy_has_budgets(&o->policy->policy) || o->event.workspace != NULL ||
	    o->policy->policy.warm[o->kind][0] != 0 || o->event.base != NULL || o->event.observe != NULL ||
	    o->event.without != NULL || o->event.ledger != NULL || o->event.unrecorded != 0 ||
	    (o->event.changes & AMBIT_CHANGES_DIRECT) != 0)
		return err_set(e, AMBIT_USAGE, hint,
			       "grants, or how its cell is, for a kernel of a session, which has its own");
	if (o->json || o->record != NULL || o->background || o->key != NULL)
		return err_set(e, AMBIT_USAGE,
			       "`ambit events SESSION` lists the kernel, `ambit explain` tells of it when it has ended",
			       "--json, --record, --background or --key for a step, which is no event of its own");
	return 0;
}

/* ---- what its start means ---- */

static void why_ended(const struct event_row *row, char *ret, size_t n)
{
	if (row->state == EVENT_INTERRUPTED)
		(void)snprintf(ret, n, "its process, or the machine, ended");
	else if (row->state != EVENT_OVER)
		(void)snprintf(ret, n, "it takes no more steps");
	else if (row->outcome.cause == CAUSE_LIMIT)
		(void)snprintf(ret, n, "by its limit %s", limit_word(row->outcome.limit));
	else if (row->message[0] != 0)
		(void)text_show(ret, n, row->message, strlen(row->message));
	else
		(void)snprintf(ret, n, "exit status %u", row->exit_status);
}

static bool is_kernel(const struct run_options *o, const struct event_row *row)
{
	char command[SESSION_COMMAND_MAX];

	kernel_describe(o->kind, o->kernel, command, sizeof command);
	return (row->flags & EVENT_KERNEL) != 0 && strcmp(row->command, command) == 0;
}

/* The latest before number n. 0: there is none. */
static int find_former(struct visit *v, uint64_t n, struct event_row *ret, struct err *e)
{
	auto_free struct event_row *rows = calloc(SERVE_PAGE, sizeof *rows);

	if (rows == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	while (n > 1) {
		const uint64_t from = n > SERVE_PAGE ? n - SERVE_PAGE : 1;
		const int found = daemon_page(&v->channel, from, rows, e);

		if (found < 0)
			return found;
		for (int i = found; i-- > 0;)
			if (rows[i].n < n && is_kernel(v->o, &rows[i])) {
				*ret = rows[i];
				return 1;
			}
		n = from;
	}
	return 0;
}

/* Variables of the one before are gone, and what is said for its start counts for no other step. */
static int tell_start(struct visit *v, struct err *e)
{
	const struct run_options *o = v->o;
	struct event_row former = { .n = 0 };
	char why[2 * sizeof former.message];
	int n;

	if (o->quiet)
		return 0;
	if (v->taken.replayed != 0) {
		if (o->limits[0] != 0 || o->event.changes != 0 || o->event.on_conflict != NULL)
			(void)fprintf(stderr,
				      "ambit: kernel %s runs already: --limit, --stage, --discard, --strict and "
				      "--on-conflict count only when it is started\n",
				      o->kernel);
		return 0;
	}
	n = find_former(v, v->taken.n, &former, e);
	if (n <= 0)
		return n;
	why_ended(&former, why, sizeof why);
	(void)fprintf(stderr, "ambit: kernel %s is new: the former one ended (%s)\n", o->kernel, why);
	return 0;
}

/* ---- asking ---- */

static int start(struct visit *v, struct err *e)
{
	const struct run_options *o = v->o;
	char *argv[] = { o->code[0], (char *)(uintptr_t)o->kernel /* only written out */, NULL };
	struct run run = { .flags = EVENT_KERNEL | EVENT_BACKGROUND | (uint32_t)o->kind << EVENT_KIND_SHIFT,
			   .changes = o->event.changes,
			   .labels = o->labels,
			   .argv = argv };

	(void)text_copy(run.limits, sizeof run.limits, o->limits); /* of the same size */
	if (o->event.on_conflict != NULL && !text_copy(run.on_conflict, sizeof run.on_conflict, o->event.on_conflict))
		return err_set(e, AMBIT_USAGE, "ambit run --help", "--on-conflict takes fail, theirs or ours");
	return daemon_run(&v->channel, &run, &v->taken, e);
}

static int begin(struct visit *v, struct err *e)
{
	const struct run_options *o = v->o;
	int fds[3] = { -1, -1, -1 }, n = check(o, e);

	n = n < 0 ? n : found_open(&v->daemon, &v->channel, o->session, e);
	n = n < 0 ? n : start(v, e);
	n = n < 0 ? n : daemon_follow(&v->channel, v->taken.n, false, fds, e);
	if (n < 0)
		return n;
	v->out_fd = fds[0];
	v->err_fd = fds[1];
	n = tell_start(v, e);
	return n < 0 ? n
		     : daemon_step(&v->channel, v->taken.n, o->code[1], o->result == NULL ? STEP_SHOWS : 0, &v->step,
				   e);
}

static void on_signal(struct visit *v)
{
	struct signalfd_siginfo seen;

	if (read(v->signal_fd, &seen, sizeof seen) == (ssize_t)sizeof seen)
		(void)daemon_say(&v->channel, WIRE_SESSION_STEP_STOP, v->taken.n, (uint32_t)v->step,
				 0); /* it may be over: that is told */
}

/* Also what is told while an answer is waited for. */
static void take_news(void *to, const struct daemon_news *news)
{
	struct visit *v = to;

	if (news->what == WIRE_SESSION_STEPPED && news->step.n == v->taken.n && news->step.step == v->step)
		v->row = news->step;
	else if (news->what == WIRE_SESSION_OVER && news->row.n == v->taken.n)
		v->end = news->row;
}

/* 0: nothing came in that time. */
static int hear(struct visit *v, int wait_ms, struct err *e)
{
	struct daemon_news news;
	const int n = daemon_hear(&v->channel, wait_ms, &news, e);

	if (n > 0)
		take_news(v, &news);
	return n;
}

static int wait_for_it(struct visit *v, struct err *e)
{
	int n = 0;

	while (n == 0 && v->row.state == 0) {
		struct pollfd p[] = { { .fd = v->channel.sock, .events = POLLIN },
				      { .fd = v->signal_fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for the step");
		if (p[1].revents != 0)
			on_signal(v);
		if (p[0].revents != 0)
			n = hear(v, 0, e);
		n = n > 0 ? 0 : n;
	}
	return n;
}

/* ---- its end, in place of a step ---- */

/* The one of that name that runs or waits; -NOT_FOUND. */
static int find_live(struct visit *v, struct err *e)
{
	struct daemon_news news = { .what = WIRE_SESSION_ROW };
	int n = daemon_events(&v->channel, 1, DAEMON_LIVE, e);

	v->taken.n = 0;
	while (n >= 0 && news.what != WIRE_SESSION_DONE && news.what != WIRE_SESSION_FAILED) {
		n = daemon_hear(&v->channel, -1, &news, e);
		if (n > 0 && news.what == WIRE_SESSION_ROW && is_kernel(v->o, &news.row))
			v->taken.n = news.row.n;
	}
	if (n >= 0 && news.what == WIRE_SESSION_FAILED)
		*e = news.failed;
	if (n < 0 || news.what == WIRE_SESSION_FAILED)
		return n < 0 ? n : -(int)e->code;
	return v->taken.n != 0 ? 0
			       : err_set(e, AMBIT_NOT_FOUND, "`ambit ps` has those that run",
					 "no kernel %s of %s runs in the session", v->o->kernel, kind_word(v->o->kind));
}

/* Behind the steps that it has. Whoever interrupts us then has asked all the same. */
static int end(struct visit *v, struct err *e)
{
	int fds[3] = { -1, -1, -1 }, n = check(v->o, e);

	n = n < 0 ? n : found_open(&v->daemon, &v->channel, v->o->session, e);
	n = n < 0 ? n : find_live(v, e);
	n = n < 0 ? n : daemon_follow(&v->channel, v->taken.n, false, fds, e);
	v->out_fd = fds[0];
	v->err_fd = fds[1];
	n = n < 0 ? n : daemon_tell(&v->channel, WIRE_SESSION_STEPS_END, v->taken.n, 0, 0, e);
	while (n >= 0 && v->end.state == 0)
		n = hear(v, -1, e);
	return n < 0 ? n : 0;
}

/* ---- telling ---- */

static int show(int from_fd, uint64_t at, uint64_t end, int to_fd)
{
	static uint8_t room[CHUNK];
	const bool terminal = isatty(to_fd) == 1;
	auto_buf held = { .max = 2 * CHUNK };
	int r = 0;

	while (r == 0 && at < end) {
		const ssize_t n = pread(from_fd, room, end - at < CHUNK ? (size_t)(end - at) : CHUNK, (off_t)at);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		at += (uint64_t)n;
		if (terminal)
			buf_put(&held, room, (size_t)n);
		r = terminal ? harmless_write(to_fd, &held, at >= end) : fd_write_all(to_fd, room, (size_t)n);
	}
	return r;
}

static int write_result(struct visit *v, struct err *e)
{
	auto_fd int from = -1, to = -1;
	int n = v->row.result_end > v->row.result_at ? daemon_result(&v->channel, v->taken.n, &from, e) : 0;
	int r = n < 0 ? 0 : fd_create(v->o->result, O_TRUNC, 0600, &to);

	if (n < 0)
		return n;
	r = r < 0 || from < 0 ? r : show(from, v->row.result_at, v->row.result_end, to);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "name a file that can be written", "cannot write the result %s",
			       v->o->result)
		     : 0;
}

/* The kernel's own end, if the step brought it about. */
static int wait_for_end(struct visit *v, struct err *e)
{
	int n = 1;

	while (v->end.state == 0 && n > 0)
		n = hear(v, DAEMON_PATIENCE_MS, e);
	return n != 0 ? (n < 0 ? n : 0) : err_set(e, AMBIT_GONE, "ambit events", "the kernel does not end");
}

static int tell_kernel_end(struct visit *v)
{
	const struct event_row *row = &v->end;
	struct err e;

	if (wait_for_end(v, &e) < 0)
		return found_refuse(false, &e);
	found_tell(row, v->o->quiet);
	found_tell_labels(row, v->o->quiet);
	if (row->outcome.workspace == WORKSPACE_KEPT && !v->o->quiet)
		(void)fprintf(stderr, "ambit: what the kernel changed is kept\n  hint: ambit diff %s\n", row->event);
	return v->o->end || v->row.state == STEP_EXIT || row->exit_status != 0 ? (int)row->exit_status : 125;
}

static int tell(struct visit *v)
{
	struct err e;
	int r = show(v->out_fd, v->row.out_at, v->row.out_end, STDOUT_FILENO);

	r = r < 0 ? r : show(v->err_fd, v->row.err_at, v->row.err_end, STDERR_FILENO);
	if (r < 0 && r != -EPIPE)
		return err_sys(&e, AMBIT_SYSTEM, -r, "`ambit events` has it", "cannot write what the step wrote"),
		       found_refuse(false, &e);
	if (v->o->result != NULL && write_result(v, &e) < 0)
		return found_refuse(false, &e);
	if (v->row.state == STEP_OK || v->row.state == STEP_ERROR)
		return v->row.state == STEP_OK ? 0 : (v->row.flags & STEP_STOPPED) != 0 ? 128 + SIGINT : 1;
	if (v->row.state == STEP_NEVER && (v->row.flags & STEP_STOPPED) != 0)
		return 128 + SIGINT;
	return tell_kernel_end(v);
}

int kernel_run(const struct run_options *o)
{
	static struct visit v;
	struct err e;
	int n, status;

	v = (struct visit){ .o = o, .out_fd = -1, .err_fd = -1, .signal_fd = o->end ? -1 : catch_signals() };
	v.channel.sock = v.daemon.sock = -1;
	v.channel.on_news = take_news;
	v.channel.news_to = &v;
	if (o->end) {
		n = end(&v, &e);
	} else {
		n = begin(&v, &e);
		n = n < 0 ? n : wait_for_it(&v, &e);
	}
	status = n < 0 ? found_refuse(o->json, &e) : o->end ? tell_kernel_end(&v) : tell(&v);
	fd_close(&v.out_fd);
	fd_close(&v.err_fd);
	fd_close(&v.signal_fd);
	daemon_part(&v.channel);
	daemon_leave(&v.daemon);
	return status;
}
