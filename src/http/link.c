#include "http/link.h"

void http_put_orders(struct buf *out, const struct http_orders *o)
{
	qualifiers_put(out, &o->budget);
	buf_put_u8(out, o->learns);
	buf_put_str(out, o->terms);
	link_put_listener(out, &o->to);
}

static bool is_of_requests(const struct qualifiers *q)
{
	return qualifiers_are_only(q, QUALIFIER_BIT(USES) | QUALIFIER_BIT(RATE));
}

bool http_take_orders(struct rbuf *in, struct http_orders *ret)
{
	uint8_t learns;

	qualifiers_take(in, &ret->budget);
	learns = rbuf_u8(in);
	ret->learns = learns == 1;
	rbuf_str(in, ret->terms, sizeof ret->terms);
	return !in->failed && learns <= 1 && is_of_requests(&ret->budget) && link_take_listener(in, &ret->to) &&
	       ret->to.flags == 0;
}

/* ---- what was asked for ---- */

static void put_row(struct buf *out, const struct http_row *r)
{
	buf_put_str(out, r->name.text);
	link_put_address(out, &r->address);
	buf_put_str(out, r->method);
	buf_put_str(out, r->path);
	buf_put_u16(out, r->status);
	buf_put_u8(out, r->refused);
	buf_put_u32(out, r->count);
}

void http_put_used(struct buf *out, const struct http_used *u)
{
	buf_put_u32(out, u->n);
	buf_put_u32(out, u->more);
	for (uint32_t i = 0; i < u->n; i++)
		put_row(out, &u->rows[i]);
}

static bool is_word(const char *text)
{
	for (; *text > 0x20 && *text < 0x7f; text++)
		;
	return *text == 0;
}

static bool take_row(struct rbuf *in, struct http_row *ret)
{
	if (!link_take_name(in, &ret->name) || !link_take_address(in, &ret->address))
		return false;
	rbuf_str(in, ret->method, sizeof ret->method);
	rbuf_str(in, ret->path, sizeof ret->path);
	ret->status = rbuf_u16(in);
	ret->refused = rbuf_u8(in);
	ret->count = rbuf_u32(in);
	return !in->failed && ret->method[0] != 0 && is_word(ret->method) && ret->path[0] != 0 && is_word(ret->path) &&
	       ret->status < 1000 && ret->refused <= 1 && ret->count > 0 &&
	       (ret->name.text[0] == 0 || ret->address.family == 0);
}

bool http_take_used(struct rbuf *in, struct http_used *ret)
{
	ret->n = rbuf_u32(in);
	ret->more = rbuf_u32(in);
	if (in->failed || ret->n > HTTP_ROWS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n; i++)
		if (!take_row(in, &ret->rows[i]))
			return false;
	return rbuf_left(in) == 0;
}
