#include "cli/guard_fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/guard_gate.h"
#include "lib/event.h"
#include "lib/public.h"
#include "lib/role.h"
#include "lib/stage.h"
#include "many/link.h"
#include "wire/wire.h"

#define MANY_FILES 64
#define MANY_MEMORY (UINT64_C(224) << 20)
#define END_MS 1000 /* one that has answered ends by itself in so long, or is told to; after that again it is killed */
#define FOREVER_MS 3600000u

struct fresh {
	struct gate *gate;        /* borrowed */
	struct ambit_event *role; /* owned */
	int sock;                 /* owned: to it */
	int epoll;                /* owned: all that is waited for */
	bool role_is_over;
	struct one {
		struct ambit_event *ev; /* owned; NULL: a free place */
		uint32_t number;
		bool good, told, ends;
		uint64_t ends_ms; /* by clock_ms, then it is told, */
		bool asked;       /* or it was, and is killed */
	} ones[MANY_SERVERS_MAX];
};

/* ---- beginning ---- */

static int watch(const struct fresh *f, int fd, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &ev) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for a server")
		       : 0;
}

static int introduce(struct fresh *f, int *to, int *from, struct err *e)
{
	const struct many_begin b = { .begin_ms = FOREVER_MS, .list_ms = FOREVER_MS, .fresh = 1 };
	auto_fd int hears = -1, says = -1;
	uint8_t room[64];
	struct buf body;
	int in[2], out[2], r;

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipes for the server");
	hears = in[0];
	if (pipe2(out, O_CLOEXEC) < 0) {
		fd_close(&in[1]);
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no pipes for the server");
	}
	says = out[1];
	buf_init_in(&body, room, sizeof room);
	many_server_put(&body, "first");
	r = wire_send(f->sock, WIRE_MANY_SERVER, &body, (int[]){ *to, *from }, 2);
	buf_init_in(&body, room, sizeof room);
	many_begin_put(&body, &b);
	r = r < 0 ? r : wire_send(f->sock, WIRE_MANY_BEGIN, &body, (int[]){ hears, says }, 2);
	fd_close(to);
	fd_close(from);
	*to = in[1];
	*from = out[0];
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot begin the gate") : 0;
}

int fresh_begin(struct gate *g, int *to, int *from, struct fresh **ret, struct err *e)
{
	static const struct role_bounds bounds = { .files = MANY_FILES, .memory_bytes = MANY_MEMORY };
	struct fresh *f = calloc(1, sizeof *f);
	int r;

	if (f == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the server");
	*ret = f;
	f->gate = g;
	f->sock = -1;
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = f->epoll < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot wait for servers")
			 : role_start_in_cell("ambit-many", &bounds, &f->role, &f->sock, e);
	r = r < 0 ? r : watch(f, f->sock, e);
	return r < 0 ? r : introduce(f, to, from, e);
}

int fresh_fd(const struct fresh *f)
{
	return f != NULL ? f->epoll : -1;
}

/* ---- one server ---- */

static int tell_done(const struct fresh *f, uint32_t number, const struct err *why)
{
	auto_buf body = { .max = 4096 };
	struct many_done d = { .number = number };

	if (why != NULL)
		d.why = *why;
	many_done_put(&body, &d);
	return wire_send(f->sock, WIRE_FRESH_DONE, &body, NULL, 0);
}

static int start(struct fresh *f, struct one *o, struct err *e)
{
	struct ambit_error told = { .size = sizeof told };
	auto_fd int to = -1, from = -1;
	const struct many_call c = { .number = o->number };
	uint8_t room[16];
	struct buf body;
	int r = gate_launch(f->gate, &o->ev, &to, &from, &told);

	if (r < 0)
		return err_set(e, (enum ambit_code)told.code, told.hint[0] != 0 ? told.hint : NULL, "%.300s",
			       told.message);
	r = watch(f, ambit_event_fd(o->ev), e);
	buf_init_in(&body, room, sizeof room);
	many_call_put(&body, &c);
	r = r < 0 ? r : wire_send(f->sock, WIRE_FRESH_GIVEN, &body, (int[]){ to, from }, 2);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot start a server") : 0;
}

static void drop(struct one *o)
{
	if (o->ev != NULL)
		ambit_event_free(o->ev);
	*o = (struct one){ .ev = NULL };
}

static int on_want(struct fresh *f, struct rbuf *body)
{
	struct one *o = NULL;
	struct many_call c;
	struct err e;
	int r;

	if (!many_call_take(body, &c))
		return -EPROTO;
	for (size_t i = 0; i < MANY_SERVERS_MAX && o == NULL; i++)
		o = f->ones[i].ev == NULL ? &f->ones[i] : NULL;
	if (o == NULL)
		return -EPROTO;
	o->number = c.number;
	if (start(f, o, &e) == 0)
		return 0;
	r = tell_done(f, c.number, &e);
	drop(o);
	return r;
}

static int on_over(struct fresh *f, struct rbuf *body)
{
	struct many_call c;

	if (!many_call_take(body, &c))
		return -EPROTO;
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++) {
		struct one *o = &f->ones[i];

		if (o->ev == NULL || o->number != c.number || o->ends) /* it is said once */
			continue;
		o->ends = true;
		o->good = c.good == 1;
		o->ends_ms = clock_ms() + END_MS;
		if (!o->good)
			(void)ambit_event_kill(o->ev, NULL);
		else if ((f->gate->o->event.changes & AMBIT_CHANGES_STAGE) == 0)
			event_change(o->ev, event_changes(o->ev) & ~(unsigned)AMBIT_CHANGES_STAGE);
	}
	return 0;
}

/* ---- its end ---- */

/* Whether what it changed is where the person said that it goes. */
static bool is_settled(const struct fresh *f, const struct one *o, struct err *e)
{
	const struct event_result *r = event_result(o->ev);
	const bool stays = (f->gate->o->event.changes & AMBIT_CHANGES_STAGE) != 0;

	switch (r->workspace) {
	case WORKSPACE_NONE:
	case WORKSPACE_DIRECT:
	case WORKSPACE_UNTOUCHED:
	case WORKSPACE_COMMITTED: return true;
	case WORKSPACE_STAGED:
	case WORKSPACE_KEPT:
		if (stays)
			return true;
		break;
	case WORKSPACE_DISCARDED: break;
	}
	(void)err_set(e, AMBIT_CONFLICT, "call it again, or ask the person to look: `ambit explain` with that event",
		      "it was done, and what it changed (%s) is not taken over: %.200s", r->event,
		      r->stage_error.code != AMBIT_OK ? r->stage_error.msg
		      : r->exit_status != 0           ? "the server did not end well behind its answer"
						      : "somebody else changed the same, or is to be asked first");
	return false;
}

/* One that ended well by itself, and has not answered so, was kept. */
static void throw_away(const struct one *o)
{
	const struct event_result *r = event_result(o->ev);
	struct stage_talk *t = NULL;
	struct stage_ask ask;
	struct err e;

	if (r->workspace != WORKSPACE_KEPT || stage_ask_init(&ask, STAGE_OP_DISCARD, &e) < 0)
		return;
	(void)snprintf(ask.event, sizeof ask.event, "%s", r->event); /* fits */
	if (stage_talk_start(&ask, -1, &t, &e) == 0)
		(void)stage_talk_wait(t, &e); /* else the person sees it in their list */
	stage_talk_free(t);
}

static int look_at(struct fresh *f, struct one *o)
{
	const uint64_t now = clock_ms();
	struct err e;
	int r = 0;

	if (ambit_event_step(o->ev, NULL) != 0) {
		const bool good = !o->good || is_settled(f, o, &e);

		if (o->ends && !o->good)
			throw_away(o);
		r = o->ends && !f->role_is_over ? tell_done(f, o->number, good ? NULL : &e) : 0;
		if (o->ends || f->role_is_over)
			drop(o);
		else
			o->told = true;
		return r == -EPIPE ? 0 : r;
	}
	if (!o->ends || now < o->ends_ms)
		return 0;
	if (o->asked)
		(void)ambit_event_kill(o->ev, NULL);
	else
		(void)ambit_event_signal(o->ev, SIGTERM, NULL);
	o->asked = true;
	o->ends_ms = now + END_MS;
	return 0;
}

/* ---- turns ---- */

static int hear(struct fresh *f)
{
	uint8_t room[64];
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(f->sock, WIRE_MANY, WIRE_RUNNING, room, sizeof room, &m);

	if (r == -EAGAIN)
		return 0;
	if (r > 0 && m.number == WIRE_FRESH_WANT)
		return on_want(f, &m.body);
	if (r > 0 && m.number == WIRE_FRESH_OVER)
		return on_over(f, &m.body);
	return r == 0 || r == -ECONNRESET ? 1 : -EPROTO;
}

int fresh_step(struct fresh *f, int *ret_wait_ms, bool *ret_over, struct err *e)
{
	struct pollfd p = { .fd = f->role_is_over ? -1 : f->sock, .events = POLLIN };
	int r = 0;

	(void)ambit_event_step(f->role, NULL);
	while (r == 0 && !f->role_is_over && poll(&p, 1, 0) > 0) {
		r = hear(f);
		if (r != 0)
			fresh_end(f);
	}
	*ret_over = f->role_is_over;
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++) {
		struct one *o = &f->ones[i];

		if (o->ev != NULL && (!o->told || o->ends) && r >= 0)
			r = look_at(f, o);
		if (o->ev != NULL && o->ends)
			*ret_wait_ms = *ret_wait_ms < 0 || *ret_wait_ms > 100 ? 100 : *ret_wait_ms;
		*ret_over = *ret_over && o->ev == NULL;
	}
	return r < 0 ? err_sys(e, AMBIT_PROTOCOL, -r, NULL, "the gate said what it may not") : 0;
}

void fresh_end(struct fresh *f)
{
	f->role_is_over = true;
	if (f->sock >= 0)
		(void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, f->sock, NULL);
	fd_close(&f->sock);
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++) {
		struct one *o = &f->ones[i];

		if (o->ev == NULL || o->ends)
			continue;
		o->ends = true;
		o->told = false;
		(void)ambit_event_kill(o->ev, NULL);
	}
}

void fresh_free(struct fresh *f)
{
	if (f == NULL)
		return;
	fresh_end(f);
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++)
		drop(&f->ones[i]);
	if (f->role != NULL)
		ambit_event_free(f->role);
	fd_close(&f->epoll);
	free(f);
}
