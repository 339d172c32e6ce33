#include "core/authority_use.h"

#include <string.h>

#include "core/authority_form.h"
#include "core/tool.h"

bool refuse(struct authority_answer *ret, enum authority_why why)
{
	ret->verdict = AUTHORITY_DENIED;
	ret->why = (uint8_t)why; /* below WHY_COUNT */
	return false;
}

bool is_frozen(const struct authority *a, uint32_t badge)
{
	for (; badge != ROW_NONE; badge = a->badges[badge].parent)
		if (a->badges[badge].frozen)
			return true;
	return a->frozen;
}

/* ---- labels ---- */

static bool is_blocked(const struct holding *g, uint64_t labels)
{
	for (uint8_t i = 0; i < g->n_unless; i++)
		if ((g->unless[i] & ~labels) == 0)
			return true;
	return false;
}

/* What comes by it while something may still be sent: by a connection. What a tool answers comes when all was said to it. */
static uint64_t own_labels(const struct holding *g)
{
	return g->verb == VERB_CONNECT || g->verb == VERB_LISTEN ? g->labels : 0;
}

uint64_t labels_less_passes(const struct authority *a, uint32_t badge, const uint8_t digest[AUTHORITY_DIGEST],
			    uint64_t labels)
{
	for (uint32_t i = 0, seen = 0; seen < a->passes_used; i++) {
		const struct pass *p = &a->passes[i];

		if (!p->row.live)
			continue;
		seen++;
		if (p->badge == badge && memcmp(p->digest, digest, AUTHORITY_DIGEST) == 0)
			labels &= ~p->labels;
	}
	return labels;
}

void passes_take(struct authority *a, uint32_t badge, const uint8_t digest[AUTHORITY_DIGEST])
{
	for (uint32_t i = 0, left = a->passes_used; left > 0; i++) {
		const struct pass *p = &a->passes[i];

		if (!p->row.live)
			continue;
		left--;
		if (p->badge == badge && memcmp(p->digest, digest, AUTHORITY_DIGEST) == 0)
			pass_drop(a, i);
	}
}

/* Without a row it is not known, which refuses nothing. */
static void keep_origins(struct authority *a, uint32_t badge, uint64_t labels, const struct bringer *from)
{
	for (uint8_t i = 0; i < AUTHORITY_LABELS_MAX && a->origins_used < a->size.origins; i++) {
		struct origin *o;

		if ((labels >> i & 1) == 0)
			continue;
		o = &a->origins[origin_new(a)];
		o->badge = badge;
		o->label = i;
		o->by = (uint8_t)from->by; /* below AUTHORITY_BY_COUNT */
		memcpy(o->event, from->event, AUTHORITY_ID);
		if (from->by == AUTHORITY_BY_BADGE)
			memcpy(o->from, a->badges[from->which].id, AUTHORITY_ID); /* it may go before this one */
		else
			o->which = from->which;
	}
}

static void grow(struct authority *a, uint32_t badge, uint64_t labels, const struct bringer *from)
{
	struct badge *b = &a->badges[badge];
	const uint64_t before = b->labels;

	keep_origins(a, badge, labels & ~before, from);
	b->labels |= labels;
	for (uint32_t i = b->grants; i != ROW_NONE; i = a->grants[i].of_badge) {
		const struct holding *g = &a->grants[i];

		if (!g->revoked && !g->expired && !is_blocked(g, before | own_labels(g)) &&
		    is_blocked(g, b->labels | own_labels(g)))
			act(a, AUTHORITY_ACT_CLOSE, grant_ref(a, i));
	}
}

bool labels_grow(struct authority *a, uint32_t badge, uint64_t labels, const struct bringer *from)
{
	const struct bringer by = { AUTHORITY_BY_BADGE, badge, from->event };
	const uint32_t top = badge_top(a, badge);

	if ((labels & ~a->badges[badge].labels) == 0)
		return false;
	grow(a, badge, labels, from);
	for (uint32_t i = 0; i < a->badges_end; i++)
		if (i != badge && a->badges[i].row.live && badge_top(a, i) == top)
			grow(a, i, labels, &by);
	return true;
}

void labels_inherit(struct authority *a, uint32_t badge, const uint8_t event[AUTHORITY_ID])
{
	const uint32_t parent = a->badges[badge].parent;

	grow(a, badge, a->badges[parent].labels, &(struct bringer){ AUTHORITY_BY_BADGE, parent, event });
}

/* ---- accounts ---- */

void account_init(struct authority *a, struct account *c, const struct authority_bounds *bounds)
{
	c->bounds = *bounds;
	rate_init(&c->rate, bounds->q.rate, bounds->q.period_s * 1000, a->ticks_ms);
}

/* All that a use is charged to, one after the other: what the grant is derived from, then who is above the badge, then the agent of the topmost. Below that a name is
 * whatever who asked for a sub-agent says, and could be another's. */
struct bill {
	uint32_t grant, badge, agent;
};

/* Of `delegate` the first alone: what a badge may do is not less for being done by a sub-agent. */
static struct bill bill_of(const struct authority *a, uint32_t grant)
{
	const uint32_t badge = a->grants[grant].verb != VERB_DELEGATE ? a->grants[grant].badge : ROW_NONE;

	return (struct bill){ .grant = grant,
			      .badge = badge,
			      .agent = badge != ROW_NONE ? a->badges[badge_top(a, badge)].agent : ROW_NONE };
}

/* NULL: that was all. */
static struct account *bill_next(struct authority *a, struct bill *b)
{
	const uint32_t agent = b->agent;

	if (b->grant != ROW_NONE) {
		struct holding *g = &a->grants[b->grant];

		b->grant = g->parent;
		return &g->account;
	}
	if (b->badge != ROW_NONE) {
		struct badge *h = &a->badges[b->badge];

		b->badge = h->parent;
		return &h->account;
	}
	b->agent = ROW_NONE;
	return agent != ROW_NONE ? &a->agents[agent].account : NULL;
}

/* What no number holds is over any bound. */
static bool is_over(uint64_t bound, uint64_t used, uint64_t amount)
{
	const uint64_t most = bound != 0 ? bound : UINT64_MAX;

	return amount > most || used > most - amount;
}

/* Without filling it: what is refused changes nothing, not even by a form of the same. */
static bool has_left(const struct authority *a, const struct rate *r)
{
	struct rate looked_at = *r;

	return rate_wait_ms(&looked_at, a->ticks_ms) == 0;
}

/* MORE is of a use that was counted. */
static bool has_room(const struct authority *a, const struct account *c, const struct authority_request *q,
		     struct authority_answer *ret)
{
	const bool counts = q->op != AUTHORITY_MORE;
	uint8_t limit;

	if (counts && is_over(c->bounds.q.uses, c->uses, 1))
		limit = AUTHORITY_USES;
	else if (is_over(c->bounds.q.bytes, c->bytes, q->bytes))
		limit = AUTHORITY_BYTES;
	else if (is_over(c->bounds.rows, c->rows, q->rows))
		limit = AUTHORITY_ROWS;
	else if (counts && !has_left(a, &c->rate))
		limit = AUTHORITY_RATE;
	else
		return true;
	ret->limit = limit;
	return refuse(ret, WHY_SPENT);
}

static bool all_have_room(struct authority *a, uint32_t grant, const struct authority_request *q,
			  struct authority_answer *ret)
{
	struct bill b = bill_of(a, grant);

	for (struct account *c = bill_next(a, &b); c != NULL; c = bill_next(a, &b))
		if (!has_room(a, c, q, ret))
			return false;
	return true;
}

/* No sum is too large: has_room. */
static void charge(struct authority *a, uint32_t grant, const struct authority_request *q)
{
	struct bill b = bill_of(a, grant);

	for (struct account *c = bill_next(a, &b); c != NULL; c = bill_next(a, &b)) {
		c->bytes += q->bytes;
		c->rows += q->rows;
		if (q->op == AUTHORITY_MORE)
			continue;
		c->uses++;
		(void)rate_take(&c->rate, a->ticks_ms); /* there is one: has_room */
	}
	a->grants[grant].lent_bytes += q->bytes;
	a->grants[grant].lent_rows += q->rows;
}

/* An agent's account may be younger than the use. */
static uint64_t rest(uint64_t used, uint64_t amount)
{
	return used > amount ? used - amount : 0;
}

void use_give_back(struct authority *a, uint32_t grant, uint64_t bytes, uint64_t rows)
{
	struct bill b = bill_of(a, grant);

	for (struct account *c = bill_next(a, &b); c != NULL; c = bill_next(a, &b)) {
		c->bytes = rest(c->bytes, bytes);
		c->rows = rest(c->rows, rows);
	}
	a->grants[grant].lent_bytes -= bytes; /* no more: looked at */
	a->grants[grant].lent_rows -= rows;
}

/* ---- asking ---- */

uint32_t use_question(const struct authority *a, const struct use *u)
{
	for (uint32_t i = 0, seen = 0; seen < a->asks_used; i++) {
		const struct ask *k = &a->asks[i];

		if (!k->row.live)
			continue;
		seen++;
		if (k->badge == u->badge && k->grant == u->grant &&
		    memcmp(k->digest, u->q->digest, AUTHORITY_DIGEST) == 0)
			return i;
	}
	return ROW_NONE;
}

static uint32_t waiting_in(const struct authority *a, uint32_t top)
{
	uint32_t n = 0;

	for (uint32_t i = 0, seen = 0; seen < a->asks_used; i++) {
		if (!a->asks[i].row.live)
			continue;
		seen++;
		if (a->asks[i].state == ASK_WAITS && badge_top(a, a->asks[i].badge) == top)
			n++;
	}
	return n;
}

static bool asks(struct authority *a, uint32_t ask, enum authority_why why, struct authority_answer *ret)
{
	ret->verdict = AUTHORITY_ASKS;
	ret->why = (uint8_t)why; /* below WHY_COUNT */
	ret->made = ask_ref(a, ask);
	return false;
}

/* Of what it is derived from, too: else a no would be asked around by deriving. */
bool is_muted(const struct authority *a, uint32_t grant)
{
	for (; grant != ROW_NONE; grant = a->grants[grant].parent)
		for (uint32_t i = 0, seen = 0; seen < a->asks_used; i++) {
			if (!a->asks[i].row.live)
				continue;
			if (a->asks[i].stop && a->asks[i].grant == grant)
				return true;
			seen++;
		}
	return false;
}

static bool ask_anew(struct authority *a, const struct use *u, struct authority_answer *ret)
{
	const struct authority_request *q = u->q;
	const uint32_t top = badge_top(a, u->badge);
	uint32_t i;

	if (is_muted(a, u->grant))
		return refuse(ret, WHY_REFUSED);
	if (is_zeroes(q->id, AUTHORITY_ID) || q->until_ms <= q->now_ms)
		return refuse(ret, WHY_MALFORMED);
	if (waiting_in(a, top) >= AUTHORITY_WAITING_MAX || !has_left(a, &a->badges[top].asks))
		return refuse(ret, WHY_FLOOD);
	if (a->asks_used == a->size.asks)
		return refuse(ret, WHY_FULL);
	(void)rate_take(&a->badges[top].asks, a->ticks_ms); /* there is one */
	i = ask_new(a);
	a->asks[i].badge = u->badge;
	a->asks[i].grant = u->grant;
	a->asks[i].state = ASK_WAITS;
	a->asks[i].until_ms = q->until_ms;
	memcpy(a->asks[i].id, q->id, AUTHORITY_ID);
	memcpy(a->asks[i].digest, q->digest, AUTHORITY_DIGEST);
	if (q->until_ms < a->next_ask_ms)
		a->next_ask_ms = q->until_ms;
	return asks(a, i, WHY_NONE, ret);
}

static bool is_approved(struct authority *a, struct use *u, struct authority_answer *ret)
{
	const uint32_t i = use_question(a, u);

	if (i == ROW_NONE)
		return ask_anew(a, u, ret);
	switch ((enum authority_ask_state)a->asks[i].state) {
	case ASK_APPROVED: u->ask = i; return true;
	case ASK_WAITS: return asks(a, i, WHY_ALREADY, ret);
	case ASK_REFUSED: break;
	}
	return refuse(ret, WHY_REFUSED);
}

/* ---- the decision ---- */

static bool is_amount(const struct authority_request *q)
{
	return (q->minute < WINDOW_DAY || q->minute == AUTHORITY_MINUTE_NONE) && q->bytes <= AUTHORITY_AMOUNT_MAX &&
	       q->rows <= AUTHORITY_AMOUNT_MAX;
}

static bool is_well_formed(const struct authority_request *q, enum grant_verb verb)
{
	return verb < VERB_COUNT && (q->flags & ~AUTHORITY_KEYED) == 0 && is_amount(q) &&
	       (verb == VERB_TOOL || q->arguments.n == 0) && where_are_arguments(&q->arguments);
}

/* Several are granted, and one is used. */
static bool is_of_several(const struct authority *a, const struct use *u, const struct holding *g)
{
	const bool is_its_own = u->object[0] == 0 && g->verb == VERB_TOOL;

	return u->verb == VERB_TOOL && tool_is_star(is_its_own ? text_of(a, g->object) : u->object);
}

static bool is_recorded(const struct key *k, const struct use *u)
{
	return k->grant == u->grant && memcmp(k->digest, u->q->digest, AUTHORITY_DIGEST) == 0 &&
	       k->bytes == u->q->bytes && k->rows == u->q->rows;
}

/* True: the key says what becomes of it. */
static bool key_decides(const struct authority *a, const struct use *u, struct authority_answer *ret)
{
	const uint32_t key = (u->q->flags & AUTHORITY_KEYED) != 0 ? key_with_name(a, u->badge, u->q->key) : ROW_NONE;

	if (key == ROW_NONE)
		return false;
	if (is_recorded(&a->keys[key], u))
		ret->why = WHY_RECORDED;
	else
		(void)refuse(ret, WHY_CONFLICT);
	return true;
}

/* A path that is not normal would lead out of the grant's by its own parts. */
static bool is_within(const struct use *u, const struct authority *a, const struct holding *g)
{
	if (u->object[0] == 0)
		return u->verb == g->verb;
	return form_is_object(u->verb, u->object) &&
	       grant_object_covers((enum grant_verb)g->verb, text_of(a, g->object), u->verb,
				   u->object); /* its verb is one: it was made so */
}

static bool are_as_wanted(const char *terms, const struct where_arguments *args)
{
	struct where w;

	return terms[0] == 0 || (where_take(terms, &w, NULL) == 0 && where_allows(&w, args));
}

bool use_is_covered(const struct authority *a, const struct use *u)
{
	const struct holding *g = &a->grants[u->grant];

	return is_within(u, a, g) && (g->verb != VERB_TOOL || are_as_wanted(text_of(a, g->terms), &u->q->arguments));
}

static bool can_go_deeper(const struct authority *a, const struct use *u)
{
	return a->grants[u->grant].depth > 0 && a->badges[u->badge].depth < AUTHORITY_DEPTH_MAX;
}

bool use_is_open(struct authority *a, struct use *u, struct authority_answer *ret)
{
	const struct authority_request *q = u->q;
	const struct holding *g = &a->grants[u->grant];

	u->ask = ROW_NONE;
	if (!is_well_formed(q, u->verb) || is_of_several(a, u, g))
		return refuse(ret, WHY_MALFORMED);
	if (is_frozen(a, u->badge))
		return refuse(ret, WHY_FROZEN);
	if (g->revoked || g->expired)
		return refuse(ret, g->revoked ? WHY_REVOKED : WHY_EXPIRED);
	if (key_decides(a, u, ret))
		return false;
	if (!window_has(&g->account.bounds.window, q->minute))
		return refuse(ret, WHY_NOT_NOW);
	if (!use_is_covered(a, u))
		return refuse(ret, WHY_BEYOND);
	if (u->opens && !can_go_deeper(a, u))
		return refuse(ret, WHY_DEPTH);
	u->blocked = is_blocked(g,
				labels_less_passes(a, u->badge, q->digest, a->badges[u->badge].labels | own_labels(g)));
	if (u->blocked && (g->flags & AUTHORITY_ASK_LABELLED) == 0)
		return refuse(ret, WHY_LABELLED);
	if (!all_have_room(a, u->grant, q, ret))
		return false;
	if (((q->flags & AUTHORITY_KEYED) != 0 && a->keys_used == a->size.keys) ||
	    (g->verb == VERB_DECLASSIFY && a->passes_used == a->size.passes))
		return refuse(ret, WHY_FULL);
	return true;
}

bool use_asks(const struct authority *a, const struct use *u)
{
	return (a->grants[u->grant].flags & AUTHORITY_ASK) != 0 || u->blocked;
}

bool use_is_allowed(struct authority *a, struct use *u, struct authority_answer *ret)
{
	return use_is_open(a, u, ret) && (!use_asks(a, u) || is_approved(a, u, ret));
}

void use_more(struct authority *a, uint32_t badge, uint32_t grant, const struct authority_request *q,
	      struct authority_answer *ret)
{
	const struct holding *g = &a->grants[grant];

	if (!is_amount(q))
		(void)refuse(ret, WHY_MALFORMED);
	else if (is_frozen(a, badge))
		(void)refuse(ret, WHY_FROZEN);
	else if (g->revoked || g->expired)
		(void)refuse(ret, g->revoked ? WHY_REVOKED : WHY_EXPIRED);
	else if (!window_has(&g->account.bounds.window, q->minute))
		(void)refuse(ret, WHY_NOT_NOW);
	else if (all_have_room(a, grant, q, ret))
		charge(a, grant, q);
}

static void keep_key(struct authority *a, const struct use *u)
{
	struct key *k = &a->keys[key_new(a, u->badge, u->q->key)];

	k->grant = u->grant;
	k->bytes = u->q->bytes;
	k->rows = u->q->rows;
	memcpy(k->digest, u->q->digest, AUTHORITY_DIGEST);
}

static void make_pass(struct authority *a, const struct use *u)
{
	struct pass *p = &a->passes[pass_new(a)];

	p->badge = u->badge;
	p->labels = a->grants[u->grant].labels;
	memcpy(p->digest, u->q->digest, AUTHORITY_DIGEST);
}

void use_charge(struct authority *a, const struct use *u)
{
	struct holding *g = &a->grants[u->grant];

	charge(a, u->grant, u->q);
	if (u->ask != ROW_NONE && !a->asks[u->ask].session)
		ask_drop(a, u->ask);
	if (g->n_unless > 0)
		passes_take(a, u->badge, u->q->digest);
	if ((u->q->flags & AUTHORITY_KEYED) != 0)
		keep_key(a, u);
	if (g->verb == VERB_DECLASSIFY)
		make_pass(a, u);
	else
		(void)labels_grow(a, u->badge, g->labels,
				  &(struct bringer){ AUTHORITY_BY_GRANT, u->grant, u->q->event });
}
