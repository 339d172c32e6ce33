#include "cli/guard_learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/where_match.h"

#define VALUE_MAX 200 /* bytes of one that stands in a set */
#define CONDITIONS_BYTES (TERMS_TEXT_MAX / 2)
#define BIT(kind) (1u << (kind))

struct guard_learn *guard_learn_new(void)
{
	return calloc(1, sizeof(struct guard_learn));
}

void guard_learn_free(struct guard_learn *l)
{
	for (size_t t = 0; l != NULL && t < l->n; t++)
		for (size_t i = 0; i < l->tools[t].n_arguments; i++) {
			struct learned_argument *a = &l->tools[t].arguments[i];

			free(a->path);
			free(a->prefix);
			for (size_t k = 0; k < a->n_values; k++)
				free(a->values[k]);
		}
	for (size_t i = 0; l != NULL && i < LEARN_WAITING_MAX; i++)
		buf_finish(&l->waiting[i].arguments);
	free(l);
}

/* ---- what was called ---- */

static struct learned_tool *tool_of(struct guard_learn *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->tools[i].name, name) == 0)
			return &l->tools[i];
	if (l->n == LEARN_TOOLS_MAX) {
		l->dropped++;
		return NULL;
	}
	(void)text_copy(l->tools[l->n].name, GUARD_NAME_MAX, name); /* the same size */
	return &l->tools[l->n++];
}

/* Printable, and of UTF-8: what stands between quotes means itself. */
static bool is_said(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return text_is_utf8((const uint8_t *)s, n, NULL);
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

static bool argument_of(struct learned_tool *t, const struct where_argument *w, struct learned_argument **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < t->n_arguments; i++)
		if (strlen(t->arguments[i].path) == w->path_n &&
		    memcmp(t->arguments[i].path, w->path, w->path_n) == 0) {
			*ret = &t->arguments[i];
			return true;
		}
	if (t->n_arguments == WHERE_CONDITIONS_MAX - 1 || !is_said(w->path, w->path_n)) {
		t->open = true;
		return true;
	}
	*ret = &t->arguments[t->n_arguments];
	**ret = (struct learned_argument){ .path = strndup(w->path, w->path_n) };
	t->n_arguments += (*ret)->path != NULL;
	return (*ret)->path != NULL;
}

static bool take_value(struct learned_argument *a, const char *value, size_t n)
{
	for (size_t i = 0; i < a->n_values; i++)
		if (strlen(a->values[i]) == n && memcmp(a->values[i], value, n) == 0)
			return true;
	if (n > VALUE_MAX || a->n_values == LEARN_VALUES_MAX) {
		a->many = true;
		return true;
	}
	a->values[a->n_values] = strndup(value, n);
	a->n_values += a->values[a->n_values] != NULL;
	return a->n_values > 0 && a->values[a->n_values - 1] != NULL;
}

static bool take_text(struct learned_argument *a, const char *value, size_t n)
{
	size_t same = 0;

	a->odd = a->odd || !is_said(value, n);
	a->climbs = a->climbs || where_climbs(value, n);
	if (characters(value, n) > a->chars)
		a->chars = characters(value, n);
	if (a->prefix == NULL)
		a->prefix = strndup(value, n);
	if (a->prefix == NULL)
		return false;
	while (same < n && a->prefix[same] != 0 && a->prefix[same] == value[same])
		same++;
	a->prefix[same] = 0;
	return take_value(a, value, n);
}

/* As a bound is written: without zeros behind a point. */
static void trim(char *number)
{
	size_t n = strlen(number);

	if (strchr(number, '.') == NULL || strpbrk(number, "eE") != NULL)
		return;
	while (number[n - 1] == '0')
		n--;
	n -= number[n - 1] == '.';
	number[n] = 0;
}

static bool is_less(const char *a, const char *b)
{
	return where_compare_numbers(a, strlen(a), b, strlen(b)) < 0;
}

static void take_number(struct learned_argument *a, const char *value, size_t n)
{
	char text[WHERE_NUMBER_MAX + 1];

	if (n >= sizeof text) {
		a->odd = true;
		return;
	}
	memcpy(text, value, n);
	text[n] = 0;
	trim(text);
	if (a->min[0] == 0 || is_less(text, a->min))
		memcpy(a->min, text, sizeof text);
	if (a->max[0] == 0 || is_less(a->max, text))
		memcpy(a->max, text, sizeof text);
}

static bool take_argument(struct learned_argument *a, const struct where_argument *w)
{
	a->kinds |= BIT(w->kind);
	switch ((enum where_kind)w->kind) {
	case WHERE_TEXT: return take_text(a, w->value, w->n);
	case WHERE_BOOL: return take_value(a, w->value, w->n);
	case WHERE_NUMBER: take_number(a, w->value, w->n); break;
	case WHERE_LONG: {
		const unsigned long chars = strtoul(w->value, NULL,
						    10); /* digits, and then no digit: the form says so */

		a->chars = chars > a->chars ? chars : a->chars;
		a->many = true;
		break;
	}
	case WHERE_KIND_COUNT: break;
	}
	return true;
}

static bool take(struct guard_learn *l, const char *name, const struct where_arguments *arguments)
{
	struct learned_tool *t = tool_of(l, name);
	struct where_argument w;
	struct learned_argument *a;
	struct rbuf in;
	bool good = true;

	if (t == NULL)
		return true;
	t->calls++;
	rbuf_init(&in, arguments->bytes, arguments->n);
	while (good && where_next(&in, &w)) {
		good = argument_of(t, &w, &a);
		good = good && (a == NULL || take_argument(a, &w));
	}
	return good;
}

static struct learned_call *waiting(struct guard_learn *l, uint32_t number)
{
	for (size_t i = 0; i < LEARN_WAITING_MAX; i++)
		if (l->waiting[i].number == number)
			return &l->waiting[i];
	return NULL;
}

bool guard_learn_ask(struct guard_learn *l, uint32_t number, const char *name, const struct where_arguments *arguments)
{
	struct learned_call *c = waiting(l, 0);

	if (c == NULL || number == 0)
		return false;
	c->number = number;
	(void)text_copy(c->name, sizeof c->name, name); /* the same size */
	buf_init(&c->arguments, WHERE_BYTES_MAX);
	buf_put(&c->arguments, arguments->bytes, arguments->n);
	return !c->arguments.failed;
}

bool guard_learn_over(struct guard_learn *l, uint32_t number, bool good)
{
	struct learned_call *c = number != 0 ? waiting(l, number) : NULL;
	bool r = true;

	if (c == NULL)
		return true;
	if (good)
		r = take(l, c->name, &(struct where_arguments){ .bytes = c->arguments.data, .n = c->arguments.len });
	else
		l->failed++;
	buf_finish(&c->arguments);
	c->number = 0;
	return r;
}

/* ---- what would have sufficed ---- */

/* In quotes of JSON; pattern: a star and a backslash mean themselves there. */
static void put_quoted(struct buf *out, const char *s, size_t n, bool pattern, const char *behind)
{
	buf_put_u8(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (pattern && (s[i] == '*' || s[i] == '\\'))
			buf_put(out, "\\\\", 2);
		if (s[i] == '"' || s[i] == '\\')
			buf_put_u8(out, '\\');
		buf_put_u8(out, (uint8_t)s[i]);
	}
	buf_printf(out, "%s\"", behind);
}

/* "./docs/" of ./docs/a and ./docs/b/c: so much of what all have, if that is more than a root. 0: there is none, or a star behind it would not match one of them (core/where.h). */
static size_t directory_of(const struct learned_argument *a)
{
	const bool is_matched = (a->kinds & ~BIT(WHERE_TEXT)) == 0 && !a->odd && !a->climbs;
	const char *slash = is_matched ? strrchr(a->prefix, '/') : NULL;
	const size_t n = slash != NULL ? (size_t)(slash - a->prefix) + 1 : 0;

	return n > 2 || (n == 2 && a->prefix[0] == '.') ? n : 0;
}

static unsigned long room_for(size_t chars)
{
	unsigned long room = 64;

	while (room < chars && room < WHERE_LENGTH_MAX)
		room *= 2;
	return room;
}

static void put_texts(struct buf *out, const struct learned_argument *a)
{
	const size_t directory = a->n_values < 2 && !a->many ? 0 : directory_of(a);

	if (directory > 0) {
		put_quoted(out, a->prefix, directory, true, "*");
	} else if (a->odd || a->many) {
		buf_printf(out, "{\"length\":%lu}", room_for(a->chars));
	} else {
		buf_put_u8(out, '[');
		for (size_t i = 0; i < a->n_values; i++) {
			if (i > 0)
				buf_put_u8(out, ',');
			put_quoted(out, a->values[i], strlen(a->values[i]), true, "");
		}
		buf_put_u8(out, ']');
	}
}

static void put_condition(struct buf *out, const struct learned_argument *a)
{
	put_quoted(out, a->path, strlen(a->path), false, "");
	buf_put_u8(out, ':');
	if (a->kinds == BIT(WHERE_NUMBER) && !a->odd)
		buf_printf(out, "{\"min\":%s,\"max\":%s}", a->min, a->max);
	else if (a->kinds == BIT(WHERE_LONG))
		buf_printf(out, "{\"length\":%lu}", room_for(a->chars));
	else if (a->kinds == BIT(WHERE_BOOL) || (a->kinds & ~(BIT(WHERE_TEXT) | BIT(WHERE_LONG))) == 0)
		put_texts(out, a);
	else
		buf_printf(out, "{}");
	buf_put_u8(out, ',');
}

/* One that is refused says no more than its name. */
static void put_checked(struct buf *out, const struct learned_argument *a)
{
	auto_buf alone = { .max = CONDITIONS_BYTES };
	struct where w = { .used = 0 };

	buf_put_u8(&alone, '{');
	put_condition(&alone, a);
	if (!alone.failed)
		alone.data[alone.len - 1] = '}'; /* its comma */
	if (buf_cstr(&alone) != NULL && where_set(&w, (const char *)alone.data, NULL) == 0) {
		put_condition(out, a);
		return;
	}
	put_quoted(out, a->path, strlen(a->path), false, "");
	buf_printf(out, ":{},");
}

/* Whether conditions on all of them refuse one: it lies beneath another, or differs by its case alone. */
static bool are_at_odds(const struct learned_tool *t, const struct where *w)
{
	for (size_t i = 0; i < t->n_arguments; i++) {
		const char *path = t->arguments[i].path;
		auto_buf alone = { .max = WHERE_BYTES_MAX };

		where_put(&alone, path, WHERE_BOOL, "true", 4);
		if (alone.failed ||
		    where_is_evaded(w, &(struct where_arguments){ .bytes = alone.data, .n = alone.len }))
			return true;
		for (size_t k = 0; k < t->n_arguments; k++)
			if (k != i &&
			    where_is_at(path, strlen(path), t->arguments[k].path, strlen(t->arguments[k].path)))
				return true;
	}
	return false;
}

/* 0, or it cannot be said. */
static int conditions_of(const struct learned_tool *t, char ret[TERMS_TEXT_MAX])
{
	struct where w = { .used = 0 };
	auto_buf json = { .max = CONDITIONS_BYTES };

	buf_put_u8(&json, '{');
	for (size_t i = 0; i < t->n_arguments; i++)
		put_checked(&json, &t->arguments[i]);
	if (!t->open)
		buf_printf(&json, "\"*\":null}");
	else if (!json.failed)
		json.data[json.len - 1] = '}';
	if (buf_cstr(&json) == NULL || where_set(&w, (const char *)json.data, NULL) < 0 || are_at_odds(t, &w))
		return -AMBIT_LIMIT;
	where_value(&w, ret);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct learned_tool *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void guard_learn_write(const struct guard_learn *l, const char *server, struct buf *out)
{
	const struct learned_tool *sorted[LEARN_TOOLS_MAX];

	for (size_t i = 0; i < l->n; i++)
		sorted[i] = &l->tools[i];
	qsort((void *)sorted, l->n, sizeof sorted[0], by_name); /* NOLINT(bugprone-sizeof-expression): of pointers */
	buf_printf(out, l->n > 0 ? "grants:\n" : "grants: []\n");
	for (size_t i = 0; i < l->n; i++) {
		char where[TERMS_TEXT_MAX] = "";
		const bool open = sorted[i]->open && sorted[i]->n_arguments == 0;
		const int r = open ? 0 : conditions_of(sorted[i], where);

		buf_printf(out, "  - tool: %s/%s\n", server, sorted[i]->name);
		if (r < 0)
			buf_printf(out, "    # with any arguments: no conditions say those that were seen\n");
		else if (where[0] != 0)
			buf_printf(out, "    where: '%s'\n", where);
		if (r == 0 && sorted[i]->open)
			buf_printf(out, "    # with others, too: some that were seen have no condition here\n");
		buf_printf(out, "    # called %llu time%s\n", (unsigned long long)sorted[i]->calls,
			   sorted[i]->calls == 1 ? "" : "s");
	}
	if (l->failed > 0)
		buf_printf(out, "# %llu call%s failed, and nothing of %s is in here\n", (unsigned long long)l->failed,
			   l->failed == 1 ? "" : "s", l->failed == 1 ? "it" : "them");
	if (l->dropped > 0)
		buf_printf(out, "# %zu calls of more tools than %d are not here\n", l->dropped, LEARN_TOOLS_MAX);
}
