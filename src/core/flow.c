#include "core/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "core/authority.h"

#define SHOWN_MAX 80
#define ASK_TEXT "ask=labelled"

_Static_assert(FLOW_UNLESS_MAX == AUTHORITY_UNLESS_MAX, "the authority keeps them all");

static bool is_mark(char c)
{
	return c == '.' || c == '_' || c == '-';
}

static bool is_name(const char *s, size_t n)
{
	if (n == 0 || n >= FLOW_LABEL_MAX || is_mark(s[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || is_mark(s[i])))
			return false;
	return !(n == 4 && memcmp(s, "none", n) == 0) && !(n == 8 && memcmp(s, "labelled", n) == 0);
}

bool flow_is_name(const char *s)
{
	return is_name(s, strnlen(s, FLOW_LABEL_MAX));
}

bool flow_has_unless(const struct flow *f)
{
	return f->none || f->n_unless > 0;
}

bool flow_is_empty(const struct flow *f)
{
	return f->label.n == 0 && !flow_has_unless(f) && !f->ask;
}

/* ---- sets ---- */

static bool set_has(const struct flow_set *s, const char *name)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i], name) == 0)
			return true;
	return false;
}

static bool set_is_within(const struct flow_set *inner, const struct flow_set *outer)
{
	for (uint32_t i = 0; i < inner->n; i++)
		if (!set_has(outer, inner->names[i]))
			return false;
	return true;
}

/* The name in its place; false: there is no room. */
static bool set_add(struct flow_set *s, const char *bytes, size_t n)
{
	char name[FLOW_LABEL_MAX] = { 0 };
	uint32_t at = 0;

	memcpy(name, bytes, n); /* is_name */
	while (at < s->n && strcmp(s->names[at], name) < 0)
		at++;
	if (at < s->n && strcmp(s->names[at], name) == 0)
		return true;
	if (s->n == FLOW_SET_MAX)
		return false;
	memmove(s->names + at + 1, s->names + at, (s->n - at) * sizeof s->names[0]);
	memcpy(s->names[at], name, sizeof name);
	s->n++;
	return true;
}

static int compare_sets(const void *a, const void *b)
{
	const struct flow_set *left = a, *right = b;

	for (uint32_t i = 0; i < left->n && i < right->n; i++) {
		const int by_name = strcmp(left->names[i], right->names[i]);

		if (by_name != 0)
			return by_name;
	}
	return left->n < right->n ? -1 : left->n > right->n;
}

/* Whether row i contains none of the others, and is the first of those that are the same. */
static bool is_least(const struct flow *f, uint32_t i)
{
	for (uint32_t k = 0; k < f->n_unless; k++)
		if (k != i && set_is_within(&f->unless[k], &f->unless[i]) &&
		    (k < i || !set_is_within(&f->unless[i], &f->unless[k])))
			return false;
	return true;
}

/* In order, and the least ones alone: where one that contains another is on somebody, the other is. */
static void keep_least(struct flow *f)
{
	struct flow_set kept[FLOW_UNLESS_MAX] = { { .n = 0 } };
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n_unless; i++)
		if (is_least(f, i))
			kept[n++] = f->unless[i];
	qsort(kept, n, sizeof kept[0], compare_sets);
	memcpy(f->unless, kept, sizeof kept);
	f->n_unless = n;
}

/* ---- reading ---- */

static int no_name(struct err *e, const char *word, const char *at, size_t n)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, at, n);
	if (n == 0)
		return err_set(e, AMBIT_MALFORMED, "name a label, such as private; several stand between commas",
			       "%s: a label is missing", word);
	return err_set(e, AMBIT_MALFORMED,
		       "write small letters, digits, `.`, `_` and `-`, at most 31; none and labelled are no labels",
		       "%s: '%s' is not the name of a label", word, shown);
}

int flow_check_name(const char *word, const char *name, struct err *e)
{
	return flow_is_name(name) ? 0 : no_name(e, word, name, strlen(name));
}

/* Names of n bytes, with one of `between` between them. */
static int read_set(struct flow_set *ret, const char *word, const char *at, size_t n, const char *between,
		    struct err *e)
{
	const char *const end = at + n;

	for (;;) {
		const char *stop = at, *last;

		while (stop < end && strchr(between, *stop) == NULL)
			stop++;
		last = stop;
		while (at < last && *at == ' ')
			at++;
		while (last > at && last[-1] == ' ')
			last--;
		if (!is_name(at, (size_t)(last - at)))
			return no_name(e, word, at, (size_t)(last - at));
		if (!set_add(ret, at, (size_t)(last - at)))
			return err_set(e, AMBIT_LIMIT, "write fewer", "%s: more than %d labels together", word,
				       FLOW_SET_MAX);
		if (stop == end)
			return 0;
		at = stop + 1;
	}
}

int flow_set_label(struct flow *f, const char *value, struct err *e)
{
	struct flow_set s = { .n = 0 };
	const int rc = read_set(&s, "label", value, strlen(value), ",+", e);

	if (rc == 0)
		f->label = s;
	return rc;
}

bool flow_add_labels(struct flow *f, const struct flow_set *labels)
{
	bool fits = true;

	for (uint32_t i = 0; i < labels->n; i++)
		fits = set_add(&f->label, labels->names[i], strlen(labels->names[i])) && fits;
	return fits;
}

int flow_set_unless(struct flow *f, const char *value, struct err *e)
{
	struct flow next = { .label = f->label, .ask = f->ask };
	int rc = 0;

	next.none = strcmp(value, "none") == 0;
	for (const char *at = value; rc == 0 && !next.none; at++) {
		const size_t n = strcspn(at, ",");

		if (next.n_unless == FLOW_UNLESS_MAX)
			return err_set(e, AMBIT_LIMIT, "write fewer", "unless: more than %d combinations of labels",
				       FLOW_UNLESS_MAX);
		rc = read_set(&next.unless[next.n_unless++], "unless", at, n, "+", e);
		at += n;
		if (*at == 0)
			break;
	}
	if (rc < 0)
		return rc;
	keep_least(&next);
	*f = next;
	return 0;
}

int flow_check(const struct flow *f, struct err *e)
{
	if (!f->ask || !f->none)
		return 0;
	return err_set(e, AMBIT_MALFORMED, "leave one of the two out",
		       "ask: labelled beside unless: none: no label closes it, and nobody would be asked");
}

/* ---- as text ---- */

static void put_set(struct buf *out, const struct flow_set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		buf_printf(out, "%s%s", i > 0 ? "+" : "", s->names[i]);
}

static void put_unless(struct buf *out, const struct flow *f)
{
	buf_printf(out, "%sunless=%s", out->len > 0 ? " " : "", f->none ? "none" : "");
	for (uint32_t i = 0; i < f->n_unless; i++) {
		buf_printf(out, "%s", i > 0 ? "," : "");
		put_set(out, &f->unless[i]);
	}
}

void flow_format(const struct flow *f, char ret[FLOW_TEXT_MAX])
{
	struct buf out;

	buf_init_in(&out, ret, FLOW_TEXT_MAX);
	if (f->label.n > 0) {
		buf_printf(&out, "label=");
		put_set(&out, &f->label);
	}
	if (flow_has_unless(f))
		put_unless(&out, f);
	if (f->ask)
		buf_printf(&out, "%s" ASK_TEXT, out.len > 0 ? " " : "");
	if (buf_cstr(&out) == NULL)
		ret[0] = 0; /* never: it fits */
}

/* One word of the normal form, without blanks. */
static int take_word(struct flow *f, const char *word)
{
	if (strncmp(word, "label=", 6) == 0)
		return flow_set_label(f, word + 6, NULL);
	if (strncmp(word, "unless=", 7) == 0)
		return flow_set_unless(f, word + 7, NULL);
	f->ask = true;
	return strcmp(word, ASK_TEXT) == 0 ? 0 : -AMBIT_MALFORMED;
}

int flow_take(const char *text, struct flow *ret)
{
	struct flow f = { .ask = false };
	char again[FLOW_TEXT_MAX];
	int rc = 0;

	for (const char *at = text; *at != 0 && rc == 0; at += *at == ' ') {
		const size_t n = strcspn(at, " ");
		char word[FLOW_TEXT_MAX];

		if (n >= sizeof word)
			return -AMBIT_MALFORMED;
		memcpy(word, at, n);
		word[n] = 0;
		rc = take_word(&f, word);
		at += n;
	}
	flow_format(&f, again);
	if (rc < 0 || flow_check(&f, NULL) < 0 || strcmp(again, text) != 0)
		return -AMBIT_MALFORMED;
	*ret = f;
	return 0;
}

/* ---- what it means ---- */

uint32_t flow_closes(const struct flow *f, struct flow_set ret[FLOW_UNLESS_MAX])
{
	static const struct flow_set usual = { .n = 2, .names = { "private", "untrusted" } };

	if (f->none)
		return 0;
	if (f->n_unless == 0) {
		ret[0] = usual;
		return 1;
	}
	memcpy(ret, f->unless, f->n_unless * sizeof ret[0]);
	return f->n_unless;
}

static bool has_within(const struct flow_set *sets, uint32_t n, const struct flow_set *outer)
{
	for (uint32_t i = 0; i < n; i++)
		if (set_is_within(&sets[i], outer))
			return true;
	return false;
}

bool flow_is_within(const struct flow *inner, const struct flow *outer)
{
	struct flow_set ours[FLOW_UNLESS_MAX], theirs[FLOW_UNLESS_MAX];
	const uint32_t n_ours = flow_closes(inner, ours), n_theirs = flow_closes(outer, theirs);

	for (uint32_t i = 0; i < n_theirs; i++)
		if (!has_within(ours, n_ours, &theirs[i]))
			return false;
	return set_is_within(&outer->label, &inner->label) && (!inner->ask || outer->ask || n_theirs == 0);
}
