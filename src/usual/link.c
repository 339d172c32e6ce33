#include "usual/link.h"

#include <math.h>
#include <string.h>

/* A finite one that is not less than nothing. */
static bool take_double(struct rbuf *in, double *ret)
{
	*ret = rbuf_double(in);
	return isfinite(*ret) && *ret >= 0;
}

static bool take_part(struct rbuf *in, double *ret)
{
	return take_double(in, ret) && *ret <= 1;
}

void usual_ask_put(struct buf *out, const struct usual_ask *a)
{
	buf_put_u8(out, a->use);
	buf_put_u8(out, a->asks);
	buf_put_u8(out, a->slows);
	buf_put_text(out, a->event, sizeof a->event);
	buf_put_u64(out, a->time_s);
}

bool usual_ask_take(struct rbuf *in, struct usual_ask *ret)
{
	ret->use = rbuf_u8(in);
	ret->asks = rbuf_bool(in);
	ret->slows = rbuf_bool(in);
	rbuf_text(in, ret->event, sizeof ret->event);
	ret->time_s = rbuf_u64(in);
	return rbuf_done(in) && (ret->use == USUAL_LOOK || ret->use == USUAL_TEACH) &&
	       id_is('e', ret->event, strlen(ret->event));
}

void usual_settle_put(struct buf *out, const struct usual_settle *s)
{
	buf_put_u8(out, s->released);
	buf_put_text(out, s->event, sizeof s->event);
}

bool usual_settle_take(struct rbuf *in, struct usual_settle *ret)
{
	ret->released = rbuf_bool(in);
	rbuf_text(in, ret->event, sizeof ret->event);
	return rbuf_done(in) && id_is('e', ret->event, strlen(ret->event));
}

void usual_found_put(struct buf *out, const struct usual_found *u)
{
	const struct unusual *f = &u->f;

	buf_put_u8(out, f->young);
	buf_put_u32(out, f->events);
	buf_put_double(out, f->p);
	buf_put_double(out, f->least);
	for (size_t i = 0; i < LAYERS; i++) {
		buf_put_double(out, f->scores[i]);
		buf_put_double(out, f->ps[i]);
	}
	for (size_t i = 0; i < PROMISES; i++) {
		buf_put_u8(out, f->flagged[i]);
		buf_put_double(out, u->ratio[i]);
	}
	for (size_t i = 1; i < DEED_KINDS; i++)
		buf_put_u8(out, f->is_new[i]);
	buf_put_u8(out, u->asks);
	buf_put_u8(out, u->held);
	buf_put_u32(out, u->others);
	buf_put_u8(out, u->loud);
	buf_put_str(out, u->nearest.event);
	buf_put_double(out, u->nearest.part);
	buf_put_str(out, u->nearest.text);
	buf_put_u8(out, u->level);
	buf_put_str(out, u->key);
	buf_put_str(out, u->not_taught);
	buf_put_u8(out, (uint8_t)f->n_reasons);
	for (size_t i = 0; i < f->n_reasons; i++) {
		buf_put_u8(out, (uint8_t)f->reasons[i].layer);
		buf_put_double(out, f->reasons[i].surprise);
		buf_put_str(out, f->reasons[i].text);
	}
}

static bool take_reasons(struct rbuf *in, struct unusual *f)
{
	bool good = true;

	f->n_reasons = rbuf_u8(in);
	if (f->n_reasons > REASONS_MAX)
		return false;
	for (size_t i = 0; i < f->n_reasons && good; i++) {
		const uint8_t layer = rbuf_u8(in);

		f->reasons[i].layer = (enum layer)layer;
		good = take_double(in, &f->reasons[i].surprise) && layer < LAYERS;
		rbuf_str(in, f->reasons[i].text, sizeof f->reasons[i].text);
	}
	return good;
}

/* Whoever shows it takes the id for one. */
static bool take_nearest(struct rbuf *in, struct likeness *ret)
{
	bool good;

	rbuf_str(in, ret->event, sizeof ret->event);
	good = take_part(in, &ret->part);
	rbuf_str(in, ret->text, sizeof ret->text);
	return good && (ret->event[0] == 0 || id_is('e', ret->event, strlen(ret->event)));
}

bool usual_found_take(struct rbuf *in, struct usual_found *ret)
{
	struct unusual *f = &ret->f;
	bool good;

	*ret = (struct usual_found){ .asks = false };
	f->young = rbuf_bool(in);
	f->events = rbuf_u32(in);
	good = take_part(in, &f->p) && take_part(in, &f->least);
	for (size_t i = 0; i < LAYERS; i++)
		good = take_double(in, &f->scores[i]) && take_part(in, &f->ps[i]) && good;
	for (size_t i = 0; i < PROMISES; i++) {
		f->flagged[i] = rbuf_bool(in);
		good = take_double(in, &ret->ratio[i]) && good;
	}
	for (size_t i = 1; i < DEED_KINDS; i++)
		f->is_new[i] = rbuf_bool(in);
	ret->asks = rbuf_bool(in);
	ret->held = rbuf_bool(in);
	ret->others = rbuf_u32(in);
	ret->loud = rbuf_bool(in);
	good = take_nearest(in, &ret->nearest) && good;
	ret->level = rbuf_u8(in);
	rbuf_str(in, ret->key, sizeof ret->key);
	rbuf_str(in, ret->not_taught, sizeof ret->not_taught);
	return good && take_reasons(in, f) && rbuf_done(in) && ret->level < USUAL_LEVELS_MAX;
}

void usual_row_put(struct buf *out, const struct usual_row *row)
{
	buf_put_str(out, row->id);
	buf_put_str(out, row->key);
	buf_put_u32(out, row->epoch);
	buf_put_u32(out, row->events);
	buf_put_u32(out, row->shadow_events);
	buf_put_u64(out, row->scored);
	buf_put_u64(out, row->flagged);
	buf_put_u64(out, row->bytes);
}

bool usual_row_take(struct rbuf *in, struct usual_row *ret)
{
	rbuf_str(in, ret->id, sizeof ret->id);
	rbuf_str(in, ret->key, sizeof ret->key);
	ret->epoch = rbuf_u32(in);
	ret->events = rbuf_u32(in);
	ret->shadow_events = rbuf_u32(in);
	ret->scored = rbuf_u64(in);
	ret->flagged = rbuf_u64(in);
	ret->bytes = rbuf_u64(in);
	return !in->failed;
}
