#include "authority/client.h"

#include <errno.h>
#include <string.h>

#include "authority/serve.h"

#define ENTRY_HEAD 6

void client_init(struct client *c, int sock, uint32_t number)
{
	memset(c, 0, sizeof *c);
	c->sock = sock;
	c->number = number;
	c->ledger = -1;
	buf_init(&c->out, SERVE_UNREAD_MAX);
	buf_init(&c->shown, KEEPER_SHOWN_MAX);
}

void client_finish(struct client *c)
{
	fd_close(&c->sock);
	fd_close(&c->ledger);
	buf_finish(&c->out);
	buf_finish(&c->shown);
}

void client_put(struct client *c, enum wire_number number, const struct buf *body)
{
	const size_t n = body == NULL ? 0 : body->len;

	if (body != NULL && body->failed)
		c->out.failed = true;
	buf_put_u32(&c->out, (uint32_t)n); /* WIRE_BODY_MAX */
	buf_put_u16(&c->out, (uint16_t)number);
	buf_put(&c->out, n == 0 ? "" : (const void *)body->data, n);
}

void client_commit(struct client *c)
{
	c->committed = c->out.len;
}

void client_forget(struct client *c)
{
	c->out.len = c->committed;
}

bool client_has_unread(const struct client *c)
{
	return c->committed > 0;
}

/* 1: sent; 0: not now; -1: there is nobody. */
static int send_first(struct client *c, size_t at, size_t *ret_size)
{
	struct rbuf in;
	struct buf body;
	uint32_t n;
	uint16_t number;
	int r;

	rbuf_init(&in, c->out.data + at, c->committed - at);
	n = rbuf_u32(&in);
	number = rbuf_u16(&in);
	body = (struct buf){ .data = c->out.data + at + ENTRY_HEAD, .len = n, .cap = n, .max = n, .lent = true };
	r = wire_send(c->sock, (enum wire_number)number, &body, NULL, 0); /* as client_put had it */
	*ret_size = ENTRY_HEAD + n;
	return r == 0 ? 1 : r == -EAGAIN ? 0 : -1;
}

bool client_flush(struct client *c)
{
	size_t at = 0, size;
	int r = 1;

	if (c->out.failed)
		return false;
	while (at < c->committed && (r = send_first(c, at, &size)) == 1)
		at += size;
	buf_drop(&c->out, at);
	c->committed -= at;
	return r >= 0;
}
