#include "web/link.h"

void web_begin_put(struct buf *out, const struct web_begin *b)
{
	buf_put_u32(out, b->auth);
	buf_put_u32(out, b->depth);
	buf_put_u32(out, b->values);
	buf_put_u32(out, b->port);
	buf_put_text(out, b->address, sizeof b->address);
	buf_put(out, b->token, sizeof b->token);
	buf_put_text(out, b->issuer, sizeof b->issuer);
	buf_put_text(out, b->audience, sizeof b->audience);
	buf_put_text(out, b->scope, sizeof b->scope);
	for (unsigned i = 0; i < WEB_ORIGINS_MAX; i++)
		buf_put_text(out, b->origins[i], sizeof b->origins[i]);
}

bool web_begin_take(struct rbuf *in, struct web_begin *ret)
{
	ret->auth = rbuf_u32(in);
	ret->depth = rbuf_u32(in);
	ret->values = rbuf_u32(in);
	ret->port = rbuf_u32(in);
	rbuf_text(in, ret->address, sizeof ret->address);
	rbuf_fixed(in, ret->token, sizeof ret->token);
	rbuf_text(in, ret->issuer, sizeof ret->issuer);
	rbuf_text(in, ret->audience, sizeof ret->audience);
	rbuf_text(in, ret->scope, sizeof ret->scope);
	for (unsigned i = 0; i < WEB_ORIGINS_MAX; i++)
		rbuf_text(in, ret->origins[i], sizeof ret->origins[i]);
	return rbuf_done(in) && ret->auth < WEB_AUTH_COUNT && ret->port <= UINT16_MAX;
}

void web_number_put(struct buf *out, uint32_t number)
{
	buf_put_u32(out, number);
}

bool web_number_take(struct rbuf *in, uint32_t *ret)
{
	*ret = rbuf_u32(in);
	return rbuf_done(in);
}
