#include "approve/statement.h"

#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"

#define HEAD "ambit approval 1" /* with the version */

/* ---- values ---- */

static bool take_hex(struct span value, uint8_t *ret, size_t n)
{
	if (value.len != 2 * n)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		const char c = value.at[i];

		if (hex_digit(c) < 0 || (c >= 'A' && c <= 'F'))
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | hex_digit(c));
	}
	return true;
}

/* Words, the first of which is 1. */
static bool take_word(struct span value, const char *const *words, int n, int *ret)
{
	for (int i = 0; i < n; i++)
		if (span_equal(value, span_of(words[i]))) {
			*ret = i + 1;
			return true;
		}
	return false;
}

static void put_word(struct buf *out, const char *const *words, int n, int which)
{
	if (which >= 1 && which <= n)
		buf_printf(out, "%s", words[which - 1]);
	else
		out->failed = true;
}

static const char *const answers[] = { "grant", "deny" };
static const char *const scopes[] = { "once", "session" };

/* ---- keys ---- */

static void put_realm(struct buf *out, const struct statement *s)
{
	buf_put_hex(out, s->realm, sizeof s->realm);
}

static bool take_realm(struct span v, struct statement *s)
{
	return take_hex(v, s->realm, sizeof s->realm);
}

static void put_approval(struct buf *out, const struct statement *s)
{
	if (id_is('a', s->approval, strnlen(s->approval, sizeof s->approval)))
		buf_printf(out, "%s", s->approval);
	else
		out->failed = true;
}

static bool take_approval(struct span v, struct statement *s)
{
	if (!id_is('a', v.at, v.len))
		return false;
	memcpy(s->approval, v.at, ID_LEN);
	return true;
}

static void put_shown(struct buf *out, const struct statement *s)
{
	buf_put_hex(out, s->shown, sizeof s->shown);
}

static bool take_shown(struct span v, struct statement *s)
{
	return take_hex(v, s->shown, sizeof s->shown);
}

static void put_answer(struct buf *out, const struct statement *s)
{
	put_word(out, answers, 2, (int)s->answer);
}

static bool take_answer(struct span v, struct statement *s)
{
	int which = 0;
	const bool good = take_word(v, answers, 2, &which);

	s->answer = (enum statement_answer)which;
	return good;
}

static void put_scope(struct buf *out, const struct statement *s)
{
	put_word(out, scopes, 2, (int)s->scope);
}

static bool take_scope(struct span v, struct statement *s)
{
	int which = 0;
	const bool good = take_word(v, scopes, 2, &which);

	s->scope = (enum statement_scope)which;
	return good;
}

static void put_until(struct buf *out, const struct statement *s)
{
	char at[TIMESTAMP_LEN + 1];

	if (timestamp_write(s->until_ms, at))
		buf_printf(out, "%s", at);
	else
		out->failed = true;
}

static bool take_until(struct span v, struct statement *s)
{
	return timestamp_read(v.at, v.len, &s->until_ms);
}

static void put_nonce(struct buf *out, const struct statement *s)
{
	buf_put_hex(out, s->nonce, sizeof s->nonce);
}

static bool take_nonce(struct span v, struct statement *s)
{
	return take_hex(v, s->nonce, sizeof s->nonce);
}

static const struct key {
	const char *name, *wants;
	void (*put)(struct buf *out, const struct statement *s);
	bool (*take)(struct span value, struct statement *s);
} keys[] = {
	{ "realm", "32 hexadecimal digits, small ones", put_realm, take_realm },
	{ "approval", "the id of one", put_approval, take_approval },
	{ "shown", "64 hexadecimal digits, small ones", put_shown, take_shown },
	{ "answer", "grant or deny", put_answer, take_answer },
	{ "scope", "once or session", put_scope, take_scope },
	{ "until", "a time as 2026-01-31T09:15:02.123Z", put_until, take_until },
	{ "nonce", "32 hexadecimal digits, small ones", put_nonce, take_nonce },
};

#define KEYS (sizeof keys / sizeof keys[0])

void statement_put(struct buf *out, const struct statement *s)
{
	buf_printf(out, HEAD "\n");
	for (size_t i = 0; i < KEYS; i++) {
		buf_printf(out, "%s: ", keys[i].name);
		keys[i].put(out, s);
		buf_put_u8(out, '\n');
	}
}

/* ---- taking it back ---- */

static int bad(size_t line, struct err *e, const char *what, const char *name)
{
	return err_why(e, err_set(e, AMBIT_MALFORMED, NULL, "it is no statement of an approval"), "line %zu: %s%s",
		       line, what, name);
}

/* What stands in place of keys[i], or behind all of them, where the keys before it were taken. */
static int not_in_order(size_t i, struct span name, size_t line, struct err *e)
{
	for (size_t k = 0; k < KEYS; k++)
		if (span_equal(name, span_of(keys[k].name)))
			return k < i ? bad(line, e, "a second ", keys[k].name)
				     : bad(line, e, "before it is missing: ", keys[i].name);
	return i < KEYS ? bad(line, e, "a key that is none; here belongs ", keys[i].name)
			: bad(line, e, "more than belongs in it", "");
}

static int take_line(size_t i, struct span line, size_t number, struct statement *s, struct err *e)
{
	struct span name;

	if (!span_until(&line, ':', &name) || !span_skip(&line, " "))
		return bad(number, e, "no key and value; here belongs ", keys[i].name);
	if (!span_equal(name, span_of(keys[i].name)))
		return not_in_order(i, name, number, e);
	return keys[i].take(line, s) ? 0 : bad(number, e, "wanted is ", keys[i].wants);
}

int statement_take(struct span text, struct statement *ret, struct err *e)
{
	struct lines l = { .left = text };
	struct statement s = { .until_ms = 0 };
	struct span line;

	if (text.len > STATEMENT_MAX)
		return bad(1, e, "the text is too long", "");
	if (!lines_next(&l, &line) || !span_equal(line, span_of(HEAD)))
		return bad(1, e, "the first says no version that is known here; wanted is: ", HEAD);
	for (size_t i = 0; i < KEYS; i++) {
		int r;

		if (!lines_next(&l, &line))
			return bad(l.number + 1, e, l.left.len > 0 ? "it is cut: " : "missing: ", keys[i].name);
		r = take_line(i, line, l.number, &s, e);
		if (r < 0)
			return r;
	}
	if (l.left.len > 0) {
		struct span name = l.left;

		(void)span_until(&l.left, ':', &name); /* else all that is left */
		return not_in_order(KEYS, name, l.number + 1, e);
	}
	*ret = s;
	return 0;
}
