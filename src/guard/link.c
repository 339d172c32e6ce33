#include "guard/link.h"

#include <string.h>

#include "core/tool.h"
#include "wire/wire.h"

void guard_begin_put(struct buf *out, const struct guard_begin *b)
{
	buf_put_u32(out, b->n_pins);
	buf_put_u32(out, b->n_granted);
	buf_put_u32(out, b->is_first);
	buf_put_u32(out, b->n_secrets);
	buf_put_u32(out, b->n_canaries);
	buf_put_u32(out, b->tells_risk);
	buf_put_u64(out, b->answer_bytes);
	buf_put(out, b->key, sizeof b->key);
	buf_put_u32(out, b->wants_items);
	buf_put(out, b->items_key, sizeof b->items_key);
}

bool guard_begin_take(struct rbuf *in, struct guard_begin *ret)
{
	ret->n_pins = rbuf_u32(in);
	ret->n_granted = rbuf_u32(in);
	ret->is_first = rbuf_u32(in);
	ret->n_secrets = rbuf_u32(in);
	ret->n_canaries = rbuf_u32(in);
	ret->tells_risk = rbuf_u32(in);
	ret->answer_bytes = rbuf_u64(in);
	rbuf_fixed(in, ret->key, sizeof ret->key);
	ret->wants_items = rbuf_u32(in);
	rbuf_fixed(in, ret->items_key, sizeof ret->items_key);
	return rbuf_done(in) && ret->n_pins <= GUARD_PINS_MAX && ret->n_granted <= GUARD_GRANTS_MAX &&
	       ret->n_secrets <= GUARD_SECRETS_MAX && ret->n_canaries <= GUARD_CANARIES_MAX && ret->is_first <= 1 &&
	       ret->tells_risk <= 1 && ret->wants_items <= 1;
}

void guard_pin_put(struct buf *out, const struct guard_pin *p)
{
	buf_put_text(out, p->name, sizeof p->name);
	buf_put(out, p->sha256, sizeof p->sha256);
}

bool guard_pin_take(struct rbuf *in, struct guard_pin *ret)
{
	rbuf_text(in, ret->name, sizeof ret->name);
	rbuf_fixed(in, ret->sha256, sizeof ret->sha256);
	return !in->failed && ret->name[0] != 0;
}

void guard_grant_put(struct buf *out, const struct guard_grant_of *of)
{
	buf_put_text(out, of->name, sizeof of->name);
	buf_put_text(out, of->terms, sizeof of->terms);
}

bool guard_grant_take(struct rbuf *in, struct guard_grant_of *ret)
{
	rbuf_text(in, ret->name, sizeof ret->name);
	rbuf_text(in, ret->terms, sizeof ret->terms);
	return !in->failed && ret->name[0] != 0;
}

void guard_secret_put(struct buf *out, const char *text)
{
	buf_put_text(out, text, GUARD_SECRET_BYTES);
}

bool guard_secret_take(struct rbuf *in, char ret[GUARD_SECRET_BYTES])
{
	rbuf_text(in, ret, GUARD_SECRET_BYTES);
	return !in->failed && ret[0] != 0;
}

void guard_canary_put(struct buf *out, const struct guard_canary *c)
{
	buf_put_u32(out, c->canary);
	buf_put_text(out, c->text, sizeof c->text);
}

bool guard_canary_take(struct rbuf *in, struct guard_canary *ret)
{
	ret->canary = rbuf_u32(in);
	rbuf_text(in, ret->text, sizeof ret->text);
	return !in->failed && ret->canary < CANARIES_MAX && strlen(ret->text) >= CANARY_WORD_MIN;
}

void guard_touched_put(struct buf *out, uint32_t canary)
{
	buf_put_u32(out, canary);
}

bool guard_touched_take(struct rbuf *in, uint32_t *ret_canary)
{
	*ret_canary = rbuf_u32(in);
	return rbuf_done(in) && *ret_canary < CANARIES_MAX;
}

void guard_tool_put(struct buf *out, const struct guard_tool *t)
{
	buf_put_u32(out, t->odd);
	buf_put_u32(out, t->bytes);
	guard_pin_put(out, &t->pin);
}

bool guard_tool_take(struct rbuf *in, struct guard_tool *ret)
{
	ret->odd = rbuf_u32(in);
	ret->bytes = rbuf_u32(in);
	return guard_pin_take(in, &ret->pin) && rbuf_done(in) && ret->odd > 0 && ret->odd < GUARD_ODD_COUNT;
}

void guard_lacks_put(struct buf *out, const struct guard_lacks *l)
{
	buf_put_u32(out, l->grant);
	buf_put_u32(out, l->condition);
}

bool guard_lacks_take(struct rbuf *in, struct guard_lacks *ret)
{
	ret->grant = rbuf_u32(in);
	ret->condition = rbuf_u32(in);
	return rbuf_done(in) && ret->grant < GUARD_GRANTS_MAX && ret->condition < WHERE_CONDITIONS_MAX;
}

void guard_ask_put(struct buf *out, const struct guard_ask *a)
{
	buf_put_u32(out, a->number);
	buf_put_text(out, a->name, sizeof a->name);
	buf_put(out, a->sha256, sizeof a->sha256);
	buf_put_u64(out, a->bytes);
	buf_put_u32(out, a->canary);
	buf_put_bytes(out, a->arguments.bytes, a->arguments.n);
	buf_put_bytes(out, a->items.bytes, a->items.n);
}

bool guard_ask_take(struct rbuf *in, struct guard_ask *ret)
{
	ret->number = rbuf_u32(in);
	rbuf_text(in, ret->name, sizeof ret->name);
	rbuf_fixed(in, ret->sha256, sizeof ret->sha256);
	ret->bytes = rbuf_u64(in);
	ret->canary = rbuf_u32(in);
	ret->arguments.n = rbuf_u32(in);
	ret->arguments.bytes = rbuf_bytes(in, ret->arguments.n);
	ret->items.n = rbuf_u32(in);
	ret->items.bytes = rbuf_bytes(in, ret->items.n);
	return rbuf_done(in) && ret->items.n <= GUARD_ITEMS_MAX && ret->canary <= CANARIES_MAX &&
	       (tool_is_name(ret->name) || tool_is_method(ret->name)) && where_are_arguments(&ret->arguments);
}

void guard_word_put(struct buf *out, const struct guard_word *w)
{
	buf_put_u32(out, w->number);
	buf_put_u32(out, w->verdict);
	buf_put_text(out, w->event, sizeof w->event);
	buf_put_text(out, w->question, sizeof w->question);
	if (w->verdict != GUARD_YES)
		wire_put_error(out, &w->why);
}

bool guard_word_take(struct rbuf *in, struct guard_word *ret)
{
	ret->number = rbuf_u32(in);
	ret->verdict = rbuf_u32(in);
	rbuf_text(in, ret->event, sizeof ret->event);
	rbuf_text(in, ret->question, sizeof ret->question);
	if (ret->verdict != GUARD_YES)
		(void)wire_take_error(in, &ret->why);
	return rbuf_done(in) && ret->verdict > 0 && ret->verdict < GUARD_VERDICT_COUNT;
}

void guard_over_put(struct buf *out, const struct guard_over *o)
{
	buf_put_u32(out, o->number);
	buf_put_u32(out, o->end);
	buf_put_u64(out, o->bytes);
	buf_put(out, o->sha256, sizeof o->sha256);
}

bool guard_over_take(struct rbuf *in, struct guard_over *ret)
{
	ret->number = rbuf_u32(in);
	ret->end = rbuf_u32(in);
	ret->bytes = rbuf_u64(in);
	rbuf_fixed(in, ret->sha256, sizeof ret->sha256);
	return rbuf_done(in) && ret->end > 0 && ret->end < GUARD_END_COUNT;
}
