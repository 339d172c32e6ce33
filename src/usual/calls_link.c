#include "usual/calls_link.h"

#include <math.h>
#include <string.h>

void usual_calls_put(struct buf *out, const struct usual_calls *q)
{
	buf_put_text(out, q->server, sizeof q->server);
	buf_put_text(out, q->agent, sizeof q->agent);
	buf_put_text(out, q->event, sizeof q->event);
}

bool usual_calls_take(struct rbuf *in, struct usual_calls *ret)
{
	rbuf_text(in, ret->server, sizeof ret->server);
	rbuf_text(in, ret->agent, sizeof ret->agent);
	rbuf_text(in, ret->event, sizeof ret->event);
	return rbuf_done(in) && tool_is_server(ret->server) && (ret->agent[0] == 0 || agent_is_name(ret->agent)) &&
	       id_is('e', ret->event, strlen(ret->event));
}

void usual_begun_put(struct buf *out, const struct usual_begun *b)
{
	buf_put(out, b->key, sizeof b->key);
	buf_put_u32(out, b->runs);
}

bool usual_begun_take(struct rbuf *in, struct usual_begun *ret)
{
	rbuf_fixed(in, ret->key, sizeof ret->key);
	ret->runs = rbuf_u32(in);
	return rbuf_done(in);
}

void usual_call_put(struct buf *out, const struct usual_call *q)
{
	buf_put_u8(out, q->before.fate);
	buf_put_u8(out, q->before.untrusted);
	buf_put_u8(out, q->untrusted);
	buf_put_bytes(out, q->items, q->n);
}

bool usual_call_take(struct rbuf *in, struct usual_call *ret)
{
	ret->before.fate = rbuf_u8(in);
	ret->before.untrusted = rbuf_bool(in);
	ret->untrusted = rbuf_bool(in);
	ret->n = rbuf_u32(in);
	ret->items = rbuf_bytes(in, ret->n);
	return rbuf_done(in) && ret->n <= USUAL_ITEMS_MAX && ret->before.fate < USUAL_FATES &&
	       (ret->before.fate != 0 || !ret->before.untrusted);
}

void usual_verdict_put(struct buf *out, const struct usual_verdict *v)
{
	buf_put_u8(out, v->unusual);
	buf_put_u8(out, v->young);
	buf_put_u8(out, v->asks);
	buf_put_u32(out, v->runs);
	buf_put_double(out, v->bits);
	buf_put_u8(out, (uint8_t)v->n);
	for (unsigned i = 0; i < v->n; i++) {
		buf_put_double(out, v->reasons[i].bits);
		buf_put_str(out, v->reasons[i].text);
	}
}

/* No number that nobody can count: in a ledger there are thousandths of it. */
static bool take_bits(struct rbuf *in, double *ret)
{
	*ret = rbuf_double(in);
	return isfinite(*ret) && *ret >= 0 && *ret <= USUAL_BITS_MAX;
}

bool usual_verdict_take(struct rbuf *in, struct usual_verdict *ret)
{
	bool good;

	*ret = (struct usual_verdict){ .unusual = rbuf_bool(in) };
	ret->young = rbuf_bool(in);
	ret->asks = rbuf_bool(in);
	ret->runs = rbuf_u32(in);
	good = take_bits(in, &ret->bits);
	ret->n = rbuf_u8(in);
	if (ret->n > USUAL_REASONS)
		return false;
	for (unsigned i = 0; i < ret->n && good; i++) {
		good = take_bits(in, &ret->reasons[i].bits);
		rbuf_str(in, ret->reasons[i].text, sizeof ret->reasons[i].text);
	}
	return good && rbuf_done(in);
}

void usual_called_put(struct buf *out, const struct usual_called *q)
{
	buf_put_u8(out, q->fate);
	buf_put_u8(out, q->untrusted);
	buf_put_text(out, q->event, sizeof q->event);
}

bool usual_called_take(struct rbuf *in, struct usual_called *ret)
{
	ret->fate = rbuf_u8(in);
	ret->untrusted = rbuf_bool(in);
	rbuf_text(in, ret->event, sizeof ret->event);
	return rbuf_done(in) && ret->fate > 0 && ret->fate < USUAL_FATES &&
	       (ret->event[0] == 0 || (ret->fate == USUAL_WAITS && id_is('e', ret->event, strlen(ret->event))));
}
