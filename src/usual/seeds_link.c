#include "usual/seeds_link.h"

#include "base/text.h"

void seeds_file_put(struct buf *out, const struct seeds_file *f)
{
	buf_put_u8(out, f->from);
	buf_put_str(out, f->name);
	buf_put_str(out, f->why);
	buf_put_u32(out, (uint32_t)f->n);
	buf_put(out, f->bytes, f->n);
}

bool seeds_file_take(struct rbuf *in, struct seeds_file *ret)
{
	ret->from = rbuf_u8(in);
	rbuf_str(in, ret->name, sizeof ret->name);
	rbuf_str(in, ret->why, sizeof ret->why);
	ret->n = rbuf_u32(in);
	ret->bytes = rbuf_bytes(in, ret->n);
	return !in->failed && ret->from >= SEEDS_OF_PERSON && ret->from <= SEEDS_OF_AMBIT && ret->n <= SEEDS_FILE_MAX;
}
