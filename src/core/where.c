#include "core/where.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"
#include "core/where_match.h"
#include "core/where_schema.h"

#define OTHERS "*" /* the key that means all other arguments */
#define PREFIX "where='"

bool where_is_none(const struct where *w)
{
	return w->n_conditions == 0 && !w->only && !w->calm;
}

/* ---- reading: JSON, one token after the other ---- */

struct reader {
	const char *text;
	size_t n, at;
	struct where *w; /* what was read so far */
	size_t *ret_at;  /* where it is wrong; NULL: that is told in words */
	struct err *e;
};

static int wrong_at(const struct reader *r, size_t at, const char *why, const char *hint)
{
	if (r->ret_at != NULL) {
		*r->ret_at = at;
		return err_set(r->e, AMBIT_MALFORMED, hint, "where: this %s", why);
	}
	return err_set(r->e, AMBIT_MALFORMED, hint, "where: byte %zu %s", at, why);
}

static int wrong(const struct reader *r, const char *why, const char *hint)
{
	return wrong_at(r, r->at, why, hint);
}

static int too_many(const struct reader *r, const char *what, unsigned int most)
{
	static const char hint[] = "write fewer, with stars, or several grants of the tool";

	if (r->ret_at != NULL) {
		*r->ret_at = r->at;
		return err_set(r->e, AMBIT_LIMIT, hint, "where: more than %u %s", most, what);
	}
	return err_set(r->e, AMBIT_LIMIT, hint, "where: byte %zu: more than %u %s", r->at, most, what);
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->n && strchr(" \t\r\n", r->text[r->at]) != NULL)
		r->at++;
}

/* The next byte that is no blank, 0 at the end. */
static char peek(struct reader *r)
{
	skip_blanks(r);
	return r->at < r->n ? r->text[r->at] : 0;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

/* Room: what is kept of a text and its NUL is no longer than what was written, with its quotes or what ends it. */
static bool keep(struct reader *r, char c)
{
	if (r->w->used == sizeof r->w->text)
		return false;
	r->w->text[r->w->used++] = c;
	return true;
}

static bool keep_character(struct reader *r, uint32_t c)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	const unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (!keep(r, (char)(leads[n] | c >> (6 * (n - 1)))))
		return false;
	for (unsigned i = n - 1; i > 0; i--)
		if (!keep(r, (char)(0x80 | (c >> (6 * (i - 1)) & 0x3f))))
			return false;
	return true;
}

static bool take_hex(struct reader *r, uint32_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < 4; i++, r->at++) {
		const int digit = r->at < r->n ? hex_digit(r->text[r->at]) : -1;

		if (digit < 0)
			return false;
		*ret = *ret << 4 | (uint32_t)digit;
	}
	return true;
}

/* What stands behind \u; above the BMP two of them. */
static bool take_unicode(struct reader *r, uint32_t *ret)
{
	uint32_t low;

	if (!take_hex(r, ret) || *ret == 0 || (*ret >= 0xdc00 && *ret < 0xe000))
		return false;
	if (*ret < 0xd800 || *ret >= 0xe000)
		return true;
	if (r->n - r->at < 2 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
		return false;
	r->at += 2;
	if (!take_hex(r, &low) || low < 0xdc00 || low >= 0xe000)
		return false;
	*ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static bool take_escape(struct reader *r, uint32_t *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char c = r->at < r->n ? r->text[r->at++] : 0;
	const char *is = c != 0 ? strchr(from, c) : NULL;

	if (c == 'u')
		return take_unicode(r, ret);
	if (is != NULL)
		*ret = (uint32_t)to[is - from];
	return is != NULL;
}

/* One character of a text; *ret 0: the quote that ends it. */
static bool take_character(struct reader *r, uint32_t *ret)
{
	const size_t n = text_decode(r->text + r->at, r->n - r->at, ret);

	if (n == 0 || *ret < ' ')
		return false;
	r->at += n;
	if (*ret == '"')
		*ret = 0;
	return *ret != '\\' || take_escape(r, ret);
}

/* A text as it means, kept: *ret is where. */
static int read_text(struct reader *r, uint16_t *ret)
{
	uint32_t c = 0;

	*ret = r->w->used;
	if (!take(r, '"'))
		return wrong(r, "is not where a text in \" begins", "write JSON, such as {\"path\": \"./docs/**\"}");
	do {
		if (!take_character(r, &c))
			return wrong(r, "is in no text of JSON",
				     "write \\n for a new line, \\\" for a quote, and \\\\ for a backslash");
		if (!keep_character(r, c))
			return too_many(r, "bytes", TERMS_TEXT_MAX);
	} while (c != 0);
	return 0;
}

/* A number, true, false or null: letters and digits. Not kept yet. */
static size_t word_length(struct reader *r)
{
	size_t n = 0;

	if (peek(r) == 0)
		return 0;
	while (r->at + n < r->n && strchr(" \t\r\n,:[]{}\"", r->text[r->at + n]) == NULL)
		n++;
	return n;
}

static bool is_word(const struct reader *r, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(r->text + r->at, word, n) == 0;
}

static int keep_word(struct reader *r, size_t n, uint16_t *ret)
{
	*ret = r->w->used;
	for (size_t i = 0; i < n; i++)
		(void)keep(r, r->text[r->at + i]); /* if this does not fit, neither does the NUL */
	r->at += n;
	return keep(r, 0) ? 0 : too_many(r, "bytes", TERMS_TEXT_MAX);
}

static bool take_null(struct reader *r)
{
	const size_t n = word_length(r);
	const bool is = is_word(r, n, "null");

	r->at += is ? n : 0;
	return is;
}

/* ---- a set ---- */

/* In place, each star once: how long it is then, or -1. */
static int compile(char *text)
{
	char *to = text;

	for (const char *at = text; *at != 0; at++) {
		char c = *at;

		if (c == '*') {
			if (to > text && to[-1] == WHERE_STAR)
				continue;
			c = WHERE_STAR;
		} else if (c == '\\') {
			c = *++at;
			if (c != '*' && c != '\\')
				return -1;
		}
		*to++ = c;
	}
	*to = 0;
	return (int)(to - text);
}

static int read_pattern(struct reader *r, uint16_t *ret)
{
	static const char text_hint[] = "write \\* for a star and \\\\ for a backslash; in JSON \\ is written \\\\";
	static const char climb_hint[] = "write the path without ..";
	const size_t begun = r->at;
	int rc = read_text(r, ret), n;

	if (rc < 0)
		return rc;
	n = compile(r->w->text + *ret);
	if (n < 0)
		return wrong_at(r, begun, "begins a text with a \\ before neither * nor \\", text_hint);
	r->w->used = (uint16_t)(*ret + n + 1); /* no more than it was */
	if (strchr(r->w->text + *ret, WHERE_STAR) != NULL && where_climbs(r->w->text + *ret, (size_t)n))
		return wrong_at(r, begun, "begins a text with a star and a part .., which matches nothing", climb_hint);
	return 0;
}

static int read_value(struct reader *r, uint16_t *ret)
{
	const size_t n = peek(r) == '"' ? 0 : word_length(r);

	if (peek(r) == '"')
		return read_pattern(r, ret);
	if (!is_word(r, n, "true") && !is_word(r, n, "false") && !where_is_number(r->text + r->at, n))
		return wrong(r, "is neither a text nor a number, true or false", "write texts in \"");
	return keep_word(r, n, ret);
}

/* Sorted, each once. The values of a condition are read in one go, so they are the last. */
static int add_value(struct reader *r, struct where_condition *c)
{
	struct where *w = r->w;
	uint16_t at = w->n_values, value = 0;
	int rc = read_value(r, &value);

	if (rc < 0)
		return rc;
	for (uint16_t i = c->values; i < w->n_values; i++)
		if (strcmp(w->text + w->values[i], w->text + value) == 0)
			return 0;
	if (w->n_values == WHERE_VALUES_MAX)
		return too_many(r, "texts", WHERE_VALUES_MAX);
	while (at > c->values && strcmp(w->text + w->values[at - 1], w->text + value) > 0)
		at--;
	memmove(w->values + at + 1, w->values + at, (size_t)(w->n_values - at) * sizeof w->values[0]);
	w->values[at] = value;
	w->n_values++;
	c->n_values++;
	return 0;
}

static int read_set(struct reader *r, struct where_condition *c)
{
	int rc;

	c->values = r->w->n_values;
	if (!take(r, '['))
		return add_value(r, c);
	do {
		rc = add_value(r, c);
	} while (rc == 0 && take(r, ','));
	if (rc == 0 && !take(r, ']'))
		return wrong(r, "is not where a list goes on", "write a comma between texts, and ] behind the last");
	return rc;
}

/* ---- one condition ---- */

/* The one way of writing it: no exponent, no digit that means nothing. */
bool where_is_normal_number(const char *text)
{
	const size_t n = strlen(text);
	const char *point = strchr(text, '.');

	return n < WHERE_NUMBER_MAX && where_is_number(text, n) && strpbrk(text, "eE") == NULL &&
	       strcmp(text, "-0") != 0 && (point == NULL || text[n - 1] != '0');
}

static int read_bound(struct reader *r, uint16_t *ret)
{
	const size_t begun = r->at;
	const int rc = keep_word(r, word_length(r), ret);

	if (rc == 0 && !where_is_normal_number(r->w->text + *ret))
		return wrong_at(r, begun, "is not where a bound begins", "write it in digits, such as -3 or 0.25");
	return rc;
}

static int read_length(struct reader *r, uint32_t *ret)
{
	const size_t begun = r->at;
	uint16_t at = 0;
	const int rc = keep_word(r, word_length(r), &at);

	r->w->used = rc == 0 ? at : r->w->used;
	if (rc == 0 && (!parse_u32(r->w->text + at, 1, WHERE_LENGTH_MAX, ret) || r->w->text[at] == '0'))
		return wrong_at(r, begun, "is not where a length begins", "write how many characters it has at most");
	return rc;
}

/* What is wrong within it is told by its own bytes: how it was written is not known any more. */
static int read_match(struct reader *r, uint16_t *ret)
{
	static const char hint[] = "write it as a text in \", such as \"[a-z]+\"";
	const size_t begun = r->at;
	struct match m;
	const char *text;
	int rc;

	if (peek(r) != '"')
		return wrong(r, "is not where an expression begins", hint);
	rc = read_text(r, ret);
	if (rc < 0)
		return rc;
	text = r->w->text + *ret;
	rc = match_compile(text, strlen(text), &m, r->e);
	if (rc == 0)
		return 0;
	if (r->ret_at == NULL)
		return err_context(r->e, rc, "where: byte %zu", begun);
	*r->ret_at = begun;
	return err_context(r->e, rc, "where");
}

bool where_read_text(const char *text, size_t n, size_t *at, char *ret, size_t size)
{
	struct where kept = { .used = 0 };
	struct reader r = { .text = text, .n = n, .at = *at, .w = &kept };
	uint16_t from;
	const int rc = read_text(&r, &from);

	*at = r.at;
	return rc == 0 && text_copy(ret, size, kept.text);
}

/* What is kept is its one form, behind what the path was kept as. */
static int read_schema(struct reader *r, uint16_t *ret)
{
	const char *why, *hint;
	struct schema s;
	struct buf out;

	if (!schema_read(r->text, r->n, &r->at, &s, &why, &hint))
		return wrong(r, why, hint);
	*ret = r->w->used;
	buf_init_in(&out, r->w->text + r->w->used, sizeof r->w->text - r->w->used);
	schema_write(&s, &out);
	if (buf_cstr(&out) == NULL)
		return too_many(r, "bytes", TERMS_TEXT_MAX);
	r->w->used = (uint16_t)(r->w->used + out.len + 1);
	return 0;
}

static int read_given(struct reader *r, bool *ret)
{
	const size_t n = word_length(r);

	if (!is_word(r, n, "true"))
		return wrong(r, "is not true",
			     "write \"given\": true, null in place of all if it must not be there, or leave it out");
	r->at += n;
	*ret = true;
	return 0;
}

static int twice(const struct reader *r, size_t at)
{
	return wrong_at(r, at, "begins what was said before", "say it once");
}

static int read_part(struct reader *r, struct where_condition *c)
{
	static const char hint[] = "write of, match, min, max, length, schema or given";
	uint16_t at = 0;
	const size_t begun = r->at;
	char word[16];
	int rc = read_text(r, &at);

	if (rc < 0)
		return rc;
	if (!text_copy(word, sizeof word, r->w->text + at))
		return wrong_at(r, begun, "begins no part of a condition", hint);
	r->w->used = at;
	if (!take(r, ':'))
		return wrong(r, "is not the colon behind a name", "write \"max\": 100");
	(void)peek(r); /* to where what comes next begins */
	if (strcmp(word, "of") == 0)
		return c->n_values > 0 ? twice(r, begun) : read_set(r, c);
	if (strcmp(word, "match") == 0)
		return c->match != 0 ? twice(r, begun) : read_match(r, &c->match);
	if (strcmp(word, "min") == 0)
		return c->min != 0 ? twice(r, begun) : read_bound(r, &c->min);
	if (strcmp(word, "max") == 0)
		return c->max != 0 ? twice(r, begun) : read_bound(r, &c->max);
	if (strcmp(word, "length") == 0)
		return c->length != 0 ? twice(r, begun) : read_length(r, &c->length);
	if (strcmp(word, "schema") == 0)
		return c->schema != 0 ? twice(r, begun) : read_schema(r, &c->schema);
	if (strcmp(word, "given") == 0)
		return c->given ? twice(r, begun) : read_given(r, &c->given);
	return wrong_at(r, begun, "begins no part of a condition", hint);
}

static int read_parts(struct reader *r, struct where_condition *c)
{
	const char *min, *max;
	int rc;

	if (take(r, '}'))
		return 0;
	do {
		(void)peek(r);
		rc = read_part(r, c);
	} while (rc == 0 && take(r, ','));
	if (rc < 0)
		return rc;
	if (!take(r, '}'))
		return wrong(r, "is not where a condition goes on",
			     "write a comma between parts, and } behind the last");
	min = r->w->text + c->min;
	max = r->w->text + c->max;
	if (c->min != 0 && c->max != 0 && where_compare_numbers(min, strlen(min), max, strlen(max)) > 0)
		return wrong(r, "ends a range in which no number is", "write the smaller one as min");
	return 0;
}

static int read_condition(struct reader *r, struct where_condition *c)
{
	if (take_null(r)) {
		c->absent = true;
		return 0;
	}
	return take(r, '{') ? read_parts(r, c) : read_set(r, c);
}

/* Sorted by path. */
static int add_condition(struct reader *r, struct where_condition *c, size_t begun)
{
	struct where *w = r->w;
	const char *path = w->text + c->path;
	uint16_t at = w->n_conditions;

	if (w->n_conditions == WHERE_CONDITIONS_MAX) {
		r->at = begun;
		return too_many(r, "conditions", WHERE_CONDITIONS_MAX);
	}
	while (at > 0 && strcmp(w->text + w->conditions[at - 1].path, path) > 0)
		at--;
	if (at > 0 && strcmp(w->text + w->conditions[at - 1].path, path) == 0)
		return twice(r, begun);
	memmove(w->conditions + at + 1, w->conditions + at, (size_t)(w->n_conditions - at) * sizeof *c);
	w->conditions[at] = *c;
	w->n_conditions++;
	return 0;
}

static int read_member(struct reader *r)
{
	struct where_condition c = { .path = 0 };
	const size_t begun = r->at;
	const char *path;
	bool is_ours, *set;
	int rc = read_text(r, &c.path);

	if (rc < 0)
		return rc;
	path = r->w->text + c.path;
	is_ours = strcmp(path, OTHERS) == 0 || strcmp(path, WHERE_RISKY) == 0;
	if (!is_ours && !where_is_path(path, strlen(path)))
		return wrong_at(r, begun, "begins a name with a star, or a \\ that is not before . * or \\",
				"write \\* for a star in a name; in JSON \\ is written \\\\");
	if (!take(r, ':'))
		return wrong(r, "is not the colon behind a name", "write {\"path\": \"./docs/**\"}");
	if (!is_ours) {
		rc = read_condition(r, &c);
		return rc < 0 ? rc : add_condition(r, &c, begun);
	}
	set = strcmp(path, OTHERS) == 0 ? &r->w->only : &r->w->calm;
	if (*set)
		return twice(r, begun);
	*set = take_null(r);
	return *set ? 0
		    : wrong(r, "is not null",
			    "write \"*\": null where no other argument may be there, \"*risky\": null where no tool may be risky");
}

static int read_all(struct reader *r)
{
	int rc = 0;

	if (!take(r, '{'))
		return wrong(r, "is not the { of an object", "write JSON, such as {\"path\": \"./docs/**\"}");
	if (!take(r, '}')) {
		do {
			(void)peek(r);
			rc = read_member(r);
		} while (rc == 0 && take(r, ','));
		if (rc == 0 && !take(r, '}'))
			return wrong(r, "is not where an object goes on",
				     "write a comma between conditions, and } behind the last");
	}
	if (rc == 0 && peek(r) != 0)
		return wrong(r, "is behind the end", "leave it out");
	return rc;
}

static bool format(const struct where *w, char ret[TERMS_TEXT_MAX]);

static int read_value_of(struct where *w, const char *value, size_t n, size_t *ret_at, struct err *e)
{
	struct where next = { .used = 1 }; /* 0 is none */
	struct reader r = { .text = value, .n = n, .w = &next, .ret_at = ret_at, .e = e };
	char text[TERMS_TEXT_MAX];
	int rc = read_all(&r);

	if (rc == 0 && !format(&next, text))
		rc = too_many(&r, "bytes", TERMS_TEXT_MAX);
	if (rc == 0)
		*w = next;
	return rc;
}

int where_set_at(struct where *w, const char *value, size_t *ret_at, struct err *e)
{
	const size_t n = strnlen(value, TERMS_TEXT_MAX);

	if (n == TERMS_TEXT_MAX)
		return err_set(e, AMBIT_LIMIT, "write fewer, with stars, or several grants of the tool",
			       "where: more than %d bytes", TERMS_TEXT_MAX - 1);
	return read_value_of(w, value, n, ret_at, e);
}

int where_set(struct where *w, const char *value, struct err *e)
{
	return where_set_at(w, value, NULL, e);
}

/* ---- writing ---- */

static void put_character(struct buf *out, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", (char)c);
	else if (c >= ' ' && c <= '~' && c != '\'')
		buf_put_u8(out, (uint8_t)c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04x", c);
	else
		buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
}

static void put_text(struct buf *out, const char *text, bool is_pattern)
{
	uint32_t c = 0;

	buf_put_u8(out, '"');
	for (size_t n; *text != 0; text += n) {
		n = 1;
		if (*text == WHERE_STAR) {
			buf_put_u8(out, '*');
			continue;
		}
		if (is_pattern && (*text == '*' || *text == '\\'))
			put_character(out, '\\');
		n = text_decode(text, strlen(text), &c);
		n += n == 0; /* never: it was read so */
		put_character(out, c);
	}
	buf_put_u8(out, '"');
}

void where_write_text(struct buf *out, const char *text)
{
	put_text(out, text, false);
}

static void put_set(struct buf *out, const struct where *w, const struct where_condition *c)
{
	for (uint16_t i = 0; i < c->n_values; i++) {
		buf_put_u8(out, i == 0 ? '[' : ',');
		put_text(out, w->text + w->values[c->values + i], true);
	}
	buf_put_u8(out, ']');
}

static void put_name(struct buf *out, const char *name, char *between)
{
	buf_printf(out, "%c\"%s\":", *between, name);
	*between = ',';
}

static void put_condition(struct buf *out, const struct where *w, const struct where_condition *c)
{
	const bool is_set = c->n_values > 0 && c->match == 0 && c->min == 0 && c->max == 0 && c->length == 0 &&
			    c->schema == 0 && !c->given;
	char between = '{';

	if (c->absent)
		buf_printf(out, "null");
	if (is_set)
		put_set(out, w, c);
	if (c->absent || is_set)
		return;
	if (c->given) {
		put_name(out, "given", &between);
		buf_printf(out, "true");
	}
	if (c->length != 0) {
		put_name(out, "length", &between);
		buf_printf(out, "%u", c->length);
	}
	if (c->match != 0) {
		put_name(out, "match", &between);
		put_text(out, w->text + c->match, false);
	}
	if (c->max != 0) {
		put_name(out, "max", &between);
		buf_printf(out, "%s", w->text + c->max);
	}
	if (c->min != 0) {
		put_name(out, "min", &between);
		buf_printf(out, "%s", w->text + c->min);
	}
	if (c->n_values != 0) {
		put_name(out, "of", &between);
		put_set(out, w, c);
	}
	if (c->schema != 0) {
		put_name(out, "schema", &between);
		buf_printf(out, "%s", w->text + c->schema);
	}
	buf_printf(out, "%s", between == '{' ? "{}" : "}");
}

static bool format(const struct where *w, char ret[TERMS_TEXT_MAX])
{
	struct buf out;
	char between = '{';

	ret[0] = 0;
	if (where_is_none(w))
		return true;
	buf_init_in(&out, ret, TERMS_TEXT_MAX);
	buf_printf(&out, PREFIX);
	if (w->only) {
		put_name(&out, OTHERS, &between);
		buf_printf(&out, "null");
	}
	if (w->calm) {
		put_name(&out, WHERE_RISKY, &between);
		buf_printf(&out, "null");
	}
	for (uint16_t i = 0; i < w->n_conditions; i++) {
		buf_put_u8(&out, (uint8_t)between);
		between = ',';
		put_text(&out, w->text + w->conditions[i].path, false);
		buf_put_u8(&out, ':');
		put_condition(&out, w, &w->conditions[i]);
	}
	buf_printf(&out, "}'");
	if (buf_cstr(&out) != NULL)
		return true;
	ret[0] = 0;
	return false;
}

void where_format(const struct where *w, char ret[TERMS_TEXT_MAX])
{
	(void)format(w, ret); /* it fits: where_set looked */
}

void where_value(const struct where *w, char ret[TERMS_TEXT_MAX])
{
	const size_t before = strlen(PREFIX);
	size_t n;

	where_format(w, ret);
	n = strlen(ret);
	if (n == 0)
		return;
	memmove(ret, ret + before, n - before); /* without the quote that ends it */
	ret[n - before - 1] = 0;
}

/* ---- reading what was written ---- */

int where_take(const char *text, struct where *ret, struct err *e)
{
	static const struct where none;
	const size_t n = strnlen(text, TERMS_TEXT_MAX), before = strlen(PREFIX);
	struct where w = none;
	char again[TERMS_TEXT_MAX] = { 0 };
	size_t at = 0;
	int rc = 0;

	if (n == TERMS_TEXT_MAX || (n > 0 && (n <= before || memcmp(text, PREFIX, before) != 0 || text[n - 1] != '\'')))
		return err_set(e, AMBIT_MALFORMED, NULL, "where: these are no terms of a tool");
	if (n > 0)
		rc = read_value_of(&w, text + before, n - before - 1, NULL, e);
	if (rc < 0)
		return rc;
	where_format(&w, again);
	while (at < n && text[at] == again[at])
		at++;
	if (text[at] != again[at])
		return err_set(e, AMBIT_MALFORMED, NULL, "where: byte %zu is not in the normal form",
			       at < before ? 0 : at - before);
	*ret = w;
	return 0;
}

/* ---- comparing ---- */

static const struct where_condition *condition_on(const struct where *w, const char *path)
{
	for (uint16_t i = 0; i < w->n_conditions; i++)
		if (strcmp(w->text + w->conditions[i].path, path) == 0)
			return &w->conditions[i];
	return NULL;
}

static bool is_at(const char *path, const char *of)
{
	return where_is_at(path, strlen(path), of, strlen(of));
}

/* Whether nothing is given there, beneath it, or on the way to it. */
static bool is_absent(const struct where *w, const char *path)
{
	bool is_meant = false;

	for (uint16_t i = 0; i < w->n_conditions; i++) {
		const char *other = w->text + w->conditions[i].path;

		if (w->conditions[i].absent && is_at(path, other))
			return true;
		is_meant = is_meant || is_at(path, other) || is_at(other, path);
	}
	return w->only && !is_meant;
}

static bool matches_one(const struct where *w, const struct where_condition *c, const char *pattern)
{
	for (uint16_t i = 0; i < c->n_values; i++)
		if (where_matches(w->text + w->values[c->values + i], pattern, strlen(pattern)))
			return true;
	return c->n_values == 0;
}

/* A star of inner's is taken for a character of its own, which nothing but a star of outer's matches. */
static bool is_set_within(const struct where *inner, const struct where_condition *c, const struct where *outer,
			  const struct where_condition *by)
{
	for (uint16_t i = 0; i < c->n_values; i++)
		if (!matches_one(outer, by, inner->text + inner->values[c->values + i]))
			return false;
	return c->n_values > 0 || by->n_values == 0;
}

/* Each text of inner's set. One with a star matches none: that is no character. */
static bool is_set_expressed(const struct where *inner, const struct where_condition *c, const char *expression)
{
	struct match m;

	if (c->n_values == 0 || match_compile(expression, strlen(expression), &m, NULL) < 0)
		return false;
	for (uint16_t i = 0; i < c->n_values; i++) {
		const char *text = inner->text + inner->values[c->values + i];

		if (!where_is_expressed(&m, text, strlen(text)))
			return false;
	}
	return true;
}

static bool is_match_within(const struct where *inner, const struct where_condition *c, const struct where *outer,
			    const struct where_condition *by)
{
	const char *expression = outer->text + by->match;

	return by->match == 0 || (c->match != 0 && strcmp(inner->text + c->match, expression) == 0) ||
	       is_set_expressed(inner, c, expression);
}

/* sign: 1 if smaller is narrower. 0: no bound. */
static bool is_bound_within(const struct where *inner, uint16_t bound, const struct where *outer, uint16_t by, int sign)
{
	const char *a = inner->text + bound, *b = outer->text + by;

	return by == 0 || (bound != 0 && sign * where_compare_numbers(a, strlen(a), b, strlen(b)) <= 0);
}

static bool is_condition_within(const struct where *inner, const struct where_condition *c, const struct where *outer,
				const struct where_condition *by)
{
	return is_set_within(inner, c, outer, by) && is_match_within(inner, c, outer, by) &&
	       is_bound_within(inner, c->min, outer, by->min, -1) &&
	       is_bound_within(inner, c->max, outer, by->max, 1) &&
	       (by->length == 0 || (c->length != 0 && c->length <= by->length)) &&
	       (by->schema == 0 || (c->schema != 0 && strcmp(inner->text + c->schema, outer->text + by->schema) == 0));
}

static bool follows(const struct where *inner, const struct where *outer, const struct where_condition *by)
{
	const char *path = outer->text + by->path;
	const struct where_condition *c = condition_on(inner, path);

	if (by->given && (c == NULL || !c->given))
		return false;
	if (!by->absent && by->schema == 0 && !where_is_bounded(by))
		return true;
	return is_absent(inner, path) || (!by->absent && c != NULL && is_condition_within(inner, c, outer, by));
}

/* Whether each argument that inner names is one that outer names, or lies beneath one. */
static bool are_named_within(const struct where *inner, const struct where *outer)
{
	for (uint16_t i = 0; i < inner->n_conditions; i++) {
		bool is_named = inner->conditions[i].absent;

		for (uint16_t k = 0; k < outer->n_conditions; k++)
			is_named = is_named || is_at(inner->text + inner->conditions[i].path,
						     outer->text + outer->conditions[k].path);
		if (!is_named)
			return false;
	}
	return true;
}

bool where_is_within(const struct where *inner, const struct where *outer)
{
	for (uint16_t i = 0; i < outer->n_conditions; i++)
		if (!follows(inner, outer, &outer->conditions[i]))
			return false;
	if (outer->calm && !inner->calm)
		return false;
	return !outer->only || (inner->only && are_named_within(inner, outer));
}
