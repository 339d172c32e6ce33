/* Whether arguments are as a schema says. */
#include <string.h>

#include "core/where_match.h"
#include "core/where_schema.h"

#define PATH_MAX_BYTES 2048

/* What cannot be known is between the two: `not` of it is no more known. */
enum is { NO, UNKNOWN, YES };

struct looking {
	const struct schema *s;
	const struct where_arguments *args;
};

static enum is least(enum is a, enum is b)
{
	return a < b ? a : b;
}

static enum is known(bool is)
{
	return is ? YES : NO;
}

/* ---- a text, a number, true or false ---- */

static uint8_t types_of(const struct where_argument *a)
{
	switch ((enum where_kind)a->kind) {
	case WHERE_TEXT:
	case WHERE_LONG: return SCHEMA_STRING;
	case WHERE_NUMBER: return where_is_whole(a->value, a->n) ? SCHEMA_NUMBER | SCHEMA_INTEGER : SCHEMA_NUMBER;
	case WHERE_BOOL: return SCHEMA_BOOLEAN;
	case WHERE_KIND_COUNT: break;
	}
	return 0;
}

/* A text that is too long to be told is none of those in a schema. */
static bool is_value(const struct schema *s, const struct schema_value *v, const struct where_argument *a)
{
	const char *text = s->text + v->text;
	const size_t n = strlen(text);

	if (v->kind != a->kind)
		return false;
	return a->kind == WHERE_NUMBER ? where_compare_numbers(a->value, a->n, text, n) == 0
				       : a->n == n && memcmp(a->value, text, n) == 0;
}

/* A text that climbs may lead to where another does. */
static enum is is_in_enum(const struct schema *s, const struct schema_node *n, const struct where_argument *a)
{
	for (uint8_t i = 0; i < n->n_enum; i++)
		if (is_value(s, &s->values[n->enums + i], a))
			return YES;
	return a->kind == WHERE_TEXT && where_climbs(a->value, a->n) ? UNKNOWN : NO;
}

static int compare(const struct schema *s, const struct where_argument *a, uint16_t bound)
{
	return where_compare_numbers(a->value, a->n, s->text + bound, strlen(s->text + bound));
}

static bool is_in_range(const struct schema *s, const struct schema_node *n, const struct where_argument *a)
{
	return (n->minimum == 0 || compare(s, a, n->minimum) >= 0) &&
	       (n->maximum == 0 || compare(s, a, n->maximum) <= 0) && (n->above == 0 || compare(s, a, n->above) > 0) &&
	       (n->below == 0 || compare(s, a, n->below) < 0);
}

static enum is is_expressed(const struct schema *s, const struct schema_node *n, const struct where_argument *a)
{
	const char *text = s->text + n->pattern;
	struct match m;

	if (n->pattern == 0)
		return YES;
	if (a->kind == WHERE_LONG || where_climbs(a->value, a->n) ||
	    match_compile(text + 1, strlen(text) - 2, &m, NULL) < 0)
		return UNKNOWN;
	return known(match_is(&m, a->value, a->n));
}

static enum is is_text(const struct schema *s, const struct schema_node *n, const struct where_argument *a)
{
	const uint64_t length = where_characters(a);

	return length < n->min_length || length > n->max_length ? NO : is_expressed(s, n, a);
}

static enum is look_at(const struct looking *l, uint8_t node, const struct where_argument *a);

/* a NULL: of the object at that path. */
static enum is look_at_object(const struct looking *l, uint8_t node, const char *path, size_t path_n);

static enum is look(const struct looking *l, uint8_t node, const struct where_argument *a, const char *path, size_t n)
{
	return a != NULL ? look_at(l, node, a) : look_at_object(l, node, path, n);
}

/* allOf, anyOf, not. */
static enum is look_at_parts(const struct looking *l, const struct schema_node *n, const struct where_argument *a,
			     const char *path, size_t path_n)
{
	enum is all = YES, any = n->any_of == 0 ? YES : NO;

	for (uint8_t at = n->all_of; at != 0; at = l->s->nodes[at].next)
		all = least(all, look(l, at, a, path, path_n));
	for (uint8_t at = n->any_of; at != 0; at = l->s->nodes[at].next) {
		const enum is one = look(l, at, a, path, path_n);

		any = one > any ? one : any;
	}
	all = least(all, any);
	return n->not_of == 0 ? all : least(all, (enum is)(YES - look(l, n->not_of, a, path, path_n)));
}

static enum is look_at(const struct looking *l, uint8_t node, const struct where_argument *a)
{
	const struct schema_node *n = &l->s->nodes[node];
	const uint8_t is = types_of(a);
	enum is all;

	if (n->types == SCHEMA_ARRAY) /* of one, or this is one of it */
		return n->items == 0 ? YES : look_at(l, n->items, a);
	if ((n->types != 0 && (n->types & is) == 0) || ((is & SCHEMA_NUMBER) != 0 && !is_in_range(l->s, n, a)))
		return NO;
	all = n->has_enum ? is_in_enum(l->s, n, a) : YES;
	all = least(all, (is & SCHEMA_STRING) != 0 ? is_text(l->s, n, a) : YES);
	return least(all, look_at_parts(l, n, a, NULL, 0));
}

/* ---- an object ---- */

/* The next name beneath the path, as it stands in paths. */
static size_t name_beneath(const struct where_argument *a, const char *path, size_t n, const char **ret)
{
	size_t at = n + 1;

	if (a->path_n <= n + 1 || memcmp(a->path, path, n) != 0 || a->path[n] != '.')
		return 0;
	*ret = a->path + at;
	while (at < a->path_n && a->path[at] != '.')
		at += a->path[at] == '\\' ? 2 : 1;
	return at - n - 1;
}

static bool is_same(const char *a, size_t n, const struct buf *b)
{
	return n == b->len && memcmp(a, b->data, n) == 0;
}

/* Who reads names without regard to case would take it for the other, which is then not looked at. */
static bool is_taken_for(const char *a, size_t n, struct buf *b)
{
	char name[PATH_MAX_BYTES];

	if (n >= sizeof name || buf_cstr(b) == NULL)
		return true;
	memcpy(name, a, n);
	name[n] = 0;
	return where_is_same_name(name, (const char *)b->data);
}

enum found { NOT_THERE, THERE, EVADED };

static enum found find(const struct looking *l, const char *path, size_t path_n, struct buf *name)
{
	enum found is = NOT_THERE;
	struct where_argument a;
	struct rbuf in;

	rbuf_init(&in, l->args->bytes, l->args->n);
	while (where_next(&in, &a)) {
		const char *own;
		const size_t n = name_beneath(&a, path, path_n, &own);

		if (n > 0 && is_same(own, n, name))
			is = THERE;
		else if (n > 0 && is_taken_for(own, n, name))
			return EVADED;
	}
	return is;
}

static bool name_of(const struct looking *l, uint16_t text, struct buf *out)
{
	buf_reset(out);
	where_put_name(out, l->s->text + text, strlen(l->s->text + text));
	return !out->failed;
}

static bool is_named(const struct looking *l, const struct schema_node *n, const char *own, size_t own_n)
{
	char room[PATH_MAX_BYTES];
	struct buf name;

	buf_init_in(&name, room, sizeof room);
	for (uint8_t at = n->properties; at != 0; at = l->s->nodes[at].next)
		if (name_of(l, l->s->nodes[at].name, &name) && is_same(own, own_n, &name))
			return true;
	return false;
}

static enum is is_closed(const struct looking *l, const struct schema_node *n, const char *path, size_t path_n)
{
	struct where_argument a;
	struct rbuf in;

	rbuf_init(&in, l->args->bytes, l->args->n);
	while (n->closed && where_next(&in, &a)) {
		const char *own;
		const size_t own_n = name_beneath(&a, path, path_n, &own);

		if (own_n > 0 && !is_named(l, n, own, own_n))
			return NO;
	}
	return YES;
}

static enum is look_at_place(const struct looking *l, uint8_t node, const char *path, size_t n);

static enum is look_at_property(const struct looking *l, uint8_t node, const char *path, size_t path_n)
{
	char room[PATH_MAX_BYTES], name_room[PATH_MAX_BYTES];
	struct buf whole, name;

	buf_init_in(&name, name_room, sizeof name_room);
	buf_init_in(&whole, room, sizeof room);
	if (!name_of(l, l->s->nodes[node].name, &name) || find(l, path, path_n, &name) == EVADED)
		return UNKNOWN;
	buf_put(&whole, path, path_n);
	buf_put_u8(&whole, '.');
	buf_put(&whole, name.data, name.len);
	return whole.failed ? UNKNOWN : look_at_place(l, node, (const char *)whole.data, whole.len);
}

static enum is has_required(const struct looking *l, const struct schema_node *n, const char *path, size_t path_n)
{
	char room[PATH_MAX_BYTES];
	struct buf name;

	buf_init_in(&name, room, sizeof room);
	for (uint8_t i = 0; i < n->n_required; i++) {
		const enum found is = name_of(l, l->s->values[n->required + i].text, &name)
					      ? find(l, path, path_n, &name)
					      : EVADED;

		if (is != THERE)
			return is == EVADED ? UNKNOWN : NO;
	}
	return YES;
}

static enum is look_at_object(const struct looking *l, uint8_t node, const char *path, size_t path_n)
{
	const struct schema_node *n = &l->s->nodes[node];
	enum is all;

	if (n->types == SCHEMA_ARRAY || (n->types != 0 && (n->types & SCHEMA_OBJECT) == 0) || n->has_enum)
		return NO; /* objects of a list are not told from one another */
	all = least(is_closed(l, n, path, path_n), has_required(l, n, path, path_n));
	for (uint8_t at = n->properties; at != 0; at = l->s->nodes[at].next)
		all = least(all, look_at_property(l, at, path, path_n));
	return least(all, look_at_parts(l, n, NULL, path, path_n));
}

/* ---- all that is at a path ---- */

static enum is look_at_place(const struct looking *l, uint8_t node, const char *path, size_t n)
{
	const struct schema_node *is = &l->s->nodes[node];
	bool is_object = false;
	struct where_argument a;
	enum is all = YES;
	struct rbuf in;
	uint32_t count = 0;

	rbuf_init(&in, l->args->bytes, l->args->n);
	while (where_next(&in, &a)) {
		if (!where_is_at(a.path, a.path_n, path, n))
			continue;
		count++;
		is_object = is_object || a.path_n > n;
		all = least(all, a.path_n > n ? YES : look_at(l, node, &a));
	}
	if (is->types == SCHEMA_ARRAY && count > 0 && (count < is->min_items || count > is->max_items))
		return NO;
	return is_object ? least(all, look_at_object(l, node, path, n)) : all;
}

bool schema_allows(const struct schema *s, const char *path, const struct where_arguments *args)
{
	const struct looking l = { .s = s, .args = args };

	return look_at_place(&l, 1, path, strlen(path)) == YES;
}
