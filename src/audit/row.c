#include "audit/row.h"

#include <string.h>

void audit_row_encode(const struct audit_row *row, struct buf *out)
{
	char event[ID_TEXT_MAX] = "";

	memcpy(event, row->event, strnlen(row->event, sizeof event - 1)); /* nothing behind its end */
	buf_put_u64(out, row->seq);
	buf_put_u64(out, row->wall_ms);
	buf_put_u32(out, row->flags);
	buf_put_u32(out, row->payload.version);
	buf_put_u64(out, row->payload.size);
	buf_put(out, row->payload.digest, sizeof row->payload.digest);
	buf_put(out, event, sizeof event);
}

bool audit_row_decode(struct rbuf *r, struct audit_row *ret)
{
	struct audit_row row = { .seq = rbuf_u64(r) };
	const uint8_t *digest, *event;

	row.wall_ms = rbuf_u64(r);
	row.flags = rbuf_u32(r);
	row.payload.version = rbuf_u32(r);
	row.payload.size = rbuf_u64(r);
	digest = rbuf_bytes(r, SHA256_BYTES);
	event = rbuf_bytes(r, ID_TEXT_MAX);
	if (r->failed || (row.flags & ~AUDIT_ROW_FLAGS) != 0 || row.payload.size > PAYLOAD_MAX ||
	    !id_is('e', event, ID_LEN) || event[ID_LEN] != 0)
		return false;
	memcpy(row.payload.digest, digest, SHA256_BYTES);
	memcpy(row.event, event, ID_LEN);
	*ret = row;
	return true;
}
