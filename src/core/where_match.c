#include "core/where_match.h"

#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "core/where_schema.h"

/* ---- patterns ---- */

/* A character as it is, or as a URL has it: %2F. Gives how many bytes it took. */
static size_t plain(const char *text, size_t n, char *ret)
{
	*ret = text[0];
	if (n < 3 || text[0] != '%' || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0)
		return 1;
	*ret = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
	return 3;
}

/* Blanks and controls are skipped: there are servers that leave them out of a URL, or off the end of a name. */
bool where_climbs(const char *text, size_t n)
{
	size_t dots = 0;
	char c = 0;

	for (size_t at = 0; at < n;) {
		at += plain(text + at, n - at, &c);
		if (c == 0 || strchr("/\\?#", c) != NULL) {
			if (dots == 2)
				return true;
			dots = 0;
		} else if (c == '.') {
			dots++;
		} else if ((unsigned char)c > ' ') {
			dots = 3; /* no number of them is two any more */
		}
	}
	return dots == 2;
}

static bool ends_with(const char *text, size_t n, const char *end)
{
	const size_t end_n = strlen(end);

	return end_n <= n && memcmp(text + n - end_n, end, end_n) == 0;
}

/* What stands between stars is found as early as it can be: then as much as can be is left for the rest. memmem(3) is linear. */
static bool matches_from_star(const char *pattern, const char *text, size_t n)
{
	const char *end;

	while ((end = strchr(pattern + 1, WHERE_STAR)) != NULL) {
		const size_t piece = (size_t)(end - pattern - 1);
		const char *at = memmem(text, n, pattern + 1, piece);

		if (at == NULL)
			return false;
		n -= (size_t)(at - text) + piece;
		text = at + piece;
		pattern = end;
	}
	return ends_with(text, n, pattern + 1);
}

static bool is_any(const char *pattern)
{
	return pattern[0] == WHERE_STAR && pattern[1] == 0;
}

bool where_matches(const char *pattern, const char *text, size_t n)
{
	const char *star = strchr(pattern, WHERE_STAR);
	const size_t before = star != NULL ? (size_t)(star - pattern) : strlen(pattern);

	if (before > n || memcmp(pattern, text, before) != 0)
		return false;
	if (star == NULL)
		return before == n;
	return is_any(pattern) || (matches_from_star(star, text + before, n - before) && !where_climbs(text, n));
}

bool where_is_expressed(const struct match *m, const char *text, size_t n)
{
	return match_is(m, text, n) && !where_climbs(text, n);
}

/* ---- numbers ---- */

static size_t digits(const char *text, size_t n)
{
	size_t at = 0;

	while (at < n && text[at] >= '0' && text[at] <= '9')
		at++;
	return at;
}

bool where_is_number(const char *text, size_t n)
{
	size_t at = n > 0 && text[0] == '-' ? 1 : 0;
	size_t some = digits(text + at, n - at);

	if (some == 0 || (some > 1 && text[at] == '0'))
		return false;
	at += some;
	if (at < n && text[at] == '.') {
		some = digits(text + at + 1, n - at - 1);
		if (some == 0)
			return false;
		at += 1 + some;
	}
	if (at < n && (text[at] == 'e' || text[at] == 'E')) {
		at += at + 1 < n && (text[at + 1] == '+' || text[at + 1] == '-') ? 2 : 1;
		some = digits(text + at, n - at);
		if (some == 0)
			return false;
		at += some;
	}
	return at == n;
}

struct number {
	int sign;        /* 0: it is zero */
	int64_t place;   /* of its first digit that is not 0: 0 for ones, 1 for tens, -1 for tenths */
	const char *at;  /* that digit */
	const char *end; /* of its digits; a point may stand among them */
};

#define EXPONENT_MAX 1000000000 /* more than any number that fits has digits */

static int64_t exponent(const char *text, size_t n)
{
	const bool negative = n > 0 && text[0] == '-';
	int64_t value = 0;

	for (size_t i = n > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0; i < n && value < EXPONENT_MAX; i++)
		value = value * 10 + (text[i] - '0');
	return negative ? -value : value;
}

static struct number number_of(const char *text, size_t n)
{
	struct number v = { .sign = n > 0 && text[0] == '-' ? -1 : 1, .at = text + (n > 0 && text[0] == '-') };
	const char *const last = text + n;
	const char *point;

	for (v.end = v.at; v.end < last && *v.end != 'e' && *v.end != 'E'; v.end++)
		;
	point = memchr(v.at, '.', (size_t)(v.end - v.at));
	point = point != NULL ? point : v.end;
	while (v.at < v.end && (*v.at == '0' || *v.at == '.'))
		v.at++;
	if (v.at == v.end)
		return (struct number){ .sign = 0 };
	v.place = point > v.at ? point - v.at - 1 : point - v.at;
	if (v.end < last)
		v.place += exponent(v.end + 1, (size_t)(last - v.end - 1));
	return v;
}

/* The next digit; 0 behind the last. */
static char next_digit(struct number *v)
{
	if (v->at < v->end && *v->at == '.')
		v->at++;
	return v->at < v->end ? *v->at++ : '0';
}

/* Of two that are not zero, without their signs. */
static int compare_sizes(struct number a, struct number b)
{
	if (a.place != b.place)
		return a.place < b.place ? -1 : 1;
	while (a.at < a.end || b.at < b.end) {
		const int by_digit = next_digit(&a) - next_digit(&b);

		if (by_digit != 0)
			return by_digit;
	}
	return 0;
}

bool where_is_whole(const char *text, size_t n)
{
	struct number v = number_of(text, n);

	for (int64_t place = v.place; v.sign != 0 && v.at < v.end; place--)
		if (next_digit(&v) != '0' && place < 0)
			return false;
	return true;
}

int where_compare_numbers(const char *a, size_t a_n, const char *b, size_t b_n)
{
	const struct number left = number_of(a, a_n), right = number_of(b, b_n);

	if (left.sign != right.sign || left.sign == 0)
		return left.sign - right.sign;
	return left.sign * compare_sizes(left, right);
}

/* ---- arguments ---- */

bool where_is_path(const char *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const bool is_escape = path[i] == '\\';

		if (is_escape && (++i == n || (path[i] != '.' && path[i] != '*' && path[i] != '\\')))
			return false;
		if (!is_escape && (path[i] == '*' || path[i] == 0))
			return false;
	}
	return text_is_utf8(path, n, NULL);
}

bool where_is_at(const char *path, size_t n, const char *of, size_t of_n)
{
	return n >= of_n && memcmp(path, of, of_n) == 0 && (n == of_n || path[of_n] == '.');
}

/* The next character, as it is without case; other than that, bytes. */
static unsigned char take_folded(const char **at, const char *end)
{
	const unsigned char c = (unsigned char)*(*at)++;

	if (c == 0xc5 && *at < end && (unsigned char)**at == 0xbf) {
		*at += 1;
		return 's';
	}
	if (c == 0xe2 && end - *at >= 2 && memcmp(*at, "\x84\xaa", 2) == 0) {
		*at += 2;
		return 'k';
	}
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* Until one of them ends, or both. */
static bool begin_alike(const char **a, const char *a_end, const char **b, const char *b_end)
{
	while (*a < a_end && *b < b_end)
		if (take_folded(a, a_end) != take_folded(b, b_end))
			return false;
	return true;
}

bool where_is_same_name(const char *a, const char *b)
{
	const char *const a_end = a + strlen(a), *const b_end = b + strlen(b);

	return begin_alike(&a, a_end, &b, b_end) && a == a_end && b == b_end;
}

static bool is_near(const struct where_argument *arg, const char *path)
{
	const char *a = arg->path, *b = path;
	const char *const a_end = a + arg->path_n, *const b_end = b + strlen(b);

	return begin_alike(&a, a_end, &b, b_end) && (a == a_end || *a == '.') && (b == b_end || *b == '.');
}

/* A part of a path, which to programs in JavaScript that copy one member after the other sets others: `__proto__.path` is read as `path`. */
static bool has_prototype(const struct where_argument *a)
{
	static const char name[] = "__proto__";
	const size_t n = sizeof name - 1;

	for (size_t at = 0; at + n <= a->path_n; at++)
		if (memcmp(a->path + at, name, n) == 0 && (at == 0 || a->path[at - 1] == '.') &&
		    (at + n == a->path_n || a->path[at + n] == '.'))
			return true;
	return false;
}

bool where_is_evaded(const struct where *w, const struct where_arguments *args)
{
	struct where_argument a;
	struct rbuf in;

	rbuf_init(&in, args->bytes, args->n);
	while (where_next(&in, &a)) {
		if (w->n_conditions > 0 && has_prototype(&a))
			return true;
		for (uint16_t i = 0; i < w->n_conditions; i++) {
			const char *path = w->text + w->conditions[i].path;
			const size_t n = strlen(path);

			if (is_near(&a, path) && !where_is_at(a.path, a.path_n, path, n) &&
			    !where_is_at(path, n, a.path, a.path_n))
				return true;
		}
	}
	return false;
}

void where_put_name(struct buf *path, const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (name[i] == '.' || name[i] == '*' || name[i] == '\\')
			buf_put_u8(path, '\\');
		buf_put_u8(path, (uint8_t)name[i]);
	}
}

void where_put(struct buf *out, const char *path, enum where_kind kind, const void *value, size_t n)
{
	buf_put_u8(out, (uint8_t)kind); /* below WHERE_KIND_COUNT */
	buf_put_str(out, path);
	buf_put_bytes(out, value, n);
}

static const char *take_bytes(struct rbuf *in, size_t *ret_n)
{
	*ret_n = rbuf_u32(in);
	return (const char *)rbuf_bytes(in, *ret_n);
}

bool where_next(struct rbuf *in, struct where_argument *ret)
{
	if (rbuf_left(in) == 0)
		return false;
	ret->kind = rbuf_u8(in);
	ret->path = take_bytes(in, &ret->path_n);
	ret->value = take_bytes(in, &ret->n);
	return !in->failed;
}

static bool is_bool(const struct where_argument *a)
{
	return (a->n == 4 && memcmp(a->value, "true", 4) == 0) || (a->n == 5 && memcmp(a->value, "false", 5) == 0);
}

static bool is_count(const struct where_argument *a)
{
	return a->n <= 18 && digits(a->value, a->n) == a->n && where_is_number(a->value, a->n);
}

static bool is_risk(const struct where_argument *a)
{
	return a->path_n == strlen(WHERE_RISKY) && memcmp(a->path, WHERE_RISKY, a->path_n) == 0;
}

static bool is_argument(const struct where_argument *a)
{
	if (is_risk(a))
		return a->kind == WHERE_BOOL && a->n == 4 && memcmp(a->value, "true", 4) == 0;
	if (a->kind >= WHERE_KIND_COUNT || !where_is_path(a->path, a->path_n))
		return false;
	switch ((enum where_kind)a->kind) {
	case WHERE_TEXT: return text_is_utf8(a->value, a->n, NULL);
	case WHERE_NUMBER: return where_is_number(a->value, a->n);
	case WHERE_BOOL: return is_bool(a);
	case WHERE_LONG: return is_count(a);
	case WHERE_KIND_COUNT: break;
	}
	return false;
}

bool where_are_arguments(const struct where_arguments *args)
{
	struct rbuf in;
	struct where_argument a;
	uint32_t n = 0;

	rbuf_init(&in, args->bytes, args->n);
	while (where_next(&in, &a))
		if ((n += !is_risk(&a)) > WHERE_ARGUMENTS_MAX || !is_argument(&a))
			return false;
	return rbuf_done(&in) && args->n <= WHERE_BYTES_MAX;
}

/* ---- what is allowed ---- */

uint64_t where_characters(const struct where_argument *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->kind == WHERE_LONG)
			n = n * 10 + (uint64_t)(a->value[i] - '0');
		else if (((unsigned char)a->value[i] & 0xc0) != 0x80)
			n++;
	return n;
}

/* Of a text that was not told nothing is known but that it is one. */
static bool is_one_of(const struct where *w, const struct where_condition *c, const struct where_argument *a)
{
	for (uint16_t i = 0; i < c->n_values; i++) {
		const char *pattern = w->text + w->values[c->values + i];

		if (a->kind == WHERE_LONG ? is_any(pattern) : where_matches(pattern, a->value, a->n))
			return true;
	}
	return c->n_values == 0;
}

static bool is_in_range(const struct where *w, const struct where_condition *c, const struct where_argument *a)
{
	const char *min = w->text + c->min, *max = w->text + c->max;

	if (c->min == 0 && c->max == 0)
		return true;
	return a->kind == WHERE_NUMBER &&
	       (c->min == 0 || where_compare_numbers(a->value, a->n, min, strlen(min)) >= 0) &&
	       (c->max == 0 || where_compare_numbers(a->value, a->n, max, strlen(max)) <= 0);
}

bool where_is_bounded(const struct where_condition *c)
{
	return c->n_values != 0 || c->match != 0 || c->min != 0 || c->max != 0 || c->length != 0;
}

/* An argument at a condition's path, or beneath it. Its expression is looked at later, with all of its arguments. */
static bool admits(const struct where *w, const struct where_condition *c, const struct where_argument *a,
		   bool is_beneath)
{
	if (c->absent || (is_beneath && where_is_bounded(c)))
		return false;
	return is_one_of(w, c, a) && is_in_range(w, c, a) && (c->length == 0 || where_characters(a) <= c->length);
}

/* Also says which conditions it is one for. */
static enum where_no refuses_one(const struct where *w, const struct where_argument *a, uint32_t *there)
{
	bool is_named = false;

	if (is_risk(a))
		return w->calm ? WHERE_NO_RISK : WHERE_NO_NONE;
	for (uint16_t i = 0; i < w->n_conditions; i++) {
		const struct where_condition *c = &w->conditions[i];
		const char *path = w->text + c->path;
		const size_t n = strlen(path);

		if (where_is_at(a->path, a->path_n, path, n)) {
			is_named = true;
			*there |= UINT32_C(1) << i;
			if (!admits(w, c, a, a->path_n > n))
				return c->absent ? WHERE_NO_NAME : WHERE_NO_VALUE;
		} else if ((c->absent || c->schema != 0 || where_is_bounded(c)) &&
			   where_is_at(path, n, a->path, a->path_n)) {
			return WHERE_NO_VALUE;
		}
	}
	return is_named || !w->only ? WHERE_NO_NONE : WHERE_NO_NAME;
}

/* Each argument at its path; beneath it there is none, since it is bounded. The expression is read once for all of them. */
static bool is_expressed(const struct where *w, const struct where_condition *c, const struct where_arguments *args)
{
	const char *path = w->text + c->path, *expression = w->text + c->match;
	struct match m;
	struct rbuf in;
	struct where_argument a;

	if (match_compile(expression, strlen(expression), &m, NULL) < 0)
		return false; /* never: it was looked at */
	rbuf_init(&in, args->bytes, args->n);
	while (where_next(&in, &a))
		if (where_is_at(a.path, a.path_n, path, strlen(path)) &&
		    (a.kind == WHERE_LONG || !where_is_expressed(&m, a.value, a.n)))
			return false;
	return true;
}

static bool is_as_schema(const struct where *w, const struct where_condition *c, const struct where_arguments *args)
{
	const char *text = w->text + c->schema, *why, *hint;
	struct schema s;
	size_t at = 0;

	return schema_read(text, strlen(text), &at, &s, &why, &hint) && schema_allows(&s, w->text + c->path, args);
}

_Static_assert(WHERE_CONDITIONS_MAX <= 32, "a bit for each");

enum where_no where_refuses(const struct where *w, const struct where_arguments *args, const char **ret_path,
			    size_t *ret_n)
{
	enum where_no no = WHERE_NO_NONE;
	struct rbuf in;
	struct where_argument a;
	uint32_t there = 0;

	rbuf_init(&in, args->bytes, args->n);
	*ret_n = 0;
	while (where_next(&in, &a)) {
		no = refuses_one(w, &a, &there);
		*ret_path = a.path;
		*ret_n = no == WHERE_NO_RISK ? 0 : a.path_n;
		if (no != WHERE_NO_NONE)
			return no;
	}
	for (uint16_t i = 0; i < w->n_conditions; i++) {
		const struct where_condition *c = &w->conditions[i];
		const bool is_there = (there >> i & 1) != 0;

		*ret_path = w->text + c->path;
		*ret_n = strlen(*ret_path);
		if (c->given && !is_there)
			return WHERE_NO_GIVEN;
		if (is_there &&
		    ((c->match != 0 && !is_expressed(w, c, args)) || (c->schema != 0 && !is_as_schema(w, c, args))))
			return WHERE_NO_VALUE;
	}
	*ret_n = 0;
	return rbuf_done(&in) ? WHERE_NO_NONE : WHERE_NO_FORM;
}

bool where_allows(const struct where *w, const struct where_arguments *args)
{
	const char *path;
	size_t n;

	return where_refuses(w, args, &path, &n) == WHERE_NO_NONE;
}
