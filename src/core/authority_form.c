#include "core/authority_form.h"

#include <string.h>

#include "core/authority_rows.h"
#include "core/terms.h"

bool form_is_name(const char *name)
{
	const size_t n = strnlen(name, AUTHORITY_NAME_MAX);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return n > 0 && n < AUTHORITY_NAME_MAX;
}

bool form_is_bounds(const struct authority_bounds *b)
{
	return qualifiers_are_well_formed(&b->q) && b->q.ask == 0 && b->q.depth == 0 && window_is_none(&b->q.between) &&
	       b->rows <= AUTHORITY_AMOUNT_MAX && window_is_well_formed(&b->window);
}

bool form_is_total(const struct authority_bounds *b)
{
	return form_is_bounds(b) && b->q.until_s == 0 && b->q.ech == 0 && window_is_none(&b->window);
}

bool form_is_none(const struct authority_bounds *b)
{
	return qualifiers_are_none(&b->q) && b->rows == 0 && window_is_none(&b->window);
}

static bool is_terms(enum grant_verb verb, const char *object, const char *text)
{
	struct terms t;
	struct where w;

	if (verb == VERB_TOOL)
		return where_take(text, &w, NULL) == 0;
	return text[0] == 0 ||
	       (verb == VERB_CONNECT && terms_take(text, &t, NULL) == 0 && grant_check_terms(object, text, NULL) == 0);
}

bool form_is_object(enum grant_verb verb, const char *object)
{
	if (verb == VERB_DELEGATE && strcmp(object, DELEGATE_ANY) != 0)
		return form_is_name(object);
	return grant_object_is(verb, object);
}

bool form_is_grant(const struct authority_request *q)
{
	const enum grant_verb verb = (enum grant_verb)q->verb; /* in range: looked at first */

	if (q->verb >= VERB_COUNT || (q->flags & ~(AUTHORITY_ASK | AUTHORITY_ASK_LABELLED)) != 0 ||
	    q->n_unless > AUTHORITY_UNLESS_MAX || q->depth > (verb == VERB_DELEGATE ? AUTHORITY_DEPTH_MAX : 0))
		return false;
	for (uint8_t i = 0; i < q->n_unless; i++)
		if (q->unless[i] == 0)
			return false;
	return (verb != VERB_DECLASSIFY || q->labels != 0) && !is_zeroes(q->id, AUTHORITY_ID) &&
	       form_is_bounds(&q->bounds) && form_is_object(verb, q->object) && is_terms(verb, q->object, q->terms);
}

/* ---- narrowing ---- */

bool form_is_where_within(const char *inner, const char *outer)
{
	struct where a, b;

	return where_take(inner, &a, NULL) == 0 && where_take(outer, &b, NULL) == 0 && where_is_within(&a, &b);
}

static bool are_terms_within(enum grant_verb verb, const char *inner, const char *outer)
{
	struct terms a, b;

	if (strcmp(inner, outer) == 0)
		return true;
	if (verb == VERB_TOOL)
		return form_is_where_within(inner, outer);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	return (inner[0] == 0 || terms_take(inner, &a, NULL) == 0) &&
	       (outer[0] == 0 || terms_take(outer, &b, NULL) == 0) && terms_are_within(&a, &b);
}

static bool are_bounds_within(const struct authority_bounds *inner, const struct authority_bounds *outer)
{
	return qualifiers_are_within(&inner->q, &outer->q) &&
	       (outer->rows == 0 || (inner->rows != 0 && inner->rows <= outer->rows)) &&
	       window_is_within(&inner->window, &outer->window);
}

/* Whatever refuses the parent refuses this one: some set of its own is all in that of the parent. */
static bool is_refused_with(const struct authority_request *q, uint64_t set)
{
	for (uint8_t i = 0; i < q->n_unless; i++)
		if ((q->unless[i] & ~set) == 0)
			return true;
	return false;
}

static bool are_labels_within(const struct authority_request *q, const struct authority_grant_told *parent)
{
	for (uint8_t i = 0; i < parent->n_unless; i++)
		if (!is_refused_with(q, parent->unless[i]))
			return false;
	if ((q->flags & AUTHORITY_ASK_LABELLED) != 0 && (parent->flags & AUTHORITY_ASK_LABELLED) == 0 &&
	    parent->n_unless > 0)
		return false;
	return q->verb == VERB_DECLASSIFY ? (q->labels & ~parent->labels) == 0 : (parent->labels & ~q->labels) == 0;
}

bool form_is_within(const struct authority_request *q, const struct authority_grant_told *parent)
{
	return grant_object_covers((enum grant_verb)parent->verb, parent->object, (enum grant_verb)q->verb,
				   q->object) && /* both are verbs: form_is_grant */
	       are_bounds_within(&q->bounds, &parent->bounds) &&
	       are_terms_within((enum grant_verb)q->verb, q->terms, parent->terms) &&
	       ((parent->flags & AUTHORITY_ASK) == 0 || (q->flags & AUTHORITY_ASK) != 0) &&
	       are_labels_within(q, parent);
}
