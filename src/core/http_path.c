#include "core/http_path.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"

#define ENDS "/\x01;?#" /* of a part, for one server or another */

/* ---- reading ---- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What RFC 3986 lets stand in a path as it is (3.3), and the slash. */
static bool is_plain(char c)
{
	return is_alphanumeric(c) || (c != 0 && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

/* The three bytes at s are `%` and what it means. */
static const char *decode(const char *s, size_t n, char *ret)
{
	const int high = n > 2 ? hex_digit(s[1]) : -1, low = n > 2 ? hex_digit(s[2]) : -1;
	const int value = high * 16 + low;

	if (high < 0 || low < 0)
		return "has a percent sign without two hexadecimal digits after it";
	if (value < 0x20 || value == 0x7f)
		return "has a control character";
	if (value == '.')
		return "has an encoded dot";
	if (value == '\\')
		return "has a backslash";
	*ret = value == '/' ? HTTP_PATH_SLASH : (char)value;
	return NULL;
}

static const char *not_plain(char c)
{
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return "has a control character";
	if (c == '\\')
		return "has a backslash";
	if (c == '?')
		return "has a query";
	return c == '#' ? "has a fragment" : "has a character that must be percent-encoded";
}

/* ret has room for size - 1 characters, and wild is what a `*` is. */
static const char *decode_all(const char *path, size_t n, char wild, char *ret, size_t size)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		const char *wrong = NULL;

		if (to + 1 >= size)
			return "is too long";
		ret[to] = path[i] == '*' ? wild : path[i];
		if (path[i] == '%') {
			wrong = decode(path + i, n - i, &ret[to]);
			i += 2;
		} else if (!is_plain(path[i])) {
			wrong = not_plain(path[i]);
		}
		if (wrong != NULL)
			return wrong;
		to++;
	}
	ret[to] = 0;
	return NULL;
}

/* `..` in any disguise: some systems leave out blanks and dots at the end, and some servers what follows a `;`. */
static bool is_dots(const char *part, size_t n)
{
	return n > 0 && memchr(part, '.', n) != NULL && strspn(part, ". ") >= n;
}

static const char *check_parts(const char *path)
{
	for (const char *at = path; *at != 0; at++) {
		const bool is_slash = *at == '/', is_encoded = *at == HTTP_PATH_SLASH;

		if (!is_slash && !is_encoded)
			continue;
		if (at[1] == '/' || at[1] == HTTP_PATH_SLASH || (is_encoded && at[1] == 0))
			return "has an empty part";
		if (is_dots(at + 1, strcspn(at + 1, ENDS)))
			return "has a part of dots alone";
	}
	return NULL;
}

/* Whoever decodes once more must read the same. */
static bool decodes_again(const char *path)
{
	for (const char *at = strchr(path, '%'); at != NULL; at = strchr(at + 1, '%'))
		if (at[1] == 'u' || at[1] == 'U' || (hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0))
			return true;
	return false;
}

static const char *take(const char *path, size_t n, char wild, char *ret, size_t size)
{
	const char *wrong;

	if (n == 0 || path[0] != '/')
		return "does not begin with a slash";
	wrong = decode_all(path, n, wild, ret, size);
	if (wrong == NULL && !text_is_utf8(ret, strlen(ret), NULL))
		return "is not UTF-8";
	if (wrong == NULL && decodes_again(ret))
		return "has an encoded percent sign where it would be decoded twice";
	return wrong == NULL ? check_parts(ret) : wrong;
}

const char *http_path_take(const char *path, size_t n, char *ret, size_t size)
{
	const char *wrong = take(path, n, '*', ret, size);

	if (wrong != NULL)
		ret[0] = 0;
	return wrong;
}

/* ---- patterns ---- */

/* A part, without the slash before it; a pattern or a path is a row of them. */
struct part {
	const char *at;
	size_t n;
};

/* at is the slash before the part, or the end: then *ret is as it was. */
static bool next_part(const char **at, struct part *ret)
{
	if (**at == 0)
		return false;
	ret->at = *at + 1;
	ret->n = strcspn(ret->at, "/");
	*at = ret->at + ret->n;
	return true;
}

static bool is_wild(const struct part *p)
{
	return p->n == 1 && p->at[0] == HTTP_PATH_WILD;
}

/* `**` */
static bool is_deep(const struct part *p)
{
	return p->n == 2 && p->at[0] == HTTP_PATH_WILD && p->at[1] == HTTP_PATH_WILD;
}

static bool has_wild_pair(const struct part *p)
{
	for (size_t i = 1; i < p->n; i++)
		if (p->at[i] == HTTP_PATH_WILD && p->at[i - 1] == HTTP_PATH_WILD)
			return true;
	return false;
}

/* A row of `**` means what one does. */
static const char *tidy_pattern(char *pattern)
{
	const char *at = pattern;
	struct part part = { NULL, 0 };
	bool was_deep = false;
	size_t to = 0;

	while (next_part(&at, &part)) {
		const bool deep = is_deep(&part);

		if (!deep && has_wild_pair(&part))
			return "has ** beside something else in a part";
		if (!deep || !was_deep) {
			memmove(pattern + to, part.at - 1, part.n + 1);
			to += part.n + 1;
		}
		was_deep = deep;
	}
	pattern[to] = 0;
	return NULL;
}

const char *http_pattern_take(const char *pattern, size_t n, char ret[HTTP_PATTERN_MAX])
{
	const char *wrong = take(pattern, n, HTTP_PATH_WILD, ret, HTTP_PATTERN_MAX);

	if (wrong == NULL)
		wrong = tidy_pattern(ret);
	if (wrong != NULL)
		ret[0] = 0;
	return wrong;
}

/* ---- matching ---- */

static bool is_sharp(char c)
{
	return c == HTTP_PATH_SLASH || c == ';' || c == '?' || c == '#';
}

static bool has_sharp(const struct part *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_sharp(p->at[i]))
			return true;
	return false;
}

/* Where a wildcard that came by may still take one more, and from where the pattern is then tried again. To go back to the last one is
 * enough: what one before it would take, the last one can, too. */
static bool chars_match(const struct part *pattern, const struct part *text)
{
	size_t p = 0, t = 0, back_p = 0, back_t = 0;
	bool can_go_back = false;

	while (t < text->n) {
		if (p < pattern->n && pattern->at[p] == HTTP_PATH_WILD) {
			can_go_back = true;
			back_p = ++p;
			back_t = t;
		} else if (p < pattern->n && pattern->at[p] == text->at[t]) {
			p++;
			t++;
		} else if (can_go_back && !is_sharp(text->at[back_t])) {
			p = back_p;
			t = ++back_t;
		} else {
			return false;
		}
	}
	while (p < pattern->n && pattern->at[p] == HTTP_PATH_WILD)
		p++;
	return p == pattern->n;
}

static bool part_matches(const struct part *pattern, const struct part *text)
{
	if (is_deep(text) || (is_wild(pattern) && text->n == 0))
		return false;
	return chars_match(pattern, text);
}

/* The same as chars_match, with parts for characters and `**` for the wildcard. */
bool http_pattern_matches(const char *pattern, const char *path)
{
	const char *p = pattern, *t = path, *back_p = NULL, *back_t = NULL;

	while (*t != 0) {
		const char *p_next = p, *t_next = t, *back_next = back_t;
		struct part wanted = { NULL, 0 }, part = { NULL, 0 }, taken = { NULL, 0 };
		const bool is_left = next_part(&p_next, &wanted);

		(void)next_part(&t_next, &part); /* there is one */
		if (is_left && is_deep(&wanted)) {
			p = back_p = p_next;
			back_t = t;
		} else if (is_left && part_matches(&wanted, &part)) {
			p = p_next;
			t = t_next;
		} else if (back_p != NULL && next_part(&back_next, &taken) && !has_sharp(&taken)) {
			p = back_p;
			t = back_t = back_next;
		} else {
			return false;
		}
	}
	return *p == 0 || (strlen(p) == 3 && p[1] == HTTP_PATH_WILD && p[2] == HTTP_PATH_WILD);
}

/* A pattern within another is a text that it matches, where a wildcard is a character that only a wildcard takes. */
bool http_pattern_is_within(const char *inner, const char *outer)
{
	return http_pattern_matches(outer, inner);
}

bool http_patterns_may_meet(const char *a, const char *b)
{
	while (*a != 0 && *a == *b && *a != HTTP_PATH_WILD) {
		a++;
		b++;
	}
	return *a == 0 || *b == 0 || *a == HTTP_PATH_WILD || *b == HTTP_PATH_WILD;
}

/* ---- what servers take for another ---- */

#define WILD ((const char[]){ HTTP_PATH_WILD, 0 })

static void fold(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; text[n] != 0 && n + 1 < size; n++)
		ret[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] + ('a' - 'A')) : text[n];
	while (n > 1 && ret[n - 1] == '/')
		n--;
	ret[n] = 0;
}

bool http_pattern_is_like(const char *pattern, const char *path)
{
	char wanted[HTTP_PATTERN_MAX], folded[HTTP_PATH_MAX];
	size_t n;

	fold(pattern, wanted, sizeof wanted);
	fold(path, folded, sizeof folded);
	n = strcspn(wanted, WILD);
	if (wanted[n] != 0)
		return http_pattern_matches(wanted, folded);
	if (strncmp(wanted, folded, n) != 0 || n == 1) /* `/` is like nothing but itself */
		return strcmp(wanted, folded) == 0;
	return folded[n] == 0 || strchr("/.: " ENDS, folded[n]) != NULL;
}

bool http_patterns_may_be_like(const char *pattern, const char *other)
{
	char wanted[HTTP_PATTERN_MAX], folded[HTTP_PATTERN_MAX];

	fold(pattern, wanted, sizeof wanted);
	fold(other, folded, sizeof folded);
	return http_patterns_may_meet(wanted, folded);
}

/* ---- writing ---- */

static bool is_written_as_it_is(char c)
{
	return is_plain(c) && c != '*' && c != ',' && c != '\'';
}

bool http_pattern_put(const char *pattern, char *ret, size_t size)
{
	struct buf out;

	buf_init_in(&out, ret, size);
	for (const char *at = pattern; *at != 0; at++) {
		const char c = *at == HTTP_PATH_SLASH ? '/' : *at;

		if (*at == HTTP_PATH_WILD)
			buf_put_u8(&out, '*');
		else if (*at != HTTP_PATH_SLASH && is_written_as_it_is(c))
			buf_put(&out, &c, 1);
		else
			buf_printf(&out, "%%%02X", (unsigned int)(unsigned char)c);
	}
	if (buf_cstr(&out) != NULL)
		return true;
	if (size > 0)
		ret[0] = 0;
	return false;
}
