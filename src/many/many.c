#include "many/many.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

#define LINES_A_TURN 32
#define LINE_BYTES 16384 /* a longer one counts as several */
#define GONE (POLLHUP | POLLERR)

struct many *many_new(int owner)
{
	struct many *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	port_init(&m->owner, owner);
	side_init(&m->client, -1, -1);
	m->known = calloc(MANY_KNOWN_MAX, sizeof *m->known);
	m->shadows = calloc(MANY_LIKES_MAX, sizeof *m->shadows);
	if (m->known != NULL && m->shadows != NULL)
		return m;
	many_free(m);
	return NULL;
}

bool many_add(struct many *m, const char *name, int to, int from)
{
	struct server *s = &m->servers[m->n];

	if (m->n == MANY_SERVERS_MAX || !text_copy(s->name, sizeof s->name, name)) {
		fd_close(&to);
		fd_close(&from);
		return false;
	}
	side_init(&s->side, from, to);
	m->n++;
	return true;
}

bool many_liked(struct many *m, const struct many_like *l)
{
	if (m->n_likes == MANY_LIKES_MAX)
		return false;
	m->likes[m->n_likes++] = *l;
	return true;
}

void many_begin(struct many *m, const struct many_begin *b, int in, int out)
{
	m->patience = *b;
	m->fresh = b->fresh != 0;
	for (unsigned i = m->n; i < MANY_SERVERS_MAX; i++) {
		m->servers[i].state = SERVER_GONE;
		side_init(&m->servers[i].side, -1, -1);
	}
	m->client.in = in;
	m->client.out = out;
}

void many_free(struct many *m)
{
	if (m == NULL)
		return;
	side_finish(&m->client);
	port_finish(&m->owner);
	for (unsigned i = 0; i < m->n; i++) {
		side_finish(&m->servers[i].side);
		json_decref(m->servers[i].can);
	}
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++) {
		struct gather *g = &m->gathers[i];

		for (unsigned k = 0; k < MANY_SERVERS_MAX; k++)
			json_decref(g->said[k]);
		json_decref(g->params);
		json_decref(g->refusal);
		json_decref(g->told);
	}
	for (size_t i = 0; i < GATHER_COUNT; i++) {
		json_decref(m->kept[i].items);
		json_decref(m->kept[i].frame);
	}
	for (size_t i = 0; i < MANY_HELD_MAX; i++)
		buf_finish(&m->held[i].line);
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++)
		buf_finish(&m->calls[i].line);
	free(m->first);
	free(m->begin);
	free(m->known);
	free(m->shadows);
	free(m);
}

/* ---- one side ---- */

static bool hear_line(struct many *m, struct side *s, int server)
{
	const char *line;
	size_t n;

	switch (frame_next(&s->lines, s->said_all, &line, &n)) {
	case FRAME_NONE: return false;
	case FRAME_LINE:
		if (server < 0)
			(m->fresh ? fresh_client_line : client_line)(m, line, n);
		else
			(m->fresh ? fresh_server_line : server_line)(m, (unsigned)server, line, n);
		return true;
	case FRAME_LONG:
		if (server < 0)
			client_long(m);
		else if (m->fresh)
			s->said_all = true; /* whose answer it was is not known */
		return true;                /* gates say none */
	}
	return false;
}

/* What one says is held up by nothing but itself, and who hears it. */
static bool may_hear(struct many *m, struct side *s)
{
	return !s->dry && side_has_room(&m->client) && !port_waits(&m->owner) && !pace_rests(&s->pace);
}

static void hear(struct many *m, struct side *s, int server)
{
	for (unsigned i = 0; i < LINES_A_TURN && may_hear(m, s); i++) {
		const size_t from = s->lines.from;

		s->dry = !hear_line(m, s, server);
		if (!s->dry)
			pace_take(&s->pace, 1 + (s->lines.from - from) / LINE_BYTES);
	}
}

/* ---- turns ---- */

static bool is_asked(const struct many *m)
{
	for (size_t i = 0; i < MANY_ASKED_MAX; i++) {
		const struct asked *a = &m->asked[i];

		if (a->used && !a->cancelled && a->late == GATHER_COUNT &&
		    (a->gather == NULL || a->gather->until_ms != 0)) /* what is listened to has no end */
			return true;
	}
	for (size_t i = 0; i < MANY_HELD_MAX; i++)
		if (m->held[i].id[0] != 0)
			return true;
	for (size_t i = 0; i < MANY_SERVERS_MAX; i++)
		if (m->calls[i].state != CALL_NONE && !m->calls[i].cancelled)
			return true;
	return false;
}

static bool are_gone(const struct many *m)
{
	for (unsigned i = 0; i < (m->fresh ? 1 : m->n); i++)
		if (m->servers[i].state != SERVER_GONE)
			return false;
	return true;
}

static bool is_over(const struct many *m)
{
	const bool told = m->client.at == m->client.bytes.len;

	if (m->client.deaf || m->client.bytes.failed || m->owner.fd < 0)
		return true;
	return told && (are_gone(m) || (side_is_gone(&m->client) && !is_asked(m) && !port_waits(&m->owner)));
}

static short reads(const struct many *m, const struct side *s)
{
	return s->dry && !s->said_all && side_has_room(&m->client) ? POLLIN : 0;
}

static void poll_for(const struct many *m, struct pollfd p[2 * MANY_SERVERS_MAX + 3])
{
	p[0] = (struct pollfd){ .fd = m->owner.fd, .events = (short)(POLLIN | (port_waits(&m->owner) ? POLLOUT : 0)) };
	for (unsigned i = 0; i <= m->n; i++) {
		const struct side *s = i == 0 ? &m->client : &m->servers[i - 1].side;

		p[1 + 2 * i] = (struct pollfd){ .fd = reads(m, s) != 0 ? s->in : -1, .events = POLLIN };
		p[2 + 2 * i] = (struct pollfd){ .fd = s->deaf ? -1 : s->out,
						.events = s->bytes.len > s->at ? POLLOUT : 0 };
	}
}

static bool told_by_owner(struct many *m)
{
	auto_message msg = { .n_fds = 0 };
	struct many_call call;
	struct many_done done;
	const int r = wire_receive(m->owner.fd, WIRE_OWNER, WIRE_RUNNING, m->room, sizeof m->room, &msg);

	if (r == -EAGAIN)
		return true;
	if (r <= 0 || !m->fresh)
		return false;
	if (msg.number == WIRE_FRESH_GIVEN && many_call_take(&msg.body, &call))
		fresh_given(m, call.number, steal_fd(&msg.fds[0]), steal_fd(&msg.fds[1]));
	else if (msg.number == WIRE_FRESH_DONE && many_done_take(&msg.body, &done))
		fresh_done(m, &done);
	else
		return false;
	return true;
}

static void look_at_owner(struct many *m, short revents)
{
	if (((revents & POLLOUT) != 0 && !port_flush(&m->owner)) ||
	    ((revents & (POLLIN | GONE)) != 0 && !told_by_owner(m)))
		port_finish(&m->owner);
}

static int least(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void wait_and_look(struct many *m, int wait_ms)
{
	struct pollfd p[2 * MANY_SERVERS_MAX + 3];

	poll_for(m, p);
	wait_ms = pace_timeout(&m->client.pace, wait_ms);
	for (unsigned i = 0; i < m->n; i++)
		wait_ms = least(wait_ms, pace_timeout(&m->servers[i].side.pace, -1));
	if (poll(p, 2 * m->n + 3, wait_ms) <= 0)
		return;
	look_at_owner(m, p[0].revents);
	for (unsigned i = 0; i <= m->n; i++) {
		struct side *s = i == 0 ? &m->client : &m->servers[i - 1].side;

		if ((p[2 + 2 * i].revents & POLLERR) != 0)
			s->deaf = true;
		if ((p[1 + 2 * i].revents & (POLLIN | GONE)) != 0)
			side_read(s, m->page);
	}
}

static bool is_busy(struct many *m)
{
	bool any = may_hear(m, &m->client);

	for (unsigned i = 0; i < m->n; i++)
		any = any || (m->servers[i].state != SERVER_GONE && may_hear(m, &m->servers[i].side));
	return any;
}

bool many_turn(struct many *m, int wait_ms)
{
	hear(m, &m->client, -1);
	for (unsigned i = 0; i < m->n; i++) {
		struct server *s = &m->servers[i];

		if (s->state == SERVER_GONE)
			continue;
		hear(m, &s->side, (int)i);
		if (side_is_gone(&s->side) || s->side.bytes.failed)
			(m->fresh ? fresh_server_ended : server_ended)(m, i);
		side_give(&s->side);
	}
	wait_ms = gather_look(m, wait_ms);
	side_give(&m->client);
	if (side_has_room(&m->client) && gather_is_due(m)) /* there was none for it before */
		wait_ms = 0;
	if (is_over(m))
		return false;
	wait_and_look(m, is_busy(m) ? 0 : wait_ms);
	return true;
}
