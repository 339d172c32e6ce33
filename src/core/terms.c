#include "core/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define SHOWN_MAX 80
#define DIGEST_DIGITS 64

static const char *const words[TERM_COUNT] = {
#define TERM_WORD(name, word) [TERM_##name] = (word),
	TERMS(TERM_WORD)
#undef TERM_WORD
};

static const char *const type_words[] = {
	[TERMS_QUERY] = "query",
	[TERMS_MUTATION] = "mutation",
	[TERMS_SUBSCRIPTION] = "subscription",
};

static const char *const credentials_words[] = {
	[TERMS_REFUSE] = "refuse",
	[TERMS_REPLACE] = "replace",
	[TERMS_PASS] = "pass",
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define GRAPHQL_METHOD "GRAPHQL"

const char *term_word(enum term which)
{
	return which < TERM_COUNT ? words[which] : "?";
}

bool term_is(const char *word, enum term *ret)
{
	for (enum term i = 0; i < TERM_COUNT; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*ret = (uint8_t)i;
		return true;
	}
	return false;
}

const char *terms_operation_word(unsigned type)
{
	return type_words[type];
}

bool terms_has(const struct terms *t, enum term which)
{
	switch (which) {
	case TERM_HTTP: return t->n_rules != 0;
	case TERM_GRAPHQL: return t->n_operations != 0 || t->n_listed != 0;
	case TERM_SECRET: return t->n_secrets != 0;
	case TERM_CREDENTIALS: return t->credentials != TERMS_REFUSE;
	case TERM_COUNT: break;
	}
	return false;
}

bool terms_are_none(const struct terms *t)
{
	for (enum term i = 0; i < TERM_COUNT; i++)
		if (terms_has(t, i))
			return false;
	return true;
}

/* ---- words of a value ---- */

/* Text of somebody else's, not ended by a NUL. */
struct piece {
	const char *at;
	size_t n;
};

static struct piece trimmed(struct piece p)
{
	while (p.n > 0 && p.at[0] == ' ') {
		p.at++;
		p.n--;
	}
	while (p.n > 0 && p.at[p.n - 1] == ' ')
		p.n--;
	return p;
}

/* What stands before the first `end`, without blanks around it; *rest is what stands behind it, and *ret_is_last that there is none. */
static struct piece take_until(struct piece *rest, char end, bool *ret_is_last)
{
	const char *at = rest->n > 0 ? memchr(rest->at, end, rest->n) : NULL;
	struct piece p = { rest->at, at != NULL ? (size_t)(at - rest->at) : rest->n };

	*ret_is_last = at == NULL;
	*rest = at != NULL ? (struct piece){ at + 1, rest->n - p.n - 1 } : (struct piece){ rest->at + p.n, 0 };
	return trimmed(p);
}

static bool is_word(const struct piece *p, const char *word)
{
	return p->n == strlen(word) && memcmp(p->at, word, p->n) == 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(char c, const char *chars)
{
	return is_letter(c) || is_digit(c) || (c != 0 && strchr(chars, c) != NULL);
}

/* Letters, digits and these; false also if it is empty or too long for size. */
static bool copy_word(const struct piece *p, const char *chars, char *ret, size_t size)
{
	if (p->n == 0 || p->n >= size)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (!is_one_of(p->at[i], chars))
			return false;
		ret[i] = p->at[i];
	}
	ret[p->n] = 0;
	return true;
}

static void lower(char *text)
{
	for (; *text != 0; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static int wrong(struct err *e, enum term which, const struct piece *p, const char *hint, const char *why)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, p->at, p->n);
	return err_set(e, AMBIT_MALFORMED, hint, "%s: '%s' %s", words[which], shown, why);
}

static int too_many(struct err *e, enum term which, unsigned int max)
{
	return err_set(e, AMBIT_LIMIT, "write fewer, with wildcards, or in grants to several hosts",
		       "%s: more than %u entries", words[which], max);
}

/* ---- http ---- */

bool terms_rule_is_graphql(const struct terms_rule *r)
{
	return strcmp(r->method, GRAPHQL_METHOD) == 0;
}

/* Methods are told apart by case, and all that exist are written in capitals. */
static bool take_method(const struct piece *p, char ret[TERMS_METHOD_MAX])
{
	if (is_word(p, "*")) {
		(void)text_copy(ret, TERMS_METHOD_MAX, "*");
		return true;
	}
	if (!copy_word(p, "-", ret, TERMS_METHOD_MAX))
		return false;
	for (const char *at = ret; *at != 0; at++)
		if (*at >= 'a' && *at <= 'z')
			return false;
	return is_letter(ret[0]) && strcmp(ret, "CONNECT") != 0 && strcmp(ret, "TRACE") != 0;
}

static int take_rule(const struct piece *p, struct terms_rule *ret, struct err *e)
{
	static const char hint[] = "write a method and a path, such as GET /repos/**, and commas between several";
	struct piece pattern = *p;
	bool is_alone;
	const struct piece method = take_until(&pattern, ' ', &is_alone);
	const char *why;

	pattern = trimmed(pattern);
	if (is_alone || pattern.n == 0)
		return wrong(e, TERM_HTTP, p, hint, "is not a method and a path");
	if (!take_method(&method, ret->method))
		return wrong(e, TERM_HTTP, &method,
			     "write it in capitals, * for any, or GRAPHQL; CONNECT and TRACE are never allowed",
			     "is not a method");
	why = http_pattern_take(pattern.at, pattern.n, ret->pattern);
	if (why != NULL)
		return wrong(e, TERM_HTTP, &pattern,
			     "write a path such as /repos/*/pulls or /repos/**, without a query", why);
	return 0;
}

static int compare_rules(const void *a, const void *b)
{
	const struct terms_rule *left = a, *right = b;
	const int by_method = strcmp(left->method, right->method);

	return by_method != 0 ? by_method : strcmp(left->pattern, right->pattern);
}

static int compare_operations(const void *a, const void *b)
{
	const struct terms_operation *left = a, *right = b;

	return left->type != right->type ? left->type - right->type : strcmp(left->field, right->field);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorted, and each once. */
static void sort_once(void *rows, uint32_t *n, size_t size, int (*compare)(const void *, const void *))
{
	char *all = rows;
	uint32_t kept = 0;

	qsort(rows, *n, size, compare);
	for (uint32_t i = 0; i < *n; i++) {
		if (kept > 0 && compare(all + (kept - 1) * size, all + i * size) == 0)
			continue;
		memmove(all + kept++ * size, all + i * size, size);
	}
	*n = kept;
}

static int read_rules(struct terms *t, struct piece value, struct err *e)
{
	bool is_last = false;

	t->n_rules = 0;
	while (!is_last) {
		const struct piece p = take_until(&value, ',', &is_last);
		int rc;

		if (t->n_rules >= TERMS_RULES_MAX)
			return too_many(e, TERM_HTTP, TERMS_RULES_MAX);
		rc = take_rule(&p, &t->rules[t->n_rules], e);
		if (rc < 0)
			return rc;
		t->n_rules++;
	}
	sort_once(t->rules, &t->n_rules, sizeof t->rules[0], compare_rules);
	return 0;
}

/* ---- graphql ---- */

static bool take_field(const struct piece *p, char ret[TERMS_NAME_MAX])
{
	if (is_word(p, "*"))
		return text_copy(ret, TERMS_NAME_MAX, "*");
	return copy_word(p, "_", ret, TERMS_NAME_MAX) && !is_digit(ret[0]);
}

static bool take_type(const struct piece *p, uint8_t *ret)
{
	for (size_t i = 0; i < COUNT_OF(type_words); i++) {
		if (!is_word(p, type_words[i]))
			continue;
		*ret = (uint8_t)i;
		return true;
	}
	return false;
}

static bool take_digest(const struct piece *p, char ret[DIGEST_DIGITS + 1])
{
	if (p->n != DIGEST_DIGITS || !copy_word(p, "", ret, DIGEST_DIGITS + 1))
		return false;
	lower(ret);
	return strspn(ret, "0123456789abcdef") == DIGEST_DIGITS;
}

static int take_listed(struct terms *t, const struct piece *digest, struct err *e)
{
	if (t->n_listed >= TERMS_LISTED_MAX)
		return too_many(e, TERM_GRAPHQL, TERMS_LISTED_MAX);
	if (!take_digest(digest, t->listed[t->n_listed]))
		return wrong(e, TERM_GRAPHQL, digest, "write the SHA-256 of the query, 64 hexadecimal digits",
			     "is not the digest of a persisted query");
	t->n_listed++;
	return 0;
}

static int take_operation(struct terms *t, const struct piece *p, struct err *e)
{
	static const char hint[] = "write query, mutation or subscription and a field or *, or persisted and a digest";
	struct piece name = *p;
	struct terms_operation *op = &t->operations[t->n_operations];
	bool is_alone;
	const struct piece type = take_until(&name, ' ', &is_alone);

	name = trimmed(name);
	if (is_word(&type, "persisted"))
		return take_listed(t, &name, e);
	if (t->n_operations >= TERMS_OPERATIONS_MAX)
		return too_many(e, TERM_GRAPHQL, TERMS_OPERATIONS_MAX);
	if (!take_type(&type, &op->type) || !take_field(&name, op->field))
		return wrong(e, TERM_GRAPHQL, p, hint, "is not an operation and a field");
	t->n_operations++;
	return 0;
}

static int read_operations(struct terms *t, struct piece value, struct err *e)
{
	bool is_last = false;

	t->n_operations = 0;
	t->n_listed = 0;
	while (!is_last) {
		const struct piece p = take_until(&value, ',', &is_last);
		const int rc = take_operation(t, &p, e);

		if (rc < 0)
			return rc;
	}
	sort_once(t->operations, &t->n_operations, sizeof t->operations[0], compare_operations);
	sort_once(t->listed, &t->n_listed, sizeof t->listed[0], compare_texts);
	return 0;
}

/* ---- secret ---- */

/* Of RFC 9110, without the quote, in which terms are written. */
#define TOKEN_CHARS "!#$%&*+-.^_`|~"

/* What says how a request is framed, how its body is read or who speaks with whom is not a place for a secret, as servers tell names apart. */
static bool is_header_for_secrets(const char *name)
{
	static const char *const others[] = { "host",       "content-length", "transfer-encoding", "connection",
					      "te",         "trailer",        "upgrade",           "expect",
					      "keep-alive", "content-type",   "content-encoding" };
	char first[sizeof "proxy-"];

	(void)snprintf(first, sizeof first, "%s", name);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (terms_name_is_same(name, others[i]))
			return false;
	return !terms_name_is_same(first, "proxy-");
}

static bool take_header(struct piece p, struct terms_secret *s)
{
	bool is_last;
	const struct piece name = take_until(&p, ':', &is_last);

	s->place = TERMS_HEADER;
	if (!copy_word(&name, TOKEN_CHARS, s->where, sizeof s->where))
		return false;
	lower(s->where);
	if (!is_header_for_secrets(s->where))
		return false;
	return is_last || copy_word(&p, TOKEN_CHARS, s->word, sizeof s->word);
}

/* `query:NAME` or `form:NAME`. */
static bool take_parameter(const struct piece *kind, const struct piece *name, struct terms_secret *s)
{
	s->place = is_word(kind, "form") ? TERMS_FORM : TERMS_PARAMETER;
	return (s->place == TERMS_FORM || is_word(kind, "query")) && copy_word(name, "-._~", s->where, sizeof s->where);
}

static bool take_place(struct piece p, struct terms_secret *s)
{
	bool is_last;
	const struct piece kind = take_until(&p, ':', &is_last);

	if (is_last && is_word(&kind, "bearer")) {
		s->place = TERMS_HEADER;
		return text_copy(s->where, sizeof s->where, "authorization") &&
		       text_copy(s->word, sizeof s->word, "Bearer");
	}
	if (is_word(&kind, "header"))
		return take_header(p, s);
	if (!is_word(&kind, "basic"))
		return take_parameter(&kind, &p, s);
	s->place = TERMS_BASIC;
	return copy_word(&p, "!#$%&()*+-./;<=>?@[]^_`{|}~\\\"", s->where, sizeof s->where);
}

static int take_secret(const struct piece *value, struct terms_secret *s, struct err *e)
{
	struct piece rest = *value;
	bool is_alone;
	const struct piece name = take_until(&rest, ' ', &is_alone);
	struct piece as = { "as", 2 };

	*s = (struct terms_secret){ .place = TERMS_NO_SECRET };
	if (!copy_word(&name, "._-", s->name, sizeof s->name) || s->name[0] == '.')
		return wrong(e, TERM_SECRET, &name, "write letters, digits, `.`, `_` and `-`, not first a dot",
			     "is not the name of a secret");
	rest = trimmed(rest);
	if (is_alone)
		rest = (struct piece){ "bearer", 6 };
	else
		as = take_until(&rest, ' ', &is_alone);
	rest = trimmed(rest);
	if (!is_word(&as, "as") || !take_place(rest, s))
		return wrong(
			e, TERM_SECRET, value,
			"write NAME, or NAME as bearer, basic:USER, header:HEADER, header:HEADER:WORD, "
			"query:PARAMETER or form:PARAMETER; a header of the connection or of the body's type is none of them",
			"does not say where the secret goes");
	return 0;
}

static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' || c == '.' || c == ' ' ? '_' : c;
}

bool terms_name_is_same(const char *a, const char *b)
{
	while (*a != 0 && folded(*a) == folded(*b)) {
		a++;
		b++;
	}
	return *a == 0 && *b == 0;
}

const char *terms_field_of(const struct terms_secret *s)
{
	switch ((enum terms_place)s->place) {
	case TERMS_BASIC: return "authorization";
	case TERMS_HEADER: return s->where;
	case TERMS_NO_SECRET:
	case TERMS_PARAMETER:
	case TERMS_FORM: break;
	}
	return NULL;
}

static bool is_same_place(const struct terms_secret *a, const struct terms_secret *b)
{
	const char *one = terms_field_of(a), *other = terms_field_of(b);

	if (one != NULL && other != NULL)
		return terms_name_is_same(one, other);
	return a->place == b->place && terms_name_is_same(a->where, b->where);
}

static int compare_secrets(const void *a, const void *b)
{
	const struct terms_secret *left = a, *right = b;
	const int by_where = strcmp(left->where, right->where);

	if (left->place != right->place)
		return left->place - right->place;
	return by_where != 0 ? by_where : strcmp(left->name, right->name);
}

static int read_secrets(struct terms *t, struct piece value, struct err *e)
{
	bool is_last = false;

	t->n_secrets = 0;
	while (!is_last) {
		const struct piece p = take_until(&value, ',', &is_last);
		struct terms_secret *s = &t->secrets[t->n_secrets];
		int rc;

		if (t->n_secrets >= TERMS_SECRETS_MAX)
			return err_set(e, AMBIT_LIMIT,
				       "a request carries two at most: what needs another is for an event of its own",
				       "secret: more than %d secrets in one request", TERMS_SECRETS_MAX);
		rc = take_secret(&p, s, e);
		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < t->n_secrets; i++)
			if (is_same_place(&t->secrets[i], s))
				return wrong(e, TERM_SECRET, &p, "name one secret for each place",
					     "goes where another secret goes already");
		t->n_secrets++;
	}
	qsort(t->secrets, t->n_secrets, sizeof t->secrets[0], compare_secrets);
	return 0;
}

/* ---- credentials ---- */

static int read_credentials(struct terms *t, const struct piece *value, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(credentials_words); i++) {
		if (i == TERMS_REFUSE || !is_word(value, credentials_words[i]))
			continue;
		t->credentials = (uint8_t)i;
		return 0;
	}
	return wrong(e, TERM_CREDENTIALS, value,
		     "write replace or pass, or leave it out: then a request with credentials of its own is refused",
		     "is not a value");
}

/* ---- setting ---- */

bool terms_want_form(const struct terms *t)
{
	for (uint32_t i = 0; i < t->n_secrets; i++)
		if (t->secrets[i].place == TERMS_FORM)
			return true;
	return false;
}

static int read_value(struct terms *t, enum term which, const struct piece *value, struct err *e)
{
	switch (which) {
	case TERM_HTTP: return read_rules(t, *value, e);
	case TERM_GRAPHQL: return read_operations(t, *value, e);
	case TERM_SECRET: return read_secrets(t, *value, e);
	case TERM_CREDENTIALS: return read_credentials(t, value, e);
	case TERM_COUNT: break;
	}
	return -AMBIT_INTERNAL;
}

static bool format(const struct terms *t, char ret[TERMS_TEXT_MAX]);

static int set(struct terms *t, enum term which, const struct piece *value, struct err *e)
{
	char text[TERMS_TEXT_MAX];
	struct terms next = *t;
	int rc = read_value(&next, which, value, e);

	if (rc == 0 && !format(&next, text))
		rc = err_set(e, AMBIT_LIMIT, "write fewer, with wildcards, or in grants to several hosts",
			     "%s: what is said of one host exceeds %d bytes", term_word(which), TERMS_TEXT_MAX);
	if (rc == 0)
		*t = next;
	return rc;
}

int terms_set(struct terms *t, enum term which, const char *value, struct err *e)
{
	const struct piece p = { value, strlen(value) };

	return set(t, which, &p, e);
}

int terms_check(const struct terms *t, struct err *e)
{
	if (terms_say_graphql(t) && !terms_has(t, TERM_GRAPHQL))
		return err_set(e, AMBIT_MALFORMED, "say which operations are allowed, such as graphql='query *'",
			       "http: a rule says GRAPHQL, and graphql is not given");
	if (terms_want_form(t) && terms_has(t, TERM_GRAPHQL))
		return err_set(e, AMBIT_MALFORMED, "put the secret into a header, such as secret='github as bearer'",
			       "secret: no document of GraphQL is a form, into which a secret could go");
	if (t->credentials == TERMS_REPLACE && !terms_has(t, TERM_SECRET))
		return err_set(e, AMBIT_MALFORMED, "name the secret that is put in, such as secret=github",
			       "credentials: replace without a secret");
	if (t->credentials != TERMS_REFUSE && !terms_has(t, TERM_HTTP) && !terms_has(t, TERM_GRAPHQL) &&
	    !terms_has(t, TERM_SECRET))
		return err_set(e, AMBIT_MALFORMED, "leave it out: nothing of what passes is looked at",
			       "credentials: neither http, graphql nor secret is given");
	return 0;
}

/* ---- writing ---- */

static void put_text(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

static void put_rules(struct buf *out, const struct terms *t)
{
	for (uint32_t i = 0; i < t->n_rules; i++) {
		char pattern[3 * HTTP_PATTERN_MAX];

		if (!http_pattern_put(t->rules[i].pattern, pattern, sizeof pattern))
			out->failed = true; /* never: three for each */
		buf_printf(out, "%s%s %s", i > 0 ? ", " : "", t->rules[i].method, pattern);
	}
}

static void put_operations(struct buf *out, const struct terms *t)
{
	const char *comma = "";

	for (uint32_t i = 0; i < t->n_operations; i++) {
		buf_printf(out, "%s%s %s", comma, type_words[t->operations[i].type], t->operations[i].field);
		comma = ", ";
	}
	for (uint32_t i = 0; i < t->n_listed; i++) {
		buf_printf(out, "%spersisted %s", comma, t->listed[i]);
		comma = ", ";
	}
}

static void put_secret(struct buf *out, const struct terms_secret *s)
{
	static const char *const kinds[] = {
		[TERMS_BASIC] = "basic", [TERMS_PARAMETER] = "query", [TERMS_FORM] = "form"
	};

	buf_printf(out, "%s as ", s->name);
	if (s->place == TERMS_HEADER && strcmp(s->where, "authorization") == 0 && strcmp(s->word, "Bearer") == 0)
		put_text(out, "bearer");
	else if (s->place == TERMS_HEADER)
		buf_printf(out, "header:%s%s%s", s->where, s->word[0] != 0 ? ":" : "", s->word);
	else
		buf_printf(out, "%s:%s", kinds[s->place], s->where);
}

static void put_secrets(struct buf *out, const struct terms *t)
{
	for (uint32_t i = 0; i < t->n_secrets; i++) {
		put_text(out, i > 0 ? ", " : "");
		put_secret(out, &t->secrets[i]);
	}
}

static void put_value(struct buf *out, const struct terms *t, enum term which)
{
	switch (which) {
	case TERM_HTTP: put_rules(out, t); break;
	case TERM_GRAPHQL: put_operations(out, t); break;
	case TERM_SECRET: put_secrets(out, t); break;
	case TERM_CREDENTIALS: put_text(out, credentials_words[t->credentials]); break;
	case TERM_COUNT: break;
	}
}

static bool finish_text(struct buf *out, char ret[TERMS_TEXT_MAX])
{
	const bool fits = buf_cstr(out) != NULL;

	if (!fits)
		ret[0] = 0;
	return fits;
}

void term_format(const struct terms *t, enum term which, char ret[TERMS_TEXT_MAX])
{
	struct buf out;

	buf_init_in(&out, ret, TERMS_TEXT_MAX);
	if (terms_has(t, which))
		put_value(&out, t, which);
	(void)finish_text(&out, ret); /* it fits: terms_set looked */
}

/* All values but those of credentials have blanks; none has a quote. */
static bool format(const struct terms *t, char ret[TERMS_TEXT_MAX])
{
	struct buf out;

	buf_init_in(&out, ret, TERMS_TEXT_MAX);
	for (enum term i = 0; i < TERM_COUNT; i++) {
		const char *quote = i == TERM_CREDENTIALS ? "" : "'";

		if (!terms_has(t, i))
			continue;
		buf_printf(&out, "%s%s=%s", out.len > 0 ? " " : "", words[i], quote);
		put_value(&out, t, i);
		put_text(&out, quote);
	}
	return finish_text(&out, ret);
}

void terms_format(const struct terms *t, char ret[TERMS_TEXT_MAX])
{
	(void)format(t, ret); /* it fits: terms_set looked */
}

/* ---- reading what was written ---- */

/* The next word=value or word='value', and the blank behind it. */
static bool take_term(struct piece *rest, enum term *ret_which, struct piece *ret_value)
{
	char word[16];
	bool is_last;
	struct piece name = take_until(rest, '=', &is_last);

	if (is_last || !copy_word(&name, "", word, sizeof word) || !term_is(word, ret_which))
		return false;
	if (rest->n == 0 || rest->at[0] != '\'') {
		*ret_value = take_until(rest, ' ', &is_last);
		return true;
	}
	*rest = (struct piece){ rest->at + 1, rest->n - 1 };
	*ret_value = take_until(rest, '\'', &is_last);
	if (rest->n > 0)
		*rest = (struct piece){ rest->at + 1, rest->n - 1 };
	return !is_last;
}

int terms_take(const char *text, struct terms *ret, struct err *e)
{
	struct piece rest = { text, strnlen(text, TERMS_TEXT_MAX) };
	struct terms t = { .credentials = TERMS_REFUSE };
	char again[TERMS_TEXT_MAX];
	int rc = rest.n < TERMS_TEXT_MAX ? 0 : -AMBIT_MALFORMED;

	while (rc == 0 && rest.n > 0) {
		struct piece value = { NULL, 0 };
		enum term which = TERM_HTTP;

		rc = take_term(&rest, &which, &value) ? set(&t, which, &value, NULL) : -AMBIT_MALFORMED;
	}
	if (rc == 0)
		rc = terms_check(&t, NULL);
	if (rc == 0)
		terms_format(&t, again);
	if (rc < 0 || strcmp(text, again) != 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "the terms of a grant are not in their normal form");
	*ret = t;
	return 0;
}

/* ---- requests ---- */

static bool method_is(const char *rule, const char *method)
{
	if (strcmp(rule, "*") == 0)
		return strcmp(method, "CONNECT") != 0 && strcmp(method, "TRACE") != 0;
	return strcmp(rule, method) == 0 || (strcmp(rule, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static bool method_is_of_graphql(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* A star that stands before the end of a path of GraphQL's means nothing that servers take for that path: nobody would look at its documents. */
static bool yields(const struct terms_rule *r, const struct terms_rule *graphql)
{
	const char *wild = strchr(r->pattern, HTTP_PATH_WILD);

	return !terms_rule_is_graphql(r) && terms_rule_is_graphql(graphql) && wild != NULL &&
	       (size_t)(wild - r->pattern) <= strlen(graphql->pattern);
}

static bool means(const struct terms *t, const struct terms_rule *r, const char *method, const char *path)
{
	if (terms_rule_is_graphql(r) || !method_is(r->method, method) || !http_pattern_matches(r->pattern, path))
		return false;
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (yields(r, &t->rules[i]) && http_pattern_is_like(t->rules[i].pattern, path))
			return false;
	return true;
}

int terms_rule_of(const struct terms *t, const char *method, const char *path)
{
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (terms_rule_is_graphql(&t->rules[i]) && http_pattern_matches(t->rules[i].pattern, path))
			return method_is_of_graphql(method) ? (int)i : -1;
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (means(t, &t->rules[i], method, path))
			return (int)i;
	return -1;
}

bool terms_say_graphql(const struct terms *t)
{
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (terms_rule_is_graphql(&t->rules[i]))
			return true;
	return false;
}

bool terms_are_graphql(const struct terms *t)
{
	return terms_has(t, TERM_GRAPHQL) && !terms_say_graphql(t);
}

/* ---- comparing ---- */

static bool has_operation(const struct terms *t, const struct terms_operation *op)
{
	for (uint32_t i = 0; i < t->n_operations; i++) {
		const struct terms_operation *o = &t->operations[i];

		if (o->type == op->type && (strcmp(o->field, "*") == 0 || strcmp(o->field, op->field) == 0))
			return true;
	}
	return false;
}

static bool has_listed(const struct terms *t, const char *digest)
{
	for (uint32_t i = 0; i < t->n_listed; i++)
		if (strcmp(t->listed[i], digest) == 0)
			return true;
	return false;
}

static bool operations_are_within(const struct terms *inner, const struct terms *outer)
{
	for (uint32_t i = 0; i < inner->n_operations; i++)
		if (!has_operation(outer, &inner->operations[i]))
			return false;
	for (uint32_t i = 0; i < inner->n_listed; i++)
		if (!has_listed(outer, inner->listed[i]))
			return false;
	return true;
}

/* Whether inner's rules leave the paths of an outer rule GRAPHQL to GraphQL: one that says so means all of them, or none means any. */
static bool leaves_to_graphql(const struct terms *inner, const char *pattern)
{
	bool meets = false;

	for (uint32_t i = 0; i < inner->n_rules; i++) {
		const struct terms_rule *r = &inner->rules[i];

		if (terms_rule_is_graphql(r) && http_pattern_is_within(pattern, r->pattern))
			return true;
		meets = meets || (!terms_rule_is_graphql(r) && http_patterns_may_meet(pattern, r->pattern));
	}
	return !meets && inner->n_rules > 0;
}

static bool method_is_within(const struct terms_rule *inner, const struct terms_rule *outer)
{
	if (terms_rule_is_graphql(inner) || terms_rule_is_graphql(outer) || strcmp(inner->method, "*") == 0)
		return strcmp(inner->method, outer->method) == 0 || strcmp(outer->method, "*") == 0;
	return method_is(outer->method, inner->method);
}

static bool yields_to(const struct terms *t, const struct terms_rule *r, const struct terms_rule *graphql)
{
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (yields(r, &t->rules[i]) && strcmp(t->rules[i].pattern, graphql->pattern) == 0)
			return true;
	return false;
}

/* Whether a rule of inner may mean what outer's does not for a path of GraphQL's. */
static bool yields_less(const struct terms *inner, const struct terms_rule *r, const struct terms *outer,
			const struct terms_rule *by)
{
	for (uint32_t i = 0; i < outer->n_rules; i++) {
		const struct terms_rule *graphql = &outer->rules[i];

		if (yields(by, graphql) && http_patterns_may_be_like(graphql->pattern, r->pattern) &&
		    !yields_to(inner, r, graphql) && strcmp(r->pattern, graphql->pattern) != 0)
			return true;
	}
	return false;
}

static bool rule_is_within(const struct terms *inner, const struct terms_rule *r, const struct terms *outer)
{
	for (uint32_t i = 0; i < outer->n_rules; i++) {
		const struct terms_rule *by = &outer->rules[i];

		if (method_is_within(r, by) && http_pattern_is_within(r->pattern, by->pattern) &&
		    !yields_less(inner, r, outer, by))
			return true;
	}
	return false;
}

/* Whether nothing passes that is not looked at as GraphQL. */
static bool is_all_graphql(const struct terms *t)
{
	bool all = true;

	for (uint32_t i = 0; i < t->n_rules; i++)
		all = all && terms_rule_is_graphql(&t->rules[i]);
	return terms_are_graphql(t) || (all && t->n_rules > 0);
}

/* Rules, in this order: where all of outer is GraphQL, all of inner is; what outer leaves to GraphQL, inner does; each rule of inner is
 * within one of outer, if that has any; each operation of inner is one of outer, if that looks at them. Rules that only together are as wide
 * as one of inner are not seen. */
static bool requests_are_within(const struct terms *inner, const struct terms *outer)
{
	if (terms_are_graphql(outer) && !is_all_graphql(inner))
		return false;
	for (uint32_t i = 0; i < outer->n_rules; i++)
		if (terms_rule_is_graphql(&outer->rules[i]) && !leaves_to_graphql(inner, outer->rules[i].pattern))
			return false;
	if (outer->n_rules > 0 && inner->n_rules == 0)
		return false;
	for (uint32_t i = 0; i < inner->n_rules; i++)
		if (outer->n_rules > 0 && !rule_is_within(inner, &inner->rules[i], outer))
			return false;
	return !terms_has(outer, TERM_GRAPHQL) || operations_are_within(inner, outer);
}

static bool is_same_secret(const struct terms_secret *a, const struct terms_secret *b)
{
	return a->place == b->place && strcmp(a->name, b->name) == 0 && strcmp(a->where, b->where) == 0 &&
	       strcmp(a->word, b->word) == 0;
}

/* Whether each of inner's is one of outer's. */
static bool secrets_are_within(const struct terms *inner, const struct terms *outer)
{
	for (uint32_t i = 0; i < inner->n_secrets; i++) {
		bool found = false;

		for (uint32_t k = 0; k < outer->n_secrets; k++)
			found = found || is_same_secret(&inner->secrets[i], &outer->secrets[k]);
		if (!found)
			return false;
	}
	return true;
}

/* A program's own credentials pass everywhere but in the secrets' places: without a secret they would there, too. */
static bool credentials_are_within(const struct terms *inner, const struct terms *outer)
{
	if (inner->credentials == TERMS_PASS && secrets_are_within(outer, inner))
		return outer->credentials == TERMS_PASS;
	return inner->credentials != TERMS_PASS && inner->credentials <= outer->credentials;
}

bool terms_are_within(const struct terms *inner, const struct terms *outer)
{
	if (!secrets_are_within(inner, outer))
		return false;
	if (terms_are_none(outer)) /* everything passes, also credentials */
		return true;
	if (terms_want_form(outer) && !terms_want_form(inner)) /* what is no form would pass */
		return false;
	return !terms_are_none(inner) && credentials_are_within(inner, outer) && requests_are_within(inner, outer);
}
