#include "core/conditions.h"

#include <string.h>

static bool is_label(const char *word)
{
	return strcmp(word, "label") == 0;
}

static bool is_unless(const char *word)
{
	return strcmp(word, "unless") == 0;
}

static bool is_where(const char *word)
{
	return strcmp(word, "where") == 0;
}

bool condition_is(const char *word)
{
	enum qualifier q;
	enum term t;

	return qualifier_is(word, &q) || term_is(word, &t) || is_label(word) || is_unless(word) || is_where(word);
}

bool conditions_have(const struct conditions *b, const char *word)
{
	enum qualifier q;
	enum term t;

	if (qualifier_is(word, &q))
		return qualifiers_has(&b->qualifiers, q) || (q == QUALIFIER_ASK && b->flow.ask);
	if (is_label(word))
		return b->flow.label.n > 0;
	if (is_unless(word))
		return flow_has_unless(&b->flow);
	if (is_where(word))
		return !where_is_none(&b->where);
	return term_is(word, &t) && terms_has(&b->terms, t);
}

static int set_qualifier(struct conditions *b, enum qualifier q, const char *value, struct err *e)
{
	if (q != QUALIFIER_ASK || strcmp(value, "labelled") != 0)
		return qualifiers_set(&b->qualifiers, q, value, e);
	b->flow.ask = true;
	return 0;
}

int conditions_set(struct conditions *b, const char *word, const char *value, struct err *e)
{
	enum qualifier q;
	enum term t;

	if (qualifier_is(word, &q))
		return set_qualifier(b, q, value, e);
	if (term_is(word, &t))
		return terms_set(&b->terms, t, value, e);
	if (is_label(word))
		return flow_set_label(&b->flow, value, e);
	if (is_unless(word))
		return flow_set_unless(&b->flow, value, e);
	if (is_where(word))
		return where_set(&b->where, value, e);
	return err_set(e, AMBIT_UNKNOWN, NULL, "there is no such qualifier");
}

bool conditions_are_none(const struct conditions *b)
{
	return qualifiers_are_none(&b->qualifiers) && terms_are_none(&b->terms) && where_is_none(&b->where) &&
	       flow_is_empty(&b->flow);
}

int conditions_terms(const struct conditions *b, char ret[TERMS_TEXT_MAX], struct err *e)
{
	if (!where_is_none(&b->where) && !terms_are_none(&b->terms))
		return err_set(e, AMBIT_MALFORMED, "http, graphql, secret and credentials belong to connect",
			       "where belongs to tool, and to no other verb");
	if (where_is_none(&b->where))
		terms_format(&b->terms, ret);
	else
		where_format(&b->where, ret);
	return 0;
}
