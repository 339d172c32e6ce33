#include "many/link.h"

#include <string.h>

#include "wire/wire.h"

static bool is_name(const char *name, const char *letters)
{
	return name[0] != 0 && name[0] != '.' && strspn(name, letters) == strlen(name);
}

void many_server_put(struct buf *out, const char *name)
{
	buf_put_text(out, name, MANY_SERVER_MAX);
}

bool many_server_take(struct rbuf *in, char ret[MANY_SERVER_MAX])
{
	rbuf_text(in, ret, MANY_SERVER_MAX);
	return rbuf_done(in) && is_name(ret, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

void many_like_put(struct buf *out, const struct many_like *l)
{
	buf_put_u32(out, l->server);
	buf_put_u32(out, l->other);
	buf_put_text(out, l->tool, sizeof l->tool);
	buf_put_text(out, l->other_tool, sizeof l->other_tool);
}

bool many_like_take(struct rbuf *in, struct many_like *ret)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	ret->server = rbuf_u32(in);
	ret->other = rbuf_u32(in);
	rbuf_text(in, ret->tool, sizeof ret->tool);
	rbuf_text(in, ret->other_tool, sizeof ret->other_tool);
	return rbuf_done(in) && ret->server < MANY_SERVERS_MAX && ret->other < MANY_SERVERS_MAX &&
	       is_name(ret->tool, letters) && is_name(ret->other_tool, letters);
}

void many_begin_put(struct buf *out, const struct many_begin *b)
{
	buf_put_u32(out, b->begin_ms);
	buf_put_u32(out, b->list_ms);
	buf_put_u32(out, b->fresh);
}

bool many_begin_take(struct rbuf *in, struct many_begin *ret)
{
	ret->begin_ms = rbuf_u32(in);
	ret->list_ms = rbuf_u32(in);
	ret->fresh = rbuf_u32(in);
	return rbuf_done(in) && ret->begin_ms > 0 && ret->list_ms > 0 && ret->fresh <= 1;
}

void many_call_put(struct buf *out, const struct many_call *c)
{
	buf_put_u32(out, c->number);
	buf_put_u32(out, c->good);
}

bool many_call_take(struct rbuf *in, struct many_call *ret)
{
	ret->number = rbuf_u32(in);
	ret->good = rbuf_u32(in);
	return rbuf_done(in) && ret->number > 0 && ret->good <= 1;
}

void many_done_put(struct buf *out, const struct many_done *d)
{
	buf_put_u32(out, d->number);
	buf_put_u8(out, d->why.code != AMBIT_OK);
	if (d->why.code != AMBIT_OK)
		wire_put_error(out, &d->why);
}

bool many_done_take(struct rbuf *in, struct many_done *ret)
{
	uint8_t failed;

	ret->number = rbuf_u32(in);
	failed = rbuf_u8(in);
	ret->why.code = AMBIT_OK;
	if (failed == 1)
		(void)wire_take_error(in, &ret->why);
	return rbuf_done(in) && failed <= 1 && (failed == 1) == (ret->why.code != AMBIT_OK);
}
