#include "http/gql_lex.h"

#include <string.h>

#include "base/num.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* NUL at the end, which no token has. */
static char peek(const struct gql_lexer *l, size_t further)
{
	return further < l->n - l->at ? l->text[l->at + further] : 0;
}

static bool follows(const struct gql_lexer *l, const char *what)
{
	const size_t n = strlen(what);

	return l->n - l->at >= n && memcmp(l->text + l->at, what, n) == 0;
}

static bool fail(struct gql_lexer *l, const char *why)
{
	l->why = why;
	return false;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

/* U+0085, U+2028 and U+2029 end a line for readers of the specification's first drafts, and in some languages. */
static bool skip_comment(struct gql_lexer *l)
{
	while (l->at < l->n && peek(l, 0) != '\n' && peek(l, 0) != '\r') {
		if (is_control(peek(l, 0)))
			return fail(l, "has a control character in a comment");
		if (follows(l, "\xc2\x85") || follows(l, "\xe2\x80\xa8") || follows(l, "\xe2\x80\xa9"))
			return fail(l, "has a comment that could end in two places");
		l->at++;
	}
	return true;
}

static bool skip_ignored(struct gql_lexer *l)
{
	while (l->at < l->n) {
		if (follows(l, "\xef\xbb\xbf"))
			l->at += 3;
		else if (peek(l, 0) != 0 && strchr(" \t\n\r,", peek(l, 0)) != NULL)
			l->at++;
		else if (peek(l, 0) != '#')
			return true;
		else if (!skip_comment(l))
			return false;
	}
	return true;
}

static void take_name(struct gql_lexer *l)
{
	while (starts_name(peek(l, 0)) || is_digit(peek(l, 0)))
		l->at++;
}

static bool take_digits(struct gql_lexer *l)
{
	if (!is_digit(peek(l, 0)))
		return fail(l, "has a number without digits");
	while (is_digit(peek(l, 0)))
		l->at++;
	return true;
}

static bool take_integer(struct gql_lexer *l)
{
	if (peek(l, 0) == '-')
		l->at++;
	if (peek(l, 0) == '0' && is_digit(peek(l, 1)))
		return fail(l, "has a number that begins with 0");
	return take_digits(l);
}

static bool take_fraction(struct gql_lexer *l)
{
	if (peek(l, 0) == '.') {
		l->at++;
		if (!take_digits(l))
			return false;
	}
	if (peek(l, 0) != 'e' && peek(l, 0) != 'E')
		return true;
	l->at++;
	if (peek(l, 0) == '+' || peek(l, 0) == '-')
		l->at++;
	return take_digits(l);
}

static bool take_number(struct gql_lexer *l)
{
	if (!take_integer(l) || !take_fraction(l))
		return false;
	if (starts_name(peek(l, 0)) || peek(l, 0) == '.')
		return fail(l, "has a number that does not end");
	return true;
}

/* -1: not four hexadecimal digits after \u. */
static int unit(const struct gql_lexer *l)
{
	int value = 0;

	if (!follows(l, "\\u"))
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const int digit = hex_digit(peek(l, i));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static bool take_unit(struct gql_lexer *l)
{
	const int first = unit(l);

	if (first < 0)
		return fail(l, "has an escape that is none");
	l->at += 6;
	if (first < 0xd800 || first > 0xdfff)
		return true;
	if (first > 0xdbff || unit(l) < 0xdc00 || unit(l) > 0xdfff)
		return fail(l, "has half a character as an escape");
	l->at += 6;
	return true;
}

static bool take_escape(struct gql_lexer *l)
{
	const char c = peek(l, 1);

	if (c == 'u')
		return take_unit(l);
	if (c == 0 || strchr("\"\\/bfnrt", c) == NULL)
		return fail(l, "has an escape that is none");
	l->at += 2;
	return true;
}

static bool take_line(struct gql_lexer *l)
{
	l->at++;
	while (l->at < l->n && peek(l, 0) != '"') {
		if (is_control(peek(l, 0)) || peek(l, 0) == '\n' || peek(l, 0) == '\r')
			return fail(l, "has a text that goes over its line");
		if (peek(l, 0) != '\\')
			l->at++;
		else if (!take_escape(l))
			return false;
	}
	if (l->at == l->n)
		return fail(l, "ends within a text");
	l->at++;
	return true;
}

static bool take_block(struct gql_lexer *l)
{
	l->at += 3;
	while (l->at < l->n && !follows(l, "\"\"\"")) {
		if (is_control(peek(l, 0)))
			return fail(l, "has a control character in a text");
		l->at += follows(l, "\\\"\"\"") ? 4 : 1;
	}
	if (l->at == l->n)
		return fail(l, "ends within a text");
	l->at += 3;
	return true;
}

static bool take_other(struct gql_lexer *l, int *ret_kind)
{
	const char c = peek(l, 0);

	if (follows(l, "...")) {
		*ret_kind = GQL_DOTS;
		l->at += 3;
		return true;
	}
	if (c == 0 || strchr("!$&():=@[]{|}", c) == NULL)
		return fail(l, "has a character that no token begins with");
	*ret_kind = (unsigned char)c; /* one of these */
	l->at++;
	return true;
}

static bool take(struct gql_lexer *l, int *ret_kind)
{
	const char c = peek(l, 0);

	if (starts_name(c)) {
		*ret_kind = GQL_NAME;
		take_name(l);
		return true;
	}
	if (is_digit(c) || c == '-') {
		*ret_kind = GQL_NUMBER;
		return take_number(l);
	}
	if (c != '"')
		return take_other(l, ret_kind);
	*ret_kind = GQL_STRING;
	return follows(l, "\"\"\"") ? take_block(l) : take_line(l);
}

void gql_next(struct gql_lexer *l, struct gql_token *ret)
{
	*ret = (struct gql_token){ .kind = GQL_BAD, .text = l->text + l->at };
	if (!skip_ignored(l))
		return;
	ret->text = l->text + l->at;
	ret->kind = GQL_END;
	if (l->at < l->n && !take(l, &ret->kind))
		ret->kind = GQL_BAD;
	ret->n = (size_t)(l->text + l->at - ret->text);
}

bool gql_is(const struct gql_token *t, const char *name)
{
	return t->kind == GQL_NAME && t->n == strlen(name) && memcmp(t->text, name, t->n) == 0;
}
