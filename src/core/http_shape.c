#include "core/http_shape.h"

#include <stddef.h>
#include <string.h>

#define HASH_MIN 7    /* digits of a hash that is cut short, as git does */
#define RANDOM_MIN 16 /* of those identifiers that have letters of both sizes */
#define PLAIN_MIN 20  /* of those that do not */

/* What a text is made of. */
struct made {
	size_t digits, small, large, marks; /* marks: `-` and `_` */
	size_t hex;                         /* of the digits and letters */
	size_t numbers;                     /* rows of digits */
	size_t changes;                     /* from a digit or a letter to one of another kind */
	bool goes_on;                       /* with a small letter behind a digit */
};

enum kind { DIGIT, SMALL, LARGE, MARK, OTHER };

static enum kind kind_of(char c)
{
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c >= 'a' && c <= 'z')
		return SMALL;
	if (c >= 'A' && c <= 'Z')
		return LARGE;
	return c == '-' || c == '_' ? MARK : OTHER;
}

/* Nothing but digits, letters and marks. */
static struct made look(const char *text, size_t n)
{
	struct made m = { .digits = 0 };
	enum kind before = MARK;

	for (size_t i = 0; i < n; i++) {
		const enum kind k = kind_of(text[i]);

		m.digits += k == DIGIT;
		m.small += k == SMALL;
		m.large += k == LARGE;
		m.marks += k == MARK;
		m.hex += k == DIGIT || (text[i] >= 'a' && text[i] <= 'f') || (text[i] >= 'A' && text[i] <= 'F');
		m.numbers += k == DIGIT && before != DIGIT;
		m.changes += k != MARK && before != MARK && k != before;
		m.goes_on |= k == SMALL && before == DIGIT;
		before = k;
	}
	return m;
}

/* RFC 9562, 4. */
static bool is_uuid(const char *text, size_t n, const struct made *m)
{
	return n == 36 && m->hex == 32 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

/* Words that were joined have few changes; a year or a version among them is one number, and no small letter stands behind it. */
static bool is_mixed(size_t n, const struct made *m)
{
	const size_t counted = n - m->marks;

	if (n < RANDOM_MIN || m->digits == 0 || m->small == 0 || m->large == 0)
		return false;
	return 2 * m->changes > counted || (5 * m->changes >= 2 * counted && (m->numbers >= 3 || m->goes_on));
}

static bool is_random(size_t n, const struct made *m)
{
	if (m->marks == 0 && n >= PLAIN_MIN && (m->numbers >= 3 || (m->numbers == 2 && 3 * m->digits >= n)))
		return true;
	return is_mixed(n, m);
}

/* Behind a word of their kind, as `cus_`, identifiers are made at random, too. */
static bool has_random(const char *text, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		struct made m;

		if (i < n && kind_of(text[i]) != MARK)
			continue;
		m = look(text + from, i - from);
		if (is_random(i - from, &m))
			return true;
		from = i + 1;
	}
	return false;
}

static bool is_one_of_many(const char *text, size_t n, bool is_whole)
{
	const struct made m = look(text, n);

	if (n == 0)
		return false;
	if (m.digits == n)
		return is_whole; /* within a part it may be a date, or a version */
	return is_uuid(text, n, &m) || (m.hex == n && n >= HASH_MIN && m.digits > 0) || is_random(n, &m) ||
	       has_random(text, n);
}

/* Digits, letters and marks: one at least where the text begins with one. */
static size_t length_of_run(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && kind_of(text[i]) != OTHER)
		i++;
	return i;
}

/* False: there is no room. */
static bool put(const char *bytes, size_t n, char ret[HTTP_PATTERN_MAX], size_t *to)
{
	if (*to + n >= HTTP_PATTERN_MAX)
		return false;
	memcpy(ret + *to, bytes, n);
	*to += n;
	return true;
}

static bool put_part(const char *part, size_t n, char ret[HTTP_PATTERN_MAX], size_t *to)
{
	static const char wild[] = { HTTP_PATH_WILD };

	for (size_t at = 0, run = 0; at < n; at += run) {
		run = length_of_run(part + at, n - at);
		const bool is_wild = is_one_of_many(part + at, run, run == n);

		run = run == 0 ? 1 : run;
		if (!put(is_wild ? wild : part + at, is_wild ? 1 : run, ret, to))
			return false;
	}
	return true;
}

bool http_shape(const char *path, char ret[HTTP_PATTERN_MAX])
{
	size_t to = 0;

	while (*path != 0) {
		const size_t part = strcspn(path, "/");

		if (!put_part(path, part, ret, &to))
			return false;
		path += part;
		if (*path == '/' && !put(path++, 1, ret, &to))
			return false;
	}
	ret[to] = 0;
	return true;
}
