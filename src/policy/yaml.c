#include "policy/yaml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/nearest.h"
#include "base/text.h"
#include "core/where_match.h"
#include "policy/words.h"

#define SHOWN_MAX 80
#define VALUES_MAX (2u * CONDITION_MAX) /* of a list, before it is put in order */
#define PLACES_MAX 1024                 /* all that conditions may have is fewer */
#define KEYS_MAX 32                     /* in one mapping; all verbs and qualifiers together are fewer */

struct reader {
	yaml_parser_t parser;
	yaml_event_t ev; /* the event at hand; owned */
	struct policy *p;
	struct policy_mistake *m;
	struct buf value;     /* owned: of the term, the labels or `where` at hand */
	const uint8_t *bytes; /* of the file */
	size_t n;
	struct {
		bool has_verb;
		enum grant_verb verb;
		struct conditions conditions;
		size_t n_words; /* that stand there beside the verb */
		struct {
			char word[16];
			yaml_mark_t at;
		} words[KEYS_MAX];
	} grant;                  /* at hand */
	struct qualifiers budget; /* likewise */
	uint32_t server;          /* whose `guard` it is; 0: of each */
	size_t n_places;
	struct place {
		size_t at; /* in value */
		yaml_mark_t mark;
	} places[PLACES_MAX]; /* what stands where, of `where` at hand */
};

/* ---- mistakes ---- */

static int mistake_at(struct reader *r, const yaml_mark_t *mark, int rc)
{
	r->m->line = (uint32_t)mark->line + 1; /* below POLICY_FILE_MAX */
	r->m->column = (uint32_t)mark->column + 1;
	return rc;
}

/* Where the byte at `at` stands, as libyaml counts: lines from 1, columns in characters from 1. */
static void locate(const uint8_t *bytes, size_t at, struct policy_mistake *m)
{
	m->line = m->column = 1;
	for (size_t i = 0; i < at; i++) {
		if (bytes[i] == '\n' || (bytes[i] == '\r' && i + 1 < at && bytes[i + 1] != '\n')) {
			m->line++;
			m->column = 1;
		} else if ((bytes[i] & 0xc0) != 0x80 && bytes[i] != '\r') {
			m->column++;
		}
	}
}

static int yaml_failed(struct reader *r)
{
	const yaml_parser_t *y = &r->parser;

	if (y->error == YAML_MEMORY_ERROR)
		return err_set(&r->m->err, AMBIT_MEMORY, NULL, "out of memory");
	if (y->error == YAML_READER_ERROR) /* knows an offset only: a character that YAML excludes */
		locate(r->bytes, y->problem_offset < r->n ? y->problem_offset : r->n, r->m);
	else
		(void)mistake_at(r, &y->problem_mark, 0);
	return err_why(&r->m->err,
		       err_set(&r->m->err, AMBIT_MALFORMED,
			       "look for indentation (spaces, no tabs), quotes and brackets near this place",
			       "this is not YAML"),
		       "%s", y->problem != NULL ? y->problem : "it cannot be read");
}

/* A mistake at the event at hand. */
#define mistake(r, code, hint, ...)                                                                                    \
	mistake_at((r), &(r)->ev.start_mark, err_set(&(r)->m->err, (code), (hint), __VA_ARGS__))

/* ---- events ---- */

static int no_extras(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return mistake(r, AMBIT_MALFORMED, "write the value in each place",
			       "anchors are not allowed in a policy");
	if (tag != NULL)
		return mistake(r, AMBIT_MALFORMED, "leave the tag out; the place says what a value is",
			       "tags are not allowed in a policy");
	return 0;
}

static int check_extras(struct reader *r)
{
	const yaml_event_t *ev = &r->ev;

	if (ev->type == YAML_ALIAS_EVENT)
		return mistake(r, AMBIT_MALFORMED, "write the value in each place",
			       "aliases are not allowed in a policy");
	if (ev->type == YAML_SCALAR_EVENT)
		return no_extras(r, ev->data.scalar.anchor, ev->data.scalar.tag);
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		return no_extras(r, ev->data.sequence_start.anchor, ev->data.sequence_start.tag);
	if (ev->type == YAML_MAPPING_START_EVENT)
		return no_extras(r, ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
	return 0;
}

static int next(struct reader *r)
{
	yaml_event_delete(&r->ev);
	memset(&r->ev, 0, sizeof r->ev);
	if (yaml_parser_parse(&r->parser, &r->ev) == 0)
		return yaml_failed(r);
	return check_extras(r);
}

static bool is_scalar(const struct reader *r)
{
	return r->ev.type == YAML_SCALAR_EVENT;
}

/* The text of the scalar at hand. */
static const char *text_of(const struct reader *r)
{
	return (const char *)r->ev.data.scalar.value;
}

static int check_scalar(struct reader *r, const char *what)
{
	if (!is_scalar(r))
		return mistake(r, AMBIT_MALFORMED, "write one word or one text here", "%s is not a text", what);
	if (memchr(r->ev.data.scalar.value, 0, r->ev.data.scalar.length) != NULL)
		return mistake(r, AMBIT_MALFORMED, "leave it out; no name contains one", "%s contains a NUL", what);
	return 0;
}

static bool is_empty_scalar(const struct reader *r)
{
	return r->ev.data.scalar.length == 0 && r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* ---- mappings ---- */

struct keys {
	char seen[KEYS_MAX][16]; /* longer words are refused as unknown before they come here */
	size_t count;
};

static int seen_once(struct reader *r, struct keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->seen[i], key) == 0)
			return mistake(r, AMBIT_MALFORMED, "keep one of the two", "'%s' stands here twice", key);
	if (keys->count >= KEYS_MAX || !text_copy(keys->seen[keys->count], sizeof keys->seen[0], key))
		return mistake(r, AMBIT_LIMIT, "split it", "too many keys");
	keys->count++;
	return 0;
}

/* Handles one key of a mapping: the key is the event at hand, and afterwards the last event of its value is. */
typedef int key_handler(struct reader *r, struct keys *keys);

/* The mapping at hand, to its end. */
static int each_key(struct reader *r, struct keys *keys, key_handler *handle)
{
	int rc = next(r);

	while (rc == 0 && r->ev.type != YAML_MAPPING_END_EVENT) {
		rc = check_scalar(r, "a key");
		if (rc == 0)
			rc = handle(r, keys);
		if (rc == 0)
			rc = next(r);
	}
	return rc;
}

static int wants_mapping(struct reader *r, const char *what, const char *hint)
{
	if (r->ev.type == YAML_MAPPING_START_EVENT)
		return 0;
	return mistake(r, AMBIT_MALFORMED, hint, "%s", what);
}

/* ---- limits ---- */

static int limit_key(struct reader *r, struct keys *keys)
{
	const yaml_mark_t key_at = r->ev.start_mark;
	struct limits probe = { .value = { 0 } };
	char word[16];
	int rc = 0;

	/* a word that is none is told before its value is looked at */
	if (!text_copy(word, sizeof word, text_of(r)) || limits_set(&probe, word, "none", NULL) < 0)
		rc = mistake_at(r, &key_at, limit_parse(&probe, text_of(r), "none", &r->m->err));
	if (rc == 0)
		rc = seen_once(r, keys, word);
	if (rc == 0)
		rc = next(r);
	if (rc == 0)
		rc = check_scalar(r, "the value of a limit");
	if (rc == 0 && limit_parse(&r->p->limits, word, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	for (enum limit l = 0; rc == 0 && l < LIMIT_COUNT; l++)
		if (strcmp(limit_word(l), word) == 0)
			r->p->limits_given |= 1u << l;
	return rc;
}

static int read_limits(struct reader *r)
{
	struct keys keys = { .count = 0 };
	const int rc = wants_mapping(r, "limits are not a mapping", "write limits: {wall: 30s, memory: 2G}");

	return rc < 0 ? rc : each_key(r, &keys, limit_key);
}

/* ---- budgets ---- */

/* `uses: 100` */
static int number_key(struct reader *r, struct keys *keys)
{
	enum qualifier which;
	int rc;

	if (budget_check_word(text_of(r), &which, &r->m->err) < 0)
		return mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	rc = seen_once(r, keys, qualifier_word(which));
	if (rc == 0)
		rc = next(r);
	if (rc == 0)
		rc = check_scalar(r, "a number of a budget");
	if (rc == 0 && qualifiers_set(&r->budget, which, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int budget_key(struct reader *r, struct keys *keys)
{
	static const char hint[] = "write budgets: {session: {uses: 100, bytes: 10M, rate: 10/s}}";
	struct keys numbers = { .count = 0 };
	enum policy_budget which;
	yaml_mark_t at;
	int rc;

	if (budget_parse(text_of(r), &which, &r->m->err) < 0)
		return mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	rc = seen_once(r, keys, text_of(r));
	if (rc == 0)
		rc = next(r);
	if (rc == 0)
		rc = wants_mapping(r, "a budget is not a mapping", hint);
	at = r->ev.start_mark;
	r->budget = (struct qualifiers){ .uses = 0 };
	if (rc == 0)
		rc = each_key(r, &numbers, number_key);
	if (rc == 0 && numbers.count == 0)
		return mistake_at(r, &at, err_set(&r->m->err, AMBIT_MALFORMED, hint, "a budget without a number"));
	return rc < 0 ? rc : policy_narrow_budget(r->p, which, &r->budget, &r->m->err);
}

static int read_budgets(struct reader *r)
{
	struct keys keys = { .count = 0 };
	const int rc = wants_mapping(r, "budgets are not a mapping", "write budgets: {session: {uses: 100}}");

	return rc < 0 ? rc : each_key(r, &keys, budget_key);
}

/* ---- grants ---- */

static int add_object(struct reader *r, enum grant_verb verb)
{
	const yaml_mark_t *at = &r->ev.start_mark;
	int rc = check_scalar(r, "an object");

	if (rc == 0 && is_empty_scalar(r))
		return mistake(r, AMBIT_MALFORMED, "name what is granted, or leave the line out",
			       "%s: nothing is named", verb_word(verb));
	if (rc == 0 &&
	    policy_add(r->p, verb, text_of(r), (uint32_t)at->line + 1, (uint32_t)at->column + 1, &r->m->err) < 0)
		rc = mistake_at(r, at, -(int)r->m->err.code);
	return rc;
}

static int add_list(struct reader *r, enum grant_verb verb)
{
	const yaml_mark_t start = r->ev.start_mark;
	size_t n = 0;
	int rc = next(r);

	for (; rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT; n++) {
		rc = add_object(r, verb);
		if (rc == 0)
			rc = next(r);
	}
	if (rc == 0 && n == 0)
		return mistake_at(r, &start,
				  err_set(&r->m->err, AMBIT_MALFORMED, "name what is granted, or leave the line out",
					  "%s: nothing is named", verb_word(verb)));
	return rc;
}

/* `jit: true`: a verb that has no object. */
static int add_bare(struct reader *r, enum grant_verb verb)
{
	const yaml_mark_t *at = &r->ev.start_mark;
	int rc = check_scalar(r, "the value");

	if (rc == 0 && !is_empty_scalar(r) && strcmp(text_of(r), "true") != 0)
		return mistake(r, AMBIT_MALFORMED,
			       "write `jit: true`, or leave the line out: what is not granted is not allowed",
			       "%s takes nothing but `true`", verb_word(verb));
	if (rc == 0 && policy_add(r->p, verb, "", (uint32_t)at->line + 1, (uint32_t)at->column + 1, &r->m->err) < 0)
		rc = mistake_at(r, at, -(int)r->m->err.code);
	return rc;
}

/* One of a list: it is looked at by itself, and kept with those before it. */
static int add_value(struct reader *r, enum term which, const char *before)
{
	struct terms alone = { .credentials = TERMS_REFUSE };
	char one[CONDITION_MAX];
	int rc = check_scalar(r, "a part of a qualifier");

	if (rc < 0)
		return rc;
	if (snprintf(one, sizeof one, "%s%s", before, text_of(r)) >= (int)sizeof one)
		return mistake(r, AMBIT_LIMIT, "write it shorter", "%s: an entry is too long", term_word(which));
	if (terms_set(&alone, which, one, &r->m->err) < 0)
		return mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	buf_printf(&r->value, "%s%s", r->value.len > 0 ? ", " : "", one);
	return r->value.failed ? mistake(r, AMBIT_LIMIT, "write fewer, with wildcards", "%s: this is too much",
					 term_word(which))
			       : 0;
}

/* The list at hand. */
static int add_values(struct reader *r, enum term which, const char *before)
{
	int rc = next(r);

	while (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		rc = add_value(r, which, before);
		if (rc == 0)
			rc = next(r);
	}
	return rc;
}

/* What was kept is all of the term, which began at `at`. */
static int set_values(struct reader *r, enum term which, const yaml_mark_t *at)
{
	const char *value = buf_cstr(&r->value);

	if (value == NULL || terms_set(&r->grant.conditions.terms, which, value, &r->m->err) < 0)
		return mistake_at(r, at,
				  value != NULL ? -(int)r->m->err.code
						: err_set(&r->m->err, AMBIT_LIMIT, "write fewer, with wildcards",
							  "%s: this is too much", term_word(which)));
	return 0;
}

/* `http: [GET /repos, POST /x]`, `secret: [a, b as query:key]` */
static int read_list(struct reader *r, enum term which)
{
	const yaml_mark_t at = r->ev.start_mark;
	int rc;

	buf_reset(&r->value);
	rc = add_values(r, which, "");
	return rc < 0 ? rc : set_values(r, which, &at);
}

static int graphql_key(struct reader *r, struct keys *keys)
{
	char before[16];
	int rc;

	if (strcmp(text_of(r), "query") != 0 && strcmp(text_of(r), "mutation") != 0 &&
	    strcmp(text_of(r), "subscription") != 0 && strcmp(text_of(r), "persisted") != 0)
		return mistake(r, AMBIT_UNKNOWN, "write query, mutation, subscription or persisted",
			       "this is not a part of graphql");
	(void)snprintf(before, sizeof before, "%s ", text_of(r)); /* it fits */
	rc = seen_once(r, keys, text_of(r));
	if (rc == 0)
		rc = next(r);
	if (rc < 0)
		return rc;
	return r->ev.type == YAML_SEQUENCE_START_EVENT ? add_values(r, TERM_GRAPHQL, before)
						       : add_value(r, TERM_GRAPHQL, before);
}

/* `graphql: {mutation: [createIssue], query: "*"}` */
static int read_graphql(struct reader *r)
{
	const yaml_mark_t at = r->ev.start_mark;
	struct keys keys = { .count = 0 };
	int rc;

	buf_reset(&r->value);
	rc = each_key(r, &keys, graphql_key);
	return rc < 0 ? rc : set_values(r, TERM_GRAPHQL, &at);
}

/* One of a list of labels. */
static int add_label(struct reader *r, const char *word, char before)
{
	int rc = check_scalar(r, "a label");

	if (rc == 0 && flow_check_name(word, text_of(r), &r->m->err) < 0)
		return mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	if (rc == 0)
		buf_printf(&r->value, "%s%s", (const char[]){ before, 0 }, text_of(r));
	return rc;
}

/* `[private, untrusted]`, with that between them, and that before the first. */
static int add_labels(struct reader *r, const char *word, char before, char between)
{
	const yaml_mark_t at = r->ev.start_mark;
	size_t n = 0;
	int rc = next(r);

	for (; rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT; n++) {
		rc = add_label(r, word, n == 0 ? before : between);
		if (rc == 0)
			rc = next(r);
	}
	if (rc == 0 && n == 0)
		return mistake_at(r, &at,
				  err_set(&r->m->err, AMBIT_MALFORMED, "name a label, such as private",
					  "%s: a list without labels", word));
	return rc;
}

/* `[[private, untrusted], secret]`: where an element is a list, each element is a combination; else all of them are one. */
static int add_combinations(struct reader *r)
{
	static const char word[] = "unless";
	const yaml_mark_t at = r->ev.start_mark;
	bool several = false;
	int rc = next(r);

	while (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		const char before = r->value.len == 0 ? ' ' : '&'; /* to be told below */

		several = several || r->ev.type == YAML_SEQUENCE_START_EVENT;
		rc = r->ev.type == YAML_SEQUENCE_START_EVENT ? add_labels(r, word, before, '+')
							     : add_label(r, word, before);
		if (rc == 0)
			rc = next(r);
	}
	if (rc == 0 && r->value.len == 0)
		return mistake_at(r, &at,
				  err_set(&r->m->err, AMBIT_MALFORMED,
					  "name labels, or write none if no label is to close it",
					  "unless: a list without labels"));
	for (size_t i = 0; i < r->value.len; i++)
		if (r->value.data[i] == '&')
			r->value.data[i] = several ? ',' : '+';
	return rc;
}

static int read_flow(struct reader *r, const char *word)
{
	const yaml_mark_t at = r->ev.start_mark;
	const char *value;
	int rc;

	buf_reset(&r->value);
	rc = strcmp(word, "unless") == 0 ? add_combinations(r) : add_labels(r, word, ' ', ',');
	if (rc < 0)
		return rc;
	value = buf_cstr(&r->value);
	if (value == NULL)
		return mistake_at(r, &at,
				  err_set(&r->m->err, AMBIT_LIMIT, "write fewer", "%s: this is too much", word));
	return conditions_set(&r->grant.conditions, word, value, &r->m->err) < 0
		       ? mistake_at(r, &at, -(int)r->m->err.code)
		       : 0;
}

/* ---- what a tool's arguments have to be: a mapping, as the JSON that it is ---- */

#define WHERE_DEPTH_MAX 3 /* a list of texts in a condition in all of it */
#define SCHEMA_MAX 24     /* a schema says itself how deep it is */

static int note_place(struct reader *r)
{
	if (r->n_places == PLACES_MAX)
		return mistake(r, AMBIT_LIMIT, "write fewer, with stars, or several grants of the tool",
			       "where: this is too much");
	r->places[r->n_places++] = (struct place){ r->value.len, r->ev.start_mark };
	return 0;
}

static void put_json_text(struct buf *out, const char *s)
{
	buf_put_u8(out, '"');
	for (; *s != 0; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c < ' ')
			buf_printf(out, "\\u%04x", c);
		else
			buf_printf(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", *s);
	}
	buf_put_u8(out, '"');
}

/* Without quotes some readers of YAML take it for a number, a time, a truth or a nothing, and others for a text. */
static bool is_ambiguous(const char *s)
{
	static const char *const words[] = { "",   "~",  "true", "false", "null", "yes",
					     "no", "on", "off",  "<<",    "=",    ".nan" };
	const char *digits = s + strspn(s, "+-");

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	if (strcasecmp(digits, ".inf") == 0)
		return true;
	if (digits[0] == '0' && digits[1] != 0 && strchr("xXoObB", digits[1]) != NULL)
		return true;
	digits += *digits == '.';
	return *digits >= '0' && *digits <= '9' && s[strspn(s, "0123456789_.:+-eEtTzZ ")] == 0;
}

/* A word or number of JSON as it is, anything else as a text. */
static int put_scalar(struct reader *r)
{
	int rc = check_scalar(r, "a condition of where");
	const char *s = rc == 0 ? text_of(r) : "";
	const bool is_plain = rc == 0 && r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (rc < 0)
		return rc;
	if (is_plain && (strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || strcmp(s, "null") == 0 ||
			 where_is_number(s, strlen(s))))
		buf_printf(&r->value, "%s", s);
	else if (is_plain && is_ambiguous(s))
		return mistake(
			r, AMBIT_MALFORMED,
			"put it into quotes if it is a text; else write a number, true, false or null as JSON does",
			"where: '%s' is not read alike by all readers of YAML", s);
	else
		put_json_text(&r->value, s);
	return 0;
}

static int put_where(struct reader *r, unsigned depth, unsigned most);

/* The list or mapping at hand, to its end. */
static int put_inner(struct reader *r, unsigned depth, unsigned most)
{
	const bool is_mapping = r->ev.type == YAML_MAPPING_START_EVENT;
	const yaml_event_type_t end = is_mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	unsigned within = most;
	int rc;

	buf_put_u8(&r->value, is_mapping ? '{' : '[');
	rc = next(r);
	for (bool first = true; rc == 0 && r->ev.type != end; first = false) {
		if (!first)
			buf_put_u8(&r->value, ',');
		if (is_mapping) {
			rc = check_scalar(r, "the name of an argument");
			rc = rc < 0 ? rc : note_place(r);
			if (rc < 0)
				return rc;
			put_json_text(&r->value, text_of(r));
			buf_put_u8(&r->value, ':');
			within = depth == 2 && strcmp(text_of(r), "schema") == 0 ? SCHEMA_MAX : most;
			rc = next(r);
		}
		rc = rc < 0 ? rc : put_where(r, depth, within);
		rc = rc < 0 ? rc : next(r);
	}
	rc = rc < 0 ? rc : note_place(r);
	buf_put_u8(&r->value, is_mapping ? '}' : ']');
	return rc;
}

/* What is at hand; afterwards its last event is. */
static int put_where(struct reader *r, unsigned depth, unsigned most)
{
	const int rc = note_place(r);

	if (rc < 0)
		return rc;
	if (r->ev.type != YAML_MAPPING_START_EVENT && r->ev.type != YAML_SEQUENCE_START_EVENT)
		return put_scalar(r);
	if (depth == most)
		return mistake(r, AMBIT_MALFORMED, "an argument within another has a name with dots: options.mode",
			       "where: a condition has no more in it");
	return put_inner(r, depth + 1, most);
}

/* What stood at that byte of the JSON. */
static int where_mistake(struct reader *r, size_t at)
{
	size_t i = r->n_places;

	while (i > 1 && r->places[i - 1].at > at)
		i--;
	return mistake_at(r, &r->places[i - 1].mark, -(int)r->m->err.code);
}

/* `where: {path: "./docs/x", size: {max: 100}}` */
static int read_where(struct reader *r)
{
	const char *value;
	size_t at = 0;
	int rc;

	buf_reset(&r->value);
	r->n_places = 0;
	rc = put_where(r, 0, WHERE_DEPTH_MAX);
	if (rc < 0)
		return rc;
	value = buf_cstr(&r->value);
	if (value == NULL)
		return mistake_at(r, &r->places[0].mark,
				  err_set(&r->m->err, AMBIT_LIMIT,
					  "write fewer, with stars, or several grants of the tool",
					  "where: this is too much"));
	return where_set_at(&r->grant.conditions.where, value, &at, &r->m->err) < 0 ? where_mistake(r, at) : 0;
}

/* `uses: 50`. Which verb it stands beside is known when all keys are read. */
static int read_qualifier(struct reader *r, struct keys *keys)
{
	const yaml_mark_t at = r->ev.start_mark;
	char word[sizeof r->grant.words[0].word];
	enum term which;
	int rc;

	if (qualifier_parse(text_of(r), &r->m->err) < 0)
		return mistake_at(r, &at, -(int)r->m->err.code);
	(void)text_copy(word, sizeof word, text_of(r)); /* it is longer than any of them */
	rc = seen_once(r, keys, word);                  /* as many as there is room for */
	if (rc < 0)
		return rc;
	memcpy(r->grant.words[r->grant.n_words].word, word, sizeof word);
	r->grant.words[r->grant.n_words++].at = at;
	rc = next(r);
	if (rc == 0 && r->ev.type == YAML_SEQUENCE_START_EVENT &&
	    (strcmp(word, "label") == 0 || strcmp(word, "unless") == 0))
		return read_flow(r, word);
	if (rc == 0 && r->ev.type == YAML_SEQUENCE_START_EVENT && term_is(word, &which) &&
	    (which == TERM_HTTP || which == TERM_SECRET))
		return read_list(r, which);
	if (rc == 0 && r->ev.type == YAML_MAPPING_START_EVENT && strcmp(word, term_word(TERM_GRAPHQL)) == 0)
		return read_graphql(r);
	if (rc == 0 && r->ev.type == YAML_MAPPING_START_EVENT && strcmp(word, "where") == 0)
		return read_where(r);
	if (rc == 0)
		rc = check_scalar(r, "the value of a qualifier");
	if (rc == 0 && conditions_set(&r->grant.conditions, word, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int grant_key(struct reader *r, struct keys *keys)
{
	enum grant_verb verb;
	int rc;

	if (!verb_find(text_of(r), r->ev.data.scalar.length, &verb))
		return read_qualifier(r, keys);
	if (verb_parse(text_of(r), &verb, &r->m->err) < 0)
		return mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	if (r->grant.has_verb && r->grant.verb != verb)
		return mistake(r, AMBIT_MALFORMED, "begin a new line with `- ` for each verb",
			       "a grant has one verb: '%s' and '%s' are two", verb_word(r->grant.verb), text_of(r));
	r->grant.has_verb = true;
	r->grant.verb = verb;
	rc = seen_once(r, keys, text_of(r));
	if (rc == 0)
		rc = next(r);
	if (rc < 0)
		return rc;
	if (verb_object(verb) == OBJECT_NONE)
		return add_bare(r, verb);
	return r->ev.type == YAML_SEQUENCE_START_EVENT ? add_list(r, verb) : add_object(r, verb);
}

static int qualify(struct reader *r, uint32_t first)
{
	uint32_t i;

	if (policy_qualify(r->p, first, &r->grant.conditions, &i, &r->m->err) == 0)
		return 0;
	r->m->line = r->p->lines[i].line;
	r->m->column = r->p->lines[i].column;
	return -(int)r->m->err.code;
}

static int read_grant(struct reader *r)
{
	const yaml_mark_t start = r->ev.start_mark;
	const uint32_t before = r->p->n_lines;
	struct keys keys = { .count = 0 };
	int rc = wants_mapping(r, "a grant is not a mapping",
			       "write `- read: /srv/data`: a verb, a colon, a blank, an object");

	memset(&r->grant, 0, sizeof r->grant);
	if (rc == 0)
		rc = each_key(r, &keys, grant_key);
	if (rc == 0 && !r->grant.has_verb)
		return mistake_at(
			r, &start,
			err_set(&r->m->err, AMBIT_MALFORMED, "write `- read: /srv/data`", "a grant without a verb"));
	for (size_t i = 0; i < r->grant.n_words && rc == 0; i++)
		if (qualifier_check_verb(r->grant.words[i].word, r->grant.verb, &r->m->err) < 0)
			return mistake_at(r, &r->grant.words[i].at, -(int)r->m->err.code);
	return rc < 0 ? rc : qualify(r, before);
}

static int read_list_of_grants(struct reader *r, const char *hint, const char *what)
{
	int rc;

	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return mistake(r, AMBIT_MALFORMED, hint, "%s not a list", what);
	rc = next(r);
	while (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		rc = read_grant(r);
		if (rc == 0)
			rc = next(r);
	}
	return rc;
}

static int read_grants(struct reader *r)
{
	return read_list_of_grants(r, "write each grant on a line of its own after `- `; for none: grants: []",
				   "grants are");
}

static int read_guard(struct reader *r)
{
	const uint32_t before = r->p->n_lines;
	int rc = read_list_of_grants(r, "write each grant on a line of its own after `- `; for none: guard: []",
				     "guard is");
	uint32_t i;

	if (rc == 0 && policy_put_guard(r->p, before, r->server, &i, &r->m->err) < 0) {
		r->m->line = r->p->lines[i].line;
		r->m->column = r->p->lines[i].column;
		rc = -(int)r->m->err.code;
	}
	return rc;
}

/* ---- servers ---- */

static int read_command(struct reader *r)
{
	static const char hint[] = "write command: [npx, -y, server-filesystem, .]";
	int rc;

	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return mistake(r, AMBIT_MALFORMED, hint, "a command is not a list of words");
	rc = next(r);
	while (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		rc = check_scalar(r, "a word of a command");
		if (rc == 0 && policy_add_word(r->p, text_of(r), &r->m->err) < 0)
			rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
		if (rc == 0)
			rc = next(r);
	}
	return rc;
}

static int server_key(struct reader *r, struct keys *keys)
{
	const bool is_command = strcmp(text_of(r), "command") == 0;
	int rc;

	if (!is_command && strcmp(text_of(r), "guard") != 0)
		return mistake(r, AMBIT_UNKNOWN, "a server has command and guard", "this is not a part of a server");
	rc = seen_once(r, keys, text_of(r));
	if (rc == 0)
		rc = next(r);
	return rc < 0 ? rc : is_command ? read_command(r) : read_guard(r);
}

/* `fs: {command: [...], guard: [...]}` */
static int read_server(struct reader *r, struct keys *names)
{
	const yaml_mark_t at = r->ev.start_mark;
	struct keys keys = { .count = 0 };
	int rc;

	(void)names; /* they look like none of the others: the policy sees to that */
	if (policy_add_server(r->p, text_of(r), &r->m->err) < 0)
		return mistake_at(r, &at, -(int)r->m->err.code);
	r->server = r->p->n_servers;
	rc = next(r);
	if (rc == 0)
		rc = wants_mapping(r, "a server is not a mapping", "write fs: {command: [...], guard: [...]}");
	if (rc == 0)
		rc = each_key(r, &keys, server_key);
	if (rc == 0 && r->p->servers[r->server - 1].n_words == 0)
		return mistake_at(r, &at,
				  err_set(&r->m->err, AMBIT_MALFORMED, "write command: [npx, -y, server-filesystem, .]",
					  "a server without a command"));
	r->server = 0;
	return rc;
}

static int read_servers(struct reader *r)
{
	struct keys names = { .count = 0 };
	const int rc = wants_mapping(r, "servers are not a mapping", "write servers: {fs: {command: [...]}}");

	return rc < 0 ? rc : each_key(r, &names, read_server);
}

/* ---- the document ---- */

static int read_version(struct reader *r)
{
	const int rc = check_scalar(r, "the version");
	char shown[SHOWN_MAX];

	if (rc < 0 || (strcmp(text_of(r), "1") == 0 && r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE))
		return rc;
	text_escape(shown, sizeof shown, text_of(r), r->ev.data.scalar.length);
	if (strcmp(text_of(r), "1") == 0)
		return mistake(r, AMBIT_UNAVAILABLE, "leave the quotes out: version: 1",
			       "the version is a text in quotes, not a number");
	return mistake(r, AMBIT_UNAVAILABLE, "write version: 1", "version '%s' of policies is not known to this build",
		       shown);
}

static int read_agent(struct reader *r)
{
	int rc = check_scalar(r, "the agent");

	if (rc == 0 && policy_set_agent(r->p, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int read_way(struct reader *r, const char *section,
		    int (*set)(struct policy *p, const char *word, struct err *e))
{
	int rc = check_scalar(r, section);

	if (rc == 0 && set(r->p, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int read_profile(struct reader *r)
{
	return read_way(r, "profile", policy_set_profile);
}

static int read_canary(struct reader *r)
{
	return read_way(r, "canary", policy_set_canary);
}

static int read_warm_line(struct reader *r)
{
	int rc = check_scalar(r, "a line of warm");

	if (rc == 0 && policy_add_warm(r->p, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

/* One, or a list of them. */
static int one_or_more(struct reader *r, int (*read)(struct reader *r))
{
	int rc;

	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return read(r);
	rc = next(r);
	while (rc == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		rc = read(r);
		if (rc == 0)
			rc = next(r);
	}
	return rc;
}

static int read_warm(struct reader *r)
{
	return one_or_more(r, read_warm_line);
}

/* ---- answers ---- */

static const char answers_hint[] = "write answers: {secret: [tokens, 'ACME-[0-9]{8}'], bytes: 256K}";

static int read_secret(struct reader *r)
{
	int rc = check_scalar(r, "what is secret");

	if (rc == 0 && policy_add_secret(r->p, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int read_answer_bytes(struct reader *r)
{
	int rc = check_scalar(r, "the length of answers");

	if (rc == 0 && policy_limit_answers(r->p, text_of(r), &r->m->err) < 0)
		rc = mistake_at(r, &r->ev.start_mark, -(int)r->m->err.code);
	return rc;
}

static int answers_key(struct reader *r, struct keys *keys)
{
	const bool is_secret = strcmp(text_of(r), "secret") == 0;
	char shown[SHOWN_MAX];
	int rc;

	text_escape(shown, sizeof shown, text_of(r), r->ev.data.scalar.length);
	if (!is_secret && strcmp(text_of(r), "bytes") != 0)
		return mistake(r, AMBIT_UNKNOWN, answers_hint, "'%s' is nothing that answers have", shown);
	rc = seen_once(r, keys, text_of(r));
	if (rc == 0)
		rc = next(r);
	if (rc < 0)
		return rc;
	return is_secret ? one_or_more(r, read_secret) : read_answer_bytes(r);
}

static int read_answers(struct reader *r)
{
	struct keys keys = { .count = 0 };
	const int rc = wants_mapping(r, "answers are not a mapping", answers_hint);

	return rc < 0 ? rc : each_key(r, &keys, answers_key);
}

static const struct {
	const char *word;
	int (*read)(struct reader *r);
} sections[] = {
	{ "version", read_version }, { "agent", read_agent },     { "grants", read_grants },
	{ "limits", read_limits },   { "warm", read_warm },       { "budgets", read_budgets },
	{ "guard", read_guard },     { "servers", read_servers }, { "answers", read_answers },
	{ "profile", read_profile }, { "canary", read_canary },
};

#define SECTIONS (sizeof sections / sizeof sections[0])

static int unknown_section(struct reader *r)
{
	const char *words[SECTIONS], *meant;
	char shown[SHOWN_MAX], hint[NEAREST_HINT_MAX];
	enum grant_verb verb;

	for (size_t i = 0; i < SECTIONS; i++)
		words[i] = sections[i].word;
	meant = word_nearest(text_of(r), words, SECTIONS);
	text_escape(shown, sizeof shown, text_of(r), r->ev.data.scalar.length);
	if (meant == NULL && verb_find(text_of(r), r->ev.data.scalar.length, &verb))
		return mistake(r, AMBIT_UNKNOWN, "put it into the list under grants:, after `- `",
			       "the grant '%s' stands outside grants", shown);
	return mistake(
		r, AMBIT_UNKNOWN,
		nearest_hint(
			hint, "", meant,
			"a policy has version, agent, grants, limits, budgets, guard, servers, answers, warm, profile and canary"),
		"'%s' is not a part of a policy", shown);
}

static int section_key(struct reader *r, struct keys *keys)
{
	for (size_t i = 0; i < SECTIONS; i++) {
		int rc;

		if (strcmp(sections[i].word, text_of(r)) != 0)
			continue;
		rc = seen_once(r, keys, sections[i].word);
		if (rc == 0)
			rc = next(r);
		return rc < 0 ? rc : sections[i].read(r);
	}
	return unknown_section(r);
}

static bool has_key(const struct keys *keys, const char *word)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->seen[i], word) == 0)
			return true;
	return false;
}

static int read_root(struct reader *r)
{
	const yaml_mark_t start = r->ev.start_mark;
	struct keys keys = { .count = 0 };
	int rc = wants_mapping(r, "a policy is not a mapping", "begin with the line version: 1");

	if (rc == 0)
		rc = each_key(r, &keys, section_key);
	if (rc == 0 && !has_key(&keys, "version"))
		return mistake_at(r, &start,
				  err_set(&r->m->err, AMBIT_MALFORMED, "begin with the line version: 1",
					  "the version is missing"));
	return rc;
}

static int read_start(struct reader *r)
{
	int rc = next(r); /* the stream's start */

	if (rc == 0)
		rc = next(r);
	if (rc == 0 && r->ev.type != YAML_DOCUMENT_START_EVENT)
		return mistake(r, AMBIT_MALFORMED, "begin with the line version: 1", "the policy is empty");
	if (rc == 0 && (r->ev.data.document_start.version_directive != NULL ||
			r->ev.data.document_start.tag_directives.start != r->ev.data.document_start.tag_directives.end))
		return mistake(r, AMBIT_MALFORMED, "leave the lines that begin with % out",
			       "directives are not allowed in a policy");
	return rc < 0 ? rc : next(r);
}

static int read_stream(struct reader *r)
{
	int rc = read_start(r);

	if (rc == 0)
		rc = read_root(r);
	if (rc == 0)
		rc = next(r); /* the document's end */
	if (rc == 0)
		rc = next(r);
	if (rc == 0 && r->ev.type != YAML_STREAM_END_EVENT)
		return mistake(r, AMBIT_MALFORMED, "keep one policy in one file",
			       "something stands after the end of the policy");
	return rc;
}

/* ---- the bytes ---- */

/* Characters that a reviewer does not see, or that move what he sees: marks of direction and line breaks that editors
 * do not show. In a double-quoted text they can be written as escapes. */
static bool is_hidden(const uint8_t *s, size_t n)
{
	if (n >= 2 && s[0] == 0xc2 && s[1] == 0x85) /* U+0085 */
		return true;
	if (n >= 2 && s[0] == 0xd8 && s[1] == 0x9c) /* U+061C */
		return true;
	if (n < 3 || s[0] != 0xe2)
		return false;
	if (s[1] == 0x80) /* U+200B..U+200F, U+2028..U+202E; the joiners U+200C and U+200D are letters to some */
		return s[2] == 0x8b || s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
	return s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xa9; /* U+2060..U+2069 */
}

static int bad_byte(const uint8_t *bytes, size_t at, struct policy_mistake *m, const char *hint, const char *what)
{
	locate(bytes, at, m);
	return err_set(&m->err, AMBIT_MALFORMED, hint, "byte %zu: %s", at, what);
}

static int check_bytes(const uint8_t *bytes, size_t n, struct policy_mistake *m)
{
	size_t at;

	if (n > POLICY_FILE_MAX)
		return err_set(&m->err, AMBIT_LIMIT, "a policy that a person can review is far smaller",
			       "the policy has more than %u bytes", POLICY_FILE_MAX);
	if (!text_is_utf8(bytes, n, &at))
		return bad_byte(bytes, at, m, "save the file as UTF-8", "this is not UTF-8");
	for (at = 0; at < n; at++) {
		if (bytes[at] == 0)
			return bad_byte(bytes, at, m, "leave it out", "a NUL");
		if ((bytes[at] < 0x20 && strchr("\t\n\r", bytes[at]) == NULL) || bytes[at] == 0x7f)
			return bad_byte(bytes, at, m, "leave it out, or write it as an escape in double quotes",
					"a control character");
		if (is_hidden(bytes + at, n - at))
			return bad_byte(bytes, at, m, "leave it out, or write it as an escape in double quotes",
					"a character that cannot be seen");
	}
	return 0;
}

int policy_parse_yaml(const void *bytes, size_t n, struct policy *ret, struct policy_mistake *ret_mistake)
{
	struct reader r = { .p = ret, .m = ret_mistake, .bytes = bytes, .n = n };
	int rc;

	memset(ret, 0, sizeof *ret);
	memset(ret_mistake, 0, sizeof *ret_mistake);
	rc = check_bytes(bytes, n, ret_mistake);
	if (rc < 0)
		return rc;
	if (yaml_parser_initialize(&r.parser) == 0)
		return err_set(&ret_mistake->err, AMBIT_MEMORY, NULL, "out of memory");
	buf_init(&r.value, VALUES_MAX);
	yaml_parser_set_input_string(&r.parser, bytes, n);
	rc = read_stream(&r);
	buf_finish(&r.value);
	yaml_event_delete(&r.ev);
	yaml_parser_delete(&r.parser);
	return rc;
}
