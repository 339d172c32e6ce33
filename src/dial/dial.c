#include "dial/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "dial/allowance.h"
#include "dial/arrive.h"
#include "dial/attempt.h"
#include "dial/budget.h"
#include "dial/end.h"
#include "dial/known.h"
#include "dial/own.h"
#include "dial/pause.h"
#include "dial/promise.h"
#include "dial/resolve.h"
#include "dial/tcpinfo.h"
#include "net/link.h"
#include "wire/wire.h"

#define NO_ATTEMPT UINT32_MAX
#define LOOK_MS 10      /* so often the bytes of connections that have a budget are looked at */
#define CLOCK_LOOK_S 10 /* so often at least the host's clock, which somebody may set, while connections have an end */
#define FILES_MAX                                                                                                      \
	(LINK_CONNECTIONS_MAX + LINK_ASKED_MAX * RESOLVED_MAX + 4 * LINK_ARRIVALS_MAX + LINK_ENDPOINTS_MAX + 64)
#define POLLED_MAX (2 + RESOLVERS + LINK_ASKED_MAX * RESOLVED_MAX + ARRIVALS_POLLED_MAX)

struct endpoint_state {
	struct link_endpoint what; /* to.kind 0: there is none of this index; of UNIX the rest stands in socket */
	struct link_socket socket;
	int dir_fd;   /* owned: in which the socket has its name; -1 */
	int http;     /* owned: who judges what passes, and stands between the relay and the host; -1: nobody */
	bool listens; /* it leads into the cell: nobody asks for it, and no budget bounds it */
	struct meter used;
	bool withdrawn;
	uint32_t withdrawn_dials; /* asked for after that, or under way */
};

struct dialing {
	bool taken, waits_name;
	bool waits_word; /* of the supervisor; nothing is done before that */
	uint32_t connection, endpoint;
	uint32_t known;  /* place of its name, while it waits for that */
	uint32_t meter;  /* of meter_of() */
	uint64_t number; /* as the supervisor knows it; 0: its grant is not held */
	uint64_t bytes;  /* that may pass, by its word */
	struct link_ask meant;
	struct attempt attempt;
};

struct passed {
	uint64_t up, down; /* bytes, as last looked at */
};

struct connection {
	int fd; /* owned: a copy of what the relay has; -1 */
	uint32_t endpoint;
	uint32_t meter; /* of meter_of() */
	bool cut;       /* nothing passes any more, and the relay has still to say that it is over */
	struct passed passed;
	uint64_t number; /* of a grant that is held, until the supervisor was told what was used; 0 */
	struct allowance allowance;
};

struct dialer {
	int supervisor;       /* borrowed */
	int relay;            /* owned, -1 until it came */
	uint32_t n_endpoints; /* one more than the highest index */
	struct endpoint_state endpoints[LINK_ENDPOINTS_MAX];
	struct budget budgets[LINK_GRANTS_MAX]; /* by grant */
	uint32_t n_hosts;
	struct link_host hosts[LINK_HOSTS_MAX]; /* to which endpoints led that may lead to many */
	struct known_names known;
	struct connection open[LINK_CONNECTIONS_MAX];
	uint32_t n_bounded; /* open connections that are not cut, and that have, or whose grant has, a bound of bytes */
	uint64_t look_ms;   /* when these are looked at next */
	uint32_t n_ending;  /* budgets that will end at a moment */
	struct dialing dialing[LINK_ASKED_MAX];
	uint64_t numbers; /* of connections of grants that are held: the last */
	struct arrivals arrivals;
	struct passed arrived[LINK_ARRIVALS_MAX]; /* of each arrival that is open */
	bool over;                                /* what was used is told: nothing passes any more */
	struct resolver resolver;
	int netlink; /* owned: of own_has(); -1 before the start */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static struct budget *budget_of(struct dialer *d, uint32_t endpoint)
{
	return &d->budgets[d->endpoints[endpoint].what.grant];
}

/* ---- counting ---- */

/* Each endpoint has one, of the same number, and behind them each host. */
static struct meter *meter_of(struct dialer *d, uint32_t i)
{
	return i < LINK_ENDPOINTS_MAX ? &d->endpoints[i].used : &d->hosts[i - LINK_ENDPOINTS_MAX].meter;
}

static bool is_same_host(const struct link_host *h, const struct link_ask *ask)
{
	return h->endpoint == ask->endpoint && strcmp(h->name.text, ask->name.text) == 0 &&
	       (h->address.family == 0 ? ask->address.family == 0 : address_is_same(&h->address, &ask->address));
}

/* Whose meter counts it: the host's, as long as there are few of them. */
static uint32_t meter_for(struct dialer *d, const struct link_ask *ask)
{
	if (!endpoint_is_wide(&d->endpoints[ask->endpoint].what.to))
		return ask->endpoint;
	for (uint32_t i = 0; i < d->n_hosts; i++)
		if (is_same_host(&d->hosts[i], ask))
			return LINK_ENDPOINTS_MAX + i;
	if (d->n_hosts == LINK_HOSTS_MAX)
		return ask->endpoint;
	d->hosts[d->n_hosts] =
		(struct link_host){ .endpoint = ask->endpoint, .address = ask->address, .name = ask->name };
	return LINK_ENDPOINTS_MAX + d->n_hosts++;
}

/* Whether the end that the host sent is among what came: the kernel counts it as a byte (tcp_rcv_nxt_update). Of a connection that the
 * host reset nobody can say; it is taken to be. */
static bool has_end(const struct tcp_info *info)
{
	return info->tcpi_bytes_received > 0 &&
	       (info->tcpi_state == TCP_CLOSE_WAIT || info->tcpi_state == TCP_LAST_ACK ||
		info->tcpi_state == TCP_CLOSING || info->tcpi_state == TCP_CLOSE);
}

/* Given to the kernel, not sent yet: it goes out when nobody holds the socket any more, too. Our own end counts as a byte there. */
static uint64_t waiting(const struct tcp_info *info)
{
	const bool ends = info->tcpi_state == TCP_FIN_WAIT1 || info->tcpi_state == TCP_LAST_ACK ||
			  info->tcpi_state == TCP_CLOSING;

	return info->tcpi_notsent_bytes - (ends && info->tcpi_notsent_bytes > 0);
}

/* Numbers only grow: what was counted is not taken back. Gives what there is more. */
static uint64_t take_growth(uint64_t *seen, uint64_t now, uint64_t *sum)
{
	const uint64_t more = now > *seen ? now - *seen : 0;

	*sum += more;
	*seen += more;
	return more;
}

/* Gives how many bytes there are more, in both directions; none of a Unix socket, which nobody counts. at_end: the kernel goes on to send
 * what waits. */
static uint64_t count_passed(int fd, bool at_end, struct passed *seen, struct meter *used)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = sizeof info;
	uint64_t more;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return 0;
	more = take_growth(&seen->up, info.tcpi_bytes_sent - info.tcpi_bytes_retrans + (at_end ? waiting(&info) : 0),
			   &used->up); /* Linux 4.19 */
	return more + take_growth(&seen->down, info.tcpi_bytes_received - has_end(&info), &used->down);
}

static void count_bytes(struct dialer *d, struct connection *c, bool at_end)
{
	if (c->fd >= 0 && !c->cut)
		budget_of(d, c->endpoint)->bytes += count_passed(c->fd, at_end, &c->passed, meter_of(d, c->meter));
}

static void count_arrival(struct dialer *d, uint32_t index)
{
	const struct arrival *v = &d->arrivals.slot[index];

	if (v->state == ARRIVAL_OPEN)
		(void)count_passed(v->client, false, &d->arrived[index], &d->endpoints[v->endpoint].used);
}

/* ---- what the supervisor is told of grants that are held ---- */

/* It is waited for, as nobody else is: it reads what we say, and the cell does not outlive it. That it has gone is seen elsewhere. */
static void tell_spent(struct dialer *d, enum wire_number what, uint64_t number, const struct passed *passed)
{
	const struct link_spent spent = { .number = number,
					  .opened = passed != NULL,
					  .up = passed != NULL ? passed->up : 0,
					  .down = passed != NULL ? passed->down : 0 };
	uint8_t room[28];
	struct buf b;

	if (number == 0)
		return;
	buf_init_in(&b, room, sizeof room);
	link_put_spent(&b, &spent);
	(void)wire_send(d->supervisor, what, &b, NULL, 0);
}

/* Once, of each that was not refused. */
static void tell_end(struct dialer *d, uint64_t *number, const struct passed *passed)
{
	tell_spent(d, WIRE_DIAL_SPENT, *number, passed);
	*number = 0;
}

static void ask_may(struct dialer *d, struct dialing *g, uint64_t now)
{
	const struct link_may may = {
		.number = g->number, .endpoint = g->endpoint, .address = g->meant.address, .name = g->meant.name
	};
	uint8_t room[512];
	struct buf b;

	g->waits_word = true;
	g->attempt.end_ms = now + HELD_PATIENCE_MS;
	buf_init_in(&b, room, sizeof room);
	link_put_may(&b, &may);
	(void)wire_send(d->supervisor, WIRE_DIAL_MAY, &b, NULL, 0); /* as above */
}

/* ---- connections that are open ---- */

static bool is_bounded(struct dialer *d, const struct connection *c)
{
	return c->fd >= 0 && !c->cut && (c->allowance.most != 0 || budget_of(d, c->endpoint)->most.bytes != 0);
}

static void add_open(struct dialer *d, const struct dialing *g, int fd)
{
	d->open[g->connection] = (struct connection){ .fd = fd,
						      .endpoint = g->endpoint,
						      .meter = g->meter,
						      .number = g->number,
						      .allowance = { .most = g->bytes, .piece = g->bytes } };
	if (!is_bounded(d, &d->open[g->connection]))
		return;
	if (d->n_bounded++ == 0)
		d->look_ms = clock_ms() + LOOK_MS;
}

static void cut(struct dialer *d, struct connection *c)
{
	count_bytes(d, c, false);
	d->n_bounded -= is_bounded(d, c);
	c->cut = true;
	end_dissolve(c->fd);
	tell_end(d, &c->number, &c->passed);
}

/* It has used what the authority allowed. */
static void cut_held(struct dialer *d, struct connection *c, enum meter_why why)
{
	cut(d, c);
	meter_of(d, c->meter)->stopped |= METER_BY(why);
}

static uint64_t passed_all(const struct connection *c)
{
	return c->passed.up + c->passed.down;
}

static void hold_allowance(struct dialer *d, struct connection *c, uint64_t now)
{
	const unsigned acts = allowance_look(&c->allowance, passed_all(c), now);

	if ((acts & ALLOWANCE_PAUSE) != 0 && pause_begin(c->fd) < 0)
		allowance_unpaused(&c->allowance, now);
	if ((acts & ALLOWANCE_END) != 0)
		cut_held(d, c, METER_OTHER);
	else if ((acts & ALLOWANCE_ASK) != 0)
		tell_spent(d, WIRE_DIAL_MORE, c->number, &c->passed);
}

/* All that are open of a grant; the endpoints remember why. */
static void cut_grant(struct dialer *d, uint32_t grant, uint32_t why)
{
	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++) {
		struct connection *c = &d->open[i];
		struct endpoint_state *p = &d->endpoints[c->endpoint];

		if (c->fd < 0 || c->cut || p->what.grant != grant)
			continue;
		cut(d, c);
		meter_of(d, c->meter)->stopped |= why;
	}
}

/* Looks at what passed meanwhile; a grant that had more than its bytes has no connection any more. */
static void hold_bytes(struct dialer *d, uint64_t now)
{
	if (d->n_bounded == 0 || now < d->look_ms)
		return;
	d->look_ms = now + LOOK_MS;
	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++) {
		if (!is_bounded(d, &d->open[i]))
			continue;
		count_bytes(d, &d->open[i], false);
		hold_allowance(d, &d->open[i], now);
	}
	for (uint32_t i = 0; i < LINK_GRANTS_MAX; i++)
		if (budget_is_over(&d->budgets[i]))
			cut_grant(d, i, 1u << QUALIFIER_BYTES);
}

/* ---- the end of a connection ---- */

/* What is no longer counted no longer passes, nor what waits for a word. */
static void hang_up(struct dialer *d, struct connection *c, bool broken)
{
	broken = broken || c->allowance.paused;
	if (!broken)
		(void)shutdown(c->fd, SHUT_RDWR); /* what comes from now on is not counted, and not taken */
	count_bytes(d, c, !broken);
	d->n_bounded -= is_bounded(d, c);
	tell_end(d, &c->number, &c->passed);
	end_close(&c->fd, broken);
}

static int close_arrival(struct dialer *d, uint32_t index, bool broken)
{
	count_arrival(d, index);
	return arrivals_close(&d->arrivals, index, broken, clock_ms()) ? 0 : -EPROTO;
}

static void stop_waiting(struct dialer *d, struct dialing *g)
{
	d->known.at[g->known].waiting -= g->waits_name;
	g->waits_name = false;
}

/* One that comes to nothing before its time. */
static void end_dial(struct dialer *d, struct dialing *g)
{
	stop_waiting(d, g);
	attempt_finish(&g->attempt);
	budget_settle(budget_of(d, g->endpoint), false);
	tell_end(d, &g->number, NULL);
	g->taken = false;
}

/* Of dials, connections and arrivals; what they were stays counted. */
static void end_all(struct dialer *d, bool broken)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		struct dialing *g = &d->dialing[i];

		if (!g->taken)
			continue;
		end_dial(d, g);
		meter_of(d, g->meter)->failed++; /* the host may have seen it */
	}
	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++)
		if (d->open[i].fd >= 0)
			hang_up(d, &d->open[i], broken);
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++)
		count_arrival(d, i);
	arrivals_end(&d->arrivals, broken);
}

/* Of the relay, which reads what strangers send, nothing is expected. With one that says what it may not, does not listen or has gone, all
 * its connections end; what they were is still counted, and told. */
static void drop_relay(struct dialer *d)
{
	end_all(d, true);
	fd_close(&d->relay);
}

/* At the end of the event. What the relay still has of the cell's would pass after it was counted, and what is being dialed would be
 * connected; so nothing passes from here on but what the kernel has taken. */
static int report(struct dialer *d)
{
	static struct link_report now;
	struct buf b;

	end_all(d, false);
	d->over = true;
	for (uint32_t i = 0; i < d->n_endpoints; i++)
		now.used[i] = (struct link_used){ .meter = d->endpoints[i].used,
						  .withdrawn = d->endpoints[i].withdrawn_dials };
	now.n_hosts = d->n_hosts;
	memcpy(now.hosts, d->hosts, sizeof now.hosts);
	buf_init_in(&b, d->room, LINK_USED_BYTES_MAX);
	link_put_report(&b, &now, d->n_endpoints);
	return wire_send(d->supervisor, WIRE_DIAL_USED, &b, NULL, 0);
}

/* ---- dials ---- */

/* fd: of the connection, or -1. 0, or -errno: a relay that does not take it is dropped, if it is not the descriptor that is refused. */
static int tell_done(struct dialer *d, uint32_t connection, int sys_errno, int fd)
{
	const struct link_done done = { .connection = connection, .sys_errno = (uint32_t)sys_errno };
	uint8_t room[8];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	link_put_done(&b, &done);
	r = wire_send(d->relay, WIRE_DIAL_DONE, &b, &fd, fd >= 0 ? 1 : 0);
	if (r < 0 && (fd < 0 || r != -ETOOMANYREFS))
		drop_relay(d);
	return r;
}

static void tell_failed(struct dialer *d, const struct dialing *g, int sys_errno)
{
	struct meter *used = meter_of(d, g->meter);

	used->failed++;
	used->sys_errno = (uint32_t)sys_errno;
	(void)tell_done(d, g->connection, sys_errno, -1);
}

/* Both sides of a connection go to who judges it, and the relay's end is given. One that takes nothing, or has gone, gets none. */
static int put_between(struct dialer *d, const struct dialing *g, int host, int *ret_fd)
{
	const struct link_ask what = {
		.connection = g->connection, .endpoint = g->endpoint, .address = g->meant.address, .name = g->meant.name
	};
	uint8_t room[512];
	struct buf b;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	buf_init_in(&b, room, sizeof room);
	link_put_ask(&b, &what);
	r = wire_send(d->endpoints[g->endpoint].http, WIRE_HTTP_PAIR, &b, (const int[]){ pair[1], host }, 2);
	fd_close(&pair[1]);
	*ret_fd = pair[0];
	if (r < 0)
		fd_close(ret_fd);
	return r;
}

/* The relay's side of a connection, which it gets: the host's, or the one of who judges. */
static int tell_opened(struct dialer *d, const struct dialing *g, int host)
{
	auto_fd int between = -1;
	int r = 0;

	if (d->endpoints[g->endpoint].http < 0)
		return tell_done(d, g->connection, 0, host);
	r = put_between(d, g, host, &between);
	return r < 0 ? r : tell_done(d, g->connection, 0, between);
}

/* How many descriptors may be on their way is one number for all of a user's processes (unix(7), ETOOMANYREFS): a program in the cell may
 * have used it up. Then the dial failed, and its use is gone all the same: the host has seen a connection. */
static void hand_over(struct dialer *d, const struct dialing *g, int fd)
{
	int r;

	add_open(d, g, fd);
	meter_of(d, g->meter)->opened++;
	r = tell_opened(d, g, fd);
	if (r == 0 || d->relay < 0)
		return;
	meter_of(d, g->meter)->opened--;
	hang_up(d, &d->open[g->connection], true);
	tell_failed(d, g, -r);
}

/* why: as `stopped` has it. */
static void refuse(struct dialer *d, uint32_t connection, uint32_t meter, uint32_t why)
{
	struct meter *used = meter_of(d, meter);

	used->refused++;
	used->stopped |= why;
	(void)tell_done(d, connection, EDQUOT, -1);
}

/* A step of a dial that has its addresses. */
static void advance(struct dialer *d, struct dialing *g, uint64_t now)
{
	struct budget *b = budget_of(d, g->endpoint);
	auto_fd int fd = -1;
	const int r = attempt_step(&g->attempt, now, &fd);

	if (r == 0)
		return;
	g->taken = false;
	budget_settle(b, r > 0 && budget_has_bytes(b));
	if (r > 0 && budget_has_bytes(b)) {
		hand_over(d, g, steal_fd(&fd));
		return;
	}
	tell_end(d, &g->number, NULL);
	if (r < 0)
		tell_failed(d, g, g->attempt.sys_errno);
	else /* spent meanwhile */
		refuse(d, g->connection, g->meter, 1u << QUALIFIER_BYTES);
}

/* Dials under way of a grant of which the moment has passed. */
static void refuse_late(struct dialer *d, uint32_t grant)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		struct dialing *g = &d->dialing[i];

		if (!g->taken || d->endpoints[g->endpoint].what.grant != grant)
			continue;
		end_dial(d, g);
		refuse(d, g->connection, g->meter, 1u << QUALIFIER_UNTIL);
	}
}

static uint64_t host_s(void)
{
	return (uint64_t)time(NULL); /* Linux has no time before 1970 */
}

/* A grant of which the moment has come has no connection any more. */
static void hold_time(struct dialer *d)
{
	const uint64_t now_s = d->n_ending > 0 ? host_s() : 0;

	for (uint32_t i = 0; i < LINK_GRANTS_MAX && d->n_ending > 0; i++) {
		if (!budget_tell_time(&d->budgets[i], now_s))
			continue;
		d->n_ending--;
		cut_grant(d, i, 1u << QUALIFIER_UNTIL);
		refuse_late(d, i);
	}
}

/* Milliseconds until the next moment, or the next look at the host's clock; UINT64_MAX: there is none. */
static uint64_t time_left(const struct dialer *d)
{
	const uint64_t now_s = d->n_ending > 0 ? host_s() : 0;
	uint64_t left_s = CLOCK_LOOK_S;

	for (uint32_t i = 0; i < LINK_GRANTS_MAX && d->n_ending > 0; i++) {
		const struct budget *b = &d->budgets[i];

		if (budget_will_end(b) && b->most.until_s < now_s + left_s)
			left_s = b->most.until_s > now_s ? b->most.until_s - now_s : 0;
	}
	return d->n_ending > 0 ? left_s * 1000 : UINT64_MAX;
}

/* What waits for this name goes on. */
static void name_is_known(struct dialer *d, uint32_t known)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		struct dialing *g = &d->dialing[i];

		if (!g->taken || !g->waits_name || g->known != known)
			continue;
		stop_waiting(d, g);
		attempt_add_public(&g->attempt, &d->known.at[known].found);
		advance(d, g, clock_ms());
	}
}

/* A name server that does not answer holds nobody up for longer than a host that does not, and who gives no word for less. */
static void stop_waiting_late(struct dialer *d, uint64_t now)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		struct dialing *g = &d->dialing[i];

		if (!g->taken || (!g->waits_name && !g->waits_word) || now < g->attempt.end_ms)
			continue;
		end_dial(d, g);
		tell_failed(d, g, ETIMEDOUT);
	}
}

/* Each name that somebody waits for is asked for once, by whoever is free. */
static void ask_names(struct dialer *d)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		const struct dialing *g = &d->dialing[i];
		struct known_name *n = &d->known.at[g->known];
		int r;

		if (!g->taken || !g->waits_name || n->asked)
			continue;
		r = resolver_ask(&d->resolver, &n->name, g->known);
		n->asked = r == 1;
		if (r >= 0)
			continue;
		n->found.n = 0; /* nobody is left who could find it */
		name_is_known(d, g->known);
	}
}

static struct dialing *free_dialing(struct dialer *d)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (!d->dialing[i].taken)
			return &d->dialing[i];
	return NULL;
}

/* Whether the relay may ask for one more. */
static bool has_held_room(const struct dialer *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		n += d->dialing[i].taken && d->endpoints[d->dialing[i].endpoint].what.held != 0;
	return n < LINK_HELD_MAX;
}

static bool is_dialing(const struct dialer *d, uint32_t connection)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (d->dialing[i].taken && d->dialing[i].connection == connection)
			return true;
	return false;
}

/* What was asked for is what was granted. Of a public address that any host may have, what it is is looked at when it is connected. */
static bool is_allowed(const struct endpoint_state *p, const struct link_ask *ask)
{
	const struct endpoint *to = &p->what.to;
	const bool by_name = ask->name.text[0] != 0, by_address = ask->address.family != 0;

	if (!endpoint_is_wide(to))
		return to->kind != 0 && !by_name && !by_address;
	if (by_name)
		return (to->kind == ENDPOINT_ANY ||
			(to->kind == ENDPOINT_PATTERN && host_matches(&to->name, ask->name.text))) &&
		       !host_is_local(ask->name.text);
	return by_address &&
	       (to->kind == ENDPOINT_ANY || (to->kind == ENDPOINT_RANGE && endpoint_means(to, &ask->address)));
}

/* One of the host's own is its loopback by another name. */
static void see_own(struct dialer *d, struct address *a)
{
	if (address_kind(a) == ADDRESS_PUBLIC && own_has(d->netlink, a))
		*a = address_loopback((enum address_family)a->family);
}

/* False: the dial has to wait for them. */
static bool has_addresses(struct dialer *d, struct dialing *g, uint64_t now)
{
	const struct endpoint_state *p = &d->endpoints[g->endpoint];
	const struct endpoint *to = &p->what.to;
	const struct link_ask *ask = &g->meant;
	struct resolved meant = { .n = 1, .address = { ask->address } };
	struct known_name *n;

	if (to->kind == ENDPOINT_UNIX) {
		attempt_add_socket(&g->attempt, p->dir_fd, p->socket.name);
		return true;
	}
	if (to->kind == ENDPOINT_RANGE) {
		attempt_add(&g->attempt, ask->address.family != 0 ? &ask->address : &to->range.base);
		return true;
	}
	if (ask->address.family != 0) {
		see_own(d, &meant.address[0]);
		attempt_add_public(&g->attempt, &meant);
		return true;
	}
	g->known = known_place(&d->known, ask->name.text[0] != 0 ? &ask->name : &to->name);
	n = &d->known.at[g->known];
	if (known_is_fresh(n, now)) {
		attempt_add_public(&g->attempt, &n->found);
		return true;
	}
	n->waiting++;
	g->waits_name = true;
	g->attempt.end_ms = now + DIAL_PATIENCE_MS; /* for all of it */
	return false;
}

static void find(struct dialer *d, struct dialing *g, uint64_t now)
{
	if (has_addresses(d, g, now))
		advance(d, g, now);
}

static int begin(struct dialer *d, const struct link_ask *ask)
{
	struct endpoint_state *p = &d->endpoints[ask->endpoint];
	struct dialing *g = free_dialing(d);
	const uint64_t now = clock_ms();
	enum qualifier spent;

	hold_time(d);
	if (!is_allowed(p, ask) || g == NULL || d->open[ask->connection].fd >= 0 || is_dialing(d, ask->connection) ||
	    (p->what.held != 0 && !has_held_room(d)))
		return -EPROTO;
	if (p->withdrawn) {
		p->withdrawn_dials++;
		(void)tell_done(d, ask->connection, EACCES, -1);
		return 0;
	}
	if (!budget_take(budget_of(d, ask->endpoint), now, &spent)) {
		refuse(d, ask->connection, meter_for(d, ask), 1u << spent);
		return 0;
	}
	g->taken = true;
	g->waits_name = g->waits_word = false;
	g->number = p->what.held != 0 ? ++d->numbers : 0;
	g->bytes = 0;
	g->connection = ask->connection;
	g->endpoint = ask->endpoint;
	g->meter = meter_for(d, ask);
	g->meant = *ask;
	attempt_init(&g->attempt, p->what.to.port);
	if (g->number != 0)
		ask_may(d, g, now);
	else
		find(d, g, now);
	return 0;
}

/* ---- the supervisor's word ---- */

static void refuse_held(struct dialer *d, struct dialing *g, enum meter_why why)
{
	end_dial(d, g);
	refuse(d, g->connection, g->meter, METER_BY(why));
}

/* Of a Unix socket nobody counts the bytes. */
static void on_word_to_dial(struct dialer *d, struct dialing *g, const struct link_word *w)
{
	g->waits_word = false;
	g->attempt.end_ms = 0;
	g->bytes = w->bytes;
	if (w->why != LINK_YES) {
		g->number = 0; /* who refused it expects no more of it */
		refuse_held(d, g, (enum meter_why)w->why);
	} else if (w->bytes != 0 && d->endpoints[g->endpoint].what.to.kind == ENDPOINT_UNIX) {
		refuse_held(d, g, METER_OTHER);
	} else {
		find(d, g, clock_ms());
	}
}

static void on_word_to_pass(struct dialer *d, struct connection *c, const struct link_word *w)
{
	const bool was_bounded = is_bounded(d, c);

	count_bytes(d, c, false);
	if (w->why == LINK_YES) {
		if (allowance_add(&c->allowance, w->bytes, passed_all(c)))
			(void)pause_end(c->fd); /* it was begun */
		d->n_bounded -= was_bounded && !is_bounded(d, c);
	} else if (allowance_refuse(&c->allowance, passed_all(c))) {
		cut_held(d, c, (enum meter_why)w->why);
	}
}

/* On one that is over, or asked for nothing, it says nothing. */
static int take_word(struct dialer *d, struct rbuf *body)
{
	struct link_word w;

	if (!link_take_word(body, &w))
		return -EPROTO;
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (d->dialing[i].taken && d->dialing[i].waits_word && d->dialing[i].number == w.number) {
			on_word_to_dial(d, &d->dialing[i], &w);
			return 0;
		}
	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++)
		if (d->open[i].fd >= 0 && d->open[i].number == w.number && d->open[i].allowance.asks) {
			on_word_to_pass(d, &d->open[i], &w);
			return 0;
		}
	return 0;
}

static int close_one(struct dialer *d, const struct link_close *over)
{
	if (over->connection >= LINK_CONNECTIONS_MAX)
		return close_arrival(d, over->connection - LINK_CONNECTIONS_MAX, over->broken != 0);
	if (d->open[over->connection].fd < 0)
		return -EPROTO;
	hang_up(d, &d->open[over->connection], over->broken != 0);
	return 0;
}

/* ---- withdrawing ---- */

static uint32_t count_live(const struct dialer *d, uint32_t endpoint)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++)
		n += d->open[i].fd >= 0 && d->open[i].endpoint == endpoint && !d->open[i].cut;
	return n;
}

/* Ends the live connections of an endpoint; gives how many. Their numbers stay taken until the relay gives them back. */
static uint32_t end_live(struct dialer *d, uint32_t endpoint)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++) {
		if (d->open[i].fd < 0 || d->open[i].endpoint != endpoint || d->open[i].cut)
			continue;
		cut(d, &d->open[i]);
		n++;
	}
	return n;
}

/* Those that are under way. */
static void refuse_dials(struct dialer *d, uint32_t endpoint)
{
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++) {
		struct dialing *g = &d->dialing[i];

		if (!g->taken || g->endpoint != endpoint)
			continue;
		end_dial(d, g);
		d->endpoints[endpoint].withdrawn_dials++;
		(void)tell_done(d, g->connection, EACCES, -1);
	}
}

static int tell_live(struct dialer *d, uint32_t number, uint32_t connections)
{
	const struct link_live live = { .number = number, .connections = connections };
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_live(&b, &live);
	return wire_send(d->supervisor, WIRE_DIAL_LIVE, &b, NULL, 0);
}

static int look(struct dialer *d, struct rbuf *body, bool withdraw)
{
	struct link_about about;
	uint32_t n;

	if (!link_take_about(body, &about) || d->endpoints[about.endpoint].what.to.kind == 0)
		return -EPROTO;
	if (withdraw) {
		/* without a number by the judge, who is asked of what comes next */
		d->endpoints[about.endpoint].withdrawn |= about.number != 0;
		refuse_dials(d, about.endpoint);
		n = end_live(d, about.endpoint);
	} else {
		n = count_live(d, about.endpoint);
	}
	return tell_live(d, about.number, n);
}

/* ---- the others ---- */

/* Below 0: it has gone, or says what it may not. */
static int take_ask(struct dialer *d)
{
	auto_message m = { .n_fds = 0 };
	struct link_close over;
	struct link_ask ask;
	const int n = wire_receive(d->relay, WIRE_RELAY, WIRE_RUNNING, d->room, sizeof d->room, &m);

	if (n <= 0)
		return n == 0 ? -EPIPE : n;
	if (d->over)
		return 0; /* what has ended is given back, and nothing begins */
	if (m.number == WIRE_DIAL_ASK)
		return link_take_ask(&m.body, &ask) ? begin(d, &ask) : -EPROTO;
	return link_take_close(&m.body, &over) ? close_one(d, &over) : -EPROTO;
}

static int take_pool(struct dialer *d, struct wire_message *m)
{
	for (size_t i = 0; i < m->n_fds; i++) {
		if (!arrivals_add(&d->arrivals, m->fds[i]))
			return -EPROTO;
		(void)steal_fd(&m->fds[i]);
	}
	return 0;
}

/* 1: it is gone. */
static int on_supervisor(struct dialer *d)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(d->supervisor, WIRE_SUPERVISOR, WIRE_RUNNING, d->room, sizeof d->room, &m);

	if (n <= 0)
		return n == 0 ? 1 : n;
	if (m.number == WIRE_DIAL_LOOK || m.number == WIRE_DIAL_WITHDRAW)
		return look(d, &m.body, m.number == WIRE_DIAL_WITHDRAW);
	if (m.number == WIRE_DIAL_WORD)
		return take_word(d, &m.body);
	if (m.number == WIRE_DIAL_POOL)
		return take_pool(d, &m);
	return m.number == WIRE_DIAL_REPORT ? report(d) : -EPROTO;
}

static void on_resolver(struct dialer *d, unsigned i)
{
	struct resolved found;
	uint32_t known;

	if (!resolver_take(&d->resolver, i, &known, &found))
		return;
	d->known.at[known].found = found;
	for (uint32_t k = 0; k < found.n; k++)
		see_own(d, &d->known.at[known].found.address[k]);
	d->known.at[known].when_ms = clock_ms();
	d->known.at[known].asked = false;
	name_is_known(d, known);
}

/* Both sides of somebody who came and was connected are the relay's from now on. */
static int tell_arrival(struct dialer *d, uint32_t index)
{
	const struct arrival *v = &d->arrivals.slot[index];
	const int fds[] = { v->client, v->pool[v->family] };
	uint8_t room[4];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_arrival(&b, LINK_CONNECTIONS_MAX + index);
	return wire_send(d->relay, WIRE_DIAL_ARRIVAL, &b, fds, 2);
}

/* As with a dial that cannot be handed over, who came is reset if descriptors cannot be sent. */
static void hand_arrival_over(struct dialer *d, uint32_t index, struct meter *used)
{
	int r;

	used->opened++;
	d->arrived[index] = (struct passed){ .up = 0 };
	r = tell_arrival(d, index);
	if (r < 0 && r != -ETOOMANYREFS)
		drop_relay(d);
	if (r != -ETOOMANYREFS)
		return;
	used->opened--;
	used->failed++;
	used->sys_errno = ETOOMANYREFS;
	(void)arrivals_close(&d->arrivals, index, true, clock_ms());
}

static void advance_arrivals(struct dialer *d, uint64_t now)
{
	uint32_t index;
	int sys_errno;

	arrivals_accept(&d->arrivals, now); /* once: who comes without end holds nothing up */
	while (d->relay >= 0 && arrivals_step(&d->arrivals, now, &index, &sys_errno)) {
		struct meter *used = &d->endpoints[d->arrivals.slot[index].endpoint].used;

		if (sys_errno == 0) {
			hand_arrival_over(d, index, used);
		} else {
			used->failed++;
			used->sys_errno = (uint32_t)sys_errno;
		}
	}
}

static void advance_all(struct dialer *d)
{
	const uint64_t now = clock_ms();

	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (d->dialing[i].taken && !d->dialing[i].waits_name && !d->dialing[i].waits_word)
			advance(d, &d->dialing[i], now);
	stop_waiting_late(d, now);
	ask_names(d);
	hold_bytes(d, now);
	hold_time(d);
	advance_arrivals(d, now);
}

/* Milliseconds until a dial or a look is due; -1: none is. */
static int patience(const struct dialer *d)
{
	const uint64_t now = clock_ms(), left = time_left(d);
	uint64_t due = arrivals_due(&d->arrivals, now);

	if (d->n_bounded > 0 && d->look_ms < due)
		due = d->look_ms;
	if (left != UINT64_MAX && now + left < due)
		due = now + left;
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (d->dialing[i].taken && attempt_due(&d->dialing[i].attempt) < due)
			due = attempt_due(&d->dialing[i].attempt);
	return due == UINT64_MAX ? -1 : due <= now ? 0 : (int)(due - now); /* DIAL_PATIENCE_MS at most */
}

static int turn(struct dialer *d)
{
	static struct pollfd p[POLLED_MAX];
	nfds_t n = 2 + RESOLVERS;
	int r = 0;

	p[0] = (struct pollfd){ .fd = d->supervisor, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = d->relay, .events = POLLIN };
	resolver_watch(&d->resolver, p + 2);
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		if (d->dialing[i].taken)
			n += attempt_watch(&d->dialing[i].attempt, p + n);
	n += arrivals_watch(&d->arrivals, p + n);
	if (poll(p, n, patience(d)) < 0)
		return errno == EINTR ? 0 : -errno;
	for (unsigned i = 0; i < RESOLVERS; i++)
		if (p[2 + i].revents != 0)
			on_resolver(d, i);
	if (p[1].revents != 0 && d->relay >= 0 && take_ask(d) < 0)
		drop_relay(d);
	if (p[0].revents != 0)
		r = on_supervisor(d);
	if (r == 0)
		advance_all(d);
	return r;
}

/* ---- beginning and end ---- */

/* NULL: there is something of this index. */
static struct endpoint_state *new_endpoint(struct dialer *d, uint32_t index)
{
	struct endpoint_state *p = &d->endpoints[index];

	if (p->what.to.kind != 0 || p->listens)
		return NULL;
	if (index >= d->n_endpoints)
		d->n_endpoints = index + 1;
	return p;
}

static bool take_budget(struct dialer *d, uint32_t grant, const struct qualifiers *most)
{
	struct budget *b = &d->budgets[grant];
	const bool was_there = b->taken;

	if (!budget_begin(b, most, clock_ms()))
		return false;
	d->n_ending += !was_there && budget_will_end(b);
	return true;
}

static int allow(struct dialer *d, struct rbuf *body)
{
	struct endpoint_state *p;
	struct link_endpoint what;

	if (!link_take_endpoint(body, &what) || (p = new_endpoint(d, what.index)) == NULL ||
	    !take_budget(d, what.grant, &what.budget))
		return -EPROTO;
	p->what = what;
	return 0;
}

static int allow_socket(struct dialer *d, struct wire_message *m)
{
	struct endpoint_state *p;
	struct link_socket what;

	if (!link_take_socket(&m->body, &what) || (p = new_endpoint(d, what.index)) == NULL ||
	    !take_budget(d, what.grant, &what.budget))
		return -EPROTO;
	p->socket = what;
	p->what.grant = what.grant;
	p->what.held = what.held;
	p->what.to.kind = ENDPOINT_UNIX;
	p->dir_fd = steal_fd(&m->fds[0]);
	return 0;
}

static int allow_listen(struct dialer *d, struct wire_message *m)
{
	struct endpoint_state *p;
	struct link_listen to;

	if (!link_take_listen(&m->body, &to) || (p = new_endpoint(d, to.index)) == NULL)
		return -EPROTO;
	p->listens = true;
	for (size_t i = 0; i < m->n_fds; i++) {
		if (!arrivals_listen(&d->arrivals, &to, m->fds[i]))
			return -EPROTO;
		(void)steal_fd(&m->fds[i]);
	}
	return 0;
}

/* Who judges what passes at an endpoint that was told before; it holds nobody up. */
static int allow_http(struct dialer *d, struct wire_message *m)
{
	const uint32_t index = rbuf_u32(&m->body);

	if (index >= d->n_endpoints || d->endpoints[index].what.to.kind == 0 || d->endpoints[index].http >= 0)
		return -EPROTO;
	d->endpoints[index].http = steal_fd(&m->fds[0]);
	return fd_set_nonblock(d->endpoints[index].http, true);
}

/* What is allowed comes first, and the relay last. */
static int take_orders(struct dialer *d)
{
	while (d->relay < 0) {
		auto_message m = { .n_fds = 0 };
		int n = wire_receive(d->supervisor, WIRE_SUPERVISOR, WIRE_NEW, d->room, sizeof d->room, &m);

		if (n <= 0)
			return n == 0 ? 1 : n;
		n = 0;
		if (m.number == WIRE_DIAL_RELAY)
			d->relay = steal_fd(&m.fds[0]);
		else if (m.number == WIRE_DIAL_SOCKET)
			n = allow_socket(d, &m);
		else if (m.number == WIRE_DIAL_LISTEN)
			n = allow_listen(d, &m);
		else if (m.number == WIRE_DIAL_HTTP)
			n = allow_http(d, &m);
		else
			n = m.number == WIRE_DIAL_ALLOW ? allow(d, &m.body) : -EPROTO;
		if (n < 0)
			return n;
	}
	return fd_set_nonblock(d->relay, true); /* one that does not listen holds nobody up */
}

/* A user's soft limit is lower, mostly; what is beyond it is refused, connection by connection. */
static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_MAX)
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static bool leads_by_name(const struct endpoint *to)
{
	return to->kind == ENDPOINT_NAME || to->kind == ENDPOINT_PATTERN || to->kind == ENDPOINT_ANY;
}

static bool has_names(const struct dialer *d)
{
	for (uint32_t i = 0; i < d->n_endpoints; i++)
		if (leads_by_name(&d->endpoints[i].what.to))
			return true;
	return false;
}

static int serve(struct dialer *d, struct err *e)
{
	int n = take_orders(d), r = 0;

	raise_files();
	if (n == 0 && has_names(d))
		r = resolver_start(&d->resolver, e);
	d->netlink = own_open(); /* without it, no address is taken for public */
	r = r < 0 ? r : promise_keep(e);
	if (r < 0)
		return r;
	while (n == 0)
		n = turn(d);
	return n >= 0 ? 0 : err_sys(e, n == -EPROTO ? AMBIT_PROTOCOL : AMBIT_SYSTEM, -n, NULL, "cannot dial");
}

int dial_run(int supervisor, struct err *e)
{
	auto_free struct dialer *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to dial");
	d->supervisor = supervisor;
	d->relay = d->netlink = -1;
	arrivals_init(&d->arrivals);
	resolver_init(&d->resolver);
	for (uint32_t i = 0; i < LINK_CONNECTIONS_MAX; i++)
		d->open[i].fd = -1;
	for (uint32_t i = 0; i < LINK_ENDPOINTS_MAX; i++)
		d->endpoints[i].dir_fd = d->endpoints[i].http = -1;
	return serve(d, e); /* what it holds goes with the process */
}
