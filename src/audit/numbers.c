#include "audit/numbers.h"

#include <string.h>

#include "ledger/merkle.h"

#define MAGIC 0x31554e41u /* "ANU1" */

void numbers_encode(const struct numbers *head, const uint64_t *numbers, struct buf *out)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, head->any ? 1 : 0);
	buf_put_u32(out, (uint32_t)head->n); /* at most NUMBERS_MAX */
	buf_put_u64(out, head->size);
	buf_put(out, head->event, ID_TEXT_MAX);
	for (size_t i = 0; i < head->n; i++)
		buf_put_u64(out, numbers[i]);
}

uint64_t numbers_at(const struct numbers *numbers, size_t i)
{
	struct rbuf r;

	rbuf_init(&r, numbers->at + 8 * i, 8);
	return rbuf_u64(&r);
}

/* One, and zeroes; or zeroes. */
static bool take_event(const uint8_t *bytes, char ret[ID_TEXT_MAX])
{
	static const uint8_t none[ID_TEXT_MAX];
	const size_t n = bytes != NULL && bytes[0] != 0 ? ID_LEN : 0;

	if (bytes == NULL || memcmp(bytes + n, none, ID_TEXT_MAX - n) != 0 || (n > 0 && !id_is('e', bytes, n)))
		return false;
	memcpy(ret, bytes, ID_TEXT_MAX);
	return true;
}

static bool ascend(const struct numbers *v)
{
	for (size_t i = 1; i < v->n; i++)
		if (numbers_at(v, i) <= numbers_at(v, i - 1))
			return false;
	return v->n == 0 || numbers_at(v, v->n - 1) < v->size;
}

bool numbers_decode(struct span bytes, struct numbers *ret)
{
	struct numbers v = { .any = false };
	uint32_t magic, any;
	struct rbuf r;
	bool good;

	*ret = v;
	rbuf_init(&r, bytes.at, bytes.len);
	magic = rbuf_u32(&r);
	any = rbuf_u32(&r);
	v.any = any == 1;
	v.n = rbuf_u32(&r);
	v.size = rbuf_u64(&r);
	good = take_event(rbuf_bytes(&r, ID_TEXT_MAX), v.event) && magic == MAGIC && any <= 1 && v.n <= NUMBERS_MAX;
	v.at = good ? rbuf_bytes(&r, 8 * v.n) : NULL;
	if (!good || !rbuf_done(&r) || v.size > TREE_SIZE_MAX || !ascend(&v) ||
	    (!v.any && (v.size > 0 || v.event[0] != 0)))
		return false;
	*ret = v;
	return true;
}
