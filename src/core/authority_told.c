#include <string.h>

#include "base/text.h"
#include "core/authority_form.h"
#include "core/authority_rows.h"
#include "core/authority_use.h"
#include "core/tool.h"

static const char *const why_words[WHY_COUNT] = {
	[WHY_NONE] = "",
	[WHY_RECORDED] = "recorded",
	[WHY_ALREADY] = "already",
	[WHY_NOT_HELD] = "not-held",
	[WHY_FROZEN] = "frozen",
	[WHY_REVOKED] = "revoked",
	[WHY_EXPIRED] = "expired",
	[WHY_NOT_NOW] = "not-now",
	[WHY_BEYOND] = "beyond",
	[WHY_DEPTH] = "depth",
	[WHY_LABELLED] = "labelled",
	[WHY_SPENT] = "spent",
	[WHY_REFUSED] = "refused",
	[WHY_FLOOD] = "flood",
	[WHY_CONFLICT] = "conflict",
	[WHY_MISMATCH] = "mismatch",
	[WHY_ANSWERED] = "answered",
	[WHY_TAKEN] = "taken",
	[WHY_FULL] = "full",
	[WHY_MALFORMED] = "malformed",
};

const char *authority_why_word(enum authority_why why)
{
	return why < WHY_COUNT ? why_words[why] : "?";
}

void authority_id_text(char prefix, const uint8_t id[AUTHORITY_ID], char ret[ID_TEXT_MAX])
{
	uint64_t ms = 0;

	for (int i = 0; i < AUTHORITY_ID - ID_RANDOM; i++)
		ms = ms << 8 | id[i];
	id_write(prefix, ms, id + AUTHORITY_ID - ID_RANDOM, ret);
}

bool authority_badge_at(const struct authority *a, uint32_t row, struct authority_badge_told *ret)
{
	const struct badge *b = row < a->size.badges ? &a->badges[row] : NULL;

	if (b == NULL || !b->row.live)
		return false;
	*ret = (struct authority_badge_told){ .ref = badge_ref(a, row),
					      .parent = badge_ref(a, b->parent),
					      .agent = badge_agent(a, row),
					      .depth = b->depth,
					      .frozen = is_frozen(a, row),
					      .labels = b->labels,
					      .bounds = b->account.bounds,
					      .uses = b->account.uses,
					      .bytes = b->account.bytes,
					      .rows = b->account.rows };
	memcpy(ret->id, b->id, AUTHORITY_ID);
	memcpy(ret->event, b->event, AUTHORITY_ID);
	return true;
}

bool authority_grant_at(const struct authority *a, uint32_t row, struct authority_grant_told *ret)
{
	const struct holding *g = row < a->size.grants ? &a->grants[row] : NULL;

	if (g == NULL || !g->row.live)
		return false;
	*ret = (struct authority_grant_told){ .ref = grant_ref(a, row),
					      .parent = grant_ref(a, g->parent),
					      .badge = badge_ref(a, g->badge),
					      .verb = g->verb,
					      .flags = g->flags,
					      .depth = g->depth,
					      .revoked = g->revoked,
					      .expired = g->expired,
					      .labels = g->labels,
					      .n_unless = g->n_unless,
					      .bounds = g->account.bounds,
					      .uses = g->account.uses,
					      .bytes = g->account.bytes,
					      .rows = g->account.rows,
					      .lent_bytes = g->lent_bytes,
					      .lent_rows = g->lent_rows,
					      .object = text_of(a, g->object),
					      .terms = text_of(a, g->terms) };
	memcpy(ret->id, g->id, AUTHORITY_ID);
	memcpy(ret->unless, g->unless, sizeof ret->unless);
	return true;
}

bool authority_ask_at(const struct authority *a, uint32_t row, struct authority_ask_told *ret)
{
	const struct ask *k = row < a->size.asks ? &a->asks[row] : NULL;

	if (k == NULL || !k->row.live)
		return false;
	*ret = (struct authority_ask_told){ .ref = ask_ref(a, row),
					    .badge = badge_ref(a, k->badge),
					    .grant = grant_ref(a, k->grant),
					    .state = k->state,
					    .session = k->session,
					    .stop = k->stop,
					    .until_ms = k->until_ms };
	memcpy(ret->id, k->id, AUTHORITY_ID);
	memcpy(ret->digest, k->digest, AUTHORITY_DIGEST);
	return true;
}

bool authority_mark_at(const struct authority *a, uint32_t row, struct authority_mark_told *ret)
{
	if (row >= a->size.marks || !a->marks[row].row.live)
		return false;
	*ret = (struct authority_mark_told){ .path = text_of(a, a->marks[row].path), .labels = a->marks[row].labels };
	return true;
}

bool authority_origin_at(const struct authority *a, uint32_t row, struct authority_origin_told *ret)
{
	const struct origin *o = row < a->size.origins ? &a->origins[row] : NULL;

	if (o == NULL || !o->row.live)
		return false;
	*ret = (struct authority_origin_told){
		.badge = badge_ref(a, o->badge), .label = o->label, .by = o->by, .object = ""
	};
	memcpy(ret->event, o->event, AUTHORITY_ID);
	memcpy(ret->from, o->from, AUTHORITY_ID);
	if (o->by == AUTHORITY_BY_GRANT) {
		ret->verb = a->grants[o->which].verb;
		ret->object = holding_object(a, o->which);
	} else if (o->by == AUTHORITY_BY_MARK) {
		ret->object = text_of(a, a->marks[o->which].path);
	}
	return true;
}

/* The row of the label's origin for the badge that this one has it of. */
static uint32_t origin_before(const struct authority *a, const struct origin *o)
{
	const uint32_t from = badge_with_id(a, o->from);

	if (o->by != AUTHORITY_BY_BADGE || from == ROW_NONE || badge_top(a, from) != badge_top(a, o->badge))
		return ROW_NONE;
	for (uint32_t i = 0; i < a->origins_end; i++)
		if (a->origins[i].row.live && a->origins[i].badge == from && a->origins[i].label == o->label)
			return i;
	return ROW_NONE;
}

bool authority_origin_traced(const struct authority *a, uint32_t row, struct authority_origin_told *ret)
{
	const bool there = authority_origin_at(a, row, ret);
	uint32_t at = row, before = there ? origin_before(a, &a->origins[row]) : ROW_NONE;

	for (uint32_t n = 0; before != ROW_NONE && n < a->size.badges; n++) { /* each came after the one before it */
		at = before;
		before = origin_before(a, &a->origins[at]);
	}
	if (at != row) {
		(void)authority_origin_at(a, at, ret); /* it lives */
		ret->badge = badge_ref(a, a->origins[row].badge);
	}
	return there;
}

bool authority_agent_at(const struct authority *a, uint32_t row, struct authority_agent_told *ret)
{
	const struct agent *g = row < a->size.agents ? &a->agents[row] : NULL;

	if (g == NULL || !g->row.live)
		return false;
	*ret = (struct authority_agent_told){ .name = text_of(a, g->name),
					      .bounds = g->account.bounds,
					      .uses = g->account.uses,
					      .bytes = g->account.bytes,
					      .rows = g->account.rows };
	return true;
}

bool authority_grant_by(const struct authority *a, authority_ref grant, struct authority_grant_told *ret)
{
	return authority_grant_at(a, grant_of(a, grant), ret); /* ROW_NONE is no row */
}

bool authority_ask_by(const struct authority *a, authority_ref ask, struct authority_ask_told *ret)
{
	return authority_ask_at(a, ask_of(a, ask), ret);
}

bool authority_is_in(const struct authority *a, authority_ref badge, authority_ref tree)
{
	const uint32_t root = badge_of(a, tree);
	uint32_t i = root == ROW_NONE ? ROW_NONE : badge_of(a, badge);

	while (i != ROW_NONE && i != root)
		i = a->badges[i].parent;
	return i != ROW_NONE;
}

authority_ref authority_holder(const struct authority *a, authority_ref grant)
{
	const uint32_t i = grant_of(a, grant);

	return i == ROW_NONE ? 0 : badge_ref(a, a->grants[i].badge);
}

void authority_used(const struct authority *a, struct authority_size *ret)
{
	*ret = (struct authority_size){ .badges = a->badges_end,
					.grants = a->grants_end,
					.asks = a->asks_end,
					.keys = a->keys_end,
					.passes = a->passes_end,
					.marks = a->marks_end,
					.agents = a->agents_end,
					.origins = a->origins_end,
					.text = a->text_live };
}

bool authority_is_frozen(const struct authority *a)
{
	return a->frozen;
}

/* Objects of grants that a use of a tool lies in, the narrowest first: itself, all of its server, all of all. Of what no star means the others are
 * none: no object is empty. */
#define NAMES_OF_TOOL 3

struct tool_name {
	char text[TOOL_OBJECT_MAX];
	uint32_t sum;
};

static void names_of_tool(const char *object, struct tool_name ret[NAMES_OF_TOOL])
{
	(void)text_copy(ret[0].text, sizeof ret[0].text, object); /* it is an object */
	ret[1].text[0] = ret[2].text[0] = 0;
	if (!tool_is_of_client(object)) {
		tool_all_of(object, ret[1].text);
		(void)text_copy(ret[2].text, sizeof ret[2].text, TOOL_ANY); /* fits */
	}
	for (unsigned i = 0; i < NAMES_OF_TOOL; i++)
		ret[i].sum = object_sum(ret[i].text);
}

/* Most that are held are not: of these one look tells. */
static bool is_named(const struct authority *a, const struct holding *g, const struct tool_name *name)
{
	return g->verb == VERB_TOOL && g->sum == name->sum && strcmp(text_of(a, g->object), name->text) == 0;
}

static bool is_another_tool(const struct authority *a, const struct holding *g,
			    const struct tool_name names[NAMES_OF_TOOL])
{
	for (unsigned i = 0; i < NAMES_OF_TOOL; i++)
		if (is_named(a, g, &names[i]))
			return false;
	return true;
}

authority_ref authority_find(const struct authority *a, authority_ref badge, enum grant_verb verb, const char *object)
{
	const uint32_t holder = badge_of(a, badge);
	struct tool_name names[NAMES_OF_TOOL];
	uint32_t best = ROW_NONE;

	if (holder == ROW_NONE || !form_is_object(verb, object))
		return 0;
	if (verb == VERB_TOOL)
		names_of_tool(object, names);
	for (uint32_t i = a->badges[holder].grants; i != ROW_NONE; i = a->grants[i].of_badge) {
		const struct holding *g = &a->grants[i];
		const enum grant_verb of = (enum grant_verb)g->verb; /* is one: it was made so */

		if ((verb == VERB_TOOL && is_another_tool(a, g, names)) || g->revoked || g->expired ||
		    !grant_object_covers(of, text_of(a, g->object), verb, object))
			continue;
		if (best == ROW_NONE ||
		    grant_object_is_narrower(of, text_of(a, g->object), (enum grant_verb)a->grants[best].verb,
					     holding_object(a, best)))
			best = i;
	}
	return grant_ref(a, best);
}

/* How far a use would go with a grant: the less, the further. */
enum reach { IN_SILENCE, WAS_ASKED, ASKS, NOWHERE };

static enum reach reach(struct authority *a, struct use *u)
{
	struct authority_answer answer = { .verdict = AUTHORITY_ALLOWED };

	if (!use_is_open(a, u, &answer)) /* what its key has recorded is allowed */
		return answer.verdict == AUTHORITY_ALLOWED ? IN_SILENCE : NOWHERE;
	if (!use_asks(a, u))
		return IN_SILENCE;
	if (use_question(a, u) != ROW_NONE)
		return WAS_ASKED;
	return is_muted(a, u->grant) ? NOWHERE : ASKS;
}

static bool is_narrower(const struct authority *a, uint32_t grant, uint32_t other)
{
	const struct holding *g = &a->grants[grant], *o = &a->grants[other];
	const enum grant_verb of = (enum grant_verb)g->verb,
			      by = (enum grant_verb)o->verb; /* each is one: they were made so */
	const char *terms = text_of(a, g->terms), *others = text_of(a, o->terms);

	if (g->verb != VERB_TOOL)
		return grant_object_is_narrower(of, text_of(a, g->object), by, text_of(a, o->object));
	return form_is_where_within(terms, others) && !form_is_where_within(others, terms); /* the object is the same */
}

/* Of those within `than`, if that is one, of a tool those of that name: the one with which the use gets furthest, of several the one whose id is the first.
 * *furthest: so far; *n: of how many. */
static uint32_t furthest_within(struct authority *a, struct use *u, const struct tool_name *name, uint32_t than,
				enum reach *furthest, uint32_t *n)
{
	uint32_t best = ROW_NONE;

	*n = 0;
	for (u->grant = a->badges[u->badge].grants; u->grant != ROW_NONE; u->grant = a->grants[u->grant].of_badge) {
		const struct holding *g = &a->grants[u->grant];
		enum reach to;

		if ((name != NULL && !is_named(a, g, name)) || g->revoked || g->expired || !use_is_covered(a, u) ||
		    (than != ROW_NONE && !is_narrower(a, u->grant, than)))
			continue;
		++*n;
		to = reach(a, u);
		if (to > *furthest ||
		    (to == *furthest && best != ROW_NONE && memcmp(g->id, a->grants[best].id, AUTHORITY_ID) > 0))
			continue;
		best = u->grant;
		*furthest = to;
	}
	return best;
}

/* name: NULL, it is of no tool. */
static uint32_t find_use(struct authority *a, struct use *u, const struct tool_name *name)
{
	enum reach furthest = NOWHERE;
	uint32_t
		found = ROW_NONE,
		next, n,
		left = a->grants_used; /* of hosts that are longer than those they lie in, each may be narrower than the next */

	for (next = furthest_within(a, u, name, ROW_NONE, &furthest, &n); next != ROW_NONE && left > 0; left--) {
		found = next;
		next = n == 1 ? ROW_NONE
			      : furthest_within(a, u, name, found, &furthest, &n); /* none is narrower than itself */
	}
	return found;
}

/* By the grant that the key of the use was kept with: what was given since changes nothing about that. */
static bool is_recorded(struct authority *a, struct use *u)
{
	const uint32_t key = (u->q->flags & AUTHORITY_KEYED) != 0 ? key_with_name(a, u->badge, u->q->key) : ROW_NONE;

	if (key == ROW_NONE)
		return false;
	u->grant = a->keys[key].grant;
	return use_is_covered(a, u) && reach(a, u) == IN_SILENCE; /* else it would be a conflict */
}

/* What is said of the tool goes before what is said of its server, and that before what is said of all. */
static uint32_t find_tool(struct authority *a, struct use *u)
{
	struct tool_name names[NAMES_OF_TOOL];
	uint32_t found = ROW_NONE;

	if (!form_is_object(VERB_TOOL, u->object) || tool_is_star(u->object))
		return ROW_NONE;
	if (is_recorded(a, u))
		return u->grant;
	names_of_tool(u->object, names);
	for (unsigned i = 0; i < NAMES_OF_TOOL && found == ROW_NONE; i++)
		found = find_use(a, u, &names[i]);
	return found;
}

authority_ref authority_find_use(struct authority *a, const struct authority_request *use)
{
	struct use u = {
		.q = use, .badge = badge_of(a, use->badge), .verb = (enum grant_verb)use->verb, .object = use->object
	};

	if (u.badge == ROW_NONE || use->verb >= VERB_COUNT || use->object[0] == 0)
		return 0;
	return grant_ref(a, use->verb == VERB_TOOL ? find_tool(a, &u) : find_use(a, &u, NULL));
}

void authority_closed(const struct authority *a, const struct authority_answer *answer, struct authority_closed *ret)
{
	struct authority_grant_told g;

	ret->n = 0;
	for (uint32_t i = 0; i < answer->n_actions && ret->n < AUTHORITY_CLOSED_MAX; i++)
		if (answer->actions[i].act == AUTHORITY_ACT_CLOSE && authority_grant_by(a, answer->actions[i].ref, &g))
			memcpy(ret->ids[ret->n++], g.id, AUTHORITY_ID);
}
