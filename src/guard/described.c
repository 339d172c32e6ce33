/* Which arguments of a condition no tool has: a name that is misspelt in a policy would narrow nothing. */
#include <string.h>

#include "core/where_match.h"
#include "guard/guard.h"

#define SCHEMA_DEPTH 16u

/* What a schema says of the members of an object. */
struct members {
	char name[TERMS_TEXT_MAX]; /* of a path: the first, without its `\` */
	const char *rest;          /* and all behind its point; NULL: none */
	bool lists;                /* it names some */
	bool open;                 /* it may have others, or says so elsewhere */
	bool found;
	uint32_t *left; /* parts that may still be looked at */
};

static bool may_have(const json_t *schema, const char *path, unsigned depth, uint32_t *left);

static void look_at_members(struct members *m, const json_t *schema, unsigned depth);

static void look_at_each(struct members *m, const json_t *list, unsigned depth)
{
	const char *key;
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, one) look_at_members(m, one, depth);
	json_object_foreach((json_t *)(uintptr_t)list, key, one) look_at_members(m, one, depth);
}

/* Lists do not show in paths: what an element has stands for the list. */
static void look_at_members(struct members *m, const json_t *schema, unsigned depth)
{
	static const char *const parts[] = { "allOf", "anyOf", "oneOf", "dependentSchemas", "items", "prefixItems" };
	static const char *const inner[] = { "if", "then", "else", "items", "contains" };
	static const char *const elsewhere[] = { "$ref", "$dynamicRef", "$recursiveRef", "patternProperties",
						 "dependencies" };
	const json_t *others = json_object_get(schema, "additionalProperties"), *v;
	const json_t *rest = json_object_get(schema, "unevaluatedProperties");
	const json_t *properties = json_object_get(schema, "properties"), *one;

	m->open = m->open || depth == 0 || *m->left == 0;
	if (m->open || m->found)
		return;
	--*m->left;
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		m->open = m->open || json_object_get(schema, elsewhere[i]) != NULL;
	m->open = m->open || json_is_true(others) || json_is_object(others) || json_is_true(rest) ||
		  json_is_object(rest);
	m->lists = m->lists || json_is_object(properties) || json_is_false(others);
	one = json_object_get(properties, m->name);
	m->found = one != NULL && (m->rest == NULL || may_have(one, m->rest, depth - 1, m->left));
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
		if ((v = json_object_get(schema, inner[i])) != NULL && json_is_object(v))
			look_at_members(m, v, depth - 1);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(parts[i], "items") != 0 || json_is_array(json_object_get(schema, "items")))
			look_at_each(m, json_object_get(schema, parts[i]), depth - 1);
}

static bool may_have(const json_t *schema, const char *path, unsigned depth, uint32_t *left)
{
	struct members m = { .left = left };

	for (size_t n = 0; *path != 0 && *path != '.'; path++) {
		path += *path == '\\' && path[1] != 0;
		m.name[n++] = *path; /* a condition's: it fits */
	}
	m.rest = *path == '.' ? path + 1 : NULL;
	look_at_members(&m, schema, depth);
	return m.found || m.open || !m.lists;
}

bool described_may_have(const json_t *tool, const char *path, uint32_t *left)
{
	return may_have(json_object_get(tool, "inputSchema"), path, SCHEMA_DEPTH, left);
}

bool described_is_needed(const struct where *w, const struct where_condition *c)
{
	return !w->only && !c->given && (c->absent || c->schema != 0 || where_is_bounded(c));
}
