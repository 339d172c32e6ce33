#include <string.h>

#include "core/authority_form.h"
#include "core/authority_load.h"
#include "core/authority_rows.h"
#include "core/authority_use.h"

/* ---- requests ---- */

/* What of a request its op has: a field that it has not is not written, and is 0 when read. */
enum part {
	PART_BADGE = 1,
	PART_TO = 2,
	PART_GRANT = 4,
	PART_ASK = 8,
	PART_ID = 16,
	PART_EVENT = 32,
	PART_DIGEST = 64,
	PART_KEY = 128,
	PART_AMOUNTS = 256,
	PART_UNTIL = 512,
	PART_LABELS = 1024,
	PART_GRANTED = 2048, /* verb, depth, unless, terms */
	PART_BOUNDS = 4096,
	PART_OBJECT = 8192,
	PART_USED = 16384, /* verb and minute */
	PART_ARGUMENTS = 32768,
};

static const uint16_t parts_of[AUTHORITY_OP_COUNT] = {
	[AUTHORITY_OPEN] = PART_BADGE | PART_GRANT | PART_ID | PART_EVENT | PART_DIGEST | PART_UNTIL | PART_LABELS |
			   PART_BOUNDS | PART_OBJECT | PART_USED,
	[AUTHORITY_GIVE] = PART_BADGE | PART_ID | PART_LABELS | PART_GRANTED | PART_BOUNDS | PART_OBJECT,
	[AUTHORITY_DERIVE] = PART_BADGE | PART_TO | PART_GRANT | PART_ID | PART_LABELS | PART_GRANTED | PART_BOUNDS |
			     PART_OBJECT,
	[AUTHORITY_REVOKE] = PART_GRANT,
	[AUTHORITY_END] = PART_BADGE,
	[AUTHORITY_EVENT_END] = PART_BADGE | PART_EVENT,
	[AUTHORITY_HAND_OVER] = PART_BADGE | PART_TO,
	[AUTHORITY_USE] = PART_BADGE | PART_GRANT | PART_ID | PART_EVENT | PART_DIGEST | PART_KEY | PART_AMOUNTS |
			  PART_UNTIL | PART_OBJECT | PART_USED | PART_ARGUMENTS,
	[AUTHORITY_RETURN] = PART_BADGE | PART_GRANT | PART_AMOUNTS,
	[AUTHORITY_MORE] = PART_BADGE | PART_GRANT | PART_AMOUNTS | PART_USED,
	[AUTHORITY_ANSWER] = PART_ASK | PART_DIGEST | PART_UNTIL,
	[AUTHORITY_FORGET] = PART_ASK,
	[AUTHORITY_FREEZE] = PART_BADGE,
	[AUTHORITY_THAW] = PART_BADGE,
	[AUTHORITY_LABEL] = PART_BADGE | PART_GRANT | PART_EVENT | PART_LABELS,
	[AUTHORITY_TAKE] = PART_BADGE | PART_TO | PART_EVENT,
	[AUTHORITY_ENTER] = PART_BADGE | PART_EVENT,
	[AUTHORITY_MARK] = PART_BADGE | PART_EVENT | PART_DIGEST | PART_LABELS | PART_OBJECT,
	[AUTHORITY_AGENT] = PART_BOUNDS | PART_OBJECT,
	[AUTHORITY_RESTORE] = PART_GRANT,
	[AUTHORITY_UNMARK] = PART_LABELS | PART_OBJECT,
	[AUTHORITY_JOIN] = PART_OBJECT,
};

void authority_put_bounds(struct buf *out, const struct authority_bounds *b)
{
	qualifiers_put(out, &b->q);
	buf_put_u64(out, b->rows);
	window_encode(&b->window, out);
}

void authority_take_bounds(struct rbuf *in, struct authority_bounds *ret)
{
	qualifiers_take(in, &ret->q);
	ret->rows = rbuf_u64(in);
	window_decode(in, &ret->window);
	if (!in->failed && !form_is_bounds(ret))
		in->failed = true;
}

static void put_unless(struct buf *out, uint8_t n, const uint64_t *unless)
{
	buf_put_u8(out, n);
	for (uint8_t i = 0; i < n && i < AUTHORITY_UNLESS_MAX; i++)
		buf_put_u64(out, unless[i]);
}

void unless_take(struct rbuf *in, uint8_t *ret_n, uint64_t unless[AUTHORITY_UNLESS_MAX])
{
	*ret_n = rbuf_u8(in);
	if (*ret_n > AUTHORITY_UNLESS_MAX)
		in->failed = true;
	for (uint8_t i = 0; i < *ret_n && !in->failed; i++)
		unless[i] = rbuf_u64(in);
}

void authority_put_request(struct buf *out, const struct authority_request *q)
{
	const unsigned parts = q->op < AUTHORITY_OP_COUNT ? parts_of[q->op] : 0;

	buf_put_u8(out, q->op);
	buf_put_u8(out, q->flags);
	buf_put_u64(out, q->now_ms);
	buf_put_u32(out, q->passed_ms);
	if ((parts & PART_BADGE) != 0)
		buf_put_u64(out, q->badge);
	if ((parts & PART_TO) != 0)
		buf_put_u64(out, q->to);
	if ((parts & PART_GRANT) != 0)
		buf_put_u64(out, q->grant);
	if ((parts & PART_ASK) != 0)
		buf_put_u64(out, q->ask);
	if ((parts & PART_ID) != 0)
		buf_put(out, q->id, AUTHORITY_ID);
	if ((parts & PART_EVENT) != 0)
		buf_put(out, q->event, AUTHORITY_ID);
	if ((parts & PART_DIGEST) != 0)
		buf_put(out, q->digest, AUTHORITY_DIGEST);
	if ((parts & PART_KEY) != 0)
		buf_put(out, q->key, AUTHORITY_DIGEST);
	if ((parts & PART_AMOUNTS) != 0) {
		buf_put_u64(out, q->bytes);
		buf_put_u64(out, q->rows);
	}
	if ((parts & PART_UNTIL) != 0)
		buf_put_u64(out, q->until_ms);
	if ((parts & PART_LABELS) != 0)
		buf_put_u64(out, q->labels);
	if ((parts & (PART_USED | PART_GRANTED)) != 0)
		buf_put_u8(out, q->verb);
	if ((parts & PART_USED) != 0)
		buf_put_u16(out, q->minute);
	if ((parts & PART_GRANTED) != 0) {
		buf_put_u8(out, q->depth);
		put_unless(out, q->n_unless, q->unless);
		buf_put_str(out, q->terms);
	}
	if ((parts & PART_BOUNDS) != 0)
		authority_put_bounds(out, &q->bounds);
	if ((parts & PART_OBJECT) != 0)
		buf_put_str(out, q->object);
	if ((parts & PART_ARGUMENTS) != 0)
		buf_put_bytes(out, q->arguments.bytes, q->arguments.n);
}

/* Whether they are any is for the step: what is none is refused there, and kept. */
static void take_arguments(struct rbuf *in, struct where_arguments *ret)
{
	ret->n = rbuf_u32(in);
	if (ret->n > WHERE_BYTES_MAX)
		in->failed = true;
	ret->bytes = rbuf_bytes(in, ret->n);
}

bool authority_take_request(struct rbuf *in, struct authority_request *ret, char room[AUTHORITY_TEXTS_MAX])
{
	struct authority_request q = { .op = rbuf_u8(in), .object = "", .terms = "" };
	const unsigned parts = q.op < AUTHORITY_OP_COUNT ? parts_of[q.op] : 0;

	q.flags = rbuf_u8(in);
	q.now_ms = rbuf_u64(in);
	q.passed_ms = rbuf_u32(in);
	q.badge = (parts & PART_BADGE) != 0 ? rbuf_u64(in) : 0;
	q.to = (parts & PART_TO) != 0 ? rbuf_u64(in) : 0;
	q.grant = (parts & PART_GRANT) != 0 ? rbuf_u64(in) : 0;
	q.ask = (parts & PART_ASK) != 0 ? rbuf_u64(in) : 0;
	if ((parts & PART_ID) != 0)
		rbuf_fixed(in, q.id, AUTHORITY_ID);
	if ((parts & PART_EVENT) != 0)
		rbuf_fixed(in, q.event, AUTHORITY_ID);
	if ((parts & PART_DIGEST) != 0)
		rbuf_fixed(in, q.digest, AUTHORITY_DIGEST);
	if ((parts & PART_KEY) != 0)
		rbuf_fixed(in, q.key, AUTHORITY_DIGEST);
	q.bytes = (parts & PART_AMOUNTS) != 0 ? rbuf_u64(in) : 0;
	q.rows = (parts & PART_AMOUNTS) != 0 ? rbuf_u64(in) : 0;
	q.until_ms = (parts & PART_UNTIL) != 0 ? rbuf_u64(in) : 0;
	q.labels = (parts & PART_LABELS) != 0 ? rbuf_u64(in) : 0;
	q.verb = (parts & (PART_USED | PART_GRANTED)) != 0 ? rbuf_u8(in) : 0;
	q.minute = (parts & PART_USED) != 0 ? rbuf_u16(in) : AUTHORITY_MINUTE_NONE;
	if ((parts & PART_GRANTED) != 0) {
		q.depth = rbuf_u8(in);
		unless_take(in, &q.n_unless, q.unless);
		rbuf_str(in, room + GRANT_OBJECT_MAX, TERMS_TEXT_MAX);
		q.terms = room + GRANT_OBJECT_MAX;
	}
	if ((parts & PART_BOUNDS) != 0)
		authority_take_bounds(in, &q.bounds);
	if ((parts & PART_OBJECT) != 0) {
		rbuf_str(in, room, GRANT_OBJECT_MAX);
		q.object = room;
	}
	if ((parts & PART_ARGUMENTS) != 0)
		take_arguments(in, &q.arguments);
	if (q.op >= AUTHORITY_OP_COUNT)
		in->failed = true;
	if (in->failed)
		return false;
	*ret = q;
	return true;
}

/* ---- the state: writing ---- */

static void put_account(struct buf *out, const struct account *c)
{
	authority_put_bounds(out, &c->bounds);
	buf_put_u64(out, c->uses);
	buf_put_u64(out, c->bytes);
	buf_put_u64(out, c->rows);
	buf_put_u64(out, c->rate.level);
	buf_put_u64(out, c->rate.filled_ms);
}

static void put_badge(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct badge *b = &a->badges[i];

	buf_put_u32(out, b->parent);
	buf_put_u8(out, b->depth);
	buf_put_u8(out, b->frozen);
	buf_put(out, b->id, AUTHORITY_ID);
	buf_put(out, b->event, AUTHORITY_ID);
	buf_put_u64(out, b->labels);
	buf_put_str(out, text_of(a, b->name));
	put_account(out, &b->account);
	buf_put_u64(out, b->asks.level);
	buf_put_u64(out, b->asks.filled_ms);
}

static void put_grant(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct holding *g = &a->grants[i];

	buf_put_u32(out, g->badge);
	buf_put_u32(out, g->parent);
	buf_put(out, g->id, AUTHORITY_ID);
	buf_put_u8(out, g->verb);
	buf_put_u8(out, g->flags);
	buf_put_u8(out, g->depth);
	buf_put_u8(out, (uint8_t)(g->revoked | g->expired << 1)); /* two bits */
	buf_put_u64(out, g->labels);
	put_unless(out, g->n_unless, g->unless);
	buf_put_str(out, text_of(a, g->object));
	buf_put_str(out, text_of(a, g->terms));
	put_account(out, &g->account);
	buf_put_u64(out, g->lent_bytes);
	buf_put_u64(out, g->lent_rows);
}

static void put_ask(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct ask *k = &a->asks[i];

	buf_put_u32(out, k->badge);
	buf_put_u32(out, k->grant);
	buf_put(out, k->id, AUTHORITY_ID);
	buf_put(out, k->digest, AUTHORITY_DIGEST);
	buf_put_u8(out, k->state);
	buf_put_u8(out, (uint8_t)(k->session | k->stop << 1)); /* two bits */
	buf_put_u64(out, k->until_ms);
}

static void put_key(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct key *k = &a->keys[i];

	buf_put_u32(out, k->badge);
	buf_put_u32(out, k->grant);
	buf_put(out, k->key, AUTHORITY_DIGEST);
	buf_put(out, k->digest, AUTHORITY_DIGEST);
	buf_put_u64(out, k->bytes);
	buf_put_u64(out, k->rows);
}

static void put_pass(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct pass *p = &a->passes[i];

	buf_put_u32(out, p->badge);
	buf_put(out, p->digest, AUTHORITY_DIGEST);
	buf_put_u64(out, p->labels);
}

static void put_mark(struct buf *out, const struct authority *a, uint32_t i)
{
	buf_put_str(out, text_of(a, a->marks[i].path));
	buf_put_u64(out, a->marks[i].labels);
}

static void put_origin(struct buf *out, const struct authority *a, uint32_t i)
{
	const struct origin *o = &a->origins[i];

	buf_put_u32(out, o->badge);
	buf_put_u32(out, o->which);
	buf_put_u8(out, o->label);
	buf_put_u8(out, o->by);
	buf_put(out, o->event, AUTHORITY_ID);
	buf_put(out, o->from, AUTHORITY_ID);
}

static void put_agent(struct buf *out, const struct authority *a, uint32_t i)
{
	buf_put_str(out, text_of(a, a->agents[i].name));
	put_account(out, &a->agents[i].account);
}

/* The rows that were ever used, with their turns: what has gone must not come back. */
#define PUT_TABLE(table, put_one)                                                                                      \
	do {                                                                                                           \
		buf_put_u32(out, a->table##_end);                                                                      \
		for (uint32_t i = 0; i < a->table##_end; i++) {                                                        \
			buf_put_u64(out, a->table[i].row.turn);                                                        \
			buf_put_u8(out, a->table[i].row.live);                                                         \
			if (a->table[i].row.live)                                                                      \
				put_one(out, a, i);                                                                    \
		}                                                                                                      \
	} while (0)

void authority_put(const struct authority *a, struct buf *out)
{
	buf_put_u32(out, AUTHORITY_STATE_VERSION);
	buf_put_u64(out, a->ticks_ms);
	buf_put_u8(out, a->frozen);
	PUT_TABLE(agents, put_agent); /* first: badges name them */
	PUT_TABLE(badges, put_badge);
	PUT_TABLE(grants, put_grant);
	PUT_TABLE(asks, put_ask);
	PUT_TABLE(keys, put_key);
	PUT_TABLE(passes, put_pass);
	PUT_TABLE(marks, put_mark);
	PUT_TABLE(origins, put_origin);
}
