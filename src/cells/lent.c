#include "cells/lent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/outcome.h"

#define BELL_BYTES 4096 /* of its pipe: what is in it says nothing, and all users' pipes together have little */

static int make_pipe(int *ret_read, int *ret_write, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a cell");
	/* root's cells have another id, and a program may open its own end anew by its name (/dev/stdin). Nobody else has a name for it. */
	if (geteuid() == 0)
		(void)fchmod(ends[0], 0666);
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

int lent_begin(struct lent *l, struct form *f, struct libraries *known, uint32_t number, struct err *e)
{
	auto_fd int down = -1, up = -1, bell = -1;
	int r;

	*l = (struct lent){ .form = f, .number = number, .to_fd = -1, .from_fd = -1, .bell_fd = -1 };
	r = make_pipe(&down, &l->to_fd, e);
	r = r < 0 ? r : make_pipe(&l->from_fd, &up, e);
	r = r < 0 ? r : make_pipe(&l->bell_fd, &bell, e);
	if (r == 0)
		(void)fcntl(l->bell_fd, F_SETPIPE_SZ, BELL_BYTES); /* else it has more */
	if (r == 0 && fd_set_nonblock(l->bell_fd, true) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a cell");
	r = r < 0 ? r : form_launch(f, known, (const int[3]){ down, up, bell }, &l->ev, e);
	if (r < 0) {
		lent_finish(l);
		return r;
	}
	l->state = LENT_WAITS;
	l->leave_ms = f->recorded ? LENT_RECORDED_MS : LENT_LEAVE_MS;
	return 0;
}

void lent_finish(struct lent *l)
{
	event_free_by(l->ev, l->leaves_ms != 0 ? l->leaves_ms : clock_ms() + l->leave_ms);
	fd_close(&l->to_fd);
	fd_close(&l->from_fd);
	fd_close(&l->bell_fd);
	*l = (struct lent){ .to_fd = -1, .from_fd = -1, .bell_fd = -1 };
}

void lent_opened(struct lent *l)
{
	fd_close(&l->to_fd);
	fd_close(&l->from_fd);
}

void lent_kill(struct lent *l)
{
	if (!lent_goes_on(l))
		return;
	(void)ambit_event_kill(l->ev, NULL); /* one that is over needs none */
	if (l->leaves_ms == 0)
		l->leaves_ms = clock_ms() + l->leave_ms;
}

bool lent_goes_on(const struct lent *l)
{
	return l->ev != NULL && !l->told;
}

void lent_ask(struct lent *l)
{
	l->lingers_ms = clock_ms() + LENT_LINGERS_MS;
}

void lent_drop(struct lent *l)
{
	l->state = LENT_ENDS;
	l->form = NULL;
	l->until_ms = 0;
	lent_opened(l);
	fd_close(&l->bell_fd);
	lent_kill(l);
}

static void tell_end(struct lent *l)
{
	const struct event_result *r = event_result(l->ev);
	struct ambit_error error = { .size = sizeof error };
	struct lent_end *end = &l->end;

	(void)text_copy(end->cause, sizeof end->cause, l->late ? "timeout" : cause_word(r->cause)); /* fits */
	if (r->cause == CAUSE_LIMIT)
		(void)text_copy(end->how, sizeof end->how, limit_word(r->limit)); /* fits */
	else if (r->signal == 0 && r->exit_status < 0) /* there is no status of one that was ended, or never was */
		(void)text_copy(end->how, sizeof end->how, r->cause == CAUSE_REFUSED ? "" : "signal 9"); /* fits */
	else
		(void)snprintf(end->how, sizeof end->how, "%s %d", r->signal != 0 ? "signal" : "exit",
			       r->signal != 0 ? r->signal : r->exit_status); /* fits */
	if (ambit_event_failure(l->ev, &error) < 0)
		(void)err_why(&end->error,
			      err_set(&end->error, (enum ambit_code)error.code, error.hint, "%s", error.message), "%s",
			      error.why); /* told later */
}

static bool is_gone(const struct lent *l, uint64_t now_ms)
{
	struct pollfd p = { .fd = l->ev->pidfd, .events = POLLIN };

	return p.fd < 0 || now_ms >= l->leaves_ms || poll(&p, 1, 0) == 1;
}

static void end(struct lent *l)
{
	l->told = true;
	l->until_ms = l->lingers_ms = 0;
	if (l->state == LENT_TAKEN)
		l->state = LENT_OVER;
}

/* Its supervisor does not even read that it is to end. */
static void abandon(struct lent *l, uint64_t now_ms)
{
	(void)text_copy(l->end.cause, sizeof l->end.cause, l->late ? "timeout" : "killed"); /* these fit */
	(void)text_copy(l->end.how, sizeof l->end.how, "signal 9");
	event_free_by(l->ev, now_ms);
	l->ev = NULL;
	end(l);
}

/* How it ended is told by its supervisor, which then ends itself. */
static enum lent_news follow(struct lent *l, bool ready, uint64_t now_ms)
{
	if (l->ev == NULL)
		return l->state == LENT_ENDS ? LENT_GONE : LENT_NOTHING;
	if (l->told) {
		if (!is_gone(l, now_ms))
			return LENT_NOTHING;
		event_free_by(l->ev, l->leaves_ms);
		l->ev = NULL;
		return l->state == LENT_ENDS ? LENT_GONE : LENT_NOTHING;
	}
	if (ready && ambit_event_step(l->ev, NULL) == 1) {
		tell_end(l);
		l->leaves_ms = now_ms + l->leave_ms;
		end(l);
		return LENT_ENDED;
	}
	if (l->leaves_ms == 0 || now_ms < l->leaves_ms)
		return LENT_NOTHING;
	abandon(l, now_ms);
	return l->state == LENT_ENDS ? LENT_GONE : LENT_ENDED;
}

static bool hear(struct lent *l, uint64_t now_ms)
{
	ROOM_TO_READ char any[BELL_BYTES];
	const ssize_t n = read(l->bell_fd, any, sizeof any);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&l->bell_fd); /* the cell has no end of it any more */
	if (n <= 0)
		return false;
	l->warm = true;
	l->quiet_ms = now_ms + (n > LENT_RINGS ? LENT_FLOODED_MS : LENT_QUIET_MS);
	return true;
}

void lent_look_at(const struct lent *l, struct pollfd *ret, uint64_t now_ms)
{
	const int end_fd = l->ev == NULL ? -1 : l->told ? l->ev->pidfd : ambit_event_fd(l->ev);

	ret[0] = (struct pollfd){ .fd = end_fd, .events = POLLIN };
	ret[1] = (struct pollfd){ .fd = now_ms < l->quiet_ms ? -1 : l->bell_fd, .events = POLLIN };
}

enum lent_news lent_step(struct lent *l, const struct pollfd *seen, uint64_t now_ms)
{
	const bool rang = seen[1].revents != 0 && hear(l, now_ms);
	bool ready = seen[0].revents != 0;
	enum lent_news news;

	if (l->until_ms != 0 && now_ms >= l->until_ms) {
		l->until_ms = 0;
		l->late = true;
		lent_kill(l);
		ready = true;
	}
	if (l->lingers_ms != 0 && now_ms >= l->lingers_ms) {
		l->lingers_ms = 0;
		lent_kill(l);
		ready = true;
	}
	news = follow(l, ready, now_ms);
	return news == LENT_NOTHING && rang ? LENT_RANG : news;
}

int lent_patience(const struct lent *l, int timeout, uint64_t now_ms)
{
	if (l->until_ms != 0)
		timeout = stock_sooner(timeout, l->until_ms, now_ms);
	if (l->lingers_ms != 0)
		timeout = stock_sooner(timeout, l->lingers_ms, now_ms);
	if (l->leaves_ms != 0 && l->ev != NULL)
		timeout = stock_sooner(timeout, l->leaves_ms, now_ms);
	return l->quiet_ms > now_ms && l->bell_fd >= 0 ? stock_sooner(timeout, l->quiet_ms, now_ms) : timeout;
}
