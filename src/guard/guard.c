#include "guard/guard.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define LINES_A_TURN 32
#define LINE_BYTES 16384 /* a longer one counts as several */
#define GONE (POLLHUP | POLLERR)

struct guard *guard_new(const int fds[4], int owner, const struct guard_begin *b)
{
	struct guard *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	side_init(&g->client, fds[0], fds[1]);
	side_init(&g->server, fds[3], fds[2]);
	port_init(&g->owner, owner);
	g->parts = GUARD_PARTS_MAX;
	g->answer_bytes = b->answer_bytes;
	g->tells_risk = b->tells_risk != 0;
	g->is_first = g->was_first = b->is_first != 0;
	memcpy(g->key, b->key, sizeof g->key);
	if (b->wants_items == 0 || (g->items = items_new(b->items_key)) != NULL)
		return g;
	guard_free(g);
	return NULL;
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		buf_finish(&g->asked[i].line);
		buf_finish(&g->called[i].line);
	}
	once_finish(g);
	side_finish(&g->client);
	side_finish(&g->server);
	port_finish(&g->owner);
	json_decref(g->envelope);
	free(g->items);
	free(g);
}

/* ---- one side ---- */

static bool hear_line(struct guard *g, struct side *s)
{
	const bool is_client = s == &g->client;
	const char *line;
	size_t n;

	switch (frame_next(&s->lines, s->said_all, &line, &n)) {
	case FRAME_NONE: return false;
	case FRAME_LINE: (is_client ? client_said : server_said)(g, line, n); return true;
	case FRAME_LONG: (is_client ? client_said_too_much : server_said_too_much)(g); return true;
	}
	return false;
}

/* Who floods waits; what a server says is held up by nothing but who reads it. */
static bool may_hear(struct guard *g, struct side *s)
{
	return !s->dry && side_has_room(&g->client) && side_has_room(&g->server) && !port_waits(&g->owner) &&
	       !pace_rests(&s->pace);
}

static void hear(struct guard *g, struct side *s)
{
	const size_t from = s->lines.from;

	s->dry = !hear_line(g, s);
	if (!s->dry)
		pace_take(&s->pace, 1 + (s->lines.from - from) / LINE_BYTES);
}

static void hear_all(struct guard *g, struct side *s)
{
	for (unsigned i = 0; i < LINES_A_TURN && may_hear(g, s); i++)
		hear(g, s);
}

/* ---- the command line ---- */

static bool told_by_owner(struct guard *g)
{
	auto_message m = { .n_fds = 0 };
	struct guard_word w;
	const int r = wire_receive(g->owner.fd, WIRE_OWNER, WIRE_RUNNING, g->room, sizeof g->room, &m);

	if (r == -EAGAIN)
		return true;
	return r > 0 && m.number == WIRE_GUARD_WORD && guard_word_take(&m.body, &w) &&
	       (guard_word(g, &w) || side_is_gone(&g->server)); /* what it is on was answered */
}

/* ---- turns ---- */

static bool is_asked(const struct guard *g)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (g->asked[i].state != PENDING_FREE && g->asked[i].state != PENDING_PERSON && !g->asked[i].cancelled)
			return true; /* who has gone does not say what their user does */
	return false;
}

/* Also who closed its input, and stays: it hears nothing any more, and what it had said was read. */
static bool server_is_gone(const struct guard *g)
{
	struct pollfd p = { .fd = g->server.in, .events = POLLIN };

	return side_is_gone(&g->server) || (g->server.deaf && g->server.dry && poll(&p, 1, 0) == 0);
}

static bool is_over(const struct guard *g)
{
	if (g->client.deaf || g->client.bytes.failed || g->server.bytes.failed || g->owner.fd < 0)
		return true;
	if (server_is_gone(g)) /* what waited was answered so: then there is nothing more to be had */
		return g->client.at == g->client.bytes.len;
	return side_is_gone(&g->client) && !is_asked(g) && g->client.at == g->client.bytes.len &&
	       !port_waits(&g->owner);
}

static void end_server(struct guard *g)
{
	if (server_is_gone(g))
		server_lost(g);
}

static int least(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static short reads(const struct guard *g, const struct side *s)
{
	return s->dry && !s->said_all && side_has_room(&g->client) && side_has_room(&g->server) ? POLLIN : 0;
}

static void wait_and_look(struct guard *g, int wait_ms)
{
	struct pollfd p[5] = {
		{ .fd = reads(g, &g->client) != 0 ? g->client.in : -1, .events = POLLIN },
		{ .fd = g->client.out, .events = g->client.bytes.len > g->client.at ? POLLOUT : 0 },
		{ .fd = reads(g, &g->server) != 0 ? g->server.in : -1, .events = POLLIN },
		{ .fd = g->server.deaf ? -1 : g->server.out,
		  .events = g->server.bytes.len > g->server.at ? POLLOUT : 0 },
		{ .fd = g->owner.fd, .events = (short)(POLLIN | (port_waits(&g->owner) ? POLLOUT : 0)) },
	};

	if (poll(p, 5, least(pace_timeout(&g->client.pace, wait_ms), pace_timeout(&g->server.pace, wait_ms))) <= 0)
		return;
	if ((p[1].revents & POLLERR) != 0)
		g->client.deaf = true;
	if ((p[3].revents & POLLERR) != 0)
		g->server.deaf = true;
	if ((p[0].revents & (POLLIN | GONE)) != 0)
		side_read(&g->client, g->page);
	if ((p[2].revents & (POLLIN | GONE)) != 0)
		side_read(&g->server, g->page);
	if (((p[4].revents & POLLOUT) != 0 && !port_flush(&g->owner)) ||
	    ((p[4].revents & (POLLIN | GONE)) != 0 && !told_by_owner(g)))
		port_finish(&g->owner);
}

bool guard_turn(struct guard *g, int wait_ms)
{
	hear_all(g, &g->client);
	hear_all(g, &g->server);
	side_give(&g->server);
	end_server(g);
	side_give(&g->client);
	if (is_over(g))
		return false;
	wait_and_look(g, may_hear(g, &g->client) || may_hear(g, &g->server) ? 0 : wait_ms);
	return true;
}
