#include "net/link.h"

#include <string.h>

static bool is_whole(const struct rbuf *in)
{
	return !in->failed && rbuf_left(in) == 0;
}

/* "", or a name in its one way of being written. */
bool link_take_name(struct rbuf *in, struct host_name *ret)
{
	char name[sizeof ret->text];
	size_t n;

	rbuf_str(in, name, sizeof name);
	n = strlen(name);
	ret->text[0] = 0;
	if (in->failed)
		return false;
	return n == 0 || (host_take(name, n, ret) && strcmp(ret->text, name) == 0);
}

void link_put_address(struct buf *out, const struct address *a)
{
	buf_put_u8(out, a->family);
	buf_put(out, a->bytes, sizeof a->bytes);
}

/* None at all, too. */
bool link_take_address(struct rbuf *in, struct address *ret)
{
	const uint8_t *bytes;

	*ret = (struct address){ .family = rbuf_u8(in) };
	bytes = rbuf_bytes(in, sizeof ret->bytes);
	if (bytes == NULL)
		return false;
	memcpy(ret->bytes, bytes, sizeof ret->bytes);
	return ret->family == 0 || address_is_well_formed(ret);
}

static void put_what(struct buf *out, const struct endpoint *p)
{
	buf_put_u8(out, p->kind);
	buf_put_u16(out, p->port);
	link_put_address(out, &p->range.base);
	buf_put_u8(out, p->range.prefix);
	buf_put_str(out, p->name.text);
}

/* Nobody is told where a socket of the host has its name, but for the dialer (link_socket). */
static bool is_unplaced(const struct endpoint *p)
{
	return p->kind == ENDPOINT_UNIX && p->port == 0 && p->range.base.family == 0 && p->range.prefix == 0 &&
	       p->name.text[0] == 0;
}

static bool take_what(struct rbuf *in, struct endpoint *ret)
{
	struct endpoint p = { .kind = rbuf_u8(in) };
	bool has_address;

	p.port = rbuf_u16(in);
	has_address = link_take_address(in, &p.range.base);
	p.range.prefix = rbuf_u8(in);
	rbuf_str(in, p.name.text, sizeof p.name.text);
	*ret = p;
	return has_address && is_whole(in) && (is_unplaced(&p) || endpoint_is_well_formed(&p));
}

/* Nothing that asks, or holds at times of day, is begun without the supervisor's word. */
static bool is_budget(const struct qualifiers *q)
{
	return q->ask == 0 && window_is_none(&q->between);
}

void link_put_endpoint(struct buf *out, const struct link_endpoint *p)
{
	buf_put_u32(out, p->index);
	buf_put_u32(out, p->grant);
	buf_put_u32(out, p->held);
	qualifiers_put(out, &p->budget);
	put_what(out, &p->to);
}

bool link_take_endpoint(struct rbuf *in, struct link_endpoint *ret)
{
	ret->index = rbuf_u32(in);
	ret->grant = rbuf_u32(in);
	ret->held = rbuf_u32(in);
	qualifiers_take(in, &ret->budget);
	return take_what(in, &ret->to) && ret->to.kind != ENDPOINT_UNIX && ret->index < LINK_ENDPOINTS_MAX &&
	       ret->grant < LINK_GRANTS_MAX && ret->held <= 1 && is_budget(&ret->budget);
}

void link_put_listener(struct buf *out, const struct link_listener *l)
{
	buf_put_u32(out, l->index);
	buf_put_u32(out, l->flags);
	put_what(out, &l->what);
}

bool link_take_listener(struct rbuf *in, struct link_listener *ret)
{
	ret->index = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	return take_what(in, &ret->what) && ret->index < LINK_ENDPOINTS_MAX &&
	       (ret->flags & ~(LINK_ECH | LINK_HELD)) == 0 &&
	       (ret->what.kind != ENDPOINT_NAME || address_range_is_one(&ret->what.range));
}

void link_put_refused(struct buf *out, const struct link_refused refused[LINK_ENDPOINTS_MAX])
{
	for (uint32_t i = 0; i < LINK_ENDPOINTS_MAX; i++) {
		for (unsigned reason = 0; reason < LINK_REASONS; reason++)
			buf_put_u32(out, refused[i].times[reason]);
		buf_put_str(out, refused[i].name.text);
	}
}

bool link_take_refused(struct rbuf *in, struct link_refused ret[LINK_ENDPOINTS_MAX])
{
	for (uint32_t i = 0; i < LINK_ENDPOINTS_MAX; i++) {
		for (unsigned reason = 0; reason < LINK_REASONS; reason++)
			ret[i].times[reason] = rbuf_u32(in);
		if (!link_take_name(in, &ret[i].name))
			return false;
	}
	return is_whole(in);
}

void link_put_socket(struct buf *out, const struct link_socket *p)
{
	buf_put_u32(out, p->index);
	buf_put_u32(out, p->grant);
	buf_put_u32(out, p->held);
	qualifiers_put(out, &p->budget);
	buf_put_str(out, p->name);
}

/* One name, which stays in its directory. */
static bool is_file_name(const char *name)
{
	return name[0] != 0 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool link_take_socket(struct rbuf *in, struct link_socket *ret)
{
	struct link_socket p = { .index = rbuf_u32(in) };

	p.grant = rbuf_u32(in);
	p.held = rbuf_u32(in);
	qualifiers_take(in, &p.budget);
	rbuf_str(in, p.name, sizeof p.name);
	if (!is_whole(in) || p.index >= LINK_ENDPOINTS_MAX || p.grant >= LINK_GRANTS_MAX || p.held > 1 ||
	    p.budget.bytes != 0 || !is_budget(&p.budget) || !is_file_name(p.name))
		return false;
	*ret = p;
	return true;
}

void link_put_ask(struct buf *out, const struct link_ask *a)
{
	buf_put_u32(out, a->connection);
	buf_put_u32(out, a->endpoint);
	link_put_address(out, &a->address);
	buf_put_str(out, a->name.text);
}

bool link_take_ask(struct rbuf *in, struct link_ask *ret)
{
	bool is_good;

	ret->connection = rbuf_u32(in);
	ret->endpoint = rbuf_u32(in);
	is_good = link_take_address(in, &ret->address);
	is_good = link_take_name(in, &ret->name) && is_good;
	return is_good && is_whole(in) && ret->connection < LINK_CONNECTIONS_MAX &&
	       ret->endpoint < LINK_ENDPOINTS_MAX && (ret->address.family == 0 || ret->name.text[0] == 0);
}

void link_put_may(struct buf *out, const struct link_may *p)
{
	buf_put_u64(out, p->number);
	buf_put_u32(out, p->endpoint);
	link_put_address(out, &p->address);
	buf_put_str(out, p->name.text);
}

bool link_take_may(struct rbuf *in, struct link_may *ret)
{
	bool is_good;

	ret->number = rbuf_u64(in);
	ret->endpoint = rbuf_u32(in);
	is_good = link_take_address(in, &ret->address);
	is_good = link_take_name(in, &ret->name) && is_good;
	return is_good && is_whole(in) && ret->number != 0 && ret->endpoint < LINK_ENDPOINTS_MAX &&
	       (ret->address.family == 0 || ret->name.text[0] == 0);
}

void link_put_word(struct buf *out, const struct link_word *w)
{
	buf_put_u64(out, w->number);
	buf_put_u64(out, w->bytes);
	buf_put_u32(out, w->why);
}

bool link_take_word(struct rbuf *in, struct link_word *ret)
{
	ret->number = rbuf_u64(in);
	ret->bytes = rbuf_u64(in);
	ret->why = rbuf_u32(in);
	return is_whole(in) && ret->number != 0 &&
	       (ret->why == LINK_YES || (ret->why < METER_WHY_COUNT && ret->bytes == 0));
}

void link_put_spent(struct buf *out, const struct link_spent *s)
{
	buf_put_u64(out, s->number);
	buf_put_u32(out, s->opened);
	buf_put_u64(out, s->up);
	buf_put_u64(out, s->down);
}

bool link_take_spent(struct rbuf *in, struct link_spent *ret)
{
	ret->number = rbuf_u64(in);
	ret->opened = rbuf_u32(in);
	ret->up = rbuf_u64(in);
	ret->down = rbuf_u64(in);
	return is_whole(in) && ret->number != 0 && ret->opened <= 1 &&
	       (ret->opened == 1 || (ret->up == 0 && ret->down == 0));
}

void link_put_close(struct buf *out, const struct link_close *c)
{
	buf_put_u32(out, c->connection);
	buf_put_u32(out, c->broken);
}

bool link_take_close(struct rbuf *in, struct link_close *ret)
{
	struct link_close c = { .connection = rbuf_u32(in) };

	c.broken = rbuf_u32(in);
	*ret = c;
	return is_whole(in) && c.connection < LINK_NUMBERS_MAX && c.broken <= 1;
}

void link_put_listen(struct buf *out, const struct link_listen *p)
{
	buf_put_u32(out, p->index);
	buf_put_u16(out, p->port);
	buf_put_u16(out, 0);
}

bool link_take_listen(struct rbuf *in, struct link_listen *ret)
{
	struct link_listen p = { .index = rbuf_u32(in) };

	p.port = rbuf_u16(in);
	*ret = p;
	return rbuf_u16(in) == 0 && is_whole(in) && p.index < LINK_ENDPOINTS_MAX && p.port != 0;
}

void link_put_arrival(struct buf *out, uint32_t connection)
{
	buf_put_u32(out, connection);
}

bool link_take_arrival(struct rbuf *in, uint32_t *ret_connection)
{
	*ret_connection = rbuf_u32(in);
	return is_whole(in) && *ret_connection >= LINK_CONNECTIONS_MAX && *ret_connection < LINK_NUMBERS_MAX;
}

void link_put_done(struct buf *out, const struct link_done *d)
{
	buf_put_u32(out, d->connection);
	buf_put_u32(out, d->sys_errno);
}

bool link_take_done(struct rbuf *in, struct link_done *ret)
{
	struct link_done d = { .connection = rbuf_u32(in) };

	d.sys_errno = rbuf_u32(in);
	*ret = d;
	return is_whole(in) && d.connection < LINK_CONNECTIONS_MAX;
}

void link_put_about(struct buf *out, const struct link_about *a)
{
	buf_put_u32(out, a->number);
	buf_put_u32(out, a->endpoint);
}

bool link_take_about(struct rbuf *in, struct link_about *ret)
{
	struct link_about a = { .number = rbuf_u32(in) };

	a.endpoint = rbuf_u32(in);
	*ret = a;
	return is_whole(in) && a.endpoint < LINK_ENDPOINTS_MAX;
}

void link_put_live(struct buf *out, const struct link_live *l)
{
	buf_put_u32(out, l->number);
	buf_put_u32(out, l->connections);
}

bool link_take_live(struct rbuf *in, struct link_live *ret)
{
	struct link_live l = { .number = rbuf_u32(in) };

	l.connections = rbuf_u32(in);
	*ret = l;
	return is_whole(in) && l.connections <= LINK_CONNECTIONS_MAX;
}

void link_put_report(struct buf *out, const struct link_report *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		meter_put(out, &r->used[i].meter);
		buf_put_u32(out, r->used[i].withdrawn);
	}
	buf_put_u32(out, r->n_hosts);
	for (uint32_t i = 0; i < r->n_hosts; i++) {
		const struct link_host *h = &r->hosts[i];

		buf_put_u32(out, h->endpoint);
		link_put_address(out, &h->address);
		buf_put_str(out, h->name.text);
		meter_put(out, &h->meter);
	}
}

static bool take_host(struct rbuf *in, struct link_host *ret, uint32_t n)
{
	bool is_good;

	ret->endpoint = rbuf_u32(in);
	is_good = link_take_address(in, &ret->address);
	is_good = link_take_name(in, &ret->name) && is_good;
	meter_take(in, &ret->meter);
	return is_good && ret->endpoint < n && (ret->address.family == 0) == (ret->name.text[0] != 0);
}

bool link_take_report(struct rbuf *in, struct link_report *ret, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		meter_take(in, &ret->used[i].meter);
		ret->used[i].withdrawn = rbuf_u32(in);
	}
	ret->n_hosts = rbuf_u32(in);
	if (ret->n_hosts > LINK_HOSTS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n_hosts; i++)
		if (!take_host(in, &ret->hosts[i], n))
			return false;
	return is_whole(in);
}

/* Beside those of names that are granted one by one, 198.18.0.0/16 (RFC 2544 keeps both for tests of devices). */
struct address link_address_of(uint32_t index)
{
	const uint32_t i = index + 1;

	return (struct address){ .family = ADDRESS_IPV4, .bytes = { 198, 19, (uint8_t)(i >> 8), (uint8_t)i } };
}

uint32_t link_index_of(const struct address *at)
{
	const uint32_t index = at->bytes[2] * 256u + at->bytes[3] - 1u;
	const struct address own = link_address_of(index);

	return index < LINK_NAMED_MAX && address_is_same(&own, at) ? index : UINT32_MAX;
}

void link_put_names(struct buf *out, const struct host_name *names, uint32_t n)
{
	buf_put_u32(out, n);
	for (uint32_t i = 0; i < n; i++)
		buf_put_str(out, names[i].text);
}

bool link_take_names(struct rbuf *in, uint32_t max, struct host_name *ret, uint32_t *ret_n)
{
	const uint32_t n = rbuf_u32(in);

	if (n > max)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!link_take_name(in, &ret[i]) || ret[i].text[0] == 0)
			return false;
	*ret_n = n;
	return is_whole(in);
}
