#include "bridge/bridge.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define PIPE_ATOMIC 4096u /* PIPE_BUF: what poll(2) says there is room for */
#define GONE (POLLHUP | POLLERR)

struct bridge *bridge_new(const struct url *url, const struct talk_net *net, int in, int out)
{
	struct bridge *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->url = url;
	b->net = net;
	b->in = in;
	b->out = out;
	b->params = json_object();
	frame_init(&b->lines);
	buf_init(&b->hello, BRIDGE_BODY_MAX);
	buf_init(&b->inited, BRIDGE_BODY_MAX);
	buf_init(&b->bytes, BRIDGE_OUT_MAX);
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		talk_init(&b->idle[i]);
	return b;
}

void bridge_free(struct bridge *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++)
		call_free(&b->calls[i]);
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		talk_close(&b->idle[i]);
	json_decref(b->params);
	json_decref(b->hello_id);
	buf_finish(&b->hello);
	buf_finish(&b->inited);
	frame_finish(&b->lines);
	buf_finish(&b->bytes);
	fd_close(&b->in);
	fd_close(&b->out);
	free(b);
}

/* ---- calls ---- */

struct call *call_new(struct bridge *b, enum call_kind kind)
{
	const size_t from = kind == CALL_REQUEST ? 0 : BRIDGE_REQUESTS_MAX;
	const size_t to = kind == CALL_REQUEST ? BRIDGE_REQUESTS_MAX : BRIDGE_CALLS_MAX;

	for (size_t i = from; i < to; i++) {
		struct call *c = &b->calls[i];

		if (c->kind != CALL_FREE)
			continue;
		*c = (struct call){ .of = b, .kind = kind };
		talk_init(&c->talk);
		sse_init(&c->events);
		buf_init(&c->body, BRIDGE_BODY_MAX);
		return c;
	}
	return NULL;
}

/* Its connection waits for another, if it can. */
static void keep(struct bridge *b, struct talk *t)
{
	const bool can = t->state == TALK_IDLE && t->idle_ms + TALK_IDLE_MS > clock_ms();

	for (size_t i = 0; i < BRIDGE_IDLE_MAX && can; i++)
		if (b->idle[i].state == TALK_CLOSED) {
			b->idle[i] = *t;
			talk_init(t);
			return;
		}
	talk_close(t);
}

void call_free(struct call *c)
{
	if (c->kind == CALL_FREE)
		return;
	keep(c->of, &c->talk);
	json_decref(c->id);
	buf_finish(&c->body);
	buf_finish(&c->request);
	sse_finish(&c->events);
	*c = (struct call){ .kind = CALL_FREE };
}

static void go_on(struct bridge *b, struct call *c)
{
	struct talk_ear ear = heard_ear;
	enum talk_result r;

	ear.arg = c;
	r = talk_turn(&c->talk, b->net, &ear);
	if (r != TALK_GOES)
		heard_end(b, c, r);
}

static void again(struct bridge *b, struct call *c)
{
	keep(b, &c->talk);
	if (!(c->request.len > 0 ? ask_again(b, c) : ask_stream(b, c)))
		heard_end(b, c, TALK_FAILED);
}

/* ---- the gate ---- */

static void give(struct bridge *b)
{
	while (!b->deaf && b->at < b->bytes.len) {
		struct pollfd p = { .fd = b->out, .events = POLLOUT };
		const size_t left = b->bytes.len - b->at;
		ssize_t n;

		if (poll(&p, 1, 0) <= 0 || (p.revents & (POLLOUT | GONE)) == 0)
			break;
		n = write(b->out, b->bytes.data + b->at, left < PIPE_ATOMIC ? left : PIPE_ATOMIC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		b->deaf = n < 0;
		b->at += n < 0 ? 0 : (size_t)n;
	}
	buf_drop(&b->bytes, b->deaf ? b->bytes.len : b->at);
	b->at = 0;
	if (b->bytes.len == 0 && b->bytes.cap > BRIDGE_OUT_LOW && !b->bytes.failed)
		buf_finish(&b->bytes);
}

static bool has_room(const struct bridge *b)
{
	return b->bytes.len < BRIDGE_OUT_LOW;
}

static void hear_gate(struct bridge *b)
{
	const char *line;
	size_t n;

	while (!said_must_wait(b) && has_room(b) && !b->over) {
		const enum frame_state s = frame_next(&b->lines, b->said_all, &line, &n);

		if (s == FRAME_NONE)
			return;
		if (s == FRAME_LINE)
			said_line(b, line, n);
		else
			b->over = true; /* the gate says no such thing */
	}
}

static void read_gate(struct bridge *b)
{
	const ssize_t n = read(b->in, b->page, sizeof b->page);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || !frame_add(&b->lines, b->page, (size_t)n))
		b->said_all = true;
}

/* The gate has said all, and waits for nothing: the server is told, if there is a session. */
static void say_bye(struct bridge *b)
{
	struct call *c;

	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++)
		if (b->calls[i].kind == CALL_REQUEST || b->calls[i].kind == CALL_STREAM)
			call_free(&b->calls[i]);
	b->bye_ms = clock_ms() + BRIDGE_BYE_MS;
	c = b->session[0] == 0 ? NULL : call_new(b, CALL_BYE);
	if (c != NULL && ask_bye(b, c))
		return;
	b->over = true;
}

/* ---- turns ---- */

static bool is_due(struct call *c, uint64_t now)
{
	if (c->opens_ms <= now)
		c->opens_ms = 0; /* it is not waited for any longer */
	return c->again_ms != 0 && c->again_ms <= now;
}

static uint64_t soonest(uint64_t next, uint64_t at)
{
	return at != 0 && at < next ? at : next;
}

/* When something is to be done that nothing is heard of. */
static int wait_of(const struct bridge *b, uint64_t now, int wait_ms)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < BRIDGE_CALLS_MAX && has_room(b); i++) { /* else none goes on */
		if (b->calls[i].kind != CALL_FREE && b->calls[i].talk.more)
			return 0;
		next = soonest(next, b->calls[i].again_ms);
		next = soonest(next, b->calls[i].opens_ms);
	}
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		if (b->idle[i].state == TALK_IDLE)
			next = soonest(next, b->idle[i].idle_ms + TALK_IDLE_MS);
	next = soonest(next, b->bye_ms);
	if (next == UINT64_MAX)
		return wait_ms;
	next = next <= now ? 0 : next - now;
	return wait_ms >= 0 && (uint64_t)wait_ms < next ? wait_ms : (int)(next < 60000 ? next : 60000);
}

#define POLLED (2 + BRIDGE_CALLS_MAX + BRIDGE_IDLE_MAX)

static void list_all(const struct bridge *b, struct pollfd p[POLLED])
{
	p[0] = (struct pollfd){ .fd = b->said_all || said_must_wait(b) || !has_room(b) ? -1 : b->in, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = b->deaf ? -1 : b->out, .events = b->bytes.len > 0 ? POLLOUT : 0 };
	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++) {
		const struct talk *t = &b->calls[i].talk;
		const bool open = b->calls[i].kind != CALL_FREE && t->state != TALK_CLOSED && b->calls[i].again_ms == 0;

		p[2 + i] = (struct pollfd){ .fd = open && has_room(b) ? t->fd : -1, .events = t->events };
	}
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		p[2 + BRIDGE_CALLS_MAX + i] = (struct pollfd){ .fd = b->idle[i].state == TALK_IDLE ? b->idle[i].fd : -1,
							       .events = POLLIN };
}

/* One that is too old, or says something unasked, is never asked on. */
static void look_at_idle(struct bridge *b, const struct pollfd *p, uint64_t now)
{
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		if (b->idle[i].state == TALK_IDLE && (p[i].revents != 0 || b->idle[i].idle_ms + TALK_IDLE_MS <= now))
			talk_close(&b->idle[i]);
}

static void wait_and_look(struct bridge *b, int wait_ms)
{
	struct pollfd p[POLLED];
	uint64_t now = clock_ms();

	list_all(b, p);
	if (poll(p, POLLED, wait_of(b, now, wait_ms)) < 0)
		return;
	now = clock_ms();
	b->deaf = b->deaf || (p[1].revents & POLLERR) != 0;
	look_at_idle(b, p + 2 + BRIDGE_CALLS_MAX, now);
	for (size_t i = 0; i < BRIDGE_CALLS_MAX && has_room(b); i++) {
		struct call *c = &b->calls[i];

		if (c->kind != CALL_FREE && is_due(c, now))
			again(b, c);
		else if (c->kind != CALL_FREE && c->again_ms == 0 && (p[2 + i].revents != 0 || c->talk.more))
			go_on(b, c);
	}
	if ((p[0].revents & (POLLIN | GONE)) != 0)
		read_gate(b);
}

bool bridge_turn(struct bridge *b, int wait_ms)
{
	hear_gate(b);
	/* a gate that ended closes both ways at once, and either may be seen first */
	if (b->bye_ms == 0 && (b->deaf || (b->said_all && !said_must_wait(b) && b->lines.from == b->lines.bytes.len)))
		say_bye(b);
	give(b);
	if (b->bytes.failed || b->over || (b->bye_ms != 0 && clock_ms() >= b->bye_ms))
		return false;
	wait_and_look(b, wait_ms);
	return true;
}
