#include "authority/link.h"

#include <string.h>

/* ---- answers and actions ---- */

void keeper_answer_put(struct buf *out, const struct keeper_answer *a)
{
	buf_put_u64(out, a->step);
	buf_put_u8(out, a->verdict);
	buf_put_u8(out, a->why);
	buf_put_u8(out, a->limit);
	buf_put_u64(out, a->made);
	buf_put_u64(out, a->labels);
	buf_put_u32(out, a->n_late);
	for (uint32_t i = 0; i < a->n_late && i < KEEPER_LATE_MAX; i++) {
		buf_put_u64(out, a->late[i].bound);
		buf_put_u32(out, a->late[i].number);
	}
}

bool keeper_answer_take(struct rbuf *in, struct keeper_answer *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->step = rbuf_u64(in);
	ret->verdict = rbuf_u8(in);
	ret->why = rbuf_u8(in);
	ret->limit = rbuf_u8(in);
	ret->made = rbuf_u64(in);
	ret->labels = rbuf_u64(in);
	ret->n_late = rbuf_u32(in);
	for (uint32_t i = 0; i < ret->n_late && i < KEEPER_LATE_MAX && !in->failed; i++) {
		ret->late[i].bound = rbuf_u64(in);
		ret->late[i].number = rbuf_u32(in);
	}
	return rbuf_done(in) && ret->verdict <= AUTHORITY_ASKS && ret->why < WHY_COUNT && ret->limit <= AUTHORITY_RATE;
}

void keeper_actions_put(struct buf *out, uint64_t step, bool more, const struct authority_action *actions, uint32_t n)
{
	buf_put_u64(out, step);
	buf_put_u8(out, more);
	for (uint32_t i = 0; i < n; i++) {
		buf_put_u32(out, actions[i].act);
		buf_put_u64(out, actions[i].ref);
	}
}

bool keeper_actions_take(struct rbuf *in, struct keeper_actions *ret)
{
	uint8_t more;

	ret->step = rbuf_u64(in);
	more = rbuf_u8(in);
	ret->more = more == 1;
	ret->n = 0;
	while (!in->failed && rbuf_left(in) > 0 && ret->n < KEEPER_ACTIONS_MAX) {
		struct authority_action *a = &ret->actions[ret->n++];

		a->act = rbuf_u32(in);
		a->ref = rbuf_u64(in);
		in->failed |= a->act > AUTHORITY_ACT_THAW;
	}
	return rbuf_done(in) && more <= 1;
}

/* ---- lists: writing ---- */

static void put_used(struct buf *out, uint64_t uses, uint64_t bytes, uint64_t rows)
{
	buf_put_u64(out, uses);
	buf_put_u64(out, bytes);
	buf_put_u64(out, rows);
}

static bool put_badge(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_badge_told t;

	if (!authority_badge_at(a, row, &t))
		return false;
	buf_put_u64(out, t.ref);
	buf_put_u64(out, t.parent);
	buf_put(out, t.id, AUTHORITY_ID);
	buf_put(out, t.event, AUTHORITY_ID);
	buf_put_str(out, t.agent);
	buf_put_u8(out, t.depth);
	buf_put_u8(out, t.frozen);
	buf_put_u64(out, t.labels);
	authority_put_bounds(out, &t.bounds);
	put_used(out, t.uses, t.bytes, t.rows);
	return true;
}

static bool put_grant(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_grant_told t;

	if (!authority_grant_at(a, row, &t))
		return false;
	buf_put_u64(out, t.ref);
	buf_put_u64(out, t.parent);
	buf_put_u64(out, t.badge);
	buf_put(out, t.id, AUTHORITY_ID);
	buf_put_u8(out, t.verb);
	buf_put_u8(out, t.flags);
	buf_put_u8(out, t.depth);
	buf_put_u8(out, (uint8_t)(t.revoked | t.expired << 1)); /* two bits */
	buf_put_u64(out, t.labels);
	buf_put_u8(out, t.n_unless);
	for (uint8_t i = 0; i < t.n_unless; i++)
		buf_put_u64(out, t.unless[i]);
	authority_put_bounds(out, &t.bounds);
	put_used(out, t.uses, t.bytes, t.rows);
	buf_put_u64(out, t.lent_bytes);
	buf_put_u64(out, t.lent_rows);
	buf_put_str(out, t.object);
	buf_put_str(out, t.terms);
	return true;
}

static bool put_ask(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_ask_told t;

	if (!authority_ask_at(a, row, &t))
		return false;
	buf_put_u64(out, t.ref);
	buf_put_u64(out, t.badge);
	buf_put_u64(out, t.grant);
	buf_put(out, t.id, AUTHORITY_ID);
	buf_put(out, t.digest, AUTHORITY_DIGEST);
	buf_put_u8(out, t.state);
	buf_put_u8(out, (uint8_t)(t.session | t.stop << 1)); /* two bits */
	buf_put_u64(out, t.until_ms);
	return true;
}

static bool put_mark(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_mark_told t;

	if (!authority_mark_at(a, row, &t))
		return false;
	buf_put_str(out, t.path);
	buf_put_u64(out, t.labels);
	return true;
}

static bool put_agent(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_agent_told t;

	if (!authority_agent_at(a, row, &t))
		return false;
	buf_put_str(out, t.name);
	authority_put_bounds(out, &t.bounds);
	put_used(out, t.uses, t.bytes, t.rows);
	return true;
}

static bool put_origin(struct buf *out, const struct authority *a, uint32_t row)
{
	struct authority_origin_told t;

	if (!authority_origin_traced(a, row, &t))
		return false;
	buf_put_u64(out, t.badge);
	buf_put_u8(out, t.label);
	buf_put_u8(out, t.by);
	buf_put_u8(out, t.verb);
	buf_put(out, t.event, AUTHORITY_ID);
	buf_put(out, t.from, AUTHORITY_ID);
	buf_put_str(out, t.object);
	return true;
}

bool keeper_row_put(struct buf *out, const struct authority *a, enum keeper_kind kind, uint32_t row)
{
	switch (kind) {
	case KEEPER_BADGES: return put_badge(out, a, row);
	case KEEPER_GRANTS: return put_grant(out, a, row);
	case KEEPER_ASKS: return put_ask(out, a, row);
	case KEEPER_MARKS: return put_mark(out, a, row);
	case KEEPER_AGENTS: return put_agent(out, a, row);
	case KEEPER_ORIGINS: return put_origin(out, a, row);
	case KEEPER_KIND_COUNT: break;
	}
	return false;
}

/* ---- lists: reading ---- */

static const char *take_text(struct rbuf *in, char room[GRANT_OBJECT_MAX])
{
	room[0] = 0;
	rbuf_str(in, room, GRANT_OBJECT_MAX);
	return room;
}

static void take_badge(struct rbuf *in, struct keeper_row *r)
{
	struct authority_badge_told *t = &r->badge;

	t->ref = rbuf_u64(in);
	t->parent = rbuf_u64(in);
	rbuf_fixed(in, t->id, AUTHORITY_ID);
	rbuf_fixed(in, t->event, AUTHORITY_ID);
	t->agent = take_text(in, r->text);
	t->depth = rbuf_u8(in);
	t->frozen = rbuf_bool(in);
	t->labels = rbuf_u64(in);
	authority_take_bounds(in, &t->bounds);
	t->uses = rbuf_u64(in);
	t->bytes = rbuf_u64(in);
	t->rows = rbuf_u64(in);
}

static void take_grant(struct rbuf *in, struct keeper_row *r)
{
	struct authority_grant_told *t = &r->grant;
	uint8_t marks;

	t->ref = rbuf_u64(in);
	t->parent = rbuf_u64(in);
	t->badge = rbuf_u64(in);
	rbuf_fixed(in, t->id, AUTHORITY_ID);
	t->verb = rbuf_u8(in);
	t->flags = rbuf_u8(in);
	t->depth = rbuf_u8(in);
	marks = rbuf_u8(in);
	t->revoked = (marks & 1) != 0;
	t->expired = (marks & 2) != 0;
	t->labels = rbuf_u64(in);
	t->n_unless = rbuf_u8(in);
	in->failed |= marks > 3 || t->verb >= VERB_COUNT || t->n_unless > AUTHORITY_UNLESS_MAX;
	for (uint8_t i = 0; i < t->n_unless && !in->failed; i++)
		t->unless[i] = rbuf_u64(in);
	authority_take_bounds(in, &t->bounds);
	t->uses = rbuf_u64(in);
	t->bytes = rbuf_u64(in);
	t->rows = rbuf_u64(in);
	t->lent_bytes = rbuf_u64(in);
	t->lent_rows = rbuf_u64(in);
	t->object = take_text(in, r->text);
	t->terms = take_text(in, r->terms);
}

static void take_ask(struct rbuf *in, struct keeper_row *r)
{
	uint8_t marks;
	struct authority_ask_told *t = &r->ask;

	t->ref = rbuf_u64(in);
	t->badge = rbuf_u64(in);
	t->grant = rbuf_u64(in);
	rbuf_fixed(in, t->id, AUTHORITY_ID);
	rbuf_fixed(in, t->digest, AUTHORITY_DIGEST);
	t->state = rbuf_u8(in);
	marks = rbuf_u8(in);
	t->session = (marks & 1) != 0;
	t->stop = (marks & 2) != 0;
	in->failed |= marks > 3;
	t->until_ms = rbuf_u64(in);
	in->failed |= t->state < ASK_WAITS || t->state > ASK_REFUSED;
}

static void take_agent(struct rbuf *in, struct keeper_row *r)
{
	struct authority_agent_told *t = &r->agent;

	t->name = take_text(in, r->text);
	authority_take_bounds(in, &t->bounds);
	t->uses = rbuf_u64(in);
	t->bytes = rbuf_u64(in);
	t->rows = rbuf_u64(in);
}

static void take_origin(struct rbuf *in, struct keeper_row *r)
{
	struct authority_origin_told *t = &r->origin;

	t->badge = rbuf_u64(in);
	t->label = rbuf_u8(in);
	t->by = rbuf_u8(in);
	t->verb = rbuf_u8(in);
	rbuf_fixed(in, t->event, AUTHORITY_ID);
	rbuf_fixed(in, t->from, AUTHORITY_ID);
	t->object = take_text(in, r->text);
	in->failed |= t->label >= AUTHORITY_LABELS_MAX || t->by >= AUTHORITY_BY_COUNT || t->verb >= VERB_COUNT;
}

bool keeper_row_take(struct rbuf *in, enum keeper_kind kind, struct keeper_row *ret)
{
	memset(ret, 0, sizeof *ret);
	switch (kind) {
	case KEEPER_BADGES: take_badge(in, ret); break;
	case KEEPER_GRANTS: take_grant(in, ret); break;
	case KEEPER_ASKS: take_ask(in, ret); break;
	case KEEPER_MARKS:
		ret->mark.path = take_text(in, ret->text);
		ret->mark.labels = rbuf_u64(in);
		break;
	case KEEPER_AGENTS: take_agent(in, ret); break;
	case KEEPER_ORIGINS: take_origin(in, ret); break;
	case KEEPER_KIND_COUNT: in->failed = true; break;
	}
	return !in->failed;
}

void keeper_signed_put(struct buf *out, const struct keeper_signed *q)
{
	buf_put_u64(out, q->ask);
	buf_put_str(out, q->key);
	buf_put_str(out, q->statement);
	buf_put_bytes(out, q->signature.bytes, q->signature.n);
}

bool keeper_signed_take(struct rbuf *in, struct keeper_signed *ret)
{
	const uint8_t *bytes;

	ret->ask = rbuf_u64(in);
	rbuf_str(in, ret->key, sizeof ret->key);
	rbuf_str(in, ret->statement, sizeof ret->statement);
	ret->signature.n = rbuf_u32(in);
	bytes = ret->signature.n <= sizeof ret->signature.bytes ? rbuf_bytes(in, ret->signature.n) : NULL;
	if (bytes == NULL || !rbuf_done(in) || !approve_name_is_good(ret->key))
		return false;
	memcpy(ret->signature.bytes, bytes, ret->signature.n);
	return true;
}
