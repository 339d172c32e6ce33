#include "cells/lent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "core/outcome.h"

static int make_pipe(int *ret_read, int *ret_write, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a cell");
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

int lent_begin(struct lent *l, struct form *f, uint32_t number, struct err *e)
{
	auto_fd int down = -1, up = -1, bell = -1;
	int r;

	*l = (struct lent){ .form = f, .number = number, .to_fd = -1, .from_fd = -1, .bell_fd = -1 };
	r = make_pipe(&down, &l->to_fd, e);
	r = r < 0 ? r : make_pipe(&l->from_fd, &up, e);
	r = r < 0 ? r : make_pipe(&l->bell_fd, &bell, e);
	if (r == 0 && fd_set_nonblock(l->bell_fd, true) < 0)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipe for a cell");
	r = r < 0 ? r : form_launch(f, (const int[3]){ down, up, bell }, &l->ev, e);
	if (r < 0) {
		lent_finish(l);
		return r;
	}
	l->state = LENT_WAITS;
	return 0;
}

void lent_finish(struct lent *l)
{
	ambit_event_free(l->ev);
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
	if (l->ev != NULL)
		(void)ambit_event_kill(l->ev, NULL); /* one that is over needs none */
}

static void tell_end(struct lent *l)
{
	const struct event_result *r = event_result(l->ev);
	struct ambit_error error = { .size = sizeof error };
	struct lent_end *end = &l->end;

	(void)text_copy(end->cause, sizeof end->cause, l->late ? "timeout" : cause_word(r->cause)); /* fits */
	if (r->cause == CAUSE_LIMIT)
		(void)text_copy(end->how, sizeof end->how, limit_word(r->limit)); /* fits */
	else
		(void)snprintf(end->how, sizeof end->how, "%s %d", r->signal != 0 ? "signal" : "exit",
			       r->signal != 0 ? r->signal : r->exit_status); /* fits */
	if (ambit_event_failure(l->ev, &error) < 0)
		(void)err_why(&end->error,
			      err_set(&end->error, (enum ambit_code)error.code, error.hint, "%s", error.message), "%s",
			      error.why); /* told later */
}

bool lent_step(struct lent *l)
{
	if (l->ev == NULL)
		return false;
	if (l->until_ms != 0 && clock_ms() >= l->until_ms) {
		l->until_ms = 0;
		l->late = true;
		lent_kill(l);
	}
	if (ambit_event_step(l->ev, NULL) != 1)
		return false;
	tell_end(l);
	ambit_event_free(l->ev);
	l->ev = NULL;
	l->state = LENT_OVER;
	l->until_ms = 0;
	return true;
}

bool lent_hear(struct lent *l)
{
	ROOM_TO_READ char any[4096];
	const ssize_t n = read(l->bell_fd, any, sizeof any);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&l->bell_fd); /* the cell has no end of it any more */
	if (n <= 0)
		return false;
	l->warm = true;
	l->quiet_ms = clock_ms() + LENT_QUIET_MS;
	return true;
}

static int sooner(int timeout, uint64_t at_ms)
{
	const uint64_t now = clock_ms();
	const uint64_t left = at_ms > now ? at_ms - now : 0;

	return timeout >= 0 && (uint64_t)timeout < left ? timeout : left > INT32_MAX ? INT32_MAX : (int)left;
}

int lent_patience(const struct lent *l, int timeout)
{
	if (l->until_ms != 0)
		timeout = sooner(timeout, l->until_ms);
	return l->quiet_ms > clock_ms() ? sooner(timeout, l->quiet_ms) : timeout;
}
