#include "audit/ask.h"

#define MAGIC 0x35415541u /* "AUA5" */

void audit_ask_encode(const struct audit_ask *ask, struct buf *out)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, (uint32_t)ask->op);
	buf_put_u32(out, ask->flags);
	buf_put_u64(out, ask->since_ms);
	buf_put_u64(out, ask->until_ms);
	buf_put_u64(out, ask->limit);
	buf_put_u64(out, ask->seq);
	buf_put_str(out, ask->dir);
	buf_put_str(out, ask->beside);
	buf_put_str(out, ask->past);
	buf_put_str(out, ask->target);
	buf_put_str(out, ask->event);
	buf_put_str(out, ask->grant);
	buf_put_str(out, ask->session);
	buf_put_str(out, ask->type);
	buf_put_str(out, ask->key);
	buf_put_str(out, ask->cosigned);
	buf_put_u32(out, ask->n_witnesses);
	for (uint32_t i = 0; i < ask->n_witnesses; i++)
		buf_put_str(out, ask->witness[i]);
	buf_put_u32(out, ask->quorum);
	buf_put_bytes(out, ask->given.at, ask->given.len);
}

int audit_ask_decode(const void *bytes, size_t n, struct audit_ask *ret, struct err *e)
{
	struct audit_ask ask = { .flags = 0 };
	uint32_t magic, op, given;
	struct rbuf r;

	rbuf_init(&r, bytes, n);
	magic = rbuf_u32(&r);
	op = rbuf_u32(&r);
	ask.flags = rbuf_u32(&r);
	ask.since_ms = rbuf_u64(&r);
	ask.until_ms = rbuf_u64(&r);
	ask.limit = rbuf_u64(&r);
	ask.seq = rbuf_u64(&r);
	rbuf_str(&r, ask.dir, sizeof ask.dir);
	rbuf_str(&r, ask.beside, sizeof ask.beside);
	rbuf_str(&r, ask.past, sizeof ask.past);
	rbuf_str(&r, ask.target, sizeof ask.target);
	rbuf_str(&r, ask.event, sizeof ask.event);
	rbuf_str(&r, ask.grant, sizeof ask.grant);
	rbuf_str(&r, ask.session, sizeof ask.session);
	rbuf_str(&r, ask.type, sizeof ask.type);
	rbuf_str(&r, ask.key, sizeof ask.key);
	rbuf_str(&r, ask.cosigned, sizeof ask.cosigned);
	ask.n_witnesses = rbuf_u32(&r);
	for (uint32_t i = 0; i < ask.n_witnesses && i < AUDIT_WITNESSES_MAX; i++)
		rbuf_str(&r, ask.witness[i], sizeof ask.witness[i]);
	ask.quorum = rbuf_u32(&r);
	given = rbuf_u32(&r);
	ask.given = span_bytes(rbuf_bytes(&r, given), given);
	if (magic != MAGIC || op >= AUDIT_OP_COUNT || (ask.flags & ~AUDIT_FLAGS) != 0 || given > AUDIT_GIVEN_MAX ||
	    ask.n_witnesses > AUDIT_WITNESSES_MAX || ask.quorum > ask.n_witnesses || !rbuf_done(&r))
		return err_set(e, AMBIT_PROTOCOL, NULL, "what is asked about a log has another form");
	ask.op = (enum audit_op)op;
	*ret = ask;
	return 0;
}
