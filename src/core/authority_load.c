#include <string.h>

#include "core/authority_form.h"
#include "core/authority_load.h"
#include "core/authority_rows.h"
#include "core/authority_use.h"

/* Whoever wrote the bytes: each row is looked at by itself while it is read, and then how they hang together. */

static struct text take_text(struct rbuf *in, struct authority *a, char room[GRANT_OBJECT_MAX])
{
	rbuf_str(in, room, GRANT_OBJECT_MAX);
	if (in->failed || !has_text_room(a, room, "")) {
		in->failed = true;
		room[0] = 0;
	}
	return text_keep(a, room);
}

static void take_rate(struct rbuf *in, const struct authority *a, struct rate *ret)
{
	ret->level = rbuf_u64(in);
	ret->filled_ms = rbuf_u64(in);
	in->failed |= ret->level > (uint64_t)ret->most * ret->period_ms || ret->filled_ms > a->ticks_ms;
}

static void take_account(struct rbuf *in, struct authority *a, struct account *ret)
{
	struct authority_bounds bounds;

	memset(&bounds, 0, sizeof bounds);
	authority_take_bounds(in, &bounds);
	if (in->failed)
		return;
	account_init(a, ret, &bounds);
	ret->uses = rbuf_u64(in);
	ret->bytes = rbuf_u64(in);
	ret->rows = rbuf_u64(in);
	take_rate(in, a, &ret->rate);
}

static void take_badge(struct rbuf *in, struct authority *a, uint32_t i, char room[GRANT_OBJECT_MAX])
{
	struct badge *b = &a->badges[i];

	b->parent = rbuf_u32(in);
	b->depth = rbuf_u8(in);
	b->frozen = rbuf_bool(in);
	rbuf_fixed(in, b->id, AUTHORITY_ID);
	rbuf_fixed(in, b->event, AUTHORITY_ID);
	b->labels = rbuf_u64(in);
	b->name = take_text(in, a, room);
	b->agent = agent_with_name(a, room);
	take_account(in, a, &b->account);
	rate_init(&b->asks, AUTHORITY_ASKS_PER_HOUR, AUTHORITY_HOUR_MS, a->ticks_ms);
	take_rate(in, a, &b->asks);
	b->first = b->prev = b->next = b->grants = b->keys = ROW_NONE;
	in->failed |= !form_is_name(room) || is_zeroes(b->id, AUTHORITY_ID) || !form_is_total(&b->account.bounds) ||
		      badge_with_id(a, b->id) != ROW_NONE;
	if (!in->failed)
		badge_found(a, i);
}

/* As a request could have made it. */
static bool is_grant(const struct authority *a, const struct holding *g)
{
	struct authority_request q = { .verb = g->verb,
				       .flags = g->flags,
				       .depth = g->depth,
				       .labels = g->labels,
				       .n_unless = g->n_unless,
				       .bounds = g->account.bounds,
				       .object = text_of(a, g->object),
				       .terms = text_of(a, g->terms) };

	memcpy(q.id, g->id, AUTHORITY_ID);
	memcpy(q.unless, g->unless, sizeof q.unless);
	return form_is_grant(&q);
}

static void take_grant(struct rbuf *in, struct authority *a, uint32_t i, char room[GRANT_OBJECT_MAX])
{
	struct holding *g = &a->grants[i];
	uint8_t marks;

	g->badge = rbuf_u32(in);
	g->parent = rbuf_u32(in);
	rbuf_fixed(in, g->id, AUTHORITY_ID);
	g->verb = rbuf_u8(in);
	g->flags = rbuf_u8(in);
	g->depth = rbuf_u8(in);
	marks = rbuf_u8(in);
	g->revoked = (marks & 1) != 0;
	g->expired = (marks & 2) != 0;
	g->labels = rbuf_u64(in);
	unless_take(in, &g->n_unless, g->unless);
	g->object = take_text(in, a, room);
	g->terms = take_text(in, a, room);
	take_account(in, a, &g->account);
	g->lent_bytes = rbuf_u64(in);
	g->lent_rows = rbuf_u64(in);
	g->first = g->prev = g->next = g->of_badge = ROW_NONE;
	in->failed |= marks > 3 || grant_with_id(a, g->id) != ROW_NONE;
	if (in->failed || !is_grant(a, g)) {
		in->failed = true;
		return;
	}
	grant_found(a, i);
	if (!g->revoked && !g->expired && g->account.bounds.q.until_s != 0)
		a->next_grant_ms = 0; /* the first step looks */
}

static void take_ask(struct rbuf *in, struct authority *a, uint32_t i, char *room)
{
	struct ask *k = &a->asks[i];
	uint8_t marks;

	(void)room;
	k->badge = rbuf_u32(in);
	k->grant = rbuf_u32(in);
	rbuf_fixed(in, k->id, AUTHORITY_ID);
	rbuf_fixed(in, k->digest, AUTHORITY_DIGEST);
	k->state = rbuf_u8(in);
	marks = rbuf_u8(in);
	k->session = (marks & 1) != 0;
	k->stop = (marks & 2) != 0;
	k->until_ms = rbuf_u64(in);
	in->failed |= is_zeroes(k->id, AUTHORITY_ID) || k->state < ASK_WAITS || k->state > ASK_REFUSED || marks > 3 ||
		      (k->session && k->state != ASK_APPROVED) || (k->stop && k->state != ASK_REFUSED);
	a->next_ask_ms = 0;
}

static void take_key(struct rbuf *in, struct authority *a, uint32_t i, char *room)
{
	struct key *k = &a->keys[i];

	(void)room;
	k->badge = rbuf_u32(in);
	k->grant = rbuf_u32(in);
	rbuf_fixed(in, k->key, AUTHORITY_DIGEST);
	rbuf_fixed(in, k->digest, AUTHORITY_DIGEST);
	k->bytes = rbuf_u64(in);
	k->rows = rbuf_u64(in);
	in->failed |= k->bytes > AUTHORITY_AMOUNT_MAX || k->rows > AUTHORITY_AMOUNT_MAX ||
		      key_with_name(a, k->badge, k->key) != ROW_NONE;
	if (!in->failed)
		key_found(a, i);
}

static void take_pass(struct rbuf *in, struct authority *a, uint32_t i, char *room)
{
	struct pass *p = &a->passes[i];

	(void)room;
	p->badge = rbuf_u32(in);
	rbuf_fixed(in, p->digest, AUTHORITY_DIGEST);
	p->labels = rbuf_u64(in);
	in->failed |= p->labels == 0;
}

static void take_mark(struct rbuf *in, struct authority *a, uint32_t i, char room[GRANT_OBJECT_MAX])
{
	struct mark *m = &a->marks[i];
	struct text path;

	rbuf_str(in, room, GRANT_OBJECT_MAX);
	m->labels = rbuf_u64(in);
	if (in->failed || !path_is_normal(room) || m->labels == 0 || mark_with_path(a, room) != ROW_NONE ||
	    !has_text_room(a, room, "")) {
		in->failed = true;
		return;
	}
	path = text_keep(a, room);
	m->path = path;
}

static void take_origin(struct rbuf *in, struct authority *a, uint32_t i, char *room)
{
	struct origin *o = &a->origins[i];

	(void)room;
	o->badge = rbuf_u32(in);
	o->which = rbuf_u32(in);
	o->label = rbuf_u8(in);
	o->by = rbuf_u8(in);
	rbuf_fixed(in, o->event, AUTHORITY_ID);
	rbuf_fixed(in, o->from, AUTHORITY_ID);
	in->failed |= o->label >= AUTHORITY_LABELS_MAX || o->by >= AUTHORITY_BY_COUNT ||
		      is_zeroes(o->from, AUTHORITY_ID) == (o->by == AUTHORITY_BY_BADGE);
}

static void take_agent(struct rbuf *in, struct authority *a, uint32_t i, char room[GRANT_OBJECT_MAX])
{
	struct agent *g = &a->agents[i];

	rbuf_str(in, room, GRANT_OBJECT_MAX);
	if (in->failed || !form_is_name(room) || agent_with_name(a, room) != ROW_NONE || !has_text_room(a, room, "")) {
		in->failed = true;
		return;
	}
	g->name = text_keep(a, room);
	take_account(in, a, &g->account);
	in->failed |= !form_is_total(&g->account.bounds) || form_is_none(&g->account.bounds);
}

/* A row counts as live when it has been read: lookups of the ones before it see those alone. */
#define TAKE_TABLE(table, take_one)                                                                                    \
	do {                                                                                                           \
		const uint32_t n = rbuf_u32(in);                                                                       \
		if (!in->failed && n > a->size.table)                                                                  \
			return err_set(e, AMBIT_LIMIT, NULL, "a state with %u rows of " #table, n);                    \
		for (uint32_t i = 0; i < n && !in->failed; i++) {                                                      \
			bool live;                                                                                     \
			a->table##_end = i + 1;                                                                        \
			a->table[i].row.turn = rbuf_u64(in);                                                           \
			live = rbuf_bool(in);                                                                          \
			in->failed |= a->table[i].row.turn >= TURN_END - 1;                                            \
			if (live && !in->failed)                                                                       \
				take_one(in, a, i, room);                                                              \
			if (live && !in->failed) {                                                                     \
				a->table[i].row.live = true;                                                           \
				a->table##_used++;                                                                     \
			}                                                                                              \
		}                                                                                                      \
	} while (0)

static int take_rows(struct rbuf *in, struct authority *a, struct err *e)
{
	char room[GRANT_OBJECT_MAX];
	const uint32_t version = rbuf_u32(in);

	if (version == 0 || version > AUTHORITY_STATE_VERSION)
		in->failed = true;
	a->ticks_ms = rbuf_u64(in);
	a->frozen = rbuf_bool(in);
	TAKE_TABLE(agents, take_agent);
	TAKE_TABLE(badges, take_badge);
	TAKE_TABLE(grants, take_grant);
	TAKE_TABLE(asks, take_ask);
	TAKE_TABLE(keys, take_key);
	TAKE_TABLE(passes, take_pass);
	TAKE_TABLE(marks, take_mark);
	if (version > 1)
		TAKE_TABLE(origins, take_origin);
	return rbuf_done(in) && a->ticks_ms <= UINT64_MAX / 2 ? 0 : -AMBIT_PROTOCOL;
}

/* ---- how they hang together ---- */

static bool is_badge(const struct authority *a, uint32_t i)
{
	return i < a->size.badges && a->badges[i].row.live;
}

static bool is_grant_of(const struct authority *a, uint32_t grant, uint32_t badge)
{
	return grant < a->size.grants && a->grants[grant].row.live && a->grants[grant].badge == badge;
}

/* Each has one depth more than its parent: so there is no circle. */
static bool link_badges(struct authority *a)
{
	for (uint32_t i = 0; i < a->badges_end; i++) {
		const struct badge *b = &a->badges[i];

		if (!b->row.live)
			continue;
		if (b->parent == ROW_NONE
			    ? b->depth != 0
			    : !is_badge(a, b->parent) || b->depth != a->badges[b->parent].depth + 1 ||
				      b->depth > AUTHORITY_DEPTH_MAX || b->labels != a->badges[b->parent].labels)
			return false;
		if (b->parent != ROW_NONE)
			badge_link(a, i);
	}
	return true;
}

/* Narrower than what it was derived from, as it had to be. */
static bool is_derived(const struct authority *a, uint32_t i)
{
	const struct holding *g = &a->grants[i];
	const struct holding *p = g->parent < a->size.grants ? &a->grants[g->parent] : NULL;
	struct authority_grant_told mine, parent;
	struct authority_request q;

	if (p == NULL || !p->row.live || (p->badge != g->badge && p->badge != a->badges[g->badge].parent))
		return false;
	(void)authority_grant_at(a, i, &mine); /* both live */
	(void)authority_grant_at(a, g->parent, &parent);
	q = (struct authority_request){ .verb = mine.verb,
					.flags = mine.flags,
					.labels = mine.labels,
					.n_unless = mine.n_unless,
					.bounds = mine.bounds,
					.object = mine.object,
					.terms = mine.terms };
	memcpy(q.unless, mine.unless, sizeof q.unless);
	return form_is_within(&q, &parent) &&
	       g->depth + (p->badge != g->badge && g->verb == VERB_DELEGATE) <= p->depth &&
	       (!p->revoked || g->revoked) && (!p->expired || g->expired || g->revoked);
}

/* All that is reached from those that were given is all there is: so there is no circle. */
static bool are_all_reached(const struct authority *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->grants_end; i++) {
		if (!a->grants[i].row.live || a->grants[i].parent != ROW_NONE)
			continue;
		for (uint32_t g = grant_deepest(a, i); g != ROW_NONE; g = grant_after(a, g, i))
			n++;
	}
	return n == a->grants_used;
}

static bool link_grants(struct authority *a)
{
	for (uint32_t i = 0; i < a->grants_end; i++) {
		const struct holding *g = &a->grants[i];

		if (!g->row.live)
			continue;
		if (!is_badge(a, g->badge) || (g->parent == ROW_NONE && a->badges[g->badge].parent != ROW_NONE) ||
		    (g->parent != ROW_NONE && !is_derived(a, i)))
			return false;
		grant_link(a, i);
	}
	return are_all_reached(a);
}

/* What is used of one that stands below is used of this one, too. */
static bool add_used(struct account *sum, const struct account *more)
{
	return !__builtin_add_overflow(sum->uses, more->uses, &sum->uses) &&
	       !__builtin_add_overflow(sum->bytes, more->bytes, &sum->bytes) &&
	       !__builtin_add_overflow(sum->rows, more->rows, &sum->rows);
}

static bool is_no_more(uint64_t used, uint64_t bound)
{
	return bound == 0 || used <= bound;
}

static bool is_sum(const struct account *c, const struct account *sum)
{
	return sum->uses <= c->uses && sum->bytes <= c->bytes && sum->rows <= c->rows &&
	       is_no_more(c->uses, c->bounds.q.uses) && is_no_more(c->bytes, c->bounds.q.bytes) &&
	       is_no_more(c->rows, c->bounds.rows);
}

static bool are_sums(const struct authority *a)
{
	for (uint32_t i = 0; i < a->badges_end; i++) {
		struct account sum = { .uses = 0 };

		if (!a->badges[i].row.live)
			continue;
		for (uint32_t k = a->badges[i].first; k != ROW_NONE; k = a->badges[k].next)
			if (!add_used(&sum, &a->badges[k].account))
				return false;
		if (!is_sum(&a->badges[i].account, &sum))
			return false;
	}
	for (uint32_t i = 0; i < a->grants_end; i++) {
		const struct holding *g = &a->grants[i];
		struct account sum = { .bytes = g->lent_bytes, .rows = g->lent_rows };

		if (!g->row.live)
			continue;
		for (uint32_t k = g->first; k != ROW_NONE; k = a->grants[k].next)
			if (!add_used(&sum, &a->grants[k].account))
				return false;
		if (!is_sum(&g->account, &sum))
			return false;
	}
	return true;
}

/* One for each use, and of no badge at the top more than may wait. */
static bool is_asked_once(const struct authority *a, uint32_t i)
{
	const struct ask *k = &a->asks[i];
	const uint32_t top = badge_top(a, k->badge);
	uint32_t waiting = k->state == ASK_WAITS;

	for (uint32_t n = 0; n < i; n++) {
		const struct ask *other = &a->asks[n];

		if (!other->row.live)
			continue;
		waiting += k->state == ASK_WAITS && other->state == ASK_WAITS && badge_top(a, other->badge) == top;
		if (other->grant == k->grant && memcmp(other->digest, k->digest, AUTHORITY_DIGEST) == 0)
			return false;
	}
	return waiting <= AUTHORITY_WAITING_MAX;
}

static bool are_asks_held(const struct authority *a)
{
	for (uint32_t i = 0; i < a->asks_end; i++) {
		const struct ask *k = &a->asks[i];

		if (k->row.live && (!is_badge(a, k->badge) || !is_grant_of(a, k->grant, k->badge) ||
				    a->grants[k->grant].revoked || !is_asked_once(a, i)))
			return false;
	}
	return true;
}

static bool link_keys(struct authority *a)
{
	for (uint32_t i = 0; i < a->keys_end; i++) {
		const struct key *k = &a->keys[i];

		if (!k->row.live)
			continue;
		if (!is_badge(a, k->badge) || !is_grant_of(a, k->grant, k->badge))
			return false;
		key_link(a, i);
	}
	for (uint32_t i = 0; i < a->passes_end; i++)
		if (a->passes[i].row.live && !is_badge(a, a->passes[i].badge))
			return false;
	return true;
}

/* What is said to have brought it could have. */
static bool is_bringer(const struct authority *a, const struct origin *o)
{
	const uint64_t label = UINT64_C(1) << o->label;

	switch ((enum authority_by)o->by) {
	case AUTHORITY_BY_GRANT: return is_grant_of(a, o->which, o->badge);
	case AUTHORITY_BY_MARK:
		return o->which < a->size.marks && a->marks[o->which].row.live &&
		       (a->marks[o->which].labels & label) != 0;
	case AUTHORITY_BY_BADGE:
	case AUTHORITY_BY_GIVEN: return o->which == 0;
	case AUTHORITY_BY_COUNT: break;
	}
	return false;
}

/* One for each label that a badge has, at most. */
static bool are_origins(const struct authority *a)
{
	for (uint32_t i = 0; i < a->origins_end; i++) {
		const struct origin *o = &a->origins[i];

		if (!o->row.live)
			continue;
		if (!is_badge(a, o->badge) || (a->badges[o->badge].labels >> o->label & 1) == 0 || !is_bringer(a, o))
			return false;
		for (uint32_t n = 0; n < i; n++)
			if (a->origins[n].row.live && a->origins[n].badge == o->badge &&
			    a->origins[n].label == o->label)
				return false;
	}
	return true;
}

int authority_take(struct rbuf *in, struct authority *a, struct err *e)
{
	int r;

	authority_empty(a);
	r = take_rows(in, a, e);
	if (r == 0 && link_badges(a) && link_grants(a) && are_sums(a) && are_asks_held(a) && link_keys(a) &&
	    are_origins(a))
		return 0;
	authority_empty(a);
	return r == -AMBIT_LIMIT ? r : err_set(e, AMBIT_PROTOCOL, NULL, "these bytes are no state of an authority");
}
