#include "base/json.h"
#include "core/grant.h"
#include "core/where.h"

static void put_term(struct json *j, const struct terms *t, enum term which)
{
	char value[TERMS_TEXT_MAX];

	term_format(t, which, value);
	if (value[0] != 0)
		json_put_word(json_put_key(j, term_word(which)), value);
}

static void put_text(struct json *j, const struct qualifiers *q, enum qualifier which)
{
	char value[QUALIFIER_VALUE_MAX];

	qualifier_format(q, which, value, sizeof value);
	if (value[0] != 0)
		json_put_word(json_put_key(j, qualifier_word(which)), value);
}

static void put_set(struct json *j, const struct flow_set *s)
{
	json_put_array(j);
	for (uint32_t i = 0; i < s->n; i++)
		json_put_word(j, s->names[i]);
	json_put_array_end(j);
}

static void put_unless(struct json *j, const struct flow *f)
{
	json_put_key(j, "unless");
	if (f->none) {
		json_put_word(j, "none");
		return;
	}
	json_put_array(j);
	for (uint32_t i = 0; i < f->n_unless; i++)
		put_set(j, &f->unless[i]);
	json_put_array_end(j);
}

/* Of a tool; of what else there is, there is none. */
static void put_where(struct json *j, const char *terms)
{
	char value[TERMS_TEXT_MAX];
	struct where w;

	if (terms[0] == 0 || where_take(terms, &w, NULL) < 0)
		return;
	where_value(&w, value);
	json_put_word(json_put_key(j, "where"), value);
}

void qualifiers_put_members(struct json *j, const struct qualifiers *q, const char *terms, const struct flow *f)
{
	struct terms t = { .credentials = TERMS_REFUSE };

	(void)terms_take(terms, &t, NULL); /* else they are of a tool, and it has none */
	if (q->ask != 0)
		json_put_bool(json_put_key(j, "ask"), true);
	else if (f->ask)
		json_put_word(json_put_key(j, "ask"), "labelled");
	put_text(j, q, QUALIFIER_BETWEEN);
	if (q->bytes != 0)
		json_put_count(json_put_key(j, "bytes"), q->bytes);
	put_term(j, &t, TERM_CREDENTIALS);
	if (q->depth != 0)
		json_put_count(json_put_key(j, "depth"), q->depth);
	if (q->ech != 0)
		json_put_bool(json_put_key(j, "ech"), true);
	put_term(j, &t, TERM_GRAPHQL);
	put_term(j, &t, TERM_HTTP);
	if (f->label.n > 0)
		put_set(json_put_key(j, "label"), &f->label);
	put_text(j, q, QUALIFIER_RATE);
	put_term(j, &t, TERM_SECRET);
	if (flow_has_unless(f))
		put_unless(j, f);
	put_text(j, q, QUALIFIER_UNTIL);
	if (q->uses != 0)
		json_put_count(json_put_key(j, "uses"), q->uses);
	put_where(j, terms);
}

void qualifiers_put_json(struct json *j, const struct qualifiers *q, const char *terms, const struct flow *f)
{
	json_put_object(j);
	qualifiers_put_members(j, q, terms, f);
	json_put_object_end(j);
}

void grant_put_conditions_json(struct json *j, const struct grant_set *set, uint32_t id)
{
	struct flow f = { .ask = false };

	(void)flow_take(grant_flow(set, id), &f); /* the set has none that are not */
	qualifiers_put_json(j, &set->grants[id].qualifiers, grant_terms(set, id), &f);
}
