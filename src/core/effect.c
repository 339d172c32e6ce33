#include "core/effect.h"

#include <string.h>

#include "core/grant.h"

struct effect_row {
	const char *word;
	uint32_t right;
};

static const struct effect_row effect_rows[] = {
#define EFFECT_ROW(name, number, w, r) [EFFECT_##name] = { .word = (w), .right = (r) },
	EFFECTS(EFFECT_ROW)
#undef EFFECT_ROW
};

#define EFFECT_KINDS (sizeof effect_rows / sizeof effect_rows[0]) /* row 0 is empty: kinds start at 1 */

const char *effect_word(uint8_t kind)
{
	return kind < EFFECT_KINDS ? effect_rows[kind].word : NULL;
}

uint32_t effect_right(uint8_t kind)
{
	return kind < EFFECT_KINDS ? effect_rows[kind].right : 0;
}

static const char *const verdict_names[] = {
	[0] = "unjudged",
	[EFFECT_ALLOWED] = "allowed",
	[EFFECT_DENIED] = "denied",
	[EFFECT_ABSENT] = "absent",
	[EFFECT_DENIED_NEW] = "denied-new",
	[EFFECT_DENIED_WRITTEN] = "denied-written",
	[EFFECT_DENIED_HIDDEN] = "denied-hidden",
	[EFFECT_DENIED_STORE] = "denied-store",
	[EFFECT_DENIED_HELD] = "denied-held",
	[EFFECT_DENIED_OTHER_NAME] = "denied-other-name",
	[EFFECT_DENIED_BAD_HELLO] = "denied-bad-hello",
	[EFFECT_DENIED_HIDDEN_NAME] = "denied-hidden-name",
	[EFFECT_DENIED_WITHDRAWN] = "denied-withdrawn",
	[EFFECT_DENIED_REQUEST] = "denied-request",
};

const char *effect_verdict_name(uint8_t verdict)
{
	/* the byte of a peer, 0 if nobody judged it */
	return verdict_names[verdict < sizeof verdict_names / sizeof verdict_names[0] ? verdict : 0];
}

const char *effect_verdict_word(uint8_t verdict)
{
	return effect_is_denied(verdict) ? verdict_names[EFFECT_DENIED] : effect_verdict_name(verdict);
}

void effect_encode(struct buf *out, const struct effect *f)
{
	buf_put_u8(out, f->kind);
	buf_put_u8(out, f->verdict);
	buf_put_u8(out, f->source);
	buf_put_u8(out, f->base);
	buf_put_u8(out, f->beyond);
	buf_put_u32(out, f->grant);
	buf_put_u32(out, f->count);
	if (effect_has_meter(f))
		meter_put(out, &f->meter);
	buf_put_bytes(out, f->object, strnlen(f->object, sizeof f->object - 1));
}

/* Some verdicts are of some kinds only. */
static bool is_possible(uint8_t verdict, uint8_t kind)
{
	if (verdict == EFFECT_DENIED_REQUEST)
		return kind == EFFECT_REQUEST;
	if (verdict >= EFFECT_DENIED_OTHER_NAME)
		return verdict <= EFFECT_DENIED_WITHDRAWN && kind == EFFECT_CONNECT;
	if (verdict >= EFFECT_DENIED_HIDDEN)
		return effect_right(kind) != 0;
	return verdict != EFFECT_DENIED_WRITTEN || kind == EFFECT_EXEC;
}

static bool in_range(const struct effect *f)
{
	return effect_word(f->kind) != NULL && is_possible(f->verdict, f->kind) &&
	       (f->source == EFFECT_REQUESTED || f->source == EFFECT_PROVED) && f->base <= EFFECT_BASE_GONE &&
	       f->beyond <= effect_is_denied(f->verdict) && (f->grant < GRANTS_MAX || f->grant == GRANT_NONE) &&
	       f->count > 0;
}

void effect_decode(struct rbuf *in, struct effect *ret)
{
	ret->kind = rbuf_u8(in);
	ret->verdict = rbuf_u8(in);
	ret->source = rbuf_u8(in);
	ret->base = rbuf_u8(in);
	ret->beyond = rbuf_u8(in);
	ret->grant = rbuf_u32(in);
	ret->count = rbuf_u32(in);
	if (effect_has_meter(ret))
		meter_take(in, &ret->meter);
	rbuf_str(in, ret->object, sizeof ret->object);
	if (!in_range(ret))
		in->failed = true;
}
