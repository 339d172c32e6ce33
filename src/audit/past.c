#include "audit/past.h"

#include <stdio.h>
#include <string.h>

#include "audit/body.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/conditions.h"

static const char other_form[] = "an entry of it has another form";

void past_begin(struct past *p, const char *event)
{
	p->asked = false;
	p->no = NULL;
	p->home[0] = p->workdir[0] = p->program[0] = p->real[0] = p->command[0] = 0;
	grant_set_init(&p->grants);
	(void)text_copy(p->event, sizeof p->event, event); /* same size */
}

static const char other_grant[] = "it has a grant that this program does not know";

/* ---- before the program ran ---- */

/* Labels in an array, with that between them: behind what stands in out. */
static bool put_labels(struct canonical_value list, char between, struct buf *out)
{
	struct canonical_value item;
	size_t at = 0;
	bool first = true;

	while (canonical_item(list, &at, &item)) {
		char name[FLOW_LABEL_MAX];

		if (!canonical_string(item, name, sizeof name) || !flow_is_name(name))
			return false;
		buf_printf(out, "%s%s", first ? "" : (const char[]){ between, 0 }, name);
		first = false;
	}
	return !first;
}

/* `label` is an array of labels, `unless` one of such arrays. */
static bool take_labels(struct canonical_value value, bool several, char *ret, size_t size)
{
	struct canonical_value item;
	struct buf out;
	size_t at = 0;
	bool good = true;

	buf_init_in(&out, ret, size);
	if (!several)
		good = put_labels(value, ',', &out);
	while (several && good && canonical_item(value, &at, &item)) {
		buf_printf(&out, "%s", out.len > 0 ? "," : "");
		good = put_labels(item, '+', &out);
	}
	return good && buf_cstr(&out) != NULL;
}

/* As a person would write it. */
static bool take_value(const char *word, struct canonical_value value, char *ret, size_t size)
{
	if (value.n > 0 && value.at[0] == '[')
		return take_labels(value, strcmp(word, "unless") == 0, ret, size);
	if (!canonical_string(value, ret, size))
		(void)snprintf(ret, size, "%.*s", (int)(value.n < size ? value.n : 0), (const char *)value.at);
	return true;
}

/* Older entries have none. */
static bool take_conditions(struct canonical_value body, struct conditions *ret)
{
	struct canonical_value all, key, value;
	size_t at = 0;

	memset(ret, 0, sizeof *ret);
	if (!canonical_find(body, "qualifiers", &all))
		return true;
	while (canonical_member(all, &at, &key, &value)) {
		char word[24], text[CONDITION_MAX];

		if (!canonical_string(key, word, sizeof word) || !take_value(word, value, text, sizeof text) ||
		    conditions_set(ret, word, text, NULL) < 0)
			return false;
	}
	return all.n > 0 && all.at[0] == '{';
}

void past_take_grant(struct past *p, const struct entry *entry)
{
	char object[GRANT_OBJECT_MAX], word[24], terms[TERMS_TEXT_MAX], flow[FLOW_TEXT_MAX];
	struct conditions conditions;
	enum grant_verb verb;
	bool optional;
	uint32_t id;

	if (!body_find_word(entry->body, "verb", word, sizeof word) ||
	    !body_find_name(entry->body, "object", object, sizeof object) ||
	    !body_find_bool(entry->body, "optional", &optional)) {
		p->no = other_form;
		return;
	}
	if (!verb_find(word, strlen(word), &verb) || !take_conditions(entry->body, &conditions) ||
	    conditions_terms(&conditions, terms, NULL) < 0) {
		p->no = other_grant;
		return;
	}
	flow_format(&conditions.flow, flow);
	if (grant_add_qualified(&p->grants, verb, object, optional ? GRANT_OPTIONAL : 0, &conditions.qualifiers, terms,
				flow, &id, NULL) < 0) {
		p->no = other_grant;
		return;
	}
	(void)text_copy(p->grant_ids[id], ID_TEXT_MAX, entry->grant); /* same size */
}

static bool take_base(struct past *p, struct canonical_value body)
{
	char word[24];

	if (!body_find_word(body, "base", word, sizeof word))
		return false;
	for (p->base = CELL_BASE_SYSTEM; p->base <= CELL_BASE_HOST; p->base++)
		if (strcmp(spec_base_word(p->base), word) == 0)
			return true;
	return false;
}

void past_take_request(struct past *p, const struct entry *entry)
{
	struct canonical_value v;

	p->asked = true;
	body_command(entry->body, p->command, sizeof p->command);
	if (!canonical_find(entry->body, "home", &v))
		p->no = "its request has no home: an older program wrote it";
	else if (!take_base(p, entry->body) || !body_take_name(v, p->home, sizeof p->home) ||
		 !body_find_name(entry->body, "workdir", p->workdir, sizeof p->workdir) ||
		 !body_find_name(entry->body, "program", p->program, sizeof p->program) ||
		 !body_find_bool(entry->body, "staged", &p->staged) ||
		 (canonical_find(entry->body, "real", &v) && !body_take_name(v, p->real, sizeof p->real)))
		p->no = other_form;
}

/* ---- effects ---- */

static bool find_kind(struct canonical_value body, uint8_t *ret)
{
	char word[24];

	if (!body_find_word(body, "kind", word, sizeof word))
		return false;
	for (*ret = 1; effect_word(*ret) != NULL; (*ret)++)
		if (strcmp(effect_word(*ret), word) == 0)
			return true;
	return false;
}

static bool take_facts(struct canonical_value list, uint32_t *ret)
{
	struct canonical_value item;
	size_t at = 0;

	*ret = 0;
	while (canonical_item(list, &at, &item)) {
		char word[24];
		enum fact f;

		if (!canonical_string(item, word, sizeof word) || !fact_of(word, &f))
			return false;
		*ret |= FACT_BIT(f);
	}
	return true;
}

const char *past_take_effect(const struct entry *entry, struct past_effect *ret)
{
	const struct canonical_value body = entry->body;
	struct canonical_value v, facts;

	ret->proved = body_is(body, "source", "proved") && !body_is(body, "kind", "connect");
	if (ret->proved)
		return NULL;
	if (!canonical_find(body, "facts", &facts) || facts.n == 0 || facts.at[0] != '[')
		return "no facts are with it: an older program wrote it";
	ret->socket[0] = 0;
	if (!body_find_word(body, "verdict", ret->verdict, sizeof ret->verdict) ||
	    !body_find_name(body, "object", ret->object, sizeof ret->object) ||
	    !body_find_bool(body, "base", &ret->base) ||
	    (canonical_find(body, "socket", &v) && !body_take_name(v, ret->socket, sizeof ret->socket)))
		return other_form;
	if (!find_kind(body, &ret->kind) || !take_facts(facts, &ret->facts))
		return "it has a word that this program does not know";
	return NULL;
}

/* ---- deciding once more ---- */

struct decide_ask past_ask(const struct past *p, const struct grant_set *grants, const struct past_effect *f)
{
	const bool is_path = f->kind == EFFECT_CONNECT && strncmp(f->object, "unix /", 6) == 0;

	return (struct decide_ask){ .grants = grants,
				    .home = p->home,
				    .shows_host = p->base == CELL_BASE_HOST,
				    .kind = f->kind,
				    .object = f->object,
				    .socket = !is_path            ? NULL
					      : f->socket[0] != 0 ? f->socket
								  : f->object + 5 };
}

bool past_agrees(const struct past *p, const struct past_effect *f, const char *grant_id, const struct decision *d)
{
	const bool by_grant = d->verdict == EFFECT_ALLOWED && d->base == EFFECT_BASE_NOT && d->grant < p->grants.count;

	return strcmp(effect_verdict_name(d->verdict), f->verdict) == 0 && (d->base != EFFECT_BASE_NOT) == f->base &&
	       strcmp(by_grant ? p->grant_ids[d->grant] : "", grant_id) == 0;
}
