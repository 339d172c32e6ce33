#include "core/where_schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "core/where_match.h"

#define NUMBERS (SCHEMA_NUMBER | SCHEMA_INTEGER)
#define ANY UINT32_MAX /* of the greatest number: none */

static const struct {
	const char *word;
	uint8_t type;
} types[] = { { "array", SCHEMA_ARRAY },   { "boolean", SCHEMA_BOOLEAN }, { "integer", SCHEMA_INTEGER },
	      { "number", SCHEMA_NUMBER }, { "object", SCHEMA_OBJECT },   { "string", SCHEMA_STRING } };

/* ---- reading ---- */

struct reading {
	const char *text;
	size_t n, at;
	struct schema *s;
	const char *why, *hint;
};

static bool wrong(struct reading *r, size_t at, const char *why, const char *hint)
{
	r->at = at;
	r->why = why;
	r->hint = hint;
	return false;
}

static char peek(struct reading *r)
{
	while (r->at < r->n && strchr(" \t\r\n", r->text[r->at]) != NULL)
		r->at++;
	return r->at < r->n ? r->text[r->at] : 0;
}

static bool take(struct reading *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool too_much(struct reading *r)
{
	return wrong(r, r->at, "is more than a schema has room for", "write fewer, or several grants of the tool");
}

static bool read_text(struct reading *r, uint16_t *ret)
{
	struct schema *s = r->s;
	size_t at = (peek(r), r->at), length;

	if (!where_read_text(r->text, r->n, &at, s->text + s->used, sizeof s->text - s->used))
		return wrong(r, at, "is not where a text in \" goes on", "write JSON");
	length = strlen(s->text + s->used) + 1;
	*ret = s->used;
	s->used = (uint16_t)(s->used + length);
	r->at = at;
	return true;
}

/* What is no text, list or object. */
static size_t word_length(struct reading *r)
{
	size_t n = 0;

	(void)peek(r);
	while (r->at + n < r->n && strchr(" \t\r\n,:[]{}\"", r->text[r->at + n]) == NULL)
		n++;
	return n;
}

static bool keep_word(struct reading *r, uint16_t *ret)
{
	struct schema *s = r->s;
	const size_t n = word_length(r);

	if (n >= sizeof s->text - s->used)
		return too_much(r);
	*ret = s->used;
	memcpy(s->text + s->used, r->text + r->at, n);
	s->text[s->used + n] = 0;
	s->used = (uint16_t)(s->used + n + 1);
	r->at += n;
	return true;
}

static bool add_value(struct reading *r, enum where_kind kind, uint16_t text, uint16_t *ret)
{
	struct schema *s = r->s;

	if (s->n_values == SCHEMA_VALUES_MAX)
		return too_much(r);
	*ret = s->n_values++;
	s->values[*ret] = (struct schema_value){ .kind = (uint8_t)kind, .text = text };
	return true;
}

static int compare_values(const struct schema *s, const struct schema_value *a, const struct schema_value *b)
{
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(s->text + a->text, s->text + b->text);
}

/* The values from `first` on, of which the last was just added: in order, each once. */
static void put_in_order(struct schema *s, uint16_t first)
{
	const struct schema_value v = s->values[s->n_values - 1];
	uint16_t at = (uint16_t)(s->n_values - 1);

	for (uint16_t i = first; i + 1 < s->n_values; i++)
		if (compare_values(s, &s->values[i], &v) == 0) {
			s->n_values--;
			return;
		}
	while (at > first && compare_values(s, &s->values[at - 1], &v) > 0) {
		s->values[at] = s->values[at - 1];
		at--;
	}
	s->values[at] = v;
}

static bool read_scalar(struct reading *r, uint16_t *ret)
{
	const size_t begun = (peek(r), r->at);
	enum where_kind kind = WHERE_TEXT;
	uint16_t text;

	if (peek(r) == '"')
		return read_text(r, &text) && add_value(r, WHERE_TEXT, text, ret);
	if (!keep_word(r, &text))
		return false;
	if (strcmp(r->s->text + text, "true") == 0 || strcmp(r->s->text + text, "false") == 0)
		kind = WHERE_BOOL;
	else if (where_is_number(r->s->text + text, strlen(r->s->text + text)))
		kind = WHERE_NUMBER;
	else
		return wrong(r, begun, "is neither a text nor a number, true or false",
			     "an argument that is a list, an object or null cannot be compared");
	return add_value(r, kind, text, ret);
}

static bool read_values(struct reading *r, bool texts, uint16_t *ret_first, uint8_t *ret_n)
{
	const uint16_t first = r->s->n_values;
	uint16_t at;

	if (!take(r, '['))
		return wrong(r, r->at, "is not where a list begins", "write [\"a\", \"b\"]");
	do {
		const size_t begun = (peek(r), r->at);

		if (!read_scalar(r, &at))
			return false;
		if (texts && r->s->values[at].kind != WHERE_TEXT)
			return wrong(r, begun, "is no name", "write names of arguments, in \"");
		put_in_order(r->s, first);
	} while (take(r, ','));
	*ret_first = first;
	*ret_n = (uint8_t)(r->s->n_values - first); /* SCHEMA_VALUES_MAX at most */
	return take(r, ']') || wrong(r, r->at, "is not where a list goes on", "write a comma, or ] behind the last");
}
_Static_assert(SCHEMA_VALUES_MAX < 256, "counted so");

static bool read_number(struct reading *r, uint16_t *ret)
{
	const size_t begun = (peek(r), r->at);

	return keep_word(r, ret) &&
	       (where_is_normal_number(r->s->text + *ret) ||
		wrong(r, begun, "is not where a bound begins", "write it in digits, such as -3 or 0.25"));
}

static bool read_count(struct reading *r, uint32_t *ret)
{
	const size_t begun = (peek(r), r->at);
	uint16_t at;

	if (!keep_word(r, &at))
		return false;
	r->s->used = at;
	return (parse_u32(r->s->text + at, 0, WHERE_LENGTH_MAX, ret) &&
		(r->s->text[at] != '0' || r->s->text[at + 1] == 0)) ||
	       wrong(r, begun, "is not where a number of them begins", "write it in digits");
}

/* Between ^ and $, so that it means the same to whoever looks for it anywhere in a text. */
static bool is_anchored(const char *text)
{
	const size_t n = strlen(text);
	unsigned depth = 0;
	bool in_set = false;
	size_t at;

	if (n < 3 || text[0] != '^' || text[n - 1] != '$')
		return false;
	for (at = 1; at + 1 < n; at++) {
		if (text[at] == '\\')
			at++;
		else if (in_set)
			in_set = text[at] != ']';
		else if (text[at] == '[')
			in_set = true;
		else if (text[at] == '(')
			depth++;
		else if (text[at] == ')')
			depth -= depth > 0;
		else if (text[at] == '|' && depth == 0)
			return false;
	}
	return at + 1 == n; /* that $ means itself where a \ stands before it */
}

static bool read_pattern(struct reading *r, uint16_t *ret)
{
	const size_t begun = (peek(r), r->at);
	const char *text;
	struct match m;

	if (!read_text(r, ret))
		return false;
	text = r->s->text + *ret;
	if (!is_anchored(text))
		return wrong(r, begun, "is not where an expression between ^ and $ begins",
			     "write ^ and $ around all of it, and several in brackets: ^(a|b)$");
	return match_compile(text + 1, strlen(text) - 2, &m, NULL) == 0 ||
	       wrong(r, begun, "is not where an expression begins",
		     "see `where` in man ambit.yaml: . [a-z] \\d ( ) | * + ? {n,m}");
}

static bool read_type(struct reading *r, uint8_t *ret)
{
	const uint16_t values = r->s->n_values, used = r->s->used;
	const size_t begun = (peek(r), r->at);
	uint16_t first;
	uint8_t n = 1;

	if (peek(r) == '[' ? !read_values(r, true, &first, &n) : !read_scalar(r, &first))
		return false;
	for (uint8_t i = 0; i < n; i++) {
		const struct schema_value *v = &r->s->values[first + i];
		size_t k = 0;

		while (k < sizeof types / sizeof types[0] &&
		       (v->kind != WHERE_TEXT || strcmp(types[k].word, r->s->text + v->text) != 0))
			k++;
		if (k == sizeof types / sizeof types[0])
			return wrong(
				r, begun, "is no type that an argument is seen to have",
				"string, number, integer, boolean, object, or array alone: null is as if it were not given");
		*ret |= types[k].type;
	}
	r->s->n_values = values;
	r->s->used = used;
	return (*ret & SCHEMA_ARRAY) == 0 || *ret == SCHEMA_ARRAY ||
	       wrong(r, begun, "is a list with array in it",
		     "an array is not told from what is in it: write array alone");
}

static uint8_t read_node(struct reading *r, unsigned depth, bool counts);

static bool read_properties(struct reading *r, uint8_t *ret, unsigned depth)
{
	struct schema *s = r->s;

	if (!take(r, '{'))
		return wrong(r, r->at, "is not the { of properties", "write {\"name\": {\"type\": \"string\"}}");
	if (take(r, '}'))
		return true;
	do {
		const size_t begun = (peek(r), r->at);
		uint8_t *at = ret, node;
		uint16_t name;

		if (!read_text(r, &name))
			return false;
		if (!take(r, ':'))
			return wrong(r, r->at, "is not the colon behind a name", "write a colon");
		node = read_node(r, depth, true);
		if (node == 0)
			return false;
		s->nodes[node].name = name;
		while (*at != 0 && strcmp(s->text + s->nodes[*at].name, s->text + name) < 0)
			at = &s->nodes[*at].next;
		if (*at != 0 && strcmp(s->text + s->nodes[*at].name, s->text + name) == 0)
			return wrong(r, begun, "begins what was said before", "say it once");
		s->nodes[node].next = *at;
		*at = node;
	} while (take(r, ','));
	return take(r, '}') || wrong(r, r->at, "is not where an object goes on", "write a comma, or } behind the last");
}

static bool read_nodes(struct reading *r, uint8_t *ret, unsigned depth)
{
	if (!take(r, '['))
		return wrong(r, r->at, "is not where a list of schemas begins", "write [{..}, {..}]");
	do {
		*ret = read_node(r, depth, false);
		if (*ret == 0)
			return false;
		ret = &r->s->nodes[*ret].next;
	} while (take(r, ','));
	return take(r, ']') || wrong(r, r->at, "is not where a list goes on", "write a comma, or ] behind the last");
}

static bool read_one(struct reading *r, uint8_t *ret, unsigned depth)
{
	*ret = read_node(r, depth, false);
	return *ret != 0;
}

static bool read_closed(struct reading *r, bool *ret)
{
	const size_t n = word_length(r);

	*ret = n == 5 && memcmp(r->text + r->at, "false", 5) == 0;
	if (!*ret)
		return wrong(r, r->at, "is not false", "leave it out, or write \"additionalProperties\": false");
	r->at += n;
	return true;
}

static bool read_const(struct reading *r, struct schema_node *n)
{
	n->has_enum = true;
	n->n_enum = 1;
	return read_scalar(r, &n->enums);
}

static bool read_enum(struct reading *r, struct schema_node *n)
{
	n->has_enum = true;
	return read_values(r, false, &n->enums, &n->n_enum);
}

enum keyword {
	ADDITIONAL,
	ALL_OF,
	ANY_OF,
	CONST,
	ENUM,
	EXCLUSIVE_MAXIMUM,
	EXCLUSIVE_MINIMUM,
	ITEMS,
	MAX_ITEMS,
	MAX_LENGTH,
	MAXIMUM,
	MIN_ITEMS,
	MIN_LENGTH,
	MINIMUM,
	NOT,
	PATTERN,
	PROPERTIES,
	REQUIRED,
	TYPE,
	KEYWORDS
};

static const char *const keywords[KEYWORDS] = {
	"additionalProperties",
	"allOf",
	"anyOf",
	"const",
	"enum",
	"exclusiveMaximum",
	"exclusiveMinimum",
	"items",
	"maxItems",
	"maxLength",
	"maximum",
	"minItems",
	"minLength",
	"minimum",
	"not",
	"pattern",
	"properties",
	"required",
	"type",
};

static bool read_keyword(struct reading *r, enum keyword k, struct schema_node *n, unsigned depth)
{
	switch (k) {
	case ADDITIONAL: return read_closed(r, &n->closed);
	case ALL_OF: return read_nodes(r, &n->all_of, depth);
	case ANY_OF: return read_nodes(r, &n->any_of, depth);
	case CONST: return read_const(r, n);
	case ENUM: return read_enum(r, n);
	case EXCLUSIVE_MAXIMUM: return read_number(r, &n->below);
	case EXCLUSIVE_MINIMUM: return read_number(r, &n->above);
	case ITEMS: return read_one(r, &n->items, depth);
	case MAX_ITEMS: return read_count(r, &n->max_items);
	case MAX_LENGTH: return read_count(r, &n->max_length);
	case MAXIMUM: return read_number(r, &n->maximum);
	case MIN_ITEMS: return read_count(r, &n->min_items);
	case MIN_LENGTH: return read_count(r, &n->min_length);
	case MINIMUM: return read_number(r, &n->minimum);
	case NOT: return read_one(r, &n->not_of, depth);
	case PATTERN: return read_pattern(r, &n->pattern);
	case PROPERTIES: return read_properties(r, &n->properties, depth);
	case REQUIRED: return read_values(r, true, &n->required, &n->n_required);
	case TYPE: return read_type(r, &n->types);
	case KEYWORDS: break;
	}
	return false;
}

static bool take_keyword(struct reading *r, uint32_t *seen, enum keyword *ret)
{
	const size_t begun = (peek(r), r->at);
	const uint16_t used = r->s->used;
	uint16_t word;
	size_t k = 0;

	if (!read_text(r, &word))
		return false;
	r->s->used = used;
	while (k < KEYWORDS && strcmp(keywords[k], r->s->text + word) != 0)
		k++;
	if (k == KEYWORDS)
		return wrong(r, begun, "begins a keyword that arguments cannot be held against",
			     "see `schema` in man ambit.yaml for those that can");
	if ((*seen >> k & 1) != 0 || (k == CONST && (*seen >> ENUM & 1) != 0) ||
	    (k == ENUM && (*seen >> CONST & 1) != 0))
		return wrong(r, begun, "begins what was said before", "say it once");
	*seen |= UINT32_C(1) << k;
	*ret = (enum keyword)k;
	return take(r, ':') || wrong(r, r->at, "is not the colon behind a keyword", "write a colon");
}

/* Of an array only what is in it, and how many; and that of nothing else. */
static bool check_array(struct reading *r, uint32_t seen, const struct schema_node *n, size_t begun, bool counts)
{
	const uint32_t of_arrays = 1u << ITEMS | 1u << MAX_ITEMS | 1u << MIN_ITEMS;

	if (n->types == SCHEMA_ARRAY && !counts)
		return wrong(r, begun, "begins a schema of an array within items, anyOf, allOf or not",
			     "an array is not told from what is in it");
	if (n->types == SCHEMA_ARRAY ? (seen & ~(of_arrays | 1u << TYPE)) != 0 : (seen & of_arrays) != 0)
		return wrong(r, begun, "begins a schema that is of an array and of what is in it",
			     "write {\"type\": \"array\", \"items\": {..}}, and the rest within items");
	return true;
}

/* 0: it is wrong. */
static uint8_t read_node(struct reading *r, unsigned depth, bool counts)
{
	struct schema *s = r->s;
	const uint8_t node = s->n;
	const size_t begun = (peek(r), r->at);
	uint32_t seen = 0;
	enum keyword k;

	if (node == SCHEMA_NODES_MAX || depth == SCHEMA_DEPTH_MAX)
		return too_much(r);
	s->n++;
	s->nodes[node] = (struct schema_node){ .max_length = ANY, .max_items = ANY };
	if (!take(r, '{'))
		return wrong(r, r->at, "is not the { of a schema", "write {\"type\": \"string\"}");
	if (take(r, '}'))
		return node;
	do {
		struct schema_node *n = &s->nodes[node];

		if (!take_keyword(r, &seen, &k) || !read_keyword(r, k, n, depth + 1))
			return 0;
	} while (take(r, ','));
	if (!take(r, '}'))
		return wrong(r, r->at, "is not where a schema goes on", "write a comma, or } behind the last");
	return check_array(r, seen, &s->nodes[node], begun, counts) ? node : 0;
}

bool schema_read(const char *text, size_t n, size_t *at, struct schema *ret, const char **why, const char **hint)
{
	struct reading r = { .text = text, .n = n, .at = *at, .s = ret };
	bool good;

	*ret = (struct schema){ .n = 1, .n_values = 1, .used = 1 }; /* 0 is none */
	good = read_node(&r, 0, true) != 0;
	*at = r.at;
	*why = r.why;
	*hint = r.hint;
	return good;
}

/* ---- writing ---- */

static void put_key(struct buf *out, enum keyword k, char *between)
{
	buf_printf(out, "%c\"%s\":", *between, keywords[k]);
	*between = ',';
}

static void put_value(const struct schema *s, struct buf *out, const struct schema_value *v)
{
	if (v->kind == WHERE_TEXT)
		where_write_text(out, s->text + v->text);
	else
		buf_printf(out, "%s", s->text + v->text);
}

static void put_values(const struct schema *s, struct buf *out, uint16_t first, uint8_t n)
{
	for (uint8_t i = 0; i < n; i++) {
		buf_put_u8(out, i == 0 ? '[' : ',');
		put_value(s, out, &s->values[first + i]);
	}
	buf_put_u8(out, ']');
}

static void put_bound(const struct schema *s, struct buf *out, enum keyword k, uint16_t text, char *between)
{
	if (text == 0)
		return;
	put_key(out, k, between);
	buf_printf(out, "%s", s->text + text);
}

static void put_count(struct buf *out, enum keyword k, uint32_t count, uint32_t none, char *between)
{
	if (count == none)
		return;
	put_key(out, k, between);
	buf_printf(out, "%u", count);
}

static void put_types(struct buf *out, uint8_t is)
{
	const bool is_list = (is & (is - 1)) != 0;
	bool first = true;

	if (is_list)
		buf_put_u8(out, '[');
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if ((is & types[i].type) == 0)
			continue;
		buf_printf(out, "%s\"%s\"", first ? "" : ",", types[i].word);
		first = false;
	}
	if (is_list)
		buf_put_u8(out, ']');
}

static void put_node(const struct schema *s, struct buf *out, uint8_t node);

static void put_nodes(const struct schema *s, struct buf *out, enum keyword k, uint8_t first, char *between)
{
	if (first == 0)
		return;
	put_key(out, k, between);
	for (uint8_t at = first; at != 0; at = s->nodes[at].next) {
		buf_put_u8(out, at == first ? '[' : ',');
		put_node(s, out, at);
	}
	buf_put_u8(out, ']');
}

static void put_one(const struct schema *s, struct buf *out, enum keyword k, uint8_t node, char *between)
{
	if (node == 0)
		return;
	put_key(out, k, between);
	put_node(s, out, node);
}

static void put_properties(const struct schema *s, struct buf *out, uint8_t first, char *between)
{
	if (first == 0)
		return;
	put_key(out, PROPERTIES, between);
	for (uint8_t at = first; at != 0; at = s->nodes[at].next) {
		buf_put_u8(out, at == first ? '{' : ',');
		where_write_text(out, s->text + s->nodes[at].name);
		buf_put_u8(out, ':');
		put_node(s, out, at);
	}
	buf_put_u8(out, '}');
}

static void put_node(const struct schema *s, struct buf *out, uint8_t node)
{
	const struct schema_node *n = &s->nodes[node];
	char between = '{';

	if (n->closed) {
		put_key(out, ADDITIONAL, &between);
		buf_printf(out, "false");
	}
	put_nodes(s, out, ALL_OF, n->all_of, &between);
	put_nodes(s, out, ANY_OF, n->any_of, &between);
	if (n->has_enum) {
		put_key(out, ENUM, &between);
		put_values(s, out, n->enums, n->n_enum);
	}
	put_bound(s, out, EXCLUSIVE_MAXIMUM, n->below, &between);
	put_bound(s, out, EXCLUSIVE_MINIMUM, n->above, &between);
	put_one(s, out, ITEMS, n->items, &between);
	put_count(out, MAX_ITEMS, n->max_items, ANY, &between);
	put_count(out, MAX_LENGTH, n->max_length, ANY, &between);
	put_bound(s, out, MAXIMUM, n->maximum, &between);
	put_count(out, MIN_ITEMS, n->min_items, 0, &between);
	put_count(out, MIN_LENGTH, n->min_length, 0, &between);
	put_bound(s, out, MINIMUM, n->minimum, &between);
	put_one(s, out, NOT, n->not_of, &between);
	if (n->pattern != 0) {
		put_key(out, PATTERN, &between);
		where_write_text(out, s->text + n->pattern);
	}
	put_properties(s, out, n->properties, &between);
	if (n->n_required > 0) {
		put_key(out, REQUIRED, &between);
		put_values(s, out, n->required, n->n_required);
	}
	if (n->types != 0) {
		put_key(out, TYPE, &between);
		put_types(out, n->types);
	}
	buf_printf(out, "%s", between == '{' ? "{}" : "}");
}

void schema_write(const struct schema *s, struct buf *out)
{
	put_node(s, out, 1);
}
