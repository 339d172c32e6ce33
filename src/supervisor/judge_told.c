#include "supervisor/judge_told.h"

void judge_told_put(struct buf *out, const struct judge_told *t)
{
	buf_put_u64(out, t->badge);
	buf_put_u64(out, t->keep_ms);
	buf_put_u32(out, t->n);
	for (uint32_t i = 0; i < t->n; i++) {
		buf_put_u32(out, t->grants[i].grant);
		buf_put_u64(out, t->grants[i].ref);
	}
}

bool judge_told_take(struct rbuf *in, struct judge_told *ret)
{
	ret->badge = rbuf_u64(in);
	ret->keep_ms = rbuf_u64(in);
	ret->n = rbuf_u32(in);
	if (ret->n > GRANTS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n && !in->failed; i++) {
		ret->grants[i].grant = rbuf_u32(in);
		ret->grants[i].ref = rbuf_u64(in);
		in->failed = in->failed || ret->grants[i].grant >= GRANTS_MAX;
	}
	return rbuf_done(in);
}
