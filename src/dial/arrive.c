#include "dial/arrive.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/sockaddr.h"
#include "dial/end.h"

#define PATIENCE_MS 30000 /* of a server that does not accept, and of one that does not read what was its */
#define LOOK_MS 50        /* what still sends is looked at: no event tells that it is done (poll(2) says HUP before) */

void arrivals_init(struct arrivals *a)
{
	*a = (struct arrivals){ .n_listeners = 0 };
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++)
		a->slot[i].client = a->slot[i].pool[0] = a->slot[i].pool[1] = -1;
}

bool arrivals_listen(struct arrivals *a, const struct link_listen *to, int fd)
{
	if (a->n_listeners == 2 * LINK_LISTENS_MAX)
		return false;
	a->listener[a->n_listeners].fd = fd;
	a->listener[a->n_listeners].port = to->port;
	a->listener[a->n_listeners++].endpoint = to->index;
	return true;
}

bool arrivals_add(struct arrivals *a, int fd)
{
	int family = 0;
	socklen_t size = sizeof family;
	uint32_t i = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 || (family != AF_INET && family != AF_INET6))
		return false;
	while (i < LINK_ARRIVALS_MAX && a->slot[i].pool[family == AF_INET6] >= 0)
		i++;
	if (i == LINK_ARRIVALS_MAX)
		return false;
	a->slot[i].pool[family == AF_INET6] = fd;
	return true;
}

/* ---- one arrival ---- */

static int connect_by(int sock, uint8_t family, uint16_t port)
{
	const struct address loopback = address_loopback(family == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6);
	struct sockaddr_storage at;
	const socklen_t n = sockaddr_put(&loopback, port, &at);

	return connect(sock, (const struct sockaddr *)&at, n) < 0 ? -errno : 0;
}

/* What it was connected to is told that it was broken off, if it is not over. */
static void free_pool(struct arrival *v)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(v->pool[v->family], &none, sizeof none) < 0)
		end_close(&v->pool[v->family], true); /* of no more use: there is one less */
}

/* By v->family, and by the one after it if that cannot: 0, it is connected; -EINPROGRESS. Any other: none can, and v->family is none. */
static int dial(struct arrival *v)
{
	int r = -ECONNREFUSED;

	for (; v->family < 2; v->family++) {
		if (v->pool[v->family] < 0)
			continue;
		r = connect_by(v->pool[v->family], v->family, v->port);
		if (r == 0 || r == -EINPROGRESS)
			return r;
		free_pool(v);
	}
	return r;
}

/* 0: it is connected; -EINPROGRESS. */
static int look(const struct arrival *v)
{
	struct pollfd p = { .fd = v->pool[v->family], .events = POLLOUT };
	int why = 0;
	socklen_t size = sizeof why;

	if (poll(&p, 1, 0) != 1)
		return -EINPROGRESS;
	if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0)
		why = errno;
	return -why;
}

/* True: it came to an end, with *ret_errno. */
static bool advance(struct arrival *v, uint64_t now_ms, int *ret_errno)
{
	if (v->dialed == -EINPROGRESS)
		v->dialed = look(v);
	if (v->dialed == -EINPROGRESS && now_ms >= v->end_ms)
		v->dialed = -ETIMEDOUT;
	if (v->dialed < 0 && v->dialed != -EINPROGRESS && v->family < 2) {
		free_pool(v);
		v->family++;
		v->dialed = v->dialed == -ECONNREFUSED ? dial(v) : v->dialed;
	}
	if (v->dialed == -EINPROGRESS)
		return false;
	*ret_errno = -v->dialed;
	v->state = v->dialed == 0 ? ARRIVAL_OPEN : ARRIVAL_NONE;
	if (v->dialed < 0)
		end_close(&v->client, true);
	return true;
}

static bool has_sent_all(int sock)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = sizeof info;

	return getsockopt(sock, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state == TCP_CLOSE;
}

static void rest(struct arrival *v, uint64_t now_ms)
{
	if (now_ms < v->end_ms && !has_sent_all(v->pool[v->family]))
		return;
	free_pool(v);
	v->state = ARRIVAL_NONE;
}

/* ---- all of them ---- */

static struct arrival *free_slot(struct arrivals *a)
{
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++) {
		struct arrival *v = &a->slot[(a->next + i) % LINK_ARRIVALS_MAX];

		if (v->state != ARRIVAL_NONE || (v->pool[0] < 0 && v->pool[1] < 0))
			continue;
		a->next = (a->next + i + 1) % LINK_ARRIVALS_MAX;
		return v;
	}
	return NULL;
}

static bool has_free_slot(const struct arrivals *a)
{
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++)
		if (a->slot[i].state == ARRIVAL_NONE && (a->slot[i].pool[0] >= 0 || a->slot[i].pool[1] >= 0))
			return true;
	return false;
}

static void prepare(int sock)
{
	const int on = 1;

	(void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* small pieces are passed on as they came */
}

/* The caller has seen that a slot is free. */
static bool accept_one(struct arrivals *a, uint32_t listener, uint64_t now_ms)
{
	const int client = accept4(a->listener[listener].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct arrival *v = client < 0 ? NULL : free_slot(a);

	if (v == NULL)
		return false; /* nobody is there any more, or there are no descriptors just now */
	prepare(client);
	v->client = client;
	v->state = ARRIVAL_DIALING;
	v->family = 0;
	v->port = a->listener[listener].port;
	v->endpoint = a->listener[listener].endpoint;
	v->end_ms = now_ms + PATIENCE_MS;
	v->dialed = dial(v);
	return true;
}

void arrivals_accept(struct arrivals *a, uint64_t now_ms)
{
	for (uint32_t i = 0; i < a->n_listeners; i++)
		while (has_free_slot(a) && accept_one(a, i, now_ms))
			;
}

bool arrivals_step(struct arrivals *a, uint64_t now_ms, uint32_t *ret, int *ret_errno)
{
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++) {
		struct arrival *v = &a->slot[i];

		if (v->state == ARRIVAL_DRAINS)
			rest(v, now_ms);
		if (v->state != ARRIVAL_DIALING || !advance(v, now_ms, ret_errno))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

unsigned arrivals_watch(const struct arrivals *a, struct pollfd *p)
{
	const bool accepts = has_free_slot(a);
	unsigned n = 0;

	for (uint32_t i = 0; i < a->n_listeners && accepts; i++)
		p[n++] = (struct pollfd){ .fd = a->listener[i].fd, .events = POLLIN };
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++)
		if (a->slot[i].state == ARRIVAL_DIALING)
			p[n++] = (struct pollfd){ .fd = a->slot[i].pool[a->slot[i].family], .events = POLLOUT };
	return n;
}

uint64_t arrivals_due(const struct arrivals *a, uint64_t now_ms)
{
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++) {
		const struct arrival *v = &a->slot[i];
		const uint64_t at = v->state == ARRIVAL_DRAINS    ? now_ms + LOOK_MS
				    : v->state == ARRIVAL_DIALING ? v->end_ms
								  : UINT64_MAX;

		due = at < due ? at : due;
	}
	return due;
}

bool arrivals_close(struct arrivals *a, uint32_t index, bool broken, uint64_t now_ms)
{
	struct arrival *v = &a->slot[index];

	if (v->state != ARRIVAL_OPEN)
		return false;
	end_close(&v->client, broken);
	v->state = ARRIVAL_DRAINS;
	v->end_ms = broken ? now_ms : now_ms + PATIENCE_MS;
	rest(v, now_ms);
	return true;
}

void arrivals_end(struct arrivals *a, bool broken)
{
	for (uint32_t i = 0; i < a->n_listeners; i++)
		fd_close(&a->listener[i].fd);
	a->n_listeners = 0;
	for (uint32_t i = 0; i < LINK_ARRIVALS_MAX; i++) {
		struct arrival *v = &a->slot[i];

		if (v->state == ARRIVAL_DIALING || v->state == ARRIVAL_OPEN)
			end_close(&v->client, broken || v->state == ARRIVAL_DIALING);
		for (unsigned f = 0; f < 2; f++)
			if (v->pool[f] >= 0)
				end_close(&v->pool[f], broken);
		v->state = ARRIVAL_NONE;
	}
}
