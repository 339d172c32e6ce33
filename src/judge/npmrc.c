/* .npmrc: lines of key = value. Anything that would have to be read as npm's own parser does (sections, quotes, arrays,
 * ${variables}, keys alone) holds, unless the line was there before. */
#include <string.h>

#include "judge/kinds.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum npm_value { FLAG, TRUE };

static const struct npm_key {
	const char *key;
	enum npm_value value;
} table[] = {
#define NPM_KEY(key, value) { key, value },
#include "judge/npm_keys.def"
#undef NPM_KEY
};

struct setting {
	const char *key, *value;
	size_t key_len, value_len;
};

static void trim(const char **s, size_t *n)
{
	while (*n > 0 && ((*s)[0] == ' ' || (*s)[0] == '\t')) {
		(*s)++;
		(*n)--;
	}
	while (*n > 0 && ((*s)[*n - 1] == ' ' || (*s)[*n - 1] == '\t'))
		(*n)--;
}

static bool is_nothing(const struct line *l)
{
	const char *s = l->text;
	size_t n = l->n;

	trim(&s, &n);
	return n == 0 ||
	       ((s[0] == '#' || s[0] == ';') && memchr(s, '\r', n) == NULL); /* npm ends a line at a CR, too */
}

static bool divide(const struct line *l, struct setting *ret)
{
	const char *equals = memchr(l->text, '=', l->n);

	if (equals == NULL)
		return false;
	ret->key = l->text;
	ret->key_len = (size_t)(equals - l->text);
	ret->value = equals + 1;
	ret->value_len = l->n - ret->key_len - 1;
	trim(&ret->key, &ret->key_len);
	trim(&ret->value, &ret->value_len);
	return true;
}

static bool is_flag(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
		      (s[i] != 0 && strchr("-.^~*", s[i]) != NULL)))
			return false;
	return n > 0;
}

/* Of a line that is shown: not the value, which may be a password. */
static size_t key_len(const struct line *l)
{
	const char *equals = memchr(l->text, '=', l->n);

	return equals != NULL ? (size_t)(equals - l->text) : l->n;
}

static bool value_is(const struct setting *s, enum npm_value value)
{
	switch (value) {
	case FLAG: return is_flag(s->value, s->value_len);
	case TRUE: return word_is(s->value, s->value_len, "true");
	}
	return false;
}

static bool key_is(const struct line *l, const char *key, struct setting *ret)
{
	return !is_nothing(l) && divide(l, ret) && word_is(ret->key, ret->key_len, key);
}

static bool is_inert(const struct line *l)
{
	struct setting s;

	if (is_nothing(l))
		return true;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (key_is(l, table[i].key, &s))
			return value_is(&s, table[i].value);
	return false;
}

/* The next line that is not inert. */
static bool next_live(const char *content, size_t n, struct line *l)
{
	while (line_next(content, n, l))
		if (!is_inert(l))
			return true;
	return false;
}

static bool says_true(const char *content, size_t n, const char *key)
{
	struct line l = { .text = NULL };
	struct setting s;

	while (line_next(content, n, &l))
		if (key_is(&l, key, &s) && value_is(&s, TRUE))
			return true;
	return false;
}

static void hold_guards(const struct judge_case *c, struct judge_verdict *ret)
{
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].value == TRUE && says_true(c->old, c->old_len, table[i].key) &&
		    !says_true(c->now, c->now_len, table[i].key))
			hold(ret, 0, "no longer true", table[i].key, strlen(table[i].key));
}

/* As with git's configuration: what is left without the inert lines must be the same, in the same order, since the last
 * line of a key wins. */
void judge_npmrc(const struct judge_case *c, struct judge_verdict *ret)
{
	struct line was = { .text = NULL }, is = { .text = NULL };

	for (;;) {
		const bool has_old = next_live(c->old, c->old_len, &was), has_now = next_live(c->now, c->now_len, &is);

		if (has_now && !(has_old && is.n == was.n && memcmp(is.text, was.text, is.n) == 0))
			hold(ret, is.offset, "not known to be harmless", is.text, key_len(&is));
		else if (has_old && !has_now)
			hold(ret, c->now_len, "no longer says", was.text, key_len(&was));
		if (!ret->inert || !has_now)
			break;
	}
	hold_guards(c, ret);
}
