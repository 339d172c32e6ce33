/* A grant as on the command line. One text, three forms of objects, then qualifiers:
 *
 *     /srv/my data            one object, to the end of the text
 *     "/srv/a b=c" 'x''y'     one object in quotes; a quote inside is doubled
 *     [~/.gitconfig, "/a,b"]  several
 */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/words.h"

#define BLANKS " \t\r\n"
#define SHOWN_MAX 120
#define LIMIT_TEXT_MAX 64 /* the longest word and any value, of a limit or a budget */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, BLANKS);
}

static int bad_text(struct err *e, const char *verb, const char *text, const char *hint, const char *what)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, text, strlen(text));
	return err_set(e, AMBIT_MALFORMED, hint, "%s: %s in '%s'", verb, what, shown);
}

static int too_long(struct err *e, const char *verb)
{
	return err_set(e, AMBIT_LIMIT, "a path has at most 4095 bytes", "%s: the object is too long", verb);
}

/* ---- objects ---- */

struct object {
	char text[GRANT_OBJECT_MAX + 1]; /* one more than an object, for its `?` */
	size_t len;
};

static bool object_put(struct object *o, const char *bytes, size_t n)
{
	if (n >= sizeof o->text - o->len)
		return false;
	memcpy(o->text + o->len, bytes, n);
	o->len += n;
	o->text[o->len] = 0;
	return true;
}

/* Reads a quoted object; *at stands on the quote and then behind the closing one. */
static int take_quoted(const char **at, const char *verb, struct object *ret, struct err *e)
{
	const char *const start = *at;
	const char quote = *start;
	const char *s = start + 1;

	for (;;) {
		const size_t n = strcspn(s, (const char[]){ quote, 0 });

		if (!object_put(ret, s, n))
			return too_long(e, verb);
		s += n;
		if (*s == 0)
			return bad_text(e, verb, start, "close the quote, or double it if it belongs to the object",
					"a quote is open");
		if (s[1] != quote)
			break;
		if (!object_put(ret, s, 1)) /* doubled: one of them is the object's */
			return too_long(e, verb);
		s += 2;
	}
	*at = s + 1;
	return 0;
}

/* Whether s, behind a blank, starts a qualifier: small letters and `=`. */
static bool starts_qualifier(const char *s)
{
	const size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	return n > 0 && s[n] == '=';
}

static bool starts_path(const char *s)
{
	return s[0] == '/' || s[0] == '~' || strncmp(s, "./", 2) == 0;
}

/* Where a bare object ends: before a qualifier, or at the end of the text without its blanks. NULL: a second object. */
static const char *bare_end(const char *s, bool is_path)
{
	const char *end = s + strcspn(s, BLANKS);

	for (const char *gap = end; *gap != 0;) {
		const char *word = skip_blanks(gap);

		if (*word == 0 || starts_qualifier(word))
			break;
		if (is_path && starts_path(word))
			return NULL;
		gap = end = word + strcspn(word, BLANKS);
	}
	return end;
}

static int take_bare(const char **at, const char *verb, bool is_path, struct object *ret, struct err *e)
{
	const char *end = bare_end(*at, is_path);

	if (end == NULL)
		return bad_text(e, verb, *at,
				"write [/a, /b] or repeat the flag; if the blank belongs to the path, quote it",
				"two objects");
	if (!object_put(ret, *at, (size_t)(end - *at)))
		return too_long(e, verb);
	*at = end;
	return 0;
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* An address of IPv6 stands in brackets as well; behind them comes its port. */
static bool starts_address(const char *s)
{
	const char *end = *s == '[' ? strchr(s, ']') : NULL;

	return end != NULL && end[1] == ':';
}

/* One item of a list, up to a comma or the bracket. */
static int take_item(const char **at, const char *verb, struct object *ret, struct err *e)
{
	size_t n;

	if (is_quote(**at))
		return take_quoted(at, verb, ret, e);
	n = starts_address(*at) ? (size_t)(strchr(*at, ']') + 1 - *at) : 0;
	n += strcspn(*at + n, ",]");
	while (n > 0 && strchr(BLANKS, (*at)[n - 1]) != NULL)
		n--;
	if (n == 0)
		return bad_text(e, verb, *at, "write [/a, /b]", "an empty place");
	if (!object_put(ret, *at, n))
		return too_long(e, verb);
	*at += n;
	return 0;
}

static int take_list(struct policy *p, enum grant_verb verb, const char **at, struct err *e)
{
	const char *const start = *at;
	const char *s = skip_blanks(start + 1);

	for (;;) {
		struct object o = { .len = 0 };
		int rc = take_item(&s, verb_word(verb), &o, e);

		if (rc == 0)
			rc = policy_add(p, verb, o.text, 0, 0, e);
		if (rc < 0)
			return rc;
		s = skip_blanks(s);
		if (*s == ']')
			break;
		if (*s != ',')
			return bad_text(e, verb_word(verb), start, "write [/a, /b]",
					"a list without a comma or its end");
		s = skip_blanks(s + 1);
	}
	*at = s + 1;
	return 0;
}

static int take_objects(struct policy *p, enum grant_verb verb, const char **at, struct err *e)
{
	struct object o = { .len = 0 };
	const enum grant_object_kind kind = verb_object(verb);
	int rc;

	if (kind == OBJECT_NONE)
		return policy_add(p, verb, "", 0, 0, e);
	if (**at == '[' && !(kind == OBJECT_ADDRESS && starts_address(*at)))
		return take_list(p, verb, at, e);
	if (is_quote(**at))
		rc = take_quoted(at, verb_word(verb), &o, e);
	else
		rc = take_bare(at, verb_word(verb), kind == OBJECT_PATH || kind == OBJECT_PROGRAM, &o, e);
	return rc < 0 ? rc : policy_add(p, verb, o.text, 0, 0, e);
}

/* ---- qualifiers ---- */

/* The value of a qualifier, in quotes if it has blanks; *at stands on it and then behind it. */
static int take_value(enum grant_verb verb, const char **at, struct object *ret, struct err *e)
{
	const size_t n = strcspn(*at, BLANKS);
	int rc = 0;

	if (is_quote(**at))
		rc = take_quoted(at, verb_word(verb), ret, e);
	else if (object_put(ret, *at, n))
		*at += n;
	else
		rc = err_set(e, AMBIT_LIMIT, "write fewer, with wildcards, or in grants to several hosts",
			     "%s: the value of a qualifier is too long", verb_word(verb));
	if (rc == 0 && **at != 0 && strchr(BLANKS, **at) == NULL)
		return bad_text(e, verb_word(verb), *at, "put all of the value into the quotes",
				"no blank behind a quote");
	return rc;
}

/* Reads key=value; *at stands on the key and then behind the value. */
static int take_qualifier(enum grant_verb verb, const char **at, struct conditions *b, struct err *e)
{
	const size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
	struct object value = { .len = 0 };
	char word[32];
	int rc;

	if (!starts_qualifier(*at))
		return bad_text(e, verb_word(verb), *at, "after the object only qualifiers may stand, as key=value",
				"more than an object");
	(void)snprintf(word, sizeof word, "%.*s", (int)n, *at); /* cut is no word */
	rc = qualifier_parse(word, e);
	if (rc == 0)
		rc = qualifier_check_verb(word, verb, e);
	if (rc == 0 && conditions_have(b, word))
		rc = err_set(e, AMBIT_CONFLICT, "keep one of the two", "%s: '%s' stands here twice", verb_word(verb),
			     word);
	*at += n + 1;
	if (rc == 0)
		rc = take_value(verb, at, &value, e);
	return rc < 0 ? rc : conditions_set(b, word, value.text, e);
}

/* To the end of the text. */
static int take_qualifiers(enum grant_verb verb, const char *at, struct conditions *b, struct err *e)
{
	int rc = 0;

	for (at = skip_blanks(at); *at != 0 && rc == 0; at = skip_blanks(at))
		rc = take_qualifier(verb, &at, b, e);
	return rc;
}

int policy_add_flag(struct policy *p, const char *verb, const char *text, struct err *e)
{
	const uint32_t before = p->n_lines, texts_before = p->texts_used;
	const char *at = skip_blanks(text != NULL ? text : "");
	struct conditions b = { .qualifiers = { .uses = 0 } };
	enum grant_verb v;
	int rc = verb_parse(verb, &v, e);

	if (rc < 0)
		return rc;
	rc = take_objects(p, v, &at, e);
	if (rc == 0)
		rc = take_qualifiers(v, at, &b, e);
	if (rc == 0)
		rc = policy_qualify(p, before, &b, NULL, e);
	if (rc < 0) {
		p->n_lines = before;
		p->texts_used = texts_before;
	}
	return rc;
}

/* ---- budgets ---- */

/* One "uses=100" of them; *at stands on it and then behind it. */
static int take_number(const char *budget, const char **at, struct qualifiers *q, struct err *e)
{
	char word[LIMIT_TEXT_MAX], *value;
	const size_t n = strcspn(*at, BLANKS);
	enum qualifier which;
	int rc;

	(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), *at);
	value = strchr(word, '=');
	if (n >= sizeof word || value == NULL)
		return bad_text(e, budget, *at, "write session uses=100 bytes=10M rate=10/s", "no key=value");
	*value++ = 0;
	rc = budget_check_word(word, &which, e);
	if (rc == 0 && qualifiers_has(q, which))
		rc = err_set(e, AMBIT_CONFLICT, "keep one of the two", "%s: '%s' stands here twice", budget, word);
	*at += n;
	return rc < 0 ? rc : qualifiers_set(q, which, value, e);
}

int policy_add_budget(struct policy *p, const char *text, struct err *e)
{
	const char *at = skip_blanks(text);
	const size_t n = strcspn(at, BLANKS);
	struct qualifiers q = { .uses = 0 };
	enum policy_budget which;
	char word[LIMIT_TEXT_MAX];
	int rc;

	(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1),
		       at); /* cut is no word */
	rc = budget_parse(word, &which, e);
	for (at = skip_blanks(at + n); *at != 0 && rc == 0; at = skip_blanks(at))
		rc = take_number(word, &at, &q, e);
	if (rc == 0 && qualifiers_are_none(&q))
		return bad_text(e, "budget", text, "write session uses=100 bytes=10M rate=10/s", "no number");
	return rc < 0 ? rc : policy_narrow_budget(p, which, &q, e);
}

/* ---- limits ---- */

/* One "word=value" of n bytes into *l; *given gets its bit. */
static int take_limit(struct limits *l, uint32_t *given, const char *text, size_t n, struct err *e)
{
	char word[LIMIT_TEXT_MAX];
	struct limits one = { .value = { 0 } };
	char *value;
	int rc;

	if (n >= sizeof word)
		return err_set(e, AMBIT_MALFORMED, "write wall=30s", "a limit is too long");
	memcpy(word, text, n);
	word[n] = 0;
	value = strchr(word, '=');
	if (value == NULL)
		return bad_text(e, "limit", word, "write wall=30s or wall=30s,memory=2G", "no value");
	*value++ = 0;
	rc = limit_parse(&one, word, value, e);
	if (rc < 0)
		return rc;
	for (enum limit which = 0; which < LIMIT_COUNT; which++)
		if (strcmp(limit_word(which), word) == 0)
			*given |= 1u << which;
	limits_narrow(l, &one);
	return 0;
}

int policy_add_limit(struct policy *p, const char *text, struct err *e)
{
	struct limits l = p->limits;
	uint32_t given = p->limits_given;

	for (const char *at = text;; at++) {
		const size_t n = strcspn(at, ",");
		const int rc = take_limit(&l, &given, at, n, e);

		if (rc < 0)
			return rc;
		at += n;
		if (*at == 0)
			break;
	}
	p->limits = l;
	p->limits_given = given;
	return 0;
}
