#include "supervisor/derive.h"

#include <string.h>

#include "base/text.h"
#include "core/endpoint.h"

#define SHOWN_MAX 160
#define UNNAMED "sub-agent"

static bool is_given(const struct derive_from *c, uint32_t i)
{
	return !c->withdrawn[i];
}

static bool is_counted(const struct grant *g)
{
	const struct qualifiers *q = &g->qualifiers;

	return (g->verb == VERB_CONNECT || g->verb == VERB_DECLASSIFY) &&
	       (q->uses != 0 || q->bytes != 0 || q->rate != 0);
}

/* Numbers of requests are an event's. */
static bool counts_together(const struct derive_from *c, uint32_t i)
{
	const struct qualifiers *q = &c->grants->grants[i].qualifiers;

	return c->together && (grant_terms(c->grants, i)[0] == 0 || (q->uses == 0 && q->rate == 0));
}

/* Another one would be counted by itself. */
static bool is_the_same(const struct derive_from *c, uint32_t parent, const struct sibling_ask *ask, uint32_t i)
{
	const char *flow = grant_flow(&ask->grants, i);

	return counts_together(c, parent) && (flow[0] == 0 || strcmp(grant_flow(c->grants, parent), flow) == 0) &&
	       strcmp(grant_object(c->grants, parent), grant_object(&ask->grants, i)) == 0 &&
	       strcmp(grant_terms(c->grants, parent), grant_terms(&ask->grants, i)) == 0 &&
	       qualifiers_are_same(&c->grants->grants[parent].qualifiers, &ask->grants.grants[i].qualifiers);
}

static int shared(const struct grant_set *set, uint32_t i, struct err *e)
{
	return err_why(e,
		       err_set(e, AMBIT_UNAVAILABLE, "name the grants that the sub-agent needs, without it",
			       "'%s: %s' is counted, and cannot be given to a sub-agent",
			       verb_word((enum grant_verb)set->grants[i].verb), grant_object(set, i)),
		       "both would count for themselves, and together use more than was granted");
}

/* Which grant lets there be a sub-agent of that name; one that is named goes before `*`. */
static int find_delegate(const struct derive_from *c, const struct sibling_ask *ask, struct derived *ret,
			 uint32_t *ret_grant, struct err *e)
{
	uint32_t found = GRANT_NONE;

	for (uint32_t i = 0; i < c->grants->count; i++) {
		const bool any = strcmp(grant_object(c->grants, i), DELEGATE_ANY) == 0;

		if (c->grants->grants[i].verb != VERB_DELEGATE || !is_given(c, i) ||
		    (ask->agent[0] != 0 && !any && strcmp(grant_object(c->grants, i), ask->agent) != 0))
			continue;
		if (found == GRANT_NONE || !any)
			found = i;
	}
	if (found == GRANT_NONE)
		return err_set(e, AMBIT_DENIED, "delegate: and that name, or *, would allow it",
			       "no grant lets this cell start a sub-agent%s%s", ask->agent[0] != 0 ? " called " : "",
			       ask->agent);
	(void)text_copy(ret->agent, sizeof ret->agent,
			ask->agent[0] != 0                                          ? ask->agent
			: strcmp(grant_object(c->grants, found), DELEGATE_ANY) == 0 ? UNNAMED
										    : grant_object(c->grants, found));
	*ret_grant = found;
	return 0;
}

/* 0, or -LIMIT without a word: all that was granted is used up. */
static int charge(const struct derive_from *c, uint32_t grant, uint32_t extra[GRANTS_MAX], uint32_t n, struct err *e)
{
	const uint32_t most = c->grants->grants[grant].qualifiers.uses;

	if (n > UINT32_MAX - extra[grant] - c->used[grant])
		n = UINT32_MAX - extra[grant] - c->used[grant];
	extra[grant] += n;
	if (most == 0 || (uint64_t)c->used[grant] + extra[grant] <= most)
		return 0;
	return err_set(e, AMBIT_DENIED, "a larger number beside its grant delegate, uses=N, would allow more",
		       "this cell has started the %u sub-agents that it may, or asks for more than are left", most);
}

/* One that is given to a sub-agent stands one lower, and takes all of its number at once. */
static int check_depth(const struct derive_from *c, uint32_t parent, const struct qualifiers *q,
		       uint32_t extra[GRANTS_MAX], struct err *e)
{
	const uint32_t depth = qualifiers_depth(&c->grants->grants[parent].qualifiers);

	if (qualifiers_depth(q) >= depth)
		return err_set(e, AMBIT_DENIED,
			       "a larger number beside the caller's grant delegate, depth=N, would allow it",
			       "sub-agents may not stand that deep: %u below this cell", depth);
	return charge(c, parent, extra, q->uses, e);
}

/* Of paths all count together: who may read a part by a grant without a label has that of the one that names it. */
static int label_path(const struct derive_from *c, uint32_t parent, const char *object, const char *flow,
		      char ret[FLOW_TEXT_MAX], struct err *e)
{
	struct flow f;

	if (flow_take(flow[0] != 0 ? flow : grant_flow(c->grants, parent), &f) < 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "the labels of a grant are not in their normal form");
	if (!grant_add_labels(c->grants, object, &f))
		return err_set(e, AMBIT_LIMIT, "ask for less than that",
			       "'%s' has more than %d labels of the caller's grants", object, FLOW_SET_MAX);
	flow_format(&f, ret);
	return 0;
}

static int give(const struct derive_from *c, uint32_t parent, enum grant_verb verb, const char *object,
		struct qualifiers q, const char *terms, const char *flow, struct derived *ret, struct err *e)
{
	char labels[FLOW_TEXT_MAX];
	uint32_t id;
	int r;

	if (verb_rights(verb) != 0 && object[0] == '/') {
		r = label_path(c, parent, object, flow, labels, e);
		if (r < 0)
			return r;
		flow = labels;
	}
	if (verb != VERB_JIT) /* a person is asked as for its caller */
		q.ask |= c->grants->grants[parent].qualifiers.ask;
	r = grant_derive(c->grants, parent, &ret->grants, verb, object, &q, terms, flow, &id, e);
	if (r == 0) {
		ret->from[parent] = true;
		ret->of.grant[id] = parent;
	}
	return r;
}

/* ---- one that lies in another ---- */

/* Of several that let a connection be made, or a sub-agent be started, the narrowest alone decides (net/targets.h): what bounds that one, or that it
 * was withdrawn, must not be got around by what was derived from a wider one. Of paths all count together. */
static bool narrowest_decides(enum grant_verb verb)
{
	return verb == VERB_CONNECT || verb == VERB_DELEGATE;
}

/* Whether the caller's grant decides about a part of what the object means. */
static bool decides_within(const struct grant_set *set, uint32_t i, enum grant_verb verb, const char *object)
{
	struct endpoint outer, inner;

	if (set->grants[i].verb != verb || strcmp(grant_object(set, i), object) == 0)
		return false;
	if (verb != VERB_CONNECT)
		return grant_object_covers(verb, object, verb, grant_object(set, i));
	if (endpoint_take(object, &outer, NULL) < 0 || endpoint_take(grant_object(set, i), &inner, NULL) < 0)
		return false;
	inner = endpoint_connection(&inner);
	return endpoint_is_within(&inner, &outer) || /* a range may have public addresses, without being within `*` */
	       (outer.kind == ENDPOINT_ANY && inner.kind == ENDPOINT_RANGE && inner.port == outer.port);
}

static bool is_asked(const struct grant_set *asked, enum grant_verb verb, const char *object)
{
	for (uint32_t i = 0; i < asked->count; i++)
		if (asked->grants[i].verb == verb && strcmp(grant_object(asked, i), object) == 0)
			return true;
	return false;
}

/* asked: what comes with it; NULL: all that was not withdrawn. */
static int check_exceptions(const struct derive_from *c, enum grant_verb verb, const char *object,
			    const struct grant_set *asked, struct err *e)
{
	for (uint32_t i = 0; i < c->grants->count && narrowest_decides(verb); i++) {
		const char *inner = grant_object(c->grants, i);

		if (!decides_within(c->grants, i, verb, object) ||
		    (is_given(c, i) && !grant_has_conditions(c->grants, i)) ||
		    (asked != NULL ? is_asked(asked, verb, inner) : is_given(c, i)))
			continue;
		return err_set(e, AMBIT_DENIED,
			       is_given(c, i) ? "name that one, too, or less that lies beside it"
					      : "name what the sub-agent needs beside it",
			       "'%s: %s' would go around the caller's '%s', which %s", verb_word(verb), object, inner,
			       is_given(c, i) ? "is bounded" : "was withdrawn");
	}
	return 0;
}

static uint32_t narrowest(const struct derive_from *c, enum grant_verb verb, const char *object)
{
	uint32_t found = GRANT_NONE;

	for (uint32_t i = 0; i < c->grants->count; i++)
		if (grant_object_covers((enum grant_verb)c->grants->grants[i].verb, grant_object(c->grants, i), verb,
					object) &&
		    (found == GRANT_NONE ||
		     grant_object_is_narrower(verb, grant_object(c->grants, i), verb, grant_object(c->grants, found))))
			found = i;
	return found;
}

static int inherit(const struct derive_from *c, struct derived *ret, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < c->grants->count && r == 0; i++) {
		const struct grant *g = &c->grants->grants[i];

		/* a port of the host leads to one cell */
		if (!is_given(c, i) || g->verb == VERB_DELEGATE || g->verb == VERB_LISTEN)
			continue;
		r = is_counted(g) && !counts_together(c, i)
			    ? shared(c->grants, i, e)
			    : check_exceptions(c, (enum grant_verb)g->verb, grant_object(c->grants, i), NULL, e);
		if (r == 0)
			r = give(c, i, (enum grant_verb)g->verb, grant_object(c->grants, i), g->qualifiers,
				 grant_terms(c->grants, i), "", ret, e);
	}
	return r;
}

static int not_within(const struct grant_set *asked, uint32_t i, struct err *e)
{
	const char *verb = verb_word((enum grant_verb)asked->grants[i].verb);
	char shown[SHOWN_MAX], hint[ERR_HINT_MAX];

	text_escape(shown, sizeof shown, grant_object(asked, i), grant_told(asked, i));
	(void)text_copy(hint, sizeof hint, "ask for less, or grant it to the caller");
	return err_set(e, AMBIT_DENIED, hint, "the caller has no grant from which '%s%s%s' could be derived", verb,
		       shown[0] != 0 ? ": " : "", shown);
}

/* That which names the object itself. */
static uint32_t of_just_that(const struct derive_from *c, enum grant_verb verb, const char *object)
{
	for (uint32_t i = 0; i < c->grants->count; i++)
		if (is_given(c, i) && strcmp(grant_object(c->grants, i), object) == 0 &&
		    grant_object_covers((enum grant_verb)c->grants->grants[i].verb, grant_object(c->grants, i), verb,
					object))
			return i;
	return GRANT_NONE;
}

/* From the narrowest of the caller's where that decides, else from the first that covers it, in their order. */
static int give_asked(const struct derive_from *c, const struct sibling_ask *ask, uint32_t i, struct derived *ret,
		      uint32_t extra[GRANTS_MAX], struct err *e)
{
	const struct grant *g = &ask->grants.grants[i];
	const enum grant_verb verb = (enum grant_verb)g->verb;
	const char *object = grant_object(&ask->grants, i), *terms = grant_terms(&ask->grants, i);
	const uint32_t only = narrowest_decides(verb)              ? narrowest(c, verb, object)
			      : (ask->flags & SIBLING_HANDED) != 0 ? of_just_that(c, verb, object)
								   : GRANT_NONE;
	int r = check_exceptions(c, verb, object, &ask->grants, e);

	if (r < 0)
		return r;
	r = verb == VERB_JIT && (g->flags & GRANT_OPTIONAL) != 0 ? 0 : not_within(&ask->grants, i, e);
	for (uint32_t parent = 0; parent < c->grants->count; parent++) {
		const struct grant *of = &c->grants->grants[parent];

		if (!is_given(c, parent) || (only != GRANT_NONE && parent != only) ||
		    !grant_object_covers((enum grant_verb)of->verb, grant_object(c->grants, parent), verb, object))
			continue;
		if (is_counted(of) && !is_the_same(c, parent, ask, i))
			r = shared(c->grants, parent, e);
		else
			r = verb == VERB_DELEGATE ? check_depth(c, parent, &g->qualifiers, extra, e) : 0;
		r = r < 0 ? r
			  : give(c, parent, verb, object, g->qualifiers, terms, grant_flow(&ask->grants, i), ret, e);
		if (r == 0)
			return 0;
	}
	return r;
}

/* Its changes are asked for in a stage of its own, which knows its own grants alone. */
static bool asks_within(const struct derive_from *c, const char *object)
{
	for (uint32_t i = 0; i < c->grants->count; i++)
		if ((c->grants->grants[i].rights & RIGHT_WRITE) != 0 && c->grants->grants[i].qualifiers.ask != 0 &&
		    path_is_beneath(grant_object(c->grants, i), object))
			return true;
	return false;
}

/* One that is handed over has trees of its own, as the host has them: what is hidden, or held, in its caller's is so by the object of the grant, and a narrower one would
 * name it. */
static int check_handed(const struct derive_from *c, struct derived *ret, struct err *e)
{
	for (uint32_t i = 0; i < ret->grants.count; i++) {
		struct grant *g = &ret->grants.grants[i];
		const struct grant *of = &c->grants->grants[ret->of.grant[i]];
		const char *object = grant_object(&ret->grants, i);

		if (g->verb == VERB_LISTEN)
			return err_set(e, AMBIT_UNAVAILABLE, "leave it out",
				       "a port of the host leads to the cell that asks, and is not handed over");
		if ((g->rights & RIGHT_WRITE) != 0 && asks_within(c, object))
			g->qualifiers.ask = 1;
		if (g->rights == 0 || object[0] != '/' ||
		    (strcmp(object, grant_object(c->grants, ret->of.grant[i])) == 0 &&
		     (g->verb == of->verb || g->verb == VERB_READ)))
			continue;
		return err_set(e, AMBIT_DENIED, "name grants as its caller has them, or none",
			       "'%s: %s' is a part of what the caller was granted, and is not handed over",
			       verb_word((enum grant_verb)g->verb), object);
	}
	return 0;
}

int derive(const struct derive_from *c, const struct sibling_ask *ask, struct derived *ret, struct err *e)
{
	uint32_t extra[GRANTS_MAX] = { 0 }, grant = 0;
	int r;

	memset(ret->from, 0, sizeof ret->from);
	grant_set_init(&ret->grants);
	r = find_delegate(c, ask, ret, &grant, e);
	r = r < 0 ? r : charge(c, grant, extra, 1, e);
	if (r == 0 && (ask->flags & SIBLING_INHERITS) != 0)
		r = inherit(c, ret, e);
	for (uint32_t i = 0; i < ask->grants.count && r == 0; i++)
		r = give_asked(c, ask, i, ret, extra, e);
	if (r == 0 && (ask->flags & SIBLING_HANDED) != 0)
		r = check_handed(c, ret, e);
	if (r < 0)
		return r;
	ret->from[grant] = true;
	ret->of.delegate = grant;
	ret->of.n = ret->grants.count;
	for (uint32_t i = 0; i < c->grants->count; i++)
		c->used[i] += extra[i]; /* charge() looked */
	return 0;
}
