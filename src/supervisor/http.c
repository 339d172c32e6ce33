#include "supervisor/http.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cell/pem.h"
#include "wire/wire.h"

#define REPORT_PATIENCE_MS 2000 /* of one that has nothing else to do */
#define PATIENCE_MS 45000       /* of a role that makes keys, and may wait for a command that says a secret */

void http_roles_init(struct http_roles *h)
{
	h->n = 0;
}

void http_roles_finish(struct http_roles *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		fd_close(&h->role[i].fd);
}

bool http_roles_add(struct http_roles *h, int *fd)
{
	if (h->n == LINK_HTTP_MAX)
		return false;
	h->role[h->n].endpoint = CELL_ENDPOINTS_MAX;
	h->role[h->n++].fd = steal_fd(fd);
	return true;
}

static int role_is_gone(struct err *e, int r)
{
	return err_sys(e, AMBIT_GONE, -r, "see the kernel's log", "a role ambit-http ended before the event");
}

/* ---- telling ---- */

static uint32_t endpoint_of(const struct cell_spec *spec, uint32_t grant)
{
	uint32_t i = 0;

	while (i < spec->n_endpoints && spec->endpoints[i].grant != grant)
		i++;
	return i;
}

static int tell_dialer(int dialer, uint32_t endpoint, int fd)
{
	uint8_t room[4];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, endpoint);
	return wire_send(dialer, WIRE_DIAL_HTTP, &b, &fd, 1);
}

static int tell_role(int role, const struct http_orders *orders, int fd)
{
	uint8_t room[8192];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	http_put_orders(&b, orders);
	return wire_send(role, WIRE_HTTP_TERMS, &b, &fd, 1);
}

static int introduce(int role, const struct http_orders *orders, int dialer, struct err *e)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a socket for a role ambit-http");
	r = tell_dialer(dialer, orders->to.index, pair[0]);
	r = r < 0 ? r : tell_role(role, orders, pair[1]);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r < 0 ? role_is_gone(e, r) : 0;
}

static int tell(struct http_roles *h, uint32_t k, const struct grant_set *set, uint32_t grant,
		const struct cell_spec *spec, int dialer, struct err *e)
{
	const struct qualifiers *q = &set->grants[grant].qualifiers;
	struct http_orders orders = { .budget = { .uses = q->uses, .rate = q->rate, .period_s = q->period_s },
				      .learns = spec->base == CELL_BASE_HOST }; /* what `ambit learn` uses alone */
	const uint32_t i = endpoint_of(spec, grant);

	if (k >= h->n || i == spec->n_endpoints)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: requests are to be judged, and nobody judges them");
	h->role[k].endpoint = orders.to.index = i;
	spec_endpoint(spec, &spec->endpoints[i], &orders.to.what);
	(void)text_copy(orders.terms, sizeof orders.terms, grant_terms(set, grant)); /* fits: grant.h */
	return introduce(h->role[k].fd, &orders, dialer, e);
}

/* ---- hearing ---- */

static int hear(struct http_roles *h, uint32_t k, struct buf *authorities, struct err *e)
{
	struct pollfd p = { .fd = h->role[k].fd, .events = POLLIN };
	uint8_t room[WIRE_HEAD + 2048];
	auto_message m = { .n_fds = 0 };
	int r;

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return role_is_gone(e, -ETIMEDOUT);
	r = wire_receive(h->role[k].fd, WIRE_HTTP, WIRE_BUILDING, room, sizeof room, &m);
	if (r <= 0)
		return role_is_gone(e, r);
	if (m.number == WIRE_HTTP_FAILED)
		return wire_take_error(&m.body, e);
	if (m.number != WIRE_HTTP_READY)
		return role_is_gone(e, -EPROTO);
	pem_put(authorities, m.body.data + m.body.at, rbuf_left(&m.body));
	return 0;
}

static int learn(struct http_roles *h, uint32_t n, struct cell_spec *spec, struct err *e)
{
	auto_buf authorities = { .max = 0 };
	bool full = false;
	const char *text;
	int r = 0;

	buf_init(&authorities, AUTHORITIES_TEXT_MAX);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = hear(h, i, &authorities, e);
	text = r < 0 || n == 0 ? "" : buf_cstr(&authorities);
	if (text != NULL && text[0] != 0)
		spec->authorities = spec_add_text(spec, text, &full);
	return text == NULL || full ? err_set(e, AMBIT_LIMIT, "grant fewer hosts with rules or secrets",
					      "the authorities of the event do not fit")
				    : r;
}

int http_begin(struct http_roles *h, const struct event_request *q, struct cell_spec *spec, int dialer, struct err *e)
{
	uint32_t k = 0;
	int r = 0;

	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if (grant_terms(&q->grants, i)[0] != 0)
			r = tell(h, k++, &q->grants, i, spec, dialer, e);
	return r < 0 ? r : learn(h, k, spec, e);
}

_Static_assert(HTTP_USED_BYTES_MAX <= 49348, "what was asked for fits a message: wire/messages.def");

bool http_used(struct http_roles *h, uint32_t k, struct http_used *ret)
{
	static uint8_t room[WIRE_HEAD + HTTP_USED_BYTES_MAX];
	struct pollfd p = { .fd = h->role[k].fd, .events = POLLIN };
	auto_message m = { .n_fds = 0 };

	return wire_send(h->role[k].fd, WIRE_HTTP_REPORT, NULL, NULL, 0) == 0 && poll(&p, 1, REPORT_PATIENCE_MS) == 1 &&
	       wire_receive(h->role[k].fd, WIRE_HTTP, WIRE_RUNNING, room, sizeof room, &m) == 1 &&
	       m.number == WIRE_HTTP_USED && http_take_used(&m.body, ret);
}
