#include "net/gate.h"

#include <errno.h>
#include <unistd.h>

#define TURN 16 /* times that the client is listened to, before others have their turn */

void gate_init(struct gate *g, const struct host_name *granted, bool may_hide)
{
	screen_init(&g->screen, granted, may_hide);
	buf_init(&g->held, GATE_HELD_MAX);
	g->passes = 0;
	pump_init(&g->up);
	pump_init(&g->down);
}

void gate_finish(struct gate *g)
{
	buf_finish(&g->held);
	pump_finish(&g->up);
	pump_finish(&g->down);
}

/* -errno; also of what is not there just now. */
static ssize_t hear(int fd, void *bytes, size_t n)
{
	ssize_t r;

	do
		r = read(fd, bytes, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* ---- up ---- */

/* Looks at what is held, when there is more of it, or when it may be more than it was. */
static void look(struct gate *g)
{
	struct rbuf in;

	if (g->held.len > g->passes) {
		rbuf_init(&in, g->held.data, g->held.len);
		(void)rbuf_bytes(&in, g->passes);
		g->passes += screen_client(&g->screen, in.data + in.at, rbuf_left(&in));
	}
	if (g->up.ended)
		screen_client_ended(&g->screen, g->held.len - g->passes);
}

static enum pump_state pass(struct gate *g, int host)
{
	while (g->passes > 0) {
		const ssize_t n = write(host, g->held.data, g->passes);

		if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? PUMP_WAITS : PUMP_BROKEN;
		buf_drop(&g->held, n > 0 ? (size_t)n : 0);
		g->passes -= n > 0 ? (size_t)n : 0;
	}
	if (g->held.len == 0)
		buf_finish(&g->held);
	return PUMP_MORE;
}

static enum pump_state listen_to(struct gate *g, const struct gate_room *room, int client)
{
	const size_t left = GATE_HELD_MAX - g->held.len;
	ssize_t n;

	if (left == 0 || g->up.ended)
		return PUMP_WAITS;
	n = hear(client, room->bytes, left < room->size ? left : room->size);
	if (n < 0)
		return n == -EAGAIN ? PUMP_WAITS : PUMP_BROKEN;
	g->up.ended = n == 0;
	buf_put(&g->held, room->bytes, (size_t)n);
	return g->held.failed ? PUMP_BROKEN : PUMP_MORE;
}

enum pump_state gate_up(struct gate *g, const struct gate_room *room, int client, int host)
{
	for (unsigned turn = 0; turn < TURN; turn++) {
		enum pump_state state;

		look(g);
		if (g->screen.state == SCREEN_REFUSED)
			return PUMP_BROKEN;
		state = pass(g, host);
		if (state == PUMP_MORE && g->screen.state == SCREEN_OPEN)
			return pump_run(&g->up, room->pipes, client, host);
		if (state == PUMP_MORE)
			state = listen_to(g, room, client);
		if (state != PUMP_MORE)
			return state;
	}
	return PUMP_MORE;
}

/* ---- down ---- */

/* The server's answer, which is looked at and passed on. */
static enum pump_state answer(struct gate *g, const struct gate_room *room, int host)
{
	const ssize_t n = hear(host, room->bytes, PUMP_PUT_MAX);

	if (n < 0)
		return n == -EAGAIN ? PUMP_WAITS : PUMP_BROKEN;
	if (n == 0) {
		g->down.ended = true;
		screen_host_ended(&g->screen);
		return PUMP_MORE;
	}
	screen_host(&g->screen, room->bytes, (size_t)n);
	return pump_put(&g->down, room->pipes, room->bytes, (size_t)n) ? PUMP_MORE : PUMP_BROKEN;
}

enum pump_state gate_down(struct gate *g, const struct gate_room *room, int client, int host)
{
	for (unsigned turn = 0; turn < TURN; turn++) {
		enum pump_state state;

		if (g->screen.state != SCREEN_ANSWER)
			return pump_run(&g->down, room->pipes, host, client);
		state = pump_flush(&g->down, room->pipes, client);
		state = state == PUMP_MORE ? answer(g, room, host) : state;
		if (state != PUMP_MORE)
			return state;
	}
	return PUMP_MORE;
}
