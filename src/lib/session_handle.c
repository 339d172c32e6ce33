#include "lib/session_handle.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/limits.h"
#include "lib/public.h"
#include "lib/session_describe.h"

#define TURN 64                   /* messages of one step */
#define RECORD_MAX (64u << 20)    /* as of an event's own handle */
#define FIRST_SIZE sizeof(size_t) /* of what is filled */

_Static_assert((int)AMBIT_SESSION_IDLE == SESSION_IDLE && (int)AMBIT_SESSION_BUSY == SESSION_BUSY &&
		       (int)AMBIT_SESSION_ENDED == SESSION_ENDED && (int)AMBIT_SESSION_BROKEN == SESSION_BROKEN &&
		       (int)AMBIT_EVENT_TAKEN == EVENT_TAKEN && (int)AMBIT_EVENT_RUNS == EVENT_RUNS &&
		       (int)AMBIT_EVENT_OVER == EVENT_OVER && (int)AMBIT_EVENT_INTERRUPTED == EVENT_INTERRUPTED,
	       "what travels is what the header says");
_Static_assert(sizeof((struct ambit_session_info *)0)->session == ID_TEXT_MAX &&
		       sizeof((struct ambit_session_info *)0)->agent == SESSION_AGENT_MAX &&
		       sizeof((struct ambit_session_info *)0)->workspace == SESSION_PLACE_MAX &&
		       sizeof((struct ambit_event_info *)0)->command == SESSION_COMMAND_MAX &&
		       sizeof((struct ambit_event_info *)0)->event == ID_TEXT_MAX,
	       "each text has its room");

/* ---- what is filled ---- */

/* As much of *own as *ret, which begins with its size, has room for. */
static int fill(void *ret, void *own, size_t own_size, const char *what, struct ambit_error *ret_error)
{
	struct err e;
	size_t size;

	memcpy(&size, ret, sizeof size);
	if (size <= FIRST_SIZE)
		return public_error(ret_error,
				    err_set(&e, AMBIT_USAGE, "set size to the sizeof of that struct",
					    "a struct %s without a size", what),
				    &e);
	size = size < own_size ? size : own_size;
	memcpy(own, &size, sizeof size);
	memcpy(ret, own, size);
	return 0;
}

static int fill_session(const struct session_row *row, struct ambit_session_info *ret, struct ambit_error *e)
{
	struct ambit_session_info own = {
		.state = (int)row->state, .running = row->running, .events = row->events, .made_ms = row->made_ms
	};

	memcpy(own.session, row->session, sizeof own.session);
	memcpy(own.agent, row->agent, sizeof own.agent);
	memcpy(own.workspace, row->workspace, sizeof own.workspace);
	return fill(ret, &own, sizeof own, "ambit_session_info", e);
}

static void say_interrupted(const struct event_row *row, struct ambit_event_info *own)
{
	own->exit_status = err_code_exit(AMBIT_GONE);
	if (own->message[0] != 0)
		return;
	own->code = AMBIT_GONE;
	(void)snprintf(own->message, sizeof own->message,
		       "event %llu of the session was interrupted: its process, or the machine, ended",
		       (unsigned long long)row->n);
	(void)snprintf(own->hint, sizeof own->hint,
		       "`ambit stage list` shows what it had changed; it is not begun again by itself");
}

int session_event_info(const struct event_row *row, struct ambit_event_info *ret, struct ambit_error *e)
{
	struct ambit_event_info own = { .n = row->n,
					.state = (int)row->state,
					.background = (row->flags & EVENT_BACKGROUND) != 0,
					.terminal = (row->flags & EVENT_TERMINAL) != 0,
					.stopped = (row->flags & EVENT_STOPPED) != 0,
					.denied = row->denied != 0,
					.unusual = (row->flags & EVENT_UNUSUAL) != 0,
					.held = (row->flags & EVENT_HELD) != 0,
					.kept = (row->flags & EVENT_PRUNED) == 0,
					.taken_ms = row->taken_ms,
					.begun_ms = row->begun_ms,
					.ended_ms = row->ended_ms,
					.out_bytes = row->out_bytes,
					.err_bytes = row->err_bytes,
					.code = (int)row->code /* at most INT_MAX */ };

	memcpy(own.event, row->event, sizeof own.event);
	memcpy(own.command, row->command, sizeof own.command);
	memcpy(own.message, row->message, sizeof own.message);
	memcpy(own.hint, row->hint, sizeof own.hint);
	if (row->state >= EVENT_OVER && !labels_are_unknown(&row->labels))
		own.labels = row->labels.text;
	if (row->state == EVENT_INTERRUPTED)
		say_interrupted(row, &own);
	if (row->state == EVENT_OVER) {
		own.exit_status = (int)row->exit_status;
		own.cause = cause_word(row->outcome.cause);
		own.limit = row->outcome.cause == CAUSE_LIMIT ? limit_word(row->outcome.limit) : NULL;
		own.workspace = workspace_word(row->outcome.workspace);
	}
	return fill(ret, &own, sizeof own, "ambit_event_info", e);
}

/* ---- the daemon ---- */

static int broken(const struct err *why, struct ambit_error *ret)
{
	return public_error(ret, -(int)why->code, why);
}

/* What its last call says, which gave r. */
static int daemon_told(struct ambit_daemon *d, int r, const struct err *e, struct ambit_error *ret)
{
	if (d->link.broken)
		d->why = *e;
	return r < 0 ? public_error(ret, r, e) : r;
}

static int patience(unsigned wait_ms)
{
	return wait_ms == 0 ? DAEMON_PATIENCE_MS : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

int ambit_daemon_connect(const struct ambit_daemon_options *given, struct ambit_daemon **ret, struct ambit_error *e)
{
	struct ambit_daemon_options o;
	auto_free struct ambit_daemon *d = calloc(1, sizeof *d);
	struct err err;
	int r;

	if (d == NULL)
		return public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory for a connection"), &err);
	r = session_options_take(&o, sizeof o, FIRST_SIZE, given, "ambit_daemon_options", &err);
	r = r < 0 ? r : daemon_connect_within(&d->link, o.start != 0, patience(o.wait_ms), &err);
	if (r < 0)
		return public_error(e, r, &err);
	d->owner = getpid();
	*ret = steal_ptr(&d);
	return 0;
}

/* Which of the page stands behind that one; -1: it is not known. */
static int next_in_page(const struct ambit_daemon *d, const char *after)
{
	for (int i = 0; i + 1 < d->n_page; i++)
		if (strcmp(d->page[i].session, after) == 0)
			return i + 1;
	return -1;
}

static int ask_page(struct ambit_daemon *d, const char *after, struct err *e)
{
	if (d->page == NULL)
		d->page = calloc(SERVE_PAGE, sizeof *d->page);
	if (d->page == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list of sessions");
	d->n_page = 0;
	d->n_page = daemon_list(&d->link, after, d->page, e);
	return d->n_page;
}

int ambit_daemon_next_session(struct ambit_daemon *d, const char *after, struct ambit_session_info *ret,
			      struct ambit_error *e)
{
	struct err err;
	int at, r = 1;

	if (d->why.code != AMBIT_OK)
		return broken(&d->why, e);
	if (after[0] != 0 && !id_is('s', after, strlen(after)))
		return public_error(e, err_set(&err, AMBIT_USAGE, NULL, "'%s' is no session's id", after), &err);
	at = after[0] == 0 ? -1 : next_in_page(d, after);
	if (at < 0) {
		at = 0;
		r = daemon_told(d, ask_page(d, after, &err), &err, e);
	}
	if (r <= 0)
		return r;
	r = fill_session(&d->page[at], ret, e);
	return r < 0 ? r : 1;
}

void ambit_daemon_free(struct ambit_daemon *d)
{
	if (d == NULL)
		return;
	if (d->owner == getpid()) /* since a fork may have a copy */
		(void)shutdown(d->link.sock, SHUT_RDWR);
	daemon_leave(&d->link);
	free(d->page);
	free(d);
}

/* ---- a session ---- */

int session_check(const struct ambit_session *s, struct ambit_error *ret)
{
	return s->why.code != AMBIT_OK ? broken(&s->why, ret) : 0;
}

int session_told(struct ambit_session *s, int r, const struct err *e, struct ambit_error *ret)
{
	if (s->channel.broken && s->why.code == AMBIT_OK) {
		s->why = *e;
		session_wake(s); /* who steps is told, too */
	}
	return r < 0 ? public_error(ret, r, e) : r;
}

void session_wake(struct ambit_session *s)
{
	struct epoll_event want = { .events = EPOLLIN };

	if (!s->woken && !s->steps && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->wake_fd, &want) == 0)
		s->woken = true;
}

static bool take_wake(struct ambit_session *s)
{
	const bool woken = s->woken;

	if (woken)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->wake_fd, NULL); /* it is there */
	s->woken = false;
	return woken;
}

void session_watch_room(struct ambit_session *s, bool on)
{
	struct epoll_event want = { .events = on ? EPOLLIN | EPOLLOUT : EPOLLIN };

	if (s->watched && on != s->wants_room && epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->channel.sock, &want) == 0)
		s->wants_room = on;
}

static void unwatch(struct ambit_session *s)
{
	if (s->watched)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->channel.sock, NULL); /* it is there */
	s->watched = false;
}

static void take_news(void *to, const struct daemon_news *news)
{
	follow_take(to, news);
}

static struct ambit_session *make(void)
{
	struct ambit_session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->channel.sock = -1;
	s->channel.on_news = take_news;
	s->channel.news_to = s;
	s->owner = getpid();
	buf_init(&s->record, RECORD_MAX);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->wake_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll_fd >= 0 && s->wake_fd >= 0)
		return s;
	ambit_session_free(s);
	return NULL;
}

/* With its channel, which is open. */
static int watch(struct ambit_session *s, struct err *e)
{
	struct epoll_event want = { .events = EPOLLIN };

	s->watched = epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->channel.sock, &want) == 0;
	return s->watched ? 0 : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for the session");
}

/* Opens that one, or makes the one that is described. */
static int begin(struct ambit_daemon *d, const char *session, const struct description *about,
		 struct ambit_session **ret, struct ambit_error *e)
{
	struct ambit_session *s;
	struct err err;
	int r;

	if (d->why.code != AMBIT_OK)
		return broken(&d->why, e);
	s = make();
	if (s == NULL)
		return public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory or descriptors for a session"),
				    &err);
	r = session != NULL ? daemon_open(&d->link, session, &s->channel, &err)
			    : daemon_new(&d->link, about, &s->channel, &err);
	r = r < 0 ? r : watch(s, &err);
	if (r < 0)
		ambit_session_free(s);
	else
		*ret = s;
	return daemon_told(d, r, &err, e);
}

int ambit_session_new(struct ambit_daemon *d, const struct ambit_policy *p, const struct ambit_session_options *given,
		      struct ambit_session **ret, struct ambit_error *e)
{
	struct description about = { .env = NULL };
	auto_buf policy = { .max = DESCRIPTION_BYTES_MAX };
	struct ambit_session_options o;
	struct err err;
	int r = session_options_take(&o, sizeof o, FIRST_SIZE, given, "ambit_session_options", &err);

	r = r < 0 ? r : session_describe(p, &o, &policy, &about, &err);
	r = r < 0 ? public_error(e, r, &err) : begin(d, NULL, &about, ret, e);
	description_finish(&about);
	return r;
}

int ambit_session_open(struct ambit_daemon *d, const char *session, struct ambit_session **ret, struct ambit_error *e)
{
	struct err err;

	if (!id_is('s', session, strlen(session)))
		return public_error(
			e,
			err_set(&err, AMBIT_USAGE, "`ambit session list` has them", "'%s' is no session's id", session),
			&err);
	return begin(d, session, NULL, ret, e);
}

const char *ambit_session_id(const struct ambit_session *s)
{
	return s->channel.ready.row.session;
}

int ambit_session_look(const struct ambit_session *s, struct ambit_session_info *ret, struct ambit_error *e)
{
	return fill_session(&s->channel.ready.row, ret, e);
}

/* ---- asking it ---- */

static int fill_run(const struct session_taken *taken, struct ambit_run *ret, struct ambit_error *e)
{
	struct ambit_run own = { .n = taken->n, .replayed = (int)taken->replayed };

	memcpy(own.event, taken->event, sizeof own.event);
	return ret == NULL ? 0 : fill(ret, &own, sizeof own, "ambit_run", e);
}

int ambit_session_run(struct ambit_session *s, const struct ambit_run_options *given, struct ambit_run *ret,
		      struct ambit_error *e)
{
	struct session_taken taken = { .n = 0 };
	struct ambit_run_options o;
	struct run run;
	struct err err;
	int r = fill_run(&taken, ret, e); /* whether it can be told is known before it is asked for */

	r = r < 0 ? r : session_check(s, e);
	if (r < 0)
		return r;
	r = session_options_take(&o, sizeof o, offsetof(struct ambit_run_options, environment), given,
				 "ambit_run_options", &err);
	r = r < 0 ? r : session_describe_run(&o, &run, &err);
	r = r < 0 ? r : daemon_run(&s->channel, &run, &taken, &err);
	r = session_told(s, r, &err, e);
	return r < 0 ? r : fill_run(&taken, ret, e);
}

static int ask_events(struct ambit_session *s, uint64_t n, struct err *e)
{
	if (s->page == NULL)
		s->page = calloc(SERVE_PAGE, sizeof *s->page);
	if (s->page == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list of events");
	s->n_page = 0;
	s->at_page = 0;
	s->n_page = daemon_page(&s->channel, n, s->page, e);
	return s->n_page;
}

int ambit_session_next_event(struct ambit_session *s, uint64_t n, struct ambit_event_info *ret, struct ambit_error *e)
{
	struct err err;
	int r = session_check(s, e);
	bool follows;

	if (r < 0)
		return r;
	n = n == 0 ? 1 : n;
	follows = s->at_page + 1 < s->n_page && s->page[s->at_page].n < n && n <= s->page[s->at_page + 1].n;
	if (follows)
		s->at_page++;
	else
		r = session_told(s, ask_events(s, n, &err), &err, e);
	if (!follows && r <= 0)
		return r;
	r = session_event_info(&s->page[s->at_page], ret, e);
	return r < 0 ? r : 1;
}

/* A file, as it must be: of a pipe nobody knows when it ends. */
static int read_record(struct ambit_session *s, int fd, struct err *e)
{
	struct buf *ret = &s->record;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		s->channel.broken = true;
		return err_set(e, AMBIT_PROTOCOL, NULL, "what the daemon gave for a record is no file");
	}
	buf_reset(ret);
	r = fd_read_into(fd, ret);
	if (r == 0 && buf_cstr(ret) == NULL)
		r = -ENOMEM;
	return r < 0 ? err_sys(e, r == -ENOMEM ? AMBIT_MEMORY : AMBIT_SYSTEM, -r, NULL, "cannot read the record") : 0;
}

typedef int ask_fn(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e);

static int give_kept(struct ambit_session *s, ask_fn *ask, uint64_t n, const char **ret_json, size_t *ret_len,
		     struct ambit_error *e)
{
	auto_fd int fd = -1;
	struct err err;
	int r = session_check(s, e);

	if (r < 0)
		return r;
	r = ask(&s->channel, n, &fd, &err);
	r = r < 0 ? r : read_record(s, fd, &err);
	if (r == 0) {
		*ret_json = (const char *)s->record.data;
		*ret_len = s->record.len;
	}
	return session_told(s, r, &err, e);
}

int ambit_session_record(struct ambit_session *s, uint64_t n, const char **ret_json, size_t *ret_len,
			 struct ambit_error *e)
{
	return give_kept(s, daemon_record, n, ret_json, ret_len, e);
}

int ambit_session_result(struct ambit_session *s, uint64_t n, const char **ret_json, size_t *ret_len,
			 struct ambit_error *e)
{
	return give_kept(s, daemon_result, n, ret_json, ret_len, e);
}

static int tell(struct ambit_session *s, enum wire_number what, uint64_t n, uint32_t a, uint32_t b,
		struct ambit_error *e)
{
	struct err err;
	const int r = session_check(s, e);

	return r < 0 ? r : session_told(s, daemon_tell(&s->channel, what, n, a, b, &err), &err, e);
}

int ambit_session_signal(struct ambit_session *s, uint64_t n, int signal_number, struct ambit_error *e)
{
	return tell(s, WIRE_SESSION_SIGNAL, n, signal_number > 0 ? (uint32_t)signal_number : 0, 0, e);
}

int ambit_session_cancel(struct ambit_session *s, uint64_t n, struct ambit_error *e)
{
	return tell(s, WIRE_SESSION_CANCEL, n, 0, 0, e);
}

int ambit_session_resize(struct ambit_session *s, uint64_t n, unsigned rows, unsigned columns, struct ambit_error *e)
{
	return tell(s, WIRE_SESSION_RESIZE, n, rows, columns, e);
}

int ambit_session_end(struct ambit_session *s, struct ambit_error *e)
{
	struct err err;
	const int r = session_check(s, e);

	return r < 0 ? r : session_told(s, daemon_end(&s->channel, &err), &err, e);
}

/* ---- stepping ---- */

int ambit_session_fd(const struct ambit_session *s)
{
	return s->epoll_fd;
}

/* Whether there was any; -1: it broke. */
static int hear(struct ambit_session *s, struct err *e)
{
	struct daemon_news news;
	int some = 0;

	for (unsigned i = 0; i < TURN; i++) {
		const int r = daemon_hear(&s->channel, 0, &news, e);

		if (r <= 0)
			return r < 0 ? r : some;
		if (news.what == WIRE_SESSION_GREW || news.what == WIRE_SESSION_OVER)
			some = 1;
		follow_take(s, &news);
	}
	return some;
}

int ambit_session_step(struct ambit_session *s, struct ambit_error *e)
{
	const bool woken = take_wake(s);
	bool some;
	struct err err;
	int r;

	if (s->why.code != AMBIT_OK) {
		unwatch(s);
		return broken(&s->why, e);
	}
	s->steps = true;
	some = follow_step(s);
	r = hear(s, &err);
	if (r < 0) {
		unwatch(s);
		r = session_told(s, r, &err, e);
	}
	s->steps = false;
	return r < 0 ? r : woken || some || r > 0;
}

void ambit_session_free(struct ambit_session *s)
{
	if (s == NULL)
		return;
	if (s->owner == getpid() && s->channel.sock >= 0)
		(void)shutdown(s->channel.sock, SHUT_RDWR);
	for (struct ambit_follow *f = s->follows; f != NULL; f = f->next)
		f->session = NULL;
	daemon_part(&s->channel);
	fd_close(&s->epoll_fd);
	fd_close(&s->wake_fd);
	buf_finish(&s->record);
	free(s->page);
	free(s);
}
