#include "mcp/link.h"

#include <string.h>

void mcp_begin_put(struct buf *out, const struct mcp_begin *b)
{
	buf_put_u32(out, b->tools);
	buf_put_u32(out, b->flags);
	buf_put(out, b->key, sizeof b->key);
	buf_put_text(out, b->files, sizeof b->files);
}

bool mcp_begin_take(struct rbuf *in, struct mcp_begin *ret)
{
	ret->tools = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	rbuf_fixed(in, ret->key, sizeof ret->key);
	rbuf_text(in, ret->files, sizeof ret->files);
	return rbuf_done(in) && ret->flags <= MCP_FLAGS;
}

void mcp_session_put(struct buf *out, const struct mcp_session *s)
{
	buf_put_text(out, s->session, sizeof s->session);
	buf_put_u64(out, s->latest);
}

bool mcp_session_take(struct rbuf *in, struct mcp_session *ret)
{
	rbuf_text(in, ret->session, sizeof ret->session);
	ret->latest = rbuf_u64(in);
	return rbuf_done(in) && id_is('s', ret->session, strlen(ret->session));
}

void mcp_ask_put(struct buf *out, const struct mcp_ask *a)
{
	buf_put_u32(out, a->request);
	buf_put_u32(out, a->deed);
	buf_put_u64(out, a->n);
}

bool mcp_ask_take(struct rbuf *in, struct mcp_ask *ret)
{
	ret->request = rbuf_u32(in);
	ret->deed = rbuf_u32(in);
	ret->n = rbuf_u64(in);
	return rbuf_done(in) && ret->deed > 0 && ret->deed < MCP_DEED_COUNT && ret->n > 0;
}

void mcp_told_put(struct buf *out, const struct mcp_told *t)
{
	buf_put_u32(out, t->request);
	buf_put_u32(out, t->status);
}

bool mcp_told_take(struct rbuf *in, struct mcp_told *ret)
{
	ret->request = rbuf_u32(in);
	ret->status = rbuf_u32(in);
	return rbuf_done(in);
}
