#include "net/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "core/sockaddr.h"
#include "net/gate.h"
#include "net/link.h"
#include "net/responder.h"
#include "net/targets.h"
#include "wire/wire.h"

#define EVENTS 64
#define NAMES_UDP RESPONDER_CLIENTS /* beside the indices of its clients */
#define NAMES_TCP (RESPONDER_CLIENTS + 1)
#define ACCEPTS 16 /* of one endpoint, before others have their turn */

/* Of what clients said and nobody has judged yet, all together. Four thousand bytes for each of as many connections as there may be: nobody
 * who says what is usual, and it is less than that, ever waits in vain for the sake of others. */
#define HELD_MAX (LINK_CONNECTIONS_MAX * 4096u)

/* Descriptors: of a connection at most two sockets, and a pipe for each direction; besides, the standard ones, the dialer's socket, epoll's, one
 * that just came, and the responder's. */
#define FILES_EACH 6
#define FILES_BESIDE (8 + RESPONDER_CLIENTS + 2)

enum source { FROM_SUPERVISOR, FROM_DIALER, FROM_LISTENER, FROM_CONNECTION, FROM_NAMES };

enum connection_state { FREE, DIALING, OPEN };

struct connection {
	uint8_t state; /* enum connection_state */
	bool up_done, down_done;
	bool waits_turn;  /* in `turns` */
	uint32_t next;    /* of the free ones; LINK_CONNECTIONS_MAX: none */
	int client, host; /* owned; -1 */
	uint32_t endpoint;
	uint64_t since;    /* a number that only grows, when it was opened */
	size_t held_bytes; /* of memory that its gate has, as it was counted */
	struct gate gate;
};

struct relay {
	int epoll_fd;               /* owned */
	int supervisor;             /* borrowed */
	int dialer;                 /* owned, -1 until it came */
	uint32_t asked, asked_held; /* of the dialer, and not answered: all, and those of grants that are held */
	bool listens[2];            /* the listeners are watched: the others, and those that lead to such a grant */
	bool arrives;               /* somebody came from outside: more may */
	bool still, tells_still;    /* nothing passes; and that is to be said when this turn is over */
	uint32_t files;             /* descriptors that may be had */
	uint32_t n_listeners, n_connections;   /* which take them */
	int listener[LINK_LISTENERS_MAX];      /* owned */
	uint32_t endpoint[LINK_LISTENERS_MAX]; /* that it is of; LINK_BY_ADDRESS: which, is the address's to say */
	uint16_t port[LINK_LISTENERS_MAX];
	bool held[LINK_LISTENERS_MAX];
	struct targets targets;
	struct responder responder;
	uint32_t free; /* the first free connection */
	struct connection
		connections[LINK_NUMBERS_MAX];     /* from LINK_CONNECTIONS_MAX on arrivals, numbered by the dialer */
	uint32_t turns[LINK_NUMBERS_MAX], n_turns; /* connections that could go on */
	struct pipes pipes;
	uint64_t opened;                                 /* connections, so far */
	size_t held_bytes;                               /* HELD_MAX at most, between two events */
	struct link_refused refused[LINK_ENDPOINTS_MAX]; /* by endpoint */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static int watch(struct relay *r, int fd, uint32_t events, enum source source, uint32_t index)
{
	struct epoll_event want = { .events = events, .data.u64 = (uint64_t)source << 32 | index };

	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &want) < 0 ? -errno : 0;
}

/* ---- connections ---- */

static uint32_t index_of(const struct relay *r, const struct connection *c)
{
	return (uint32_t)(c - r->connections);
}

/* Whoever is at the other end is told that it was broken off (RST). */
static void reset(int *fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (*fd >= 0)
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	fd_close(fd);
}

_Static_assert(LINK_REFUSED_BYTES_MAX <= WIRE_BODY_MAX && LINK_NAMES_BYTES_MAX <= WIRE_BODY_MAX, "a report fits");

static int send_two(struct relay *r, enum wire_number number, uint32_t a, uint32_t b)
{
	uint8_t body[8];
	struct buf out;

	buf_init_in(&out, body, sizeof body);
	buf_put_u32(&out, a);
	buf_put_u32(&out, b);
	return wire_write(r->dialer, number, &out);
}

static void count_held(struct relay *r, struct connection *c)
{
	r->held_bytes = r->held_bytes - c->held_bytes + c->gate.held.cap;
	c->held_bytes = c->gate.held.cap;
}

/* Closing does not do it: the dialer has copies, and of an arrival it uses one again. */
static void unwatch(struct relay *r, const struct connection *c)
{
	(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, c->client, NULL); /* it may not have come to that */
	(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, c->host, NULL);
}

static int end(struct relay *r, struct connection *c, bool broken)
{
	const bool was_open = c->state == OPEN;

	if (was_open)
		unwatch(r, c);
	if (broken) {
		reset(&c->client);
		reset(&c->host);
	}
	fd_close(&c->client);
	fd_close(&c->host);
	gate_finish(&c->gate);
	count_held(r, c);
	c->state = FREE;
	r->n_connections--;
	if (index_of(r, c) < LINK_CONNECTIONS_MAX) {
		c->next = r->free;
		r->free = index_of(r, c);
	}
	return was_open ? send_two(r, WIRE_DIAL_CLOSE, index_of(r, c), broken) : 0;
}

static void want_turn(struct relay *r, struct connection *c)
{
	if (c->waits_turn)
		return;
	c->waits_turn = true;
	r->turns[r->n_turns++] = index_of(r, c);
}

static void count_refused(struct relay *r, const struct connection *c)
{
	const struct screen *s = &c->gate.screen;
	struct link_refused *refused = &r->refused[c->endpoint];

	if (refused->times[s->reason] < UINT32_MAX)
		refused->times[s->reason]++;
	if (s->reason == LINK_OTHER_NAME && refused->name.text[0] == 0)
		refused->name = s->hello.name;
}

/* Both directions, for one turn each. */
static int pass(struct relay *r, struct connection *c)
{
	const struct gate_room room = { .pipes = &r->pipes, .bytes = r->room, .size = sizeof r->room };
	enum pump_state up, down;

	down = c->down_done ? PUMP_DONE : gate_down(&c->gate, &room, c->client, c->host);
	up = c->up_done ? PUMP_DONE : gate_up(&c->gate, &room, c->client, c->host);
	c->up_done = up == PUMP_DONE;
	c->down_done = down == PUMP_DONE;
	if (up == PUMP_BROKEN && c->gate.screen.state == SCREEN_REFUSED)
		count_refused(r, c);
	if (up == PUMP_BROKEN || down == PUMP_BROKEN)
		return end(r, c, true);
	if (c->up_done && c->down_done)
		return end(r, c, false);
	if (up == PUMP_MORE || down == PUMP_MORE)
		want_turn(r, c);
	count_held(r, c);
	return 0;
}

/* Of those that hold something. */
static struct connection *oldest_holding(struct relay *r)
{
	struct connection *oldest = NULL;

	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++) {
		struct connection *c = &r->connections[i];

		if (c->held_bytes > 0 && (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	return oldest;
}

/* Who holds too much of what others need is the one that did not come to an end for longest. */
static int run(struct relay *r, struct connection *c)
{
	int failed = c->state == OPEN ? pass(r, c) : 0;

	while (failed == 0 && r->held_bytes > HELD_MAX)
		failed = end(r, oldest_holding(r), true);
	return failed;
}

static int take_turns(struct relay *r)
{
	const uint32_t n = r->n_turns;
	int failed = 0;

	r->n_turns = 0;
	for (uint32_t i = 0; i < n && failed == 0; i++) {
		struct connection *c = &r->connections[r->turns[i]];

		c->waits_turn = false;
		failed = run(r, c);
	}
	return failed;
}

/* ---- accepting ---- */

/* No more than descriptors are there for: one that was sent and could not be taken would be lost, and with it whose it is. */
static bool has_room(const struct relay *r)
{
	const uint32_t more = 1 + (r->arrives ? LINK_ARRIVALS_MAX
					      : 1); /* nobody asks whether there is room for who arrives */

	return r->dialer >= 0 && r->asked < LINK_ASKED_MAX && r->free < LINK_CONNECTIONS_MAX &&
	       (r->n_connections == 0 ||
		FILES_EACH * (r->n_connections + more) + r->n_listeners + FILES_BESIDE <= r->files);
}

/* Who waits for a word holds up no other grant. */
static bool has_room_for(const struct relay *r, bool held)
{
	return has_room(r) && (!held || r->asked_held < LINK_HELD_MAX);
}

/* While there is no room, those who connect wait in the kernel's queue. */
static int listen_if_room_for(struct relay *r, bool held)
{
	const bool wants = has_room_for(r, held);
	int failed = 0;

	if (wants == r->listens[held])
		return 0;
	for (uint32_t i = 0; i < r->n_listeners && failed == 0; i++) {
		if (r->held[i] != held)
			continue;
		if (wants)
			failed = watch(r, r->listener[i], EPOLLIN, FROM_LISTENER, i);
		else
			failed = epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, r->listener[i], NULL) < 0 ? -errno : 0;
	}
	r->listens[held] = wants;
	return failed;
}

static int listen_if_room(struct relay *r)
{
	const int failed = listen_if_room_for(r, false);

	return failed < 0 ? failed : listen_if_room_for(r, true);
}

static bool is_held(const struct relay *r, uint32_t endpoint)
{
	return (r->targets.of[endpoint].flags & LINK_HELD) != 0;
}

/* Of one that many endpoints have, whether it may be. */
static bool leads_to_held(const struct relay *r, uint32_t endpoint, uint16_t port)
{
	if (endpoint != LINK_BY_ADDRESS)
		return is_held(r, endpoint);
	for (uint32_t i = 0; i < r->targets.n; i++)
		if (is_held(r, i) && r->targets.of[i].what.port == port)
			return true;
	return false;
}

/* Small pieces are passed on as they came. */
static void no_delay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* What a program connected to. False: not by an address. */
static bool meant_address(int client, struct address *ret)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof at;

	return getsockname(client, (struct sockaddr *)&at, &size) == 0 && sockaddr_take(&at, ret);
}

static int ask(struct relay *r, const struct connection *c, const struct target *to)
{
	struct link_ask ask = { .connection = index_of(r, c), .endpoint = to->endpoint };
	uint8_t room[512];
	struct buf out;

	if (endpoint_is_wide(&r->targets.of[to->endpoint].what) && to->name != NULL)
		ask.name = *to->name;
	else if (endpoint_is_wide(&r->targets.of[to->endpoint].what))
		ask.address = to->address;
	buf_init_in(&out, room, sizeof room);
	link_put_ask(&out, &ask);
	return wire_write(r->dialer, WIRE_DIAL_ASK, &out);
}

/* A turn of the connection before may be to come: it finds this one, and does no harm. */
static void take_place(struct relay *r, struct connection *c, enum connection_state state, int client)
{
	*c = (struct connection){ .state = (uint8_t)state, .client = client, .host = -1, .waits_turn = c->waits_turn };
	r->n_connections++;
}

static int admit(struct relay *r, const struct target *to, int client)
{
	struct connection *c = &r->connections[r->free];
	const uint32_t next = c->next;

	take_place(r, c, DIALING, client);
	c->endpoint = to->endpoint;
	gate_init(&c->gate, to->name, (r->targets.of[to->endpoint].flags & LINK_ECH) != 0);
	no_delay(client);
	r->free = next;
	r->asked++;
	r->asked_held += is_held(r, to->endpoint);
	return ask(r, c, to);
}

static int on_listener(struct relay *r, uint32_t l)
{
	int failed = 0;

	for (unsigned i = 0; i < ACCEPTS && failed == 0 && has_room_for(r, r->held[l]); i++) {
		int client = accept4(r->listener[l], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct address at;
		struct target to;

		if (client < 0)
			return 0; /* nobody is there any more, or there are no descriptors just now */
		if (r->endpoint[l] != LINK_BY_ADDRESS)
			failed = admit(r, targets_of(&r->targets, r->endpoint[l], &to), client);
		else if (meant_address(client, &at) && targets_meant(&r->targets, r->port[l], &at, &to))
			failed = admit(r, &to, client);
		else
			reset(&client); /* it is what listens for many, and this is none of them */
	}
	return failed;
}

/* ---- the supervisor and the dialer ---- */

static int take_dialer(struct relay *r, struct wire_message *m)
{
	r->dialer = steal_fd(&m->fds[0]);
	return watch(r, r->dialer, EPOLLIN, FROM_DIALER, 0);
}

static int take_endpoint(struct relay *r, struct wire_message *m)
{
	struct link_listener l;

	if (!link_take_listener(&m->body, &l) || r->targets.of[l.index].what.kind != 0)
		return -EPROTO;
	targets_add(&r->targets, &l);
	return 0;
}

static int take_listener(struct relay *r, struct wire_message *m)
{
	const uint32_t endpoint = rbuf_u32(&m->body), port = rbuf_u32(&m->body), l = r->n_listeners;

	if (m->body.failed || port > UINT16_MAX || l == LINK_LISTENERS_MAX ||
	    (endpoint != LINK_BY_ADDRESS && (endpoint >= LINK_ENDPOINTS_MAX || r->targets.of[endpoint].what.kind == 0)))
		return -EPROTO;
	r->endpoint[l] = endpoint;
	r->listener[l] = steal_fd(&m->fds[0]);
	r->port[l] = (uint16_t)port;
	r->held[l] = leads_to_held(r, endpoint, r->port[l]);
	r->n_listeners++;
	return r->listens[r->held[l]] ? watch(r, r->listener[l], EPOLLIN, FROM_LISTENER, l) : 0;
}

static int take_names(struct relay *r, struct wire_message *m)
{
	const bool tcp = rbuf_u32(&m->body) != 0;
	int *fd = tcp ? &r->responder.tcp : &r->responder.udp;

	if (*fd >= 0)
		return -EPROTO;
	*fd = steal_fd(&m->fds[0]);
	return watch(r, *fd, EPOLLIN, FROM_NAMES, tcp ? NAMES_TCP : NAMES_UDP);
}

static int report_names(struct relay *r, enum wire_number number, const struct host_name *names, uint32_t n)
{
	struct buf out;

	buf_init_in(&out, r->room, LINK_NAMES_BYTES_MAX);
	link_put_names(&out, names, n);
	return wire_write(r->supervisor, number, &out);
}

static int report(struct relay *r)
{
	const struct targets *t = &r->targets;
	struct buf out;
	int failed;

	buf_init_in(&out, r->room, LINK_REFUSED_BYTES_MAX);
	link_put_refused(&out, r->refused);
	failed = wire_write(r->supervisor, WIRE_NET_REFUSED, &out);
	failed = failed < 0 ? failed : report_names(r, WIRE_NET_UNKNOWN, t->unknown, t->n_unknown);
	return failed < 0 ? failed
			  : report_names(r, WIRE_NET_GIVEN, t->names,
					 t->n_names < LINK_GIVEN_MAX ? t->n_names : LINK_GIVEN_MAX);
}

/* 1: it is gone. */
static int on_supervisor(struct relay *r)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(r->supervisor, WIRE_SUPERVISOR, r->dialer < 0 ? WIRE_NEW : WIRE_RUNNING, r->room,
				   sizeof r->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number == WIRE_NET_REPORT)
		return report(r);
	if (m.number == WIRE_NET_STILL) {
		r->tells_still = r->still = rbuf_u32(&m.body) != 0;
		return 0;
	}
	if (m.number == WIRE_NET_ENDPOINT)
		return take_endpoint(r, &m);
	if (m.number == WIRE_NET_NAMES)
		return take_names(r, &m);
	return m.number == WIRE_NET_DIALER ? take_dialer(r, &m) : take_listener(r, &m);
}

static int open_connection(struct relay *r, struct connection *c, int host)
{
	const uint32_t both = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	int failed;

	c->host = host;
	c->state = OPEN;
	c->since = r->opened++;
	failed = watch(r, c->client, both, FROM_CONNECTION, index_of(r, c));
	failed = failed < 0 ? failed : watch(r, c->host, both, FROM_CONNECTION, index_of(r, c));
	return failed < 0 ? end(r, c, true) : run(r, c);
}

/* Somebody outside is connected to a server of the cell. What they say there is theirs: no name is held against it. */
static int on_arrival(struct relay *r, struct wire_message *m)
{
	struct connection *c;
	uint32_t connection;

	if (!link_take_arrival(&m->body, &connection) || r->connections[connection].state != FREE)
		return -EPROTO;
	c = &r->connections[connection];
	r->arrives = true;
	take_place(r, c, OPEN, steal_fd(&m->fds[0]));
	gate_init(&c->gate, NULL, false);
	return open_connection(r, c, steal_fd(&m->fds[1]));
}

static int on_done(struct relay *r, struct wire_message *m)
{
	struct link_done done;
	struct connection *c;

	if (!link_take_done(&m->body, &done) || r->asked == 0)
		return -EPROTO;
	c = &r->connections[done.connection];
	if (c->state != DIALING || (done.sys_errno == 0) != (m->n_fds == 1))
		return -EPROTO;
	r->asked--;
	r->asked_held -= is_held(r, c->endpoint);
	return done.sys_errno != 0 ? end(r, c, true) : open_connection(r, c, steal_fd(&m->fds[0]));
}

static int on_dialer(struct relay *r)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(r->dialer, WIRE_DIALER, WIRE_RUNNING, r->room, sizeof r->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number == WIRE_DIAL_ARRIVAL)
		return on_arrival(r, &m);
	return m.number == WIRE_DIAL_DONE ? on_done(r, &m) : -EPROTO;
}

static int on_names(struct relay *r, uint32_t index)
{
	const struct dns_hosts hosts = { .find = targets_find, .arg = &r->targets };
	int client;

	if (index == NAMES_UDP)
		responder_serve_udp(&r->responder, &hosts);
	else if (index == NAMES_TCP)
		return (client = responder_accept(&r->responder)) < 0
			       ? 0
			       : watch(r, r->responder.client[client].fd, EPOLLIN, FROM_NAMES, (uint32_t)client);
	else
		responder_serve(&r->responder, index, &hosts);
	return 0;
}

static int serve(struct relay *r, const struct epoll_event *event)
{
	const uint32_t index = (uint32_t)event->data.u64;

	switch ((enum source)(event->data.u64 >> 32)) {
	case FROM_SUPERVISOR: return on_supervisor(r);
	case FROM_DIALER: return on_dialer(r);
	case FROM_LISTENER: return on_listener(r, index);
	case FROM_CONNECTION: return run(r, &r->connections[index]);
	case FROM_NAMES: return on_names(r, index);
	}
	return -EPROTO;
}

static int turn(struct relay *r)
{
	struct epoll_event events[EVENTS];
	int n, failed;

	if (r->still) { /* what comes meanwhile is told by epoll afterwards */
		wire_await(r->supervisor);
		failed = on_supervisor(r);
		return failed == -EAGAIN ? 0 : failed;
	}
	failed = listen_if_room(r);
	n = failed < 0 ? 0 : epoll_wait(r->epoll_fd, events, EVENTS, r->n_turns > 0 ? 0 : -1);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n && failed == 0; i++)
		failed = serve(r, &events[i]);
	failed = failed != 0 ? failed : take_turns(r);
	if (failed == 0 && r->tells_still) {
		r->tells_still = false;
		failed = wire_write(r->supervisor, WIRE_NET_STANDS, NULL);
	}
	return failed;
}

/* ---- beginning and end ---- */

static void init(struct relay *r, int supervisor, uint32_t files)
{
	r->supervisor = supervisor;
	r->files = files;
	r->dialer = -1;
	responder_init(&r->responder);
	for (uint32_t i = 0; i < LINK_NUMBERS_MAX; i++)
		r->connections[i] = (struct connection){ .client = -1, .host = -1, .next = i + 1 };
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
}

static void finish(struct relay *r)
{
	for (uint32_t i = 0; i < LINK_NUMBERS_MAX; i++) {
		reset(&r->connections[i].client);
		reset(&r->connections[i].host);
		if (r->connections[i].state != FREE)
			gate_finish(&r->connections[i].gate);
	}
	for (uint32_t i = 0; i < r->n_listeners; i++)
		fd_close(&r->listener[i]);
	responder_finish(&r->responder);
	pipes_finish(&r->pipes);
	fd_close(&r->dialer);
	fd_close(&r->epoll_fd);
}

int relay_run(int supervisor, uint32_t files, struct err *e)
{
	auto_free struct relay *r = calloc(1, sizeof *r);
	int n;

	if (r == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to relay connections");
	init(r, supervisor, files);
	n = r->epoll_fd < 0 ? -errno : watch(r, supervisor, EPOLLIN, FROM_SUPERVISOR, 0);
	while (n == 0)
		n = turn(r);
	finish(r);
	return n >= 0 ? 0
		      : err_sys(e, n == -EPROTO ? AMBIT_PROTOCOL : AMBIT_SYSTEM, -n, NULL, "cannot relay connections");
}
