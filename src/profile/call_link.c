#include "profile/call_link.h"

#define FROM_ALL (ITEM_OF_ANSWER | ITEM_OF_MANY | ITEM_UNTRUSTED) /* what a gate can know */

void call_put(struct buf *out, const struct call *c)
{
	buf_put_u8(out, c->acts);
	buf_put_u64(out, c->tool_hash);
	buf_put_str(out, c->tool);
	buf_put_u8(out, (uint8_t)c->n); /* CALL_ITEMS_MAX + 1 at most */
	for (size_t i = 0; i < c->n; i++) {
		const struct item *item = &c->items[i];

		buf_put_u64(out, item->mark.item);
		buf_put_u64(out, item->mark.place);
		buf_put_u8(out, item->mark.kind);
		buf_put_u8(out, item->mark.from);
		buf_put_str(out, item->place);
		buf_put_str(out, item->value);
	}
}

static bool take_item(struct rbuf *in, struct item *ret)
{
	ret->mark.item = rbuf_u64(in);
	ret->mark.place = rbuf_u64(in);
	ret->mark.kind = rbuf_u8(in);
	ret->mark.from = rbuf_u8(in);
	rbuf_str(in, ret->place, sizeof ret->place);
	rbuf_str(in, ret->value, sizeof ret->value);
	return !in->failed && ret->mark.kind < ITEM_KINDS && (ret->mark.from & ~(unsigned)FROM_ALL) == 0;
}

bool call_take(struct rbuf *in, struct call *ret)
{
	ret->key = NULL;
	ret->prompt = NULL;
	ret->acts = rbuf_bool(in);
	ret->step = ret->tool_hash = rbuf_u64(in);
	rbuf_str(in, ret->tool, sizeof ret->tool);
	ret->n = rbuf_u8(in);
	if (in->failed || ret->n > CALL_ITEMS_MAX + 1)
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (!take_item(in, &ret->items[i]))
			return false;
	return rbuf_done(in);
}
