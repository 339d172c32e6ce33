#include "supervisor/judge_told.h"

void judge_told_put(struct buf *out, const struct judge_told *t)
{
	buf_put_u64(out, t->badge);
	buf_put_u64(out, t->keep_ms);
	buf_put_u32(out, t->n);
	for (uint32_t i = 0; i < t->n; i++) {
		buf_put_u32(out, t->grants[i].grant);
		buf_put_u64(out, t->grants[i].ref);
		buf_put_u8(out, (uint8_t)(t->grants[i].asks | t->grants[i].counted << 1)); /* two bits */
		buf_put_u8(out, t->grants[i].n_unless);
		for (uint8_t n = 0; n < t->grants[i].n_unless; n++)
			buf_put_u64(out, t->grants[i].unless[n]);
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
		struct judge_told_grant *g = &ret->grants[i];
		uint8_t bits;

		g->grant = rbuf_u32(in);
		g->ref = rbuf_u64(in);
		bits = rbuf_u8(in);
		g->asks = (bits & 1) != 0;
		g->counted = (bits & 2) != 0;
		g->n_unless = rbuf_u8(in);
		in->failed = in->failed || g->grant >= GRANTS_MAX || bits > 3 || g->n_unless > AUTHORITY_UNLESS_MAX;
		for (uint8_t n = 0; n < g->n_unless && !in->failed; n++)
			g->unless[n] = rbuf_u64(in);
	}
	return rbuf_done(in);
}
