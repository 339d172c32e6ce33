#include "supervisor/network.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/endpoint.h"
#include "core/listen.h"
#include "supervisor/endpoints.h"
#include "supervisor/hostport.h"
#include "wire/wire.h"

#define STILL_PATIENCE_MS 1000  /* of all that pass something */
#define REPORT_PATIENCE_MS 2000 /* of a role that has nothing else to do */

_Static_assert(LINK_ENDPOINTS_MAX == CELL_ENDPOINTS_MAX, "an index is the same on both sides");
_Static_assert(LINK_GRANTS_MAX == GRANTS_MAX, "and so is the number of a grant");
_Static_assert(LINK_USED_BYTES_MAX <= 25220, "what was used fits a message: wire/messages.def");

void network_init(struct network *n)
{
	*n = (struct network){ .relay = -1, .dialer = -1 };
	agent_roles_init(&n->agent);
	http_roles_init(&n->http);
}

void network_finish(struct network *n)
{
	fd_close(&n->relay);
	fd_close(&n->dialer);
	agent_roles_finish(&n->agent);
	http_roles_finish(&n->http);
}

/* ---- the roles ---- */

static int role_is_gone(struct err *e, int r)
{
	return err_sys(e, AMBIT_GONE, -r, "see the kernel's log", "the network's roles ended before the event");
}

static int tell_relay(struct network *n, const struct link_listener *told)
{
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_listener(&b, told);
	return wire_send(n->relay, WIRE_NET_ENDPOINT, &b, NULL, 0);
}

static uint32_t held_flag(const struct network *n, uint32_t i)
{
	return n->held[i] ? LINK_HELD : 0;
}

/* What is asked of it for each connection, and what the dialer cannot tell. */
static void leave_to_judge(struct qualifiers *q)
{
	q->ask = 0;
	q->between = (struct window){ .from = 0 };
}

/* Where an endpoint of the cell leads, and what that may cost; and which it is. */
static int allow(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t i,
		 struct err *e)
{
	const struct cell_endpoint *p = &spec->endpoints[i];
	const struct qualifiers *q = &grants->grants[p->grant].qualifiers;
	struct link_endpoint to = { .index = i, .grant = p->grant, .held = n->held[i], .budget = *q };
	struct link_listener told = { .index = i, .flags = (q->ech != 0 ? LINK_ECH : 0) | held_flag(n, i) };
	uint8_t room[512];
	struct buf b;
	int r;

	spec_endpoint(spec, p, &told.what);
	to.to = told.what;
	if (n->held[i])
		leave_to_judge(&to.budget);
	if (grant_terms(grants, p->grant)[0] != 0)
		to.budget.uses = to.budget.rate = to.budget.period_s = 0; /* of requests: who judges them counts them */
	buf_init_in(&b, room, sizeof room);
	link_put_endpoint(&b, &to);
	r = wire_send(n->dialer, WIRE_DIAL_ALLOW, &b, NULL, 0);
	r = r < 0 ? r : tell_relay(n, &told);
	return r < 0 ? role_is_gone(e, r) : 0;
}

/* The same for a socket. Its directory is found now, and by what the person may; the name in it each time that it is connected to. */
static int allow_socket(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t i,
			struct err *e)
{
	const uint32_t grant = spec->endpoints[i].grant;
	struct link_socket told = {
		.index = i, .grant = grant, .held = n->held[i], .budget = grants->grants[grant].qualifiers
	};
	const char *path = spec_text(spec, spec->endpoints[i].name), *slash = strrchr(path, '/');
	char above[ENDPOINT_UNIX_MAX];
	auto_fd int dir = -1;
	uint8_t room[256];
	struct buf b;
	int r;

	if (n->held[i])
		leave_to_judge(&told.budget);
	(void)snprintf(above, sizeof above, "%.*s", slash == path ? 1 : (int)(slash - path),
		       path); /* spec_check: they fit */
	(void)text_copy(told.name, sizeof told.name, slash + 1);
	dir = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "start what listens there first, or correct the path",
			       "connect: unix:%s", path);
	buf_init_in(&b, room, sizeof room);
	link_put_socket(&b, &told);
	r = wire_send(n->dialer, WIRE_DIAL_SOCKET, &b, &dir, 1);
	r = r < 0 ? r
		  : tell_relay(n, &(struct link_listener){
					  .index = i, .flags = held_flag(n, i), .what.kind = ENDPOINT_UNIX });
	return r < 0 ? role_is_gone(e, r) : 0;
}

static int tell_listen(struct network *n, const struct link_listen *to, const int *fds, size_t n_fds, struct err *e)
{
	uint8_t room[8];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	link_put_listen(&b, to);
	r = wire_send(n->dialer, WIRE_DIAL_LISTEN, &b, fds, n_fds);
	return r < 0 ? role_is_gone(e, r) : 0;
}

static int listen_on_host(struct network *n, const struct grant_set *grants, uint32_t grant, struct err *e)
{
	struct link_listen to = { .index = n->n + n->n_ports };
	struct listen_ports ports;
	uint16_t port;
	int fds[2] = { -1, -1 }, n_fds, r;

	if (n->n_ports == LINK_LISTENS_MAX || to.index >= LINK_ENDPOINTS_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d ports of the host for one cell", LINK_LISTENS_MAX);
	r = listen_take(grant_object(grants, grant), &ports, e);
	n_fds = r < 0 ? r : hostport_listen(ports.host, fds, &port, e);
	if (n_fds < 0)
		return n_fds;
	to.port = ports.cell;
	r = tell_listen(n, &to, fds, (size_t)n_fds, e);
	n->ports[n->n_ports].grant = grant;
	n->ports[n->n_ports++].port = port;
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return r;
}

void network_put_ports(const struct network *n, struct buf *out)
{
	for (uint32_t i = 0; i < n->n_ports; i++) {
		buf_put_u32(out, n->ports[i].grant);
		buf_put_u32(out, n->ports[i].port);
	}
}

static int allow_any(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t i,
		     struct err *e)
{
	if (endpoints_is_agent(spec, i))
		return 0; /* the dialer has nothing to do with it */
	n->held[i] = n->judge != NULL && n->judge->holds(n->judge_user, spec->endpoints[i].grant);
	return spec_endpoint_is_socket(&spec->endpoints[i]) ? allow_socket(n, spec, grants, i, e)
							    : allow(n, spec, grants, i, e);
}

static bool has_ipv6(void)
{
	auto_fd int sock = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return sock >= 0 || errno != EAFNOSUPPORT;
}

int network_begin(struct network *n, const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	int r = 0;

	n->n = spec->n_endpoints;
	n->spec = spec;
	if (n->n > 0 && endpoints_is_delegate(spec, n->n - 1)) /* nothing of a network */
		n->n--;
	if (n->n == 0 && (spec->flags & CELL_SERVES) == 0)
		return 0;
	if (n->relay < 0 || n->dialer < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: a network is granted, and nobody connects it");
	spec->flags |= has_ipv6() ? 0u : CELL_NO_IPV6;
	for (uint32_t i = 0; i < n->n && r == 0; i++)
		r = allow_any(n, spec, &q->grants, i, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if (q->grants.grants[i].verb == VERB_LISTEN)
			r = listen_on_host(n, &q->grants, i, e);
	if (r < 0)
		return r;
	r = http_begin(&n->http, q, spec, n->dialer, e);
	if (r < 0)
		return r;
	r = wire_introduce(n->relay, WIRE_NET_DIALER, n->dialer, WIRE_DIAL_RELAY);
	return r < 0 ? role_is_gone(e, r) : agent_begin(&n->agent, q, spec, e);
}

static int hand_over(struct network *n, const struct cell_spec *spec, uint32_t i, enum cell_listening how, int fd)
{
	const bool is_responder = how == CELL_LISTENS_UDP || how == CELL_LISTENS_TCP;
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, is_responder                                         ? how == CELL_LISTENS_TCP
			: how == CELL_LISTENS_AT || how == CELL_LISTENS_PATH ? i
									     : LINK_BY_ADDRESS);
	buf_put_u32(&b, is_responder ? 0 : spec->endpoints[i].port);
	return wire_send(n->relay, is_responder ? WIRE_NET_NAMES : WIRE_NET_LISTEN, &b, &fd, 1);
}

int network_listen(struct network *n, const struct cell_spec *spec, uint32_t first, const int *fds, size_t n_fds,
		   struct err *e)
{
	int r = 0;

	for (size_t k = 0; k < n_fds && r == 0; k++) {
		enum cell_listening how;
		uint32_t i;

		if (first >= CELL_SOCKETS_MAX || !spec_listener(spec, first + (uint32_t)k, &i, &how))
			return err_set(e, AMBIT_PROTOCOL, NULL, "the warden listens for what was not asked for");
		r = i == n->agent.endpoint ? agent_listen(&n->agent, fds[k]) : hand_over(n, spec, i, how, fds[k]);
	}
	return r < 0 ? role_is_gone(e, r) : 0;
}

static int ask_one(struct network *n, uint32_t endpoint, uint32_t number, bool withdraw)
{
	const struct link_about about = { .number = number, .endpoint = endpoint };
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_about(&b, &about);
	return wire_send(n->dialer, withdraw ? WIRE_DIAL_WITHDRAW : WIRE_DIAL_LOOK, &b, NULL, 0);
}

const char *network_connection(const struct grant_set *set, uint32_t grant, char room[ENDPOINT_TEXT_MAX])
{
	struct endpoint p;

	room[0] = 0;
	if (endpoint_take(grant_object(set, grant), &p, NULL) == 0) {
		p = endpoint_connection(&p);
		endpoint_put(&p, room);
	}
	return room;
}

int network_ask(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t grant,
		uint32_t number, bool withdraw)
{
	char wanted[ENDPOINT_TEXT_MAX], has[ENDPOINT_TEXT_MAX];
	int asked = 0, r = fd_set_nonblock(n->dialer, true); /* one that somebody stopped must not hold us up */

	network_connection(grants, grant, wanted);
	if (withdraw)
		agent_withdraw(&n->agent, grants, wanted);
	for (uint32_t i = 0; i < n->n && r == 0; i++) {
		if (endpoints_is_agent(spec, i) ||
		    strcmp(network_connection(grants, spec->endpoints[i].grant, has), wanted) != 0)
			continue;
		r = ask_one(n, i, number, withdraw);
		asked += r == 0;
	}
	return r < 0 ? r : asked;
}

/* What comes from the dialer. False: it is gone, or says what it may not. */
static bool hear(struct network *n, void *room, size_t size, struct wire_message *ret)
{
	return wire_receive(n->dialer, WIRE_DIALER, WIRE_RUNNING, room, size, ret) == 1;
}

/* ---- grants that are held ---- */

bool network_is_judged(const struct network *n)
{
	return n->judge != NULL && n->dialer >= 0;
}

void network_host(const struct cell_spec *spec, uint32_t endpoint, const struct host_name *name,
		  const struct address *address, struct endpoint *ret)
{
	spec_endpoint(spec, &spec->endpoints[endpoint], ret);
	if (name->text[0] == 0 && address->family == 0)
		return;
	ret->kind = address->family == 0 ? ENDPOINT_NAME : ENDPOINT_RANGE;
	ret->name = *name;
	ret->range = (struct address_range){ .base = *address, .prefix = address->family == ADDRESS_IPV6 ? 128 : 32 };
}

static bool tell_may(struct network *n, struct rbuf *body)
{
	struct link_may may;
	struct endpoint to;

	if (!link_take_may(body, &may) || may.endpoint >= n->n || !n->held[may.endpoint])
		return false;
	network_host(n->spec, may.endpoint, &may.name, &may.address, &to);
	n->judge->may(n->judge_user, n->spec->endpoints[may.endpoint].grant, may.number, &to);
	return true;
}

static bool tell_spent(struct network *n, struct wire_message *m)
{
	struct link_spent s;

	if (!link_take_spent(&m->body, &s))
		return false;
	if (m->number == WIRE_DIAL_MORE)
		n->judge->more(n->judge_user, s.number, s.up, s.down);
	else
		n->judge->used(n->judge_user, s.number, s.opened != 0, s.up, s.down);
	return true;
}

/* False: it says what it may not. */
static bool tell_judge(struct network *n, struct wire_message *m)
{
	if (n->judge == NULL)
		return false;
	if (m->number == WIRE_DIAL_MAY)
		return tell_may(n, &m->body);
	return (m->number == WIRE_DIAL_MORE || m->number == WIRE_DIAL_SPENT) && tell_spent(n, m);
}

void network_may(struct network *n, uint64_t number, uint32_t why, uint64_t bytes)
{
	const struct link_word w = { .number = number, .why = why, .bytes = bytes };
	uint8_t room[20];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_word(&b, &w);
	if (fd_set_nonblock(n->dialer, true) == 0) /* who waits for us reads nothing */
		(void)wire_send(n->dialer, WIRE_DIAL_WORD, &b, NULL, 0);
}

int network_hear(struct network *n, struct link_live *ret)
{
	uint8_t room[WIRE_HEAD + 512];
	auto_message m = { .n_fds = 0 };

	if (hear(n, room, sizeof room, &m)) {
		if (m.number == WIRE_DIAL_LIVE && link_take_live(&m.body, ret))
			return 1;
		if (tell_judge(n, &m))
			return 0;
	}
	fd_close(&n->dialer);
	return -AMBIT_GONE;
}

int network_pool(struct network *n, const int *fds, size_t n_fds, struct err *e)
{
	int r;

	if (n->n_ports == 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "the warden hands out what was not asked for");
	r = wire_send(n->dialer, WIRE_DIAL_POOL, NULL, fds, n_fds);
	return r < 0 ? role_is_gone(e, r) : 0;
}

/* The relay, who judges requests and the agent have what passes; the dialer connects, and the signer signs, for them alone. */
struct passing {
	int *fd;
	enum wire_number still;
	enum wire_side side;
};
#define PASSING_MAX (2 + LINK_HTTP_MAX)

static size_t who_passes(struct network *n, struct passing ret[PASSING_MAX])
{
	size_t count = 2;

	ret[0] = (struct passing){ &n->relay, WIRE_NET_STILL, WIRE_RELAY };
	ret[1] = (struct passing){ &n->agent.role, WIRE_SSH_STILL, WIRE_SSH };
	for (uint32_t k = 0; k < n->http.n; k++)
		ret[count++] = (struct passing){ &n->http.role[k].fd, WIRE_HTTP_STILL, WIRE_HTTP };
	return count;
}

void network_still(struct network *n, bool still)
{
	struct passing all[PASSING_MAX];
	const size_t count = who_passes(n, all);
	uint8_t room[4];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, still);
	for (size_t i = 0; i < count; i++)
		if (*all[i].fd >= 0 && wire_send(*all[i].fd, all[i].still, &b, NULL, 0) < 0)
			fd_close(all[i].fd);
}

static bool hears(const struct passing *p, uint64_t until_ms)
{
	const uint64_t now = clock_ms();
	struct pollfd polled = { .fd = *p->fd, .events = POLLIN };
	uint8_t room[WIRE_HEAD + 16];
	auto_message m = { .n_fds = 0 };

	return poll(&polled, 1, now < until_ms ? (int)(until_ms - now) : 0) == 1 &&
	       wire_receive(*p->fd, p->side, WIRE_RUNNING, room, sizeof room, &m) == 1;
}

void network_stands(struct network *n)
{
	const uint64_t until_ms = clock_ms() + STILL_PATIENCE_MS;
	struct passing all[PASSING_MAX];
	const size_t count = who_passes(n, all);

	for (size_t i = 0; i < count; i++)
		if (*all[i].fd >= 0 && !hears(&all[i], until_ms))
			fd_close(all[i].fd);
}

/* The dialer knows of none that is the agent's, and tells of those up to the last that it knows. */
static uint32_t count_told(const struct network *n)
{
	return n->n_ports == 0 && n->agent.endpoint + 1 == n->n ? n->n - 1 : n->n + n->n_ports;
}

bool network_used(struct network *n, struct link_report *ret)
{
	struct pollfd p = { .fd = n->dialer, .events = POLLIN };
	uint8_t room[WIRE_HEAD + LINK_USED_BYTES_MAX];

	if (n->agent.endpoint < n->n)
		ret->used[n->agent.endpoint] = (struct link_used){ .withdrawn = 0 };
	if (n->n + n->n_ports == 0 || wire_send(n->dialer, WIRE_DIAL_REPORT, NULL, NULL, 0) < 0)
		return false;
	while (poll(&p, 1, REPORT_PATIENCE_MS) == 1) {
		auto_message m = { .n_fds = 0 };

		if (!hear(n, room, sizeof room, &m))
			return false;
		if (m.number == WIRE_DIAL_USED)
			return link_take_report(&m.body, ret, count_told(n));
		(void)tell_judge(n, &m); /* or an answer to what the owner asked last */
	}
	return false;
}

_Static_assert(LINK_REFUSED_BYTES_MAX <= LINK_NAMES_BYTES_MAX, "the parts of the relay's report share a room");

/* A part of the relay's report. */
static bool hear_relay(struct network *n, void *room, size_t size, enum wire_number number, struct wire_message *ret)
{
	struct pollfd p = { .fd = n->relay, .events = POLLIN };

	return poll(&p, 1, REPORT_PATIENCE_MS) == 1 &&
	       wire_receive(n->relay, WIRE_RELAY, WIRE_RUNNING, room, size, ret) == 1 && ret->number == number;
}

bool network_told(struct network *n, struct network_told *ret)
{
	static uint8_t room[WIRE_HEAD + LINK_NAMES_BYTES_MAX];
	auto_message refused = { .n_fds = 0 }, unknown = { .n_fds = 0 }, given = { .n_fds = 0 };

	if (n->n == 0 || wire_send(n->relay, WIRE_NET_REPORT, NULL, NULL, 0) < 0)
		return false;
	return hear_relay(n, room, sizeof room, WIRE_NET_REFUSED, &refused) &&
	       link_take_refused(&refused.body, ret->refused) &&
	       hear_relay(n, room, sizeof room, WIRE_NET_UNKNOWN, &unknown) &&
	       link_take_names(&unknown.body, LINK_UNKNOWN_MAX, ret->unknown, &ret->n_unknown) &&
	       hear_relay(n, room, sizeof room, WIRE_NET_GIVEN, &given) &&
	       link_take_names(&given.body, LINK_GIVEN_MAX, ret->given, &ret->n_given);
}
