#include "core/authority.h"

#include <string.h>

#include "core/authority_form.h"
#include "core/authority_rows.h"
#include "core/authority_use.h"
#include "core/terms.h"

/* ---- time ---- */

static void expire(struct authority *a, uint32_t root)
{
	for (uint32_t i = grant_deepest(a, root); i != ROW_NONE; i = grant_after(a, i, root)) {
		struct holding *g = &a->grants[i];

		if (g->revoked || g->expired)
			continue;
		g->expired = true;
		act(a, AUTHORITY_ACT_CLOSE, grant_ref(a, i));
	}
}

static bool is_over_at(const struct holding *g, uint64_t now_ms)
{
	return g->account.bounds.q.until_s != 0 && g->account.bounds.q.until_s * 1000 <= now_ms;
}

static void expire_grants(struct authority *a, uint64_t now_ms)
{
	if (now_ms < a->next_grant_ms)
		return;
	a->next_grant_ms = UINT64_MAX;
	for (uint32_t i = 0, seen = 0; seen < a->grants_used; i++) {
		const struct holding *g = &a->grants[i];

		if (!g->row.live)
			continue;
		seen++;
		if (g->revoked || g->expired || g->account.bounds.q.until_s == 0)
			continue;
		if (is_over_at(g, now_ms))
			expire(a, i);
		else if (g->account.bounds.q.until_s * 1000 < a->next_grant_ms)
			a->next_grant_ms = g->account.bounds.q.until_s * 1000;
	}
}

static void forget_asks(struct authority *a, uint64_t now_ms)
{
	if (now_ms < a->next_ask_ms)
		return;
	a->next_ask_ms = UINT64_MAX;
	for (uint32_t i = 0, left = a->asks_used; left > 0; i++) {
		const struct ask *k = &a->asks[i];

		if (!k->row.live)
			continue;
		left--;
		if (k->until_ms <= now_ms)
			ask_drop(a, i);
		else if (k->until_ms < a->next_ask_ms)
			a->next_ask_ms = k->until_ms;
	}
}

static void pass_time(struct authority *a, const struct authority_request *q)
{
	a->ticks_ms += q->passed_ms;
	expire_grants(a, q->now_ms);
	forget_asks(a, q->now_ms);
}

/* ---- badges ---- */

static bool allow(struct authority_answer *ret, enum authority_why why)
{
	ret->verdict = AUTHORITY_ALLOWED;
	ret->why = (uint8_t)why; /* below WHY_COUNT */
	return true;
}

static void make_badge(struct authority *a, const struct authority_request *q, uint32_t parent,
		       struct authority_answer *ret)
{
	const uint32_t i = badge_new(a, parent, q->id, q->object);
	struct badge *b = &a->badges[i];

	if (parent != ROW_NONE) {
		b->depth = (uint8_t)(a->badges[parent].depth + 1); /* up to AUTHORITY_DEPTH_MAX */
		labels_inherit(a, i, q->event);
	}
	(void)labels_grow(a, i, q->labels, &(struct bringer){ .by = AUTHORITY_BY_GIVEN, .event = q->event });
	memcpy(b->event, q->event, AUTHORITY_ID);
	account_init(a, &b->account, &q->bounds);
	ret->made = badge_ref(a, i);
	ret->labels = b->labels;
	(void)allow(ret, WHY_NONE);
}

/* One of that id, which a sub-agent is begun as again: only below who began it, and while it could be made. */
static void is_there(const struct authority *a, uint32_t there, const struct use *u, struct authority_answer *ret)
{
	const struct holding *g = u->badge != ROW_NONE ? &a->grants[u->grant] : NULL;

	if (a->badges[there].parent != u->badge)
		(void)refuse(ret, WHY_NOT_HELD);
	else if (g != NULL && is_frozen(a, there))
		(void)refuse(ret, WHY_FROZEN);
	else if (g != NULL && (g->revoked || g->expired))
		(void)refuse(ret, g->revoked ? WHY_REVOKED : WHY_EXPIRED);
	else {
		ret->made = badge_ref(a, there);
		(void)refuse(ret, WHY_TAKEN);
	}
}

static void open_badge(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t there = badge_with_id(a, q->id);
	const bool is_sub = q->badge != 0;
	struct use u = { .q = q, .verb = VERB_DELEGATE, .object = q->object, .opens = true };
	struct authority_request used = *q; /* as a use: without amounts, key and arguments, which OPEN does not have */

	if (!form_is_name(q->object) || is_zeroes(q->id, AUTHORITY_ID) || !form_is_total(&q->bounds) ||
	    (!is_sub && (q->grant != 0 || !is_zeroes(q->event, AUTHORITY_ID)))) {
		(void)refuse(ret, WHY_MALFORMED);
		return;
	}
	u.badge = ROW_NONE;
	if (is_sub) {
		u.badge = badge_of(a, q->badge);
		u.grant = grant_of(a, q->grant);
		used.bytes = used.rows = 0;
		used.arguments = (struct where_arguments){ .n = 0 };
		used.flags = 0;
		u.q = &used;
		if (u.badge == ROW_NONE || u.grant == ROW_NONE || a->grants[u.grant].badge != u.badge ||
		    a->grants[u.grant].verb != VERB_DELEGATE) {
			(void)refuse(ret, WHY_NOT_HELD);
			return;
		}
	}
	if (there != ROW_NONE) {
		is_there(a, there, &u, ret);
		return;
	}
	if (a->badges_used == a->size.badges || !has_text_room(a, q->object, "")) {
		(void)refuse(ret, WHY_FULL);
		return;
	}
	if (is_sub) {
		if (!use_is_allowed(a, &u, ret))
			return;
		use_charge(a, &u);
	}
	make_badge(a, q, u.badge, ret);
}

static void end(struct authority *a, uint32_t root)
{
	uint32_t next;

	for (uint32_t i = badge_deepest(a, root); i != ROW_NONE; i = next) {
		next = badge_after(a, i, root);
		act(a, AUTHORITY_ACT_END, badge_ref(a, i));
		badge_drop(a, i);
	}
}

static void end_badge(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge);

	if (badge == ROW_NONE) {
		(void)refuse(ret, WHY_NOT_HELD);
		return;
	}
	end(a, badge);
}

static void end_event(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge);

	if (badge == ROW_NONE || is_zeroes(q->event, AUTHORITY_ID)) {
		(void)refuse(ret, badge == ROW_NONE ? WHY_NOT_HELD : WHY_MALFORMED);
		return;
	}
	for (uint32_t i = a->badges[badge].first, next; i != ROW_NONE; i = next) {
		next = a->badges[i].next;
		if (memcmp(a->badges[i].event, q->event, AUTHORITY_ID) == 0)
			end(a, i);
	}
}

static void hand_over(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge), to = badge_of(a, q->to);

	if (badge == ROW_NONE || to == ROW_NONE || a->badges[to].parent != badge)
		(void)refuse(ret, WHY_NOT_HELD);
	else if (is_zeroes(a->badges[to].event, AUTHORITY_ID))
		(void)allow(ret, WHY_ALREADY);
	else
		memset(a->badges[to].event, 0, AUTHORITY_ID);
}

/* ---- grants ---- */

static bool is_taken(const struct authority *a, const uint8_t id[AUTHORITY_ID], struct authority_answer *ret)
{
	const uint32_t there = grant_with_id(a, id);

	if (there == ROW_NONE)
		return false;
	ret->made = grant_ref(a, there);
	(void)refuse(ret, a->grants[there].revoked ? WHY_REVOKED : a->grants[there].expired ? WHY_EXPIRED : WHY_TAKEN);
	return true;
}

static void note_until(struct authority *a, const struct authority_bounds *bounds)
{
	if (bounds->q.until_s != 0 && bounds->q.until_s * 1000 < a->next_grant_ms)
		a->next_grant_ms = bounds->q.until_s * 1000;
}

static bool can_make_grant(const struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	return (a->grants_used < a->size.grants && has_text_room(a, q->object, q->terms)) || refuse(ret, WHY_FULL);
}

static void make_grant(struct authority *a, const struct authority_request *q, uint32_t badge, uint32_t parent,
		       struct authority_answer *ret)
{
	const uint32_t i = grant_new(a, badge, parent, q->id, q->object, q->terms);
	struct holding *g = &a->grants[i];

	g->verb = q->verb;
	g->flags = q->flags;
	g->depth = q->depth;
	g->labels = q->labels;
	g->n_unless = q->n_unless;
	memcpy(g->unless, q->unless, q->n_unless * sizeof g->unless[0]);
	account_init(a, &g->account, &q->bounds);
	note_until(a, &q->bounds);
	ret->made = grant_ref(a, i);
}

static void give(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge);

	if (badge == ROW_NONE)
		(void)refuse(ret, WHY_NOT_HELD);
	else if (a->badges[badge].parent != ROW_NONE)
		(void)refuse(ret, WHY_BEYOND);
	else if (!form_is_grant(q))
		(void)refuse(ret, WHY_MALFORMED);
	else if (is_taken(a, q->id, ret))
		return;
	else if (can_make_grant(a, q, ret))
		make_grant(a, q, badge, ROW_NONE, ret);
}

/* For another badge it is one less. */
static bool is_depth_within(const struct authority_request *q, const struct holding *parent, bool for_itself)
{
	if (q->verb != VERB_DELEGATE || for_itself)
		return q->depth <= parent->depth;
	return q->depth < parent->depth;
}

static bool is_derivable(const struct authority *a, const struct authority_request *q, uint32_t badge, uint32_t to,
			 uint32_t parent, struct authority_answer *ret)
{
	struct authority_grant_told told;

	if (!form_is_grant(q))
		return refuse(ret, WHY_MALFORMED);
	if (is_taken(a, q->id, ret))
		return false;
	if (is_frozen(a, badge))
		return refuse(ret, WHY_FROZEN);
	if (a->grants[parent].revoked || a->grants[parent].expired)
		return refuse(ret, a->grants[parent].revoked ? WHY_REVOKED : WHY_EXPIRED);
	(void)authority_grant_at(a, parent, &told); /* it lives */
	if (!form_is_within(q, &told))
		return refuse(ret, WHY_BEYOND);
	if (!is_depth_within(q, &a->grants[parent], to == badge))
		return refuse(ret, WHY_DEPTH);
	return can_make_grant(a, q, ret);
}

static void derive(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge), parent = grant_of(a, q->grant);
	const uint32_t to = q->to == 0 ? badge : badge_of(a, q->to);

	if (badge == ROW_NONE || parent == ROW_NONE || a->grants[parent].badge != badge || to == ROW_NONE ||
	    (to != badge && a->badges[to].parent != badge)) {
		(void)refuse(ret, WHY_NOT_HELD);
		return;
	}
	if (is_derivable(a, q, badge, to, parent, ret))
		make_grant(a, q, to, parent, ret);
}

/* Of one that is revoked nobody waits for an answer. */
static void forget_asks_of(struct authority *a, uint32_t grant)
{
	for (uint32_t i = 0, left = a->asks_used; left > 0; i++) {
		if (!a->asks[i].row.live)
			continue;
		left--;
		if (a->asks[i].grant == grant)
			ask_drop(a, i);
	}
}

static void revoke(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t root = grant_of(a, q->grant);

	if (root == ROW_NONE || a->grants[root].revoked) {
		(void)(root == ROW_NONE ? refuse(ret, WHY_NOT_HELD) : allow(ret, WHY_ALREADY));
		return;
	}
	for (uint32_t i = grant_deepest(a, root); i != ROW_NONE; i = grant_after(a, i, root)) {
		struct holding *g = &a->grants[i];

		if (!g->revoked && !g->expired)
			act(a, AUTHORITY_ACT_CLOSE, grant_ref(a, i));
		g->revoked = true;
		forget_asks_of(a, i);
	}
}

/* What was derived from it stays as it is. */
static void restore(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t i = grant_of(a, q->grant);
	struct holding *g = i == ROW_NONE ? NULL : &a->grants[i];
	const struct holding *p = g == NULL || g->parent == ROW_NONE ? NULL : &a->grants[g->parent];

	if (g == NULL || !g->revoked) {
		(void)(g == NULL ? refuse(ret, WHY_NOT_HELD) : allow(ret, WHY_ALREADY));
	} else if (p != NULL && (p->revoked || p->expired)) {
		(void)refuse(ret, p->revoked ? WHY_REVOKED : WHY_EXPIRED);
	} else {
		g->revoked = false;
		note_until(a, &g->account.bounds); /* which nobody looked at meanwhile */
	}
}

/* ---- use ---- */

static bool held(const struct authority *a, const struct authority_request *q, uint32_t *ret_badge, uint32_t *ret_grant,
		 struct authority_answer *ret)
{
	*ret_badge = badge_of(a, q->badge);
	*ret_grant = grant_of(a, q->grant);
	return (*ret_badge != ROW_NONE && *ret_grant != ROW_NONE && a->grants[*ret_grant].badge == *ret_badge) ||
	       refuse(ret, WHY_NOT_HELD);
}

static void use(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	struct use u = { .q = q, .object = q->object, .verb = (enum grant_verb)q->verb }; /* its range is looked at */

	if (held(a, q, &u.badge, &u.grant, ret) && use_is_allowed(a, &u, ret))
		use_charge(a, &u);
}

static void more(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	uint32_t badge, grant;

	if (held(a, q, &badge, &grant, ret))
		use_more(a, badge, grant, q, ret);
}

static void give_back(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	uint32_t badge, grant;

	if (!held(a, q, &badge, &grant, ret))
		return;
	if (q->bytes > a->grants[grant].lent_bytes || q->rows > a->grants[grant].lent_rows)
		(void)refuse(ret, WHY_BEYOND);
	else
		use_give_back(a, grant, q->bytes, q->rows);
}

static bool is_answer(const struct authority_request *q)
{
	const unsigned flags = q->flags, yes = flags & AUTHORITY_YES;

	return (flags & ~(unsigned)(AUTHORITY_YES | AUTHORITY_SESSION | AUTHORITY_STOP)) == 0 &&
	       (yes == 0 ? (flags & AUTHORITY_SESSION) == 0 : (flags & AUTHORITY_STOP) == 0) && q->until_ms > q->now_ms;
}

static void answer(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t i = ask_of(a, q->ask);
	struct ask *k = i == ROW_NONE ? NULL : &a->asks[i];

	if (k == NULL)
		(void)refuse(ret, WHY_NOT_HELD);
	else if (!is_answer(q))
		(void)refuse(ret, WHY_MALFORMED);
	else if (k->state != ASK_WAITS)
		(void)refuse(ret, WHY_ANSWERED);
	else if (memcmp(k->digest, q->digest, AUTHORITY_DIGEST) != 0)
		(void)refuse(ret, WHY_MISMATCH);
	else {
		k->state = (q->flags & AUTHORITY_YES) != 0 ? ASK_APPROVED : ASK_REFUSED;
		k->session = (q->flags & AUTHORITY_SESSION) != 0;
		k->until_ms = q->until_ms;
		a->next_ask_ms = q->until_ms < a->next_ask_ms ? q->until_ms : a->next_ask_ms;
		k->stop = (q->flags & AUTHORITY_STOP) != 0;
	}
}

static void forget(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t i = ask_of(a, q->ask);

	if (i == ROW_NONE)
		(void)refuse(ret, WHY_NOT_HELD);
	else
		ask_drop(a, i);
}

/* ---- freezing ---- */

static void tell_below(struct authority *a, uint32_t root, enum authority_act what)
{
	for (uint32_t i = badge_deepest(a, root); i != ROW_NONE; i = badge_after(a, i, root))
		if (what == AUTHORITY_ACT_FREEZE || !is_frozen(a, i))
			act(a, what, badge_ref(a, i));
}

static void set_frozen(struct authority *a, const struct authority_request *q, bool frozen,
		       struct authority_answer *ret)
{
	const enum authority_act what = frozen ? AUTHORITY_ACT_FREEZE : AUTHORITY_ACT_THAW;
	const uint32_t badge = badge_of(a, q->badge);
	bool *set = badge == ROW_NONE ? &a->frozen : &a->badges[badge].frozen;

	if (q->badge != 0 && badge == ROW_NONE) {
		(void)refuse(ret, WHY_NOT_HELD);
		return;
	}
	if (*set == frozen) {
		(void)allow(ret, WHY_ALREADY);
		return;
	}
	*set = frozen;
	if (badge != ROW_NONE)
		tell_below(a, badge, what);
	for (uint32_t i = 0, seen = 0; badge == ROW_NONE && seen < a->badges_used; i++) {
		if (!a->badges[i].row.live)
			continue;
		seen++;
		if (a->badges[i].parent == ROW_NONE)
			tell_below(a, i, what);
	}
}

/* ---- labels ---- */

static void label(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge), grant = grant_of(a, q->grant);
	struct bringer from = { .by = AUTHORITY_BY_GIVEN, .event = q->event };

	if (badge == ROW_NONE || (q->grant != 0 && (grant == ROW_NONE || a->grants[grant].badge != badge))) {
		(void)refuse(ret, WHY_NOT_HELD);
		return;
	}
	if (q->grant != 0)
		from = (struct bringer){ AUTHORITY_BY_GRANT, grant, q->event };
	if (!labels_grow(a, badge, q->labels, &from))
		(void)allow(ret, WHY_ALREADY);
}

static void take(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge), from = badge_of(a, q->to);

	if (badge == ROW_NONE || from == ROW_NONE)
		(void)refuse(ret, WHY_NOT_HELD);
	else if (!labels_grow(a, badge, a->badges[from].labels,
			      &(struct bringer){ AUTHORITY_BY_BADGE, from, q->event }))
		(void)allow(ret, WHY_ALREADY);
}

/* Also of one that ended: what a cell was shown it has until its own end. */
static bool is_on_path(const struct authority *a, const struct holding *g)
{
	return verb_rights((enum grant_verb)g->verb) != 0 && text_of(a, g->object)[0] == '/';
}

static bool is_along(const char *one, const char *other)
{
	return path_is_beneath(one, other) || path_is_beneath(other, one);
}

/* Of what is marked within the object, or above it. */
static uint64_t marks_at(const struct authority *a, const char *object)
{
	uint64_t labels = 0;

	for (uint32_t i = 0, seen = 0; seen < a->marks_used; i++) {
		if (!a->marks[i].row.live)
			continue;
		seen++;
		if (is_along(text_of(a, a->marks[i].path), object))
			labels |= a->marks[i].labels;
	}
	return labels;
}

static bool may_reach(const struct authority *a, uint32_t badge, const char *path)
{
	for (uint32_t i = a->badges[badge].grants; i != ROW_NONE; i = a->grants[i].of_badge)
		if (is_on_path(a, &a->grants[i]) && is_along(holding_object(a, i), path))
			return true;
	return false;
}

/* Of its grants with that label the one with the first id; ROW_NONE: none has it. */
static uint32_t grant_that_brings(const struct authority *a, uint32_t badge, uint64_t label)
{
	uint32_t best = ROW_NONE;

	for (uint32_t i = a->badges[badge].grants; i != ROW_NONE; i = a->grants[i].of_badge)
		if (is_on_path(a, &a->grants[i]) && (a->grants[i].labels & label) != 0 &&
		    (best == ROW_NONE || memcmp(a->grants[i].id, a->grants[best].id, AUTHORITY_ID) < 0))
			best = i;
	return best;
}

/* Of the marks with that label, of which there is one that it may reach, the one with the first path. */
static uint32_t mark_that_brings(const struct authority *a, uint32_t badge, uint64_t label)
{
	uint32_t best = ROW_NONE;

	for (uint32_t i = 0, seen = 0; seen < a->marks_used; i++) {
		const struct mark *m = &a->marks[i];

		if (!m->row.live)
			continue;
		seen++;
		if ((m->labels & label) != 0 &&
		    (best == ROW_NONE || strcmp(text_of(a, m->path), text_of(a, a->marks[best].path)) < 0) &&
		    may_reach(a, badge, text_of(a, m->path)))
			best = i;
	}
	return best;
}

static void enter_with(struct authority *a, uint32_t badge, uint64_t label, const uint8_t event[AUTHORITY_ID])
{
	struct bringer from = { AUTHORITY_BY_GRANT, grant_that_brings(a, badge, label), event };

	if (from.which == ROW_NONE)
		from = (struct bringer){ AUTHORITY_BY_MARK, mark_that_brings(a, badge, label), event };
	(void)labels_grow(a, badge, label, &from);
}

static void enter(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge);
	uint64_t labels = 0;

	if (badge == ROW_NONE || is_frozen(a, badge)) {
		(void)refuse(ret, badge == ROW_NONE ? WHY_NOT_HELD : WHY_FROZEN);
		return;
	}
	for (uint32_t i = a->badges[badge].grants; i != ROW_NONE; i = a->grants[i].of_badge)
		if (is_on_path(a, &a->grants[i]))
			labels |= a->grants[i].labels | marks_at(a, holding_object(a, i));
	labels &= ~a->badges[badge].labels;
	if (labels == 0)
		(void)allow(ret, WHY_ALREADY);
	for (; labels != 0; labels &= labels - 1)
		enter_with(a, badge, labels & (0 - labels), q->event);
}

/* Who entered before a path was marked. False: nobody got anything new. */
static bool label_who_may_reach(struct authority *a, const char *path, uint64_t labels, const struct bringer *from)
{
	bool any = false;

	for (uint32_t i = 0, seen = 0; seen < a->badges_used; i++) {
		if (!a->badges[i].row.live)
			continue;
		seen++;
		if ((labels & ~a->badges[i].labels) != 0 && may_reach(a, i, path))
			any = labels_grow(a, i, labels, from) || any;
	}
	return any;
}

/* False: it has them. */
static bool mark_grow(struct mark *m, uint64_t labels)
{
	const uint64_t before = m->labels;

	m->labels |= labels;
	return m->labels != before;
}

static void mark(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const uint32_t badge = badge_of(a, q->badge);
	uint32_t i;
	uint64_t labels;
	bool grew;

	if (badge == ROW_NONE || !path_is_normal(q->object)) {
		(void)refuse(ret, badge == ROW_NONE ? WHY_NOT_HELD : WHY_MALFORMED);
		return;
	}
	labels = labels_less_passes(a, badge, q->digest, q->labels != 0 ? q->labels : a->badges[badge].labels);
	i = mark_with_path(a, q->object);
	if (labels != 0 && i == ROW_NONE) {
		if (a->marks_used == a->size.marks || !has_text_room(a, q->object, "")) {
			(void)refuse(ret, WHY_FULL);
			return;
		}
		i = mark_new(a, q->object);
	}
	passes_take(a, badge, q->digest);
	grew = labels != 0 && mark_grow(&a->marks[i], labels);
	grew = label_who_may_reach(a, q->object, labels, &(struct bringer){ AUTHORITY_BY_MARK, i, q->event }) || grew;
	if (!grew)
		(void)allow(ret, WHY_ALREADY);
}

/* What it labelled stays labelled. */
static void unmark(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const bool is_formed = path_is_normal(q->object) && q->labels != 0;
	const uint32_t i = is_formed ? mark_with_path(a, q->object) : ROW_NONE;

	if (i == ROW_NONE) {
		(void)refuse(ret, is_formed ? WHY_NOT_HELD : WHY_MALFORMED);
	} else if ((a->marks[i].labels & q->labels) == 0) {
		(void)allow(ret, WHY_ALREADY);
	} else {
		a->marks[i].labels &= ~q->labels;
		mark_drop_origins(a, i, q->labels);
		if (a->marks[i].labels == 0)
			mark_drop(a, i);
	}
}

static bool is_any_in(const struct authority *a, const char *directory)
{
	for (uint32_t i = 0, seen = 0; seen < a->marks_used; i++) {
		if (!a->marks[i].row.live)
			continue;
		seen++;
		if (path_is_beneath(text_of(a, a->marks[i].path), directory) &&
		    strcmp(text_of(a, a->marks[i].path), directory) != 0)
			return true;
	}
	return false;
}

/* Who reads there from now on has all of them: no label is lost, and no row is needed. */
static void join(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	if (!path_is_normal(q->object))
		(void)refuse(ret, WHY_MALFORMED);
	else if (!is_any_in(a, q->object))
		(void)allow(ret, WHY_ALREADY);
	else
		marks_join(a, q->object);
}

/* ---- agents ---- */

static void bound_again(struct authority *a, struct account *c, const struct authority_bounds *bounds)
{
	if (c->bounds.q.rate != bounds->q.rate || c->bounds.q.period_s != bounds->q.period_s)
		rate_init(&c->rate, bounds->q.rate, bounds->q.period_s * 1000, a->ticks_ms);
	c->bounds = *bounds;
}

static void bound_agent(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	const bool none = form_is_none(&q->bounds);
	uint32_t i;

	if (!form_is_name(q->object) || !form_is_total(&q->bounds)) {
		(void)refuse(ret, WHY_MALFORMED);
		return;
	}
	i = agent_with_name(a, q->object);
	if (i != ROW_NONE && none)
		agent_drop(a, i);
	else if (i != ROW_NONE)
		bound_again(a, &a->agents[i].account, &q->bounds);
	else if (none)
		(void)allow(ret, WHY_ALREADY);
	else if (a->agents_used == a->size.agents || !has_text_room(a, q->object, ""))
		(void)refuse(ret, WHY_FULL);
	else
		account_init(a, &a->agents[agent_new(a, q->object)].account, &q->bounds);
}

static void restart(struct authority *a)
{
	for (uint32_t i = 0; i < a->grants_end; i++)
		a->grants[i].lent_bytes = a->grants[i].lent_rows = 0;
}

/* ---- all of it ---- */

static void do_op(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	switch ((enum authority_op)q->op) {
	case AUTHORITY_TIME: break;
	case AUTHORITY_OPEN: open_badge(a, q, ret); break;
	case AUTHORITY_GIVE: give(a, q, ret); break;
	case AUTHORITY_DERIVE: derive(a, q, ret); break;
	case AUTHORITY_REVOKE: revoke(a, q, ret); break;
	case AUTHORITY_END: end_badge(a, q, ret); break;
	case AUTHORITY_EVENT_END: end_event(a, q, ret); break;
	case AUTHORITY_HAND_OVER: hand_over(a, q, ret); break;
	case AUTHORITY_USE: use(a, q, ret); break;
	case AUTHORITY_RETURN: give_back(a, q, ret); break;
	case AUTHORITY_MORE: more(a, q, ret); break;
	case AUTHORITY_ANSWER: answer(a, q, ret); break;
	case AUTHORITY_FORGET: forget(a, q, ret); break;
	case AUTHORITY_FREEZE: set_frozen(a, q, true, ret); break;
	case AUTHORITY_THAW: set_frozen(a, q, false, ret); break;
	case AUTHORITY_LABEL: label(a, q, ret); break;
	case AUTHORITY_TAKE: take(a, q, ret); break;
	case AUTHORITY_ENTER: enter(a, q, ret); break;
	case AUTHORITY_MARK: mark(a, q, ret); break;
	case AUTHORITY_AGENT: bound_agent(a, q, ret); break;
	case AUTHORITY_RESTART: restart(a); break;
	case AUTHORITY_RESTORE: restore(a, q, ret); break;
	case AUTHORITY_UNMARK: unmark(a, q, ret); break;
	case AUTHORITY_JOIN: join(a, q, ret); break;
	case AUTHORITY_OP_COUNT: (void)refuse(ret, WHY_MALFORMED); break;
	}
}

void authority_step(struct authority *a, const struct authority_request *q, struct authority_answer *ret)
{
	uint32_t badge;

	*ret = (struct authority_answer){ .verdict = AUTHORITY_ALLOWED };
	a->n_actions = 0;
	pass_time(a, q);
	if (q->op < AUTHORITY_OP_COUNT)
		do_op(a, q, ret);
	else
		(void)refuse(ret, WHY_MALFORMED);
	badge = badge_of(a, q->badge);
	if (badge != ROW_NONE && !(q->op == AUTHORITY_OPEN && ret->verdict == AUTHORITY_ALLOWED))
		ret->labels = a->badges[badge].labels;
	ret->n_actions = a->n_actions;
	ret->actions = a->actions;
}

uint64_t authority_next_ms(const struct authority *a)
{
	return a->next_grant_ms < a->next_ask_ms ? a->next_grant_ms : a->next_ask_ms;
}

/* MARK takes passes also if the path has the labels already. */
bool authority_left_alone(const struct authority_request *q, const struct authority_answer *answer)
{
	if (answer->n_actions > 0)
		return false;
	return answer->verdict == AUTHORITY_DENIED || answer->why == WHY_RECORDED ||
	       (answer->why == WHY_ALREADY && q->op != AUTHORITY_MARK) || q->op == AUTHORITY_TIME;
}
