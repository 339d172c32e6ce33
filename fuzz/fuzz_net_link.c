/* Any bytes, after a letter that says which, as what supervisor, relay and dialer tell each other: what is taken is in bounds and well-formed, and
 * written again is the same. */
#include <string.h>

#include "fuzz.h"
#include "net/link.h"

static struct rbuf again(const uint8_t *data, size_t size)
{
	struct rbuf in;

	rbuf_init(&in, data, size);
	return in;
}

static bool is_good(const struct host_name *name)
{
	struct host_name taken;

	return host_take(name->text, strlen(name->text), &taken) && strcmp(taken.text, name->text) == 0;
}

static void check(const struct buf *out, const uint8_t *data, size_t size)
{
	promise(!out->failed && out->len == size && memcmp(out->data, data, size) == 0);
}

static void ask(const uint8_t *data, size_t size)
{
	uint8_t room[512];
	struct rbuf in = again(data, size);
	struct link_ask a;
	struct buf out;

	if (!link_take_ask(&in, &a))
		return;
	promise(a.connection < LINK_CONNECTIONS_MAX && a.endpoint < LINK_ENDPOINTS_MAX);
	promise(a.name.text[0] == 0 || (is_good(&a.name) && a.address.family == 0));
	promise(a.address.family == 0 || address_is_well_formed(&a.address));
	buf_init_in(&out, room, sizeof room);
	link_put_ask(&out, &a);
	check(&out, data, size);
}

static void may(const uint8_t *data, size_t size)
{
	uint8_t room[512];
	struct rbuf in = again(data, size);
	struct link_may m;
	struct buf out;

	if (!link_take_may(&in, &m))
		return;
	promise(m.number != 0 && m.endpoint < LINK_ENDPOINTS_MAX);
	promise(m.name.text[0] == 0 || (is_good(&m.name) && m.address.family == 0));
	promise(m.address.family == 0 || address_is_well_formed(&m.address));
	buf_init_in(&out, room, sizeof room);
	link_put_may(&out, &m);
	check(&out, data, size);
}

static void names(const uint8_t *data, size_t size)
{
	static struct host_name taken[LINK_UNKNOWN_MAX];
	static uint8_t room[LINK_NAMES_BYTES_MAX];
	struct rbuf in = again(data, size);
	struct buf out;
	uint32_t n;

	if (!link_take_names(&in, LINK_UNKNOWN_MAX, taken, &n))
		return;
	for (uint32_t i = 0; i < n; i++)
		promise(is_good(&taken[i]));
	buf_init_in(&out, room, sizeof room);
	link_put_names(&out, taken, n);
	check(&out, data, size);
}

static void listener(const uint8_t *data, size_t size)
{
	uint8_t room[512];
	struct rbuf in = again(data, size);
	struct link_listener l;
	struct buf out;

	if (!link_take_listener(&in, &l))
		return;
	promise(l.index < LINK_ENDPOINTS_MAX && (l.flags & ~(LINK_ECH | LINK_HELD)) == 0);
	promise(l.what.kind == ENDPOINT_UNIX ? l.what.port == 0 && l.what.path[0] == 0
					     : endpoint_is_well_formed(&l.what));
	buf_init_in(&out, room, sizeof room);
	link_put_listener(&out, &l);
	check(&out, data, size);
}

/* By the dialer's own clock and count. */
static bool is_told(const struct qualifiers *q)
{
	return !qualifiers_has(q, QUALIFIER_ASK) && !qualifiers_has(q, QUALIFIER_BETWEEN);
}

static void endpoint(const uint8_t *data, size_t size)
{
	uint8_t room[512];
	struct rbuf in = again(data, size);
	struct link_endpoint p;
	struct buf out;

	if (!link_take_endpoint(&in, &p))
		return;
	promise(p.index < LINK_ENDPOINTS_MAX && p.grant < LINK_GRANTS_MAX && p.held <= 1 && is_told(&p.budget));
	promise(endpoint_is_well_formed(&p.to) && p.to.kind != ENDPOINT_UNIX && p.to.kind != ENDPOINT_SSH);
	buf_init_in(&out, room, sizeof room);
	link_put_endpoint(&out, &p);
	check(&out, data, size);
}

static void in_directory(const uint8_t *data, size_t size)
{
	uint8_t room[192];
	struct rbuf in = again(data, size);
	struct link_socket p;
	struct buf out;

	if (!link_take_socket(&in, &p))
		return;
	promise(p.index < LINK_ENDPOINTS_MAX && p.grant < LINK_GRANTS_MAX && p.held <= 1 && p.budget.bytes == 0 &&
		is_told(&p.budget));
	promise(p.name[0] != 0 && strchr(p.name, '/') == NULL && strcmp(p.name, ".") != 0 && strcmp(p.name, "..") != 0);
	buf_init_in(&out, room, sizeof room);
	link_put_socket(&out, &p);
	check(&out, data, size);
}

static void refused(const uint8_t *data, size_t size)
{
	static struct link_refused taken[LINK_ENDPOINTS_MAX];
	static uint8_t room[LINK_REFUSED_BYTES_MAX];
	struct rbuf in = again(data, size);
	struct buf out;

	if (!link_take_refused(&in, taken))
		return;
	for (uint32_t i = 0; i < LINK_ENDPOINTS_MAX; i++)
		promise(taken[i].name.text[0] == 0 || is_good(&taken[i].name));
	buf_init_in(&out, room, sizeof room);
	link_put_refused(&out, taken);
	check(&out, data, size);
}

/* Of as many endpoints as the first byte says. */
static void report(const uint8_t *data, size_t size)
{
	static struct link_report r;
	static uint8_t room[LINK_USED_BYTES_MAX];
	const uint32_t n = size > 0 ? data[0] % (LINK_ENDPOINTS_MAX + 1u) : 0;
	struct rbuf in = again(data + (size > 0), size - (size > 0));
	struct buf out;

	if (!link_take_report(&in, &r, n))
		return;
	promise(r.n_hosts <= LINK_HOSTS_MAX);
	for (uint32_t i = 0; i < r.n_hosts; i++) {
		const struct link_host *h = &r.hosts[i];

		promise(h->endpoint < n && (h->address.family == 0) == (h->name.text[0] != 0));
		promise(h->name.text[0] == 0 || is_good(&h->name));
		promise(h->address.family == 0 || address_is_well_formed(&h->address));
	}
	buf_init_in(&out, room, sizeof room);
	link_put_report(&out, &r, n);
	check(&out, data + 1, size - 1);
}

/* ---- those of a few numbers ---- */

static bool over(struct rbuf *in, struct buf *out)
{
	struct link_close c;
	const bool taken = link_take_close(in, &c);

	promise(!taken || (c.connection < LINK_NUMBERS_MAX && c.broken <= 1));
	link_put_close(out, &c);
	return taken;
}

static bool a_port(struct rbuf *in, struct buf *out)
{
	struct link_listen p;
	const bool taken = link_take_listen(in, &p);

	promise(!taken || (p.index < LINK_ENDPOINTS_MAX && p.port != 0));
	link_put_listen(out, &p);
	return taken;
}

static bool arrival(struct rbuf *in, struct buf *out)
{
	uint32_t connection;
	const bool taken = link_take_arrival(in, &connection);

	promise(!taken || (connection >= LINK_CONNECTIONS_MAX && connection < LINK_NUMBERS_MAX));
	link_put_arrival(out, connection);
	return taken;
}

static bool done(struct rbuf *in, struct buf *out)
{
	struct link_done d;
	const bool taken = link_take_done(in, &d);

	promise(!taken || d.connection < LINK_CONNECTIONS_MAX);
	link_put_done(out, &d);
	return taken;
}

static bool about(struct rbuf *in, struct buf *out)
{
	struct link_about a;
	const bool taken = link_take_about(in, &a);

	promise(!taken || a.endpoint < LINK_ENDPOINTS_MAX);
	link_put_about(out, &a);
	return taken;
}

static bool live(struct rbuf *in, struct buf *out)
{
	struct link_live l;
	const bool taken = link_take_live(in, &l);

	promise(!taken || l.connections <= LINK_CONNECTIONS_MAX);
	link_put_live(out, &l);
	return taken;
}

static bool word(struct rbuf *in, struct buf *out)
{
	struct link_word w;
	const bool taken = link_take_word(in, &w);

	promise(!taken || (w.number != 0 && (w.why == LINK_YES || (w.why < METER_WHY_COUNT && w.bytes == 0))));
	link_put_word(out, &w);
	return taken;
}

static bool spent(struct rbuf *in, struct buf *out)
{
	struct link_spent s;
	const bool taken = link_take_spent(in, &s);

	promise(!taken || (s.number != 0 && (s.opened == 1 || (s.opened == 0 && s.up == 0 && s.down == 0))));
	link_put_spent(out, &s);
	return taken;
}

static void numbers(uint8_t which, const uint8_t *data, size_t size)
{
	struct rbuf in = again(data, size);
	uint8_t room[28];
	struct buf out;
	bool taken;

	buf_init_in(&out, room, sizeof room);
	switch (which) {
	case 'c': taken = over(&in, &out); break;
	case 'p': taken = a_port(&in, &out); break;
	case 'v': taken = arrival(&in, &out); break;
	case 'd': taken = done(&in, &out); break;
	case 'b': taken = about(&in, &out); break;
	case 'l': taken = live(&in, &out); break;
	case 'w': taken = word(&in, &out); break;
	case 'x': taken = spent(&in, &out); break;
	default: return;
	}
	if (taken)
		check(&out, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'a': ask(data + 1, size - 1); break;
	case 'm': may(data + 1, size - 1); break;
	case 'n': names(data + 1, size - 1); break;
	case 't': listener(data + 1, size - 1); break;
	case 'e': endpoint(data + 1, size - 1); break;
	case 's': in_directory(data + 1, size - 1); break;
	case 'r': refused(data + 1, size - 1); break;
	case 'u': report(data + 1, size - 1); break;
	default: numbers(data[0], data + 1, size - 1); break;
	}
	return 0;
}
