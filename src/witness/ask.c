#include "witness/ask.h"

#include <string.h>

#define ASK_MAGIC 0x31495741u     /* "AWI1" */
#define VERDICT_MAGIC 0x31565741u /* "AWV1" */

void witness_ask_encode(const struct witness_ask *ask, struct buf *out)
{
	buf_put_u32(out, ASK_MAGIC);
	buf_put_u32(out, ask->url.tls ? 1 : 0);
	buf_put_str(out, ask->url.host);
	buf_put_str(out, ask->url.port);
	buf_put_str(out, ask->url.path);
	buf_put_u64(out, ask->now_s);
	buf_put_u64(out, ask->old);
	buf_put_str(out, ask->key);
	buf_put_u32(out, (uint32_t)ask->n_hashes); /* at most 63 */
	buf_put(out, ask->hashes, ask->n_hashes * sizeof ask->hashes[0]);
	buf_put_bytes(out, ask->checkpoint.at, ask->checkpoint.len);
}

int witness_ask_decode(const void *bytes, size_t n, struct witness_ask *ret, struct err *e)
{
	uint32_t magic, tls, n_hashes, len;
	const uint8_t *hashes;
	struct rbuf r;

	memset(ret, 0, sizeof *ret);
	rbuf_init(&r, bytes, n);
	magic = rbuf_u32(&r);
	tls = rbuf_u32(&r);
	rbuf_str(&r, ret->url.host, sizeof ret->url.host);
	rbuf_str(&r, ret->url.port, sizeof ret->url.port);
	rbuf_str(&r, ret->url.path, sizeof ret->url.path);
	ret->now_s = rbuf_u64(&r);
	ret->old = rbuf_u64(&r);
	rbuf_str(&r, ret->key, sizeof ret->key);
	n_hashes = rbuf_u32(&r);
	hashes = n_hashes <= WITNESS_HASHES_MAX ? rbuf_bytes(&r, n_hashes * HASH_BYTES) : NULL;
	len = rbuf_u32(&r);
	ret->checkpoint = span_bytes(rbuf_bytes(&r, len), len);
	if (magic != ASK_MAGIC || tls > 1 || n_hashes > WITNESS_HASHES_MAX || len > NOTE_MAX || !rbuf_done(&r))
		return err_set(e, AMBIT_PROTOCOL, NULL, "what is asked of ambit-witness has another form");
	ret->url.tls = tls == 1;
	ret->n_hashes = n_hashes;
	if (hashes != NULL)
		memcpy(ret->hashes, hashes, n_hashes * sizeof ret->hashes[0]);
	return 0;
}

void witness_verdict_encode(const struct witness_verdict *v, struct buf *out)
{
	buf_put_u32(out, VERDICT_MAGIC);
	buf_put_u32(out, (uint32_t)v->outcome);
	buf_put_u32(out, v->status);
	buf_put_u64(out, v->size);
	buf_put_u64(out, v->time_s);
	buf_put_bytes(out, v->note.at, v->note.len);
}

int witness_verdict_decode(const void *bytes, size_t n, struct witness_verdict *ret, struct err *e)
{
	uint32_t magic, outcome, len;
	struct rbuf r;

	rbuf_init(&r, bytes, n);
	magic = rbuf_u32(&r);
	outcome = rbuf_u32(&r);
	ret->status = rbuf_u32(&r);
	ret->size = rbuf_u64(&r);
	ret->time_s = rbuf_u64(&r);
	len = rbuf_u32(&r);
	ret->note = span_bytes(rbuf_bytes(&r, len), len);
	if (magic != VERDICT_MAGIC || outcome >= WITNESS_OUTCOME_COUNT || len > NOTE_MAX || !rbuf_done(&r) ||
	    (outcome == WITNESS_COSIGNED) != (len > 0) || ret->size > TREE_SIZE_MAX || ret->time_s > NOTE_TIME_MAX)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what ambit-witness says has another form");
	ret->outcome = (enum witness_outcome)outcome;
	return 0;
}
