#include "core/conditions.h"

bool condition_is(const char *word)
{
	enum qualifier q;
	enum term t;

	return qualifier_is(word, &q) || term_is(word, &t);
}

bool conditions_have(const struct conditions *b, const char *word)
{
	enum qualifier q;
	enum term t;

	if (qualifier_is(word, &q))
		return qualifiers_has(&b->qualifiers, q);
	return term_is(word, &t) && terms_has(&b->terms, t);
}

int conditions_set(struct conditions *b, const char *word, const char *value, struct err *e)
{
	enum qualifier q;
	enum term t;

	if (qualifier_is(word, &q))
		return qualifiers_set(&b->qualifiers, q, value, e);
	if (term_is(word, &t))
		return terms_set(&b->terms, t, value, e);
	return err_set(e, AMBIT_UNKNOWN, NULL, "there is no such qualifier");
}

bool conditions_are_none(const struct conditions *b)
{
	return qualifiers_are_none(&b->qualifiers) && terms_are_none(&b->terms);
}
