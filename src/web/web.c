#include "web/web.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"

#define MESSAGES_A_TURN 32
#define SOON_MS 200 /* time has something to do before long */
#define LATER_MS 1000
#define SELDOM_MS 30000

struct web *web_new(int owner, const struct web_begin *rules)
{
	struct web *w = calloc(1, sizeof *w);

	if (w == NULL) {
		fd_close(&owner);
		return NULL;
	}
	port_init(&w->owner, owner);
	w->rules = *rules;
	for (size_t i = 0; i < WEB_CONNS_MAX; i++)
		w->conns[i].fd = -1;
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++)
		w->servers[i].fd = -1;
	w->now_ms = clock_ms();
	return w;
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < WEB_CONNS_MAX; i++)
		if (w->conns[i].fd >= 0)
			conn_free(w, &w->conns[i]);
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++)
		if (w->servers[i].state != SERVER_NONE)
			session_end(w, &w->servers[i], NULL);
	keys_finish(&w->keys);
	port_finish(&w->owner);
	free(w);
}

/* ---- the command line ---- */

/* Others in place of those that there are: what comes from now on is checked by them. */
static bool take_keys(struct web *w, int fd)
{
	auto_buf body = { .max = 2048 };
	struct keys keys;
	struct err e;

	if (w->rules.auth != WEB_AUTH_OAUTH)
		return false;
	if (keys_read(&keys, fd, WEB_KEYS_MAX, &e) < 0) {
		wire_put_error(&body, &e);
		return port_send(&w->owner, WIRE_WEB_FAILED, &body, &e) == 0;
	}
	keys_finish(&w->keys);
	w->keys = keys;
	return true;
}

/* False: nothing more is there now. */
static bool hear_one(struct web *w)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[64];
	const int r = wire_receive(w->owner.fd, WIRE_OWNER, WIRE_RUNNING, room, sizeof room, &m);
	uint32_t number;

	if (r == -EAGAIN)
		return false;
	if (r > 0 && m.number == WIRE_WEB_CLIENT)
		conn_new(w, steal_fd(&m.fds[0]));
	else if (r > 0 && m.number == WIRE_WEB_KEYS)
		w->broken = !take_keys(w, m.fds[0]);
	else if (r > 0 && web_number_take(&m.body, &number))
		session_opened(w, number, m.n_fds > 0 ? steal_fd(&m.fds[0]) : -1);
	else
		w->broken = true;
	return !w->broken;
}

static void hear_owner(struct web *w)
{
	for (unsigned i = 0; i < MESSAGES_A_TURN && hear_one(w); i++)
		;
}

/* ---- turns ---- */

struct polled {
	size_t n;
	struct pollfd fds[1 + WEB_CONNS_MAX + WEB_SERVERS_MAX];
	struct conn *conns[1 + WEB_CONNS_MAX + WEB_SERVERS_MAX];
	struct server *servers[1 + WEB_CONNS_MAX + WEB_SERVERS_MAX];
};

static void gather(struct web *w, struct polled *p)
{
	p->n = 0;
	p->fds[p->n++] = (struct pollfd){ .fd = w->owner.fd,
					  .events = port_waits(&w->owner) ? POLLIN | POLLOUT : POLLIN };
	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		struct conn *c = &w->conns[i];

		if (c->fd < 0)
			continue;
		p->conns[p->n] = c;
		p->servers[p->n] = NULL;
		p->fds[p->n++] = (struct pollfd){ .fd = c->fd, .events = conn_wants(c) };
	}
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++) {
		struct server *s = &w->servers[i];
		const int events = (session_reads(w, s) ? POLLIN : 0) | (s->out.len > s->out_at ? POLLOUT : 0);

		if (s->state != SERVER_OPEN)
			continue;
		p->servers[p->n] = s;
		p->fds[p->n++] = (struct pollfd){ .fd = s->fd, .events = (short)events };
	}
}

/* Until when nothing happens but what somebody says. */
static int idle_ms(const struct web *w)
{
	int ms = -1;

	for (size_t i = 0; i < WEB_SERVERS_MAX; i++)
		if (w->servers[i].state != SERVER_NONE)
			ms = SELDOM_MS;
	for (size_t i = 0; i < WEB_CONNS_MAX; i++) {
		if (w->conns[i].fd >= 0 && ms != SOON_MS)
			ms = LATER_MS;
		if (w->conns[i].fd >= 0 && w->conns[i].state == CONN_WAITS)
			ms = SOON_MS;
	}
	return ms;
}

static void tick(struct web *w)
{
	for (size_t i = 0; i < WEB_SERVERS_MAX; i++)
		if (w->servers[i].state != SERVER_NONE)
			session_tick(w, &w->servers[i]);
	for (size_t i = 0; i < WEB_CONNS_MAX; i++)
		if (w->conns[i].fd >= 0)
			conn_tick(w, &w->conns[i]);
}

bool web_turn(struct web *w, int wait_ms)
{
	struct polled p;
	const int idle = idle_ms(w);

	gather(w, &p);
	if (poll(p.fds, (nfds_t)p.n, wait_ms >= 0 && (idle < 0 || wait_ms < idle) ? wait_ms : idle) < 0)
		return true;
	w->now_ms = clock_ms();
	/* Before the command line, which gives places that are free to others. */
	for (size_t i = 1; i < p.n; i++)
		if (p.servers[i] == NULL && p.conns[i]->fd == p.fds[i].fd && p.fds[i].revents != 0)
			conn_turn(w, p.conns[i], p.fds[i].revents);
	for (size_t i = 1; i < p.n; i++)
		if (p.servers[i] != NULL && p.servers[i]->state == SERVER_OPEN && p.servers[i]->fd == p.fds[i].fd)
			session_turn(w, p.servers[i], p.fds[i].revents);
	tick(w);
	if (p.fds[0].revents != 0)
		hear_owner(w);
	return !w->broken && port_flush(&w->owner);
}
