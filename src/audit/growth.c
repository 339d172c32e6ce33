#include "audit/growth.h"

#include <string.h>

void growth_encode(const struct audit_growth *g, struct buf *out)
{
	buf_put_u64(out, g->size);
	buf_put_u64(out, g->old);
	buf_put_u64(out, g->time_s);
	buf_put_u32(out, g->n_hashes);
	buf_put(out, g->hashes, g->n_hashes * sizeof g->hashes[0]);
	buf_put_bytes(out, g->checkpoint.at, g->checkpoint.len);
}

int growth_decode(const void *bytes, size_t n, struct audit_growth *ret, struct err *e)
{
	const uint8_t *hashes;
	uint32_t len;
	struct rbuf r;

	rbuf_init(&r, bytes, n);
	ret->size = rbuf_u64(&r);
	ret->old = rbuf_u64(&r);
	ret->time_s = rbuf_u64(&r);
	ret->n_hashes = rbuf_u32(&r);
	hashes = ret->n_hashes <= GROWTH_HASHES_MAX ? rbuf_bytes(&r, ret->n_hashes * sizeof ret->hashes[0]) : NULL;
	len = rbuf_u32(&r);
	ret->checkpoint = span_bytes(rbuf_bytes(&r, len), len);
	if (hashes == NULL || len > NOTE_MAX || ret->size > TREE_SIZE_MAX || ret->old > TREE_SIZE_MAX || !rbuf_done(&r))
		return err_set(e, AMBIT_PROTOCOL, NULL, "whoever reads the log said what it may not");
	memcpy(ret->hashes, hashes, ret->n_hashes * sizeof ret->hashes[0]);
	return 0;
}
