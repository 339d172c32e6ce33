#include "ledger/canonical.h"

#include <endian.h>
#include <string.h>

#include "ambit/codes.h"
#include "base/text.h"

#define COUNT_DIGITS 16 /* of CANONICAL_COUNT_MAX */

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (uint64_t)(b))

struct level {
	int end;           /* the bracket that closes it */
	size_t key, key_n; /* the last key, within its quotes; 0 is none: a bracket stands before each */
};

struct scan {
	const uint8_t *bytes;
	size_t n, at;
	unsigned depth, levels;
	struct level level[CANONICAL_DEPTH_MAX];
	int rc;
	struct canonical_flaw flaw;
};

static bool fail(struct scan *s, enum ambit_code code, size_t at, const char *why)
{
	s->rc = -(int)code;
	s->flaw = (struct canonical_flaw){ .at = at, .why = why };
	return false;
}

/* -1 at the end. */
static int peek(const struct scan *s)
{
	return s->at < s->n ? s->bytes[s->at] : -1;
}

/* Something else stands here than must. */
static bool unexpected(struct scan *s, const char *what)
{
	const int c = peek(s);

	if (c < 0)
		return fail(s, AMBIT_MALFORMED, s->at, "it ends too early");
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		return fail(s, AMBIT_MALFORMED, s->at, "a blank");
	return fail(s, AMBIT_MALFORMED, s->at, what);
}

/* ---- strings ---- */

/* ASCII that stands in a string as it is. */
static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The high bit of the lowest byte that is below `least`, which is 0x80 at most; of higher bytes perhaps too. */
static uint64_t bytes_below(uint64_t word, uint8_t least)
{
	return (word - EACH_BYTE(least)) & ~word & EACH_BYTE(0x80);
}

/* How many plain bytes there are from here on; eight at a time, since most of what is in a log is this. */
static size_t plain_run(const uint8_t *s, size_t n)
{
	size_t run = 0;

	while (n - run >= sizeof(uint64_t)) {
		uint64_t word, other;

		memcpy(&word, s + run, sizeof word);
		word = le64toh(word);
		other = (word & EACH_BYTE(0x80)) | bytes_below(word, 0x20) | bytes_below(word ^ EACH_BYTE('"'), 1) |
			bytes_below(word ^ EACH_BYTE('\\'), 1);
		if (other != 0)
			return run + (size_t)__builtin_ctzll(other) / 8;
		run += sizeof word;
	}
	while (run < n && is_plain(s[run]))
		run++;
	return run;
}

static const char letters[] = "\"\\bfnrt";
static const char lettered[] = "\"\\\b\f\n\r\t"; /* what they stand for, in the same order */

static int low_hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape that begins here, which is at least its backslash: its length, 0 if this is not how the character is told. */
static size_t take_escape(const uint8_t *s, size_t n, uint8_t *ret)
{
	const char *letter = n > 1 ? memchr(letters, s[1], sizeof letters - 1) : NULL;

	if (letter != NULL) {
		*ret = (uint8_t)lettered[letter - letters];
		return 2;
	}
	if (n < 6 || memcmp(s, "\\u00", 4) != 0 || (s[4] != '0' && s[4] != '1') || low_hex(s[5]) < 0)
		return 0;
	*ret = (uint8_t)((s[4] - '0') << 4 | low_hex(s[5]));
	return memchr(lettered, *ret, sizeof lettered - 1) == NULL ? 6 : 0;
}

/* What stands in a string and is not plain; its length. */
static size_t take_other(struct scan *s, bool is_key)
{
	const uint8_t *here = s->bytes + s->at;
	const size_t left = s->n - s->at;
	uint32_t character;
	uint8_t escaped = 0;
	size_t len;

	if (here[0] < 0x20)
		return fail(s, AMBIT_MALFORMED, s->at, "a control that is not escaped");
	if (here[0] != '\\') {
		len = text_decode(here, left, &character);
		return len > 0 ? len : fail(s, AMBIT_MALFORMED, s->at, "not UTF-8");
	}
	len = take_escape(here, left, &escaped);
	if (len == 0)
		return fail(s, AMBIT_MALFORMED, s->at, "not the escape that RFC 8785 has for it");
	if (is_key && escaped == 0)
		return fail(s, AMBIT_MALFORMED, s->at, "a NUL in a key");
	return len;
}

static bool take_string(struct scan *s, bool is_key)
{
	size_t other = 1; /* the quote */

	do {
		s->at += other;
		s->at += plain_run(s->bytes + s->at, s->n - s->at);
		if (s->at == s->n)
			return unexpected(s, "");
		if (s->bytes[s->at] == '"') {
			s->at++;
			return true;
		}
		other = take_other(s, is_key);
	} while (other > 0);
	return false;
}

/* ---- keys ---- */

/* The next byte of a checked string, or what an escape stands for. */
static uint8_t next_byte(const uint8_t *s, size_t n, size_t *at)
{
	uint8_t c = s[*at];

	*at += c == '\\' ? take_escape(s + *at, n - *at, &c) : 1;
	return c;
}

/* Below 0, 0 or above 0, as their UTF-16 code units compare. Bytes of UTF-8 compare as the characters do; units differ from
 * that in one case: beyond U+FFFF (first byte 0xf0 and more) the first unit is a surrogate, which is less than U+E000 to
 * U+FFFF (0xee, 0xef). */
static int compare(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	size_t i = 0, j = 0;

	while (i < a_n && j < b_n) {
		const uint8_t x = next_byte(a, a_n, &i), y = next_byte(b, b_n, &j);

		if (x == y)
			continue;
		if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
			return y - x;
		return x - y;
	}
	return (i < a_n) - (j < b_n);
}

/* The key and its colon, where the bracket is an object's. */
static bool before_value(struct scan *s)
{
	struct level *l = &s->level[s->depth - 1];
	const size_t key = s->at + 1;
	int order;

	if (l->end == ']')
		return true;
	if (peek(s) != '"')
		return unexpected(s, "a key must stand here");
	if (!take_string(s, true))
		return false;
	order = l->key == 0 ? -1 : compare(s->bytes + l->key, l->key_n, s->bytes + key, s->at - 1 - key);
	if (order >= 0)
		return fail(s, AMBIT_MALFORMED, key - 1,
			    order == 0 ? "a key for the second time" : "a key out of order");
	l->key = key;
	l->key_n = s->at - 1 - key;
	if (peek(s) != ':')
		return unexpected(s, "a colon must stand here");
	s->at++;
	return true;
}

/* ---- values ---- */

static bool count_of(const uint8_t *s, size_t n, uint64_t *ret)
{
	uint64_t value = 0;

	if (n == 0 || n > COUNT_DIGITS || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(s[i] - '0');
	}
	if (value > CANONICAL_COUNT_MAX)
		return false;
	*ret = value;
	return true;
}

static bool take_number(struct scan *s)
{
	const size_t begin = s->at, first = begin + (s->bytes[begin] == '-');
	uint64_t value;
	int c;

	s->at = first;
	while ((c = peek(s)) >= '0' && c <= '9')
		s->at++;
	if (s->at == first)
		return unexpected(s, "a digit must stand here");
	if (s->bytes[first] == '0' && s->at - begin > 1)
		return fail(s, AMBIT_MALFORMED, begin, "a minus or a digit too much at a zero");
	if (!count_of(s->bytes + first, s->at - first, &value))
		return fail(s, AMBIT_LIMIT, begin, "an integer beyond 2^53 - 1");
	if (c == '.' || c == 'e' || c == 'E')
		return fail(s, AMBIT_MALFORMED, s->at, "a number that is not an integer");
	return true;
}

static bool take_word(struct scan *s, const char *word)
{
	const size_t n = strlen(word);

	if (s->n - s->at < n || memcmp(s->bytes + s->at, word, n) != 0)
		return fail(s, AMBIT_MALFORMED, s->at, "not a value");
	s->at += n;
	return true;
}

static bool open_level(struct scan *s, int end)
{
	if (s->depth == s->levels)
		return fail(s, AMBIT_LIMIT, s->at, "nested too deep");
	s->level[s->depth++] = (struct level){ .end = end };
	s->at++;
	return true;
}

/* A value, or no more of it than the bracket that opens it. */
static bool begin_value(struct scan *s)
{
	switch (peek(s)) {
	case '{': return open_level(s, '}');
	case '[': return open_level(s, ']');
	case '"': return take_string(s, false);
	case 't': return take_word(s, "true");
	case 'f': return take_word(s, "false");
	case 'n': return take_word(s, "null");
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9': return take_number(s);
	default: return unexpected(s, "a value must stand here");
	}
}

static bool take_value(struct scan *s)
{
	for (;;) {
		const unsigned outside = s->depth;

		if (!begin_value(s))
			return false;
		if (s->depth == outside || peek(s) == s->level[outside].end) {
			while (s->depth > 0 && peek(s) == s->level[s->depth - 1].end) {
				s->depth--;
				s->at++;
			}
			if (s->depth == 0)
				return true;
			if (peek(s) != ',')
				return unexpected(s, "a comma or the closing bracket must stand here");
			s->at++;
		}
		if (!before_value(s))
			return false;
	}
}

int canonical_scan(const void *bytes, size_t n, size_t at, unsigned levels, size_t *ret_end, struct canonical_flaw *ret)
{
	struct scan s = { .bytes = bytes, .n = n, .at = at };

	s.levels = levels < CANONICAL_DEPTH_MAX ? levels : CANONICAL_DEPTH_MAX;
	if (take_value(&s))
		*ret_end = s.at;
	else
		*ret = s.flaw;
	return s.rc;
}

int canonical_check(const void *bytes, size_t n, struct canonical_flaw *ret)
{
	size_t end = 0;
	const int rc = canonical_scan(bytes, n, 0, CANONICAL_DEPTH_MAX, &end, ret);

	if (rc == 0 && end < n) {
		*ret = (struct canonical_flaw){ .at = end, .why = "something after the value" };
		return -AMBIT_MALFORMED;
	}
	return rc;
}

/* ---- readers ---- */

bool canonical_is(struct canonical_value v, const char *text)
{
	return v.n == strlen(text) && memcmp(v.at, text, v.n) == 0;
}

/* The value that begins at `at` within v; checked once more, which is as fast as skipping it. */
static bool value_at(struct canonical_value v, size_t at, struct canonical_value *ret)
{
	struct canonical_flaw flaw;
	size_t end = 0;

	if (canonical_scan(v.at, v.n, at, CANONICAL_DEPTH_MAX, &end, &flaw) < 0)
		return false;
	*ret = (struct canonical_value){ .at = v.at + at, .n = end - at };
	return true;
}

static bool byte_is(struct canonical_value v, size_t at, char c)
{
	return at < v.n && v.at[at] == (uint8_t)c;
}

static bool is_named(struct canonical_value key, const char *name)
{
	const size_t n = key.n - 1; /* without the quote at its end */
	size_t at = 1;

	for (; at < n && *name != 0; name++)
		if (next_byte(key.at, n, &at) != (uint8_t)*name)
			return false;
	return at == n && *name == 0;
}

bool canonical_member(struct canonical_value v, size_t *at, struct canonical_value *ret_key,
		      struct canonical_value *ret_value)
{
	struct canonical_value key, value;

	if (!byte_is(v, *at, *at == 0 ? '{' : ',') || !byte_is(v, *at + 1, '"') || !value_at(v, *at + 1, &key) ||
	    !byte_is(v, *at + 1 + key.n, ':') || !value_at(v, *at + 2 + key.n, &value))
		return false;
	*at += 2 + key.n + value.n;
	*ret_key = key;
	*ret_value = value;
	return true;
}

bool canonical_find(struct canonical_value v, const char *name, struct canonical_value *ret)
{
	struct canonical_value key, value;
	size_t at = 0;

	while (canonical_member(v, &at, &key, &value))
		if (is_named(key, name)) {
			*ret = value;
			return true;
		}
	return false;
}

bool canonical_item(struct canonical_value v, size_t *at, struct canonical_value *ret)
{
	if (!byte_is(v, *at, *at == 0 ? '[' : ',') || !value_at(v, *at + 1, ret))
		return false;
	*at += 1 + ret->n;
	return true;
}

bool canonical_string(struct canonical_value v, char *dst, size_t dst_size)
{
	struct canonical_value all;
	size_t len = 0;

	if (dst_size == 0)
		return false;
	dst[0] = 0;
	if (!byte_is(v, 0, '"') || !value_at(v, 0, &all) || all.n != v.n)
		return false;
	for (size_t at = 1; at < v.n - 1;) {
		const uint8_t c = next_byte(v.at, v.n - 1, &at);

		if (c == 0 || len + 1 == dst_size) {
			dst[0] = 0;
			return false;
		}
		dst[len++] = (char)c;
	}
	dst[len] = 0;
	return true;
}

bool canonical_count(struct canonical_value v, uint64_t *ret)
{
	return count_of(v.at, v.n, ret);
}
