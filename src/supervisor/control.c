#include "supervisor/control.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "wire/wire.h"

void control_init(struct control *c)
{
	c->listener = -1;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].sock = -1;
}

int control_open(struct control *c, const char *event, struct err *e)
{
	auto_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;
	const socklen_t n = reach_address(event, &name);

	if (sock < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make the event's control socket");
	if (bind(sock, (const struct sockaddr *)&name, n) < 0)
		return err_sys(e, errno == EADDRINUSE ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno,
			       "run it again: it gets another name; `grep ambit/ /proc/net/unix` shows who listens",
			       "cannot take the name of the event's control socket");
	if (listen(sock, CONTROL_CLIENTS) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot listen at the event's control socket");
	c->listener = steal_fd(&sock);
	return 0;
}

/* ---- who is connected ---- */

static void drop(struct control_client *client)
{
	fd_close(&client->sock);
}

/* A free place, or that of whoever has been here longest and waits for nothing; NULL: all wait for the dialer, or the cell. */
static struct control_client *make_room(struct control *c)
{
	struct control_client *oldest = NULL;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &c->clients[i];

		if (client->waits > 0 || client->holds)
			continue;
		if (client->sock < 0)
			return client;
		if (oldest == NULL || client->number < oldest->number)
			oldest = client;
	}
	return oldest;
}

static bool is_owner(int sock, uid_t *ret)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof peer;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*ret = peer.uid;
	return peer.uid == getuid() || peer.uid == 0;
}

static void admit(struct control *c)
{
	auto_fd int sock = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control_client *client;
	uid_t uid;

	if (sock < 0 || !is_owner(sock, &uid))
		return;
	client = make_room(c);
	if (client == NULL)
		return;
	drop(client);
	*client = (struct control_client){ .sock = steal_fd(&sock), .uid = uid, .number = ++c->number };
}

/* ---- answers ---- */

static void answer(struct control_client *client, enum wire_number number, const struct buf *body)
{
	if (client->sock >= 0 && wire_send(client->sock, number, body, NULL, 0) < 0)
		drop(client);
}

static void answer_done(struct control_client *client, enum reach_result result)
{
	const struct reach_done d = { .index = client->grant, .result = result, .connections = client->connections };
	uint8_t room[12];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	reach_put_done(&b, &d);
	answer(client, WIRE_CONTROL_DONE, &b);
}

static void answer_event(struct control *c, struct control_client *client)
{
	struct reach_event e = { .begun_ms = c->begun_ms,
				 .grants = c->q->grants.count,
				 .withdrawn = c->n_withdrawn,
				 .freeze = !c->freeze->is_wanted ? REACH_RUNS
					   : c->freeze->is_true  ? REACH_FROZEN
								 : REACH_FREEZES };
	char place[GRANT_OBJECT_MAX];
	struct stat st;
	struct buf b;

	if (frozen_place(c->q->store, place) && stat(place, &st) == 0) {
		e.dev = st.st_dev;
		e.ino = st.st_ino;
	}
	(void)text_copy(e.session, sizeof e.session, c->q->session); /* same size */
	(void)text_copy(e.parent, sizeof e.parent, c->q->parent);
	(void)text_copy(e.command, sizeof e.command, c->q->command);
	buf_init_in(&b, c->room, sizeof c->room);
	reach_put_event(&b, &e);
	answer(client, WIRE_CONTROL_TOLD, &b);
}

static void answer_grant(struct control *c, struct control_client *client)
{
	const uint32_t i = client->grant;
	const struct grant_set *set = &c->q->grants;
	static struct reach_grant g; /* four kilobytes, and one thread */
	struct buf b;

	memset(&g, 0, sizeof g);
	g.index = i;
	g.verb = (enum grant_verb)set->grants[i].verb;
	g.withdrawn = c->withdrawn[i];
	g.live = client->connections;
	(void)text_copy(g.id, sizeof g.id, c->q->grant_ids[i]); /* same size */
	memcpy(g.object, grant_object(set, i), grant_told(set, i));
	buf_init_in(&b, c->room, sizeof c->room);
	reach_put_grant(&b, &g);
	answer(client, WIRE_CONTROL_GRANT, &b);
}

/* All that it asked of the dialer is known. */
static void conclude(struct control *c, struct control_client *client)
{
	client->waits = 0;
	if (!client->revokes) {
		answer_grant(c, client);
		return;
	}
	if (!client->again)
		c->tell(c->user, client->grant, client->uid, client->connections);
	answer_done(client, client->again ? REACH_ALREADY : REACH_WITHDRAWN);
}

/* ---- questions ---- */

/* Where the dialer is gone nothing is connected any more, and there is nothing to wait for: the relay ends with it. */
static void ask_dialer(struct control *c, struct control_client *client)
{
	const int n = network_ask(c->network, c->spec, &c->q->grants, client->grant, client->number, client->revokes);

	client->connections = 0;
	client->waits = n > 0 ? (uint32_t)n : 0;
	if (client->waits == 0)
		conclude(c, client);
}

static void begin(struct control *c, struct control_client *client, uint32_t index, bool revokes)
{
	client->grant = index;
	client->revokes = revokes;
	client->connections = 0;
	if (index >= c->q->grants.count) {
		answer_done(client, REACH_NO_GRANT);
	} else if (c->q->grants.grants[index].verb == VERB_CONNECT ||
		   c->q->grants.grants[index].verb == VERB_DELEGATE) {
		client->again = c->withdrawn[index];
		c->n_withdrawn += revokes && !c->withdrawn[index];
		c->withdrawn[index] = c->withdrawn[index] || revokes;
		ask_dialer(c, client);
	} else if (revokes) {
		answer_done(client, REACH_LASTING);
	} else {
		answer_grant(c, client);
	}
}

static void order(struct control *c, struct control_client *client, enum control_order what, struct rbuf *body)
{
	char reason[FROZEN_REASON_MAX] = "";

	if (what == CONTROL_FREEZE && !reach_take_reason(body, reason)) {
		drop(client);
		return;
	}
	client->holds = true;
	c->order(c->user, what, client->uid, reason);
}

void control_held(struct control *c, const struct reach_held *h)
{
	uint8_t room[12];
	struct buf b;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		if (!c->clients[i].holds)
			continue;
		buf_init_in(&b, room, sizeof room);
		reach_put_held(&b, h);
		answer(&c->clients[i], WIRE_CONTROL_HELD, &b);
		c->clients[i].holds = false;
	}
}

static void take(struct control *c, struct control_client *client)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(client->sock, WIRE_OWNER, WIRE_RUNNING, c->room, sizeof c->room, &m);

	if (r <= 0) { /* it went, or said what is in no table */
		if (r != -EAGAIN)
			drop(client);
	} else if (m.number == WIRE_CONTROL_EVENT) {
		answer_event(c, client);
	} else if (m.number == WIRE_CONTROL_FREEZE) {
		order(c, client, CONTROL_FREEZE, &m.body);
	} else if (m.number == WIRE_CONTROL_THAW) {
		order(c, client, CONTROL_THAW, &m.body);
	} else if (m.number == WIRE_CONTROL_KILL) {
		order(c, client, CONTROL_KILL, &m.body);
	} else {
		begin(c, client, rbuf_u32(&m.body), m.number == WIRE_CONTROL_REVOKE);
	}
}

/* ---- the dialer ---- */

static bool listens_to_dialer(const struct control *c)
{
	if (network_is_judged(c->network))
		return true;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].waits > 0)
			return true;
	return false;
}

static void conclude_all(struct control *c)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].waits > 0)
			conclude(c, &c->clients[i]);
}

static void on_dialer(struct control *c)
{
	struct link_live live;
	const int r = network_hear(c->network, &live);

	if (r < 0)
		conclude_all(c);
	if (r <= 0)
		return;
	if (live.number == 0)
		c->answered(c->user);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &c->clients[i];

		if (client->waits == 0 || client->number != live.number)
			continue;
		client->connections += live.connections;
		if (--client->waits == 0)
			conclude(c, client);
	}
}

/* ---- the loop ---- */

void control_watch(const struct control *c, struct pollfd *p)
{
	p[0] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = listens_to_dialer(c) ? c->network->dialer : -1, .events = POLLIN };
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		p[2 + i] = (struct pollfd){ .fd = c->clients[i].waits > 0 || c->clients[i].holds ? -1
												 : c->clients[i].sock,
					    .events = POLLIN };
}

void control_serve(struct control *c, const struct pollfd *p)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (p[2 + i].revents != 0)
			take(c, &c->clients[i]);
	if (p[1].revents != 0)
		on_dialer(c);
	if (p[0].revents != 0)
		admit(c); /* at last: it may take the place of one of the others */
}

void control_finish(struct control *c)
{
	conclude_all(c);
	control_held(c, &(struct reach_held){ .result = REACH_ENDED });
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		drop(&c->clients[i]);
	fd_close(&c->listener);
}
