/* What goes between a warden and a template, as both sides have it. */
#include "warden/template.h"

void template_wall_encode(const struct template_wall *w, struct buf *out)
{
	buf_put_u32(out, w->flags);
	buf_put_u32(out, w->observe);
	buf_put_u32(out, w->umask);
	buf_put_u32(out, 0);
	buf_put_u64(out, w->achieved);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		buf_put_u64(out, w->limits.value[i]);
}

void template_wall_decode(struct rbuf *in, struct template_wall *ret)
{
	ret->flags = rbuf_u32(in);
	ret->observe = rbuf_u32(in);
	ret->umask = rbuf_u32(in);
	(void)rbuf_u32(in);
	ret->achieved = rbuf_u64(in);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->limits.value[i] = rbuf_u64(in);
}

void template_end_encode(const struct template_end *t, struct buf *out)
{
	buf_put_u32(out, t->status);
	buf_put_u32(out, 0);
	buf_put_u64(out, t->user_us);
	buf_put_u64(out, t->system_us);
	buf_put_u64(out, t->memory_bytes);
	buf_put_u64(out, t->written_bytes);
}

void template_end_decode(struct rbuf *in, struct template_end *ret)
{
	ret->status = rbuf_u32(in);
	(void)rbuf_u32(in);
	ret->user_us = rbuf_u64(in);
	ret->system_us = rbuf_u64(in);
	ret->memory_bytes = rbuf_u64(in);
	ret->written_bytes = rbuf_u64(in);
}
