/* Which arguments of a condition no tool has: a name that is misspelt in a policy would narrow nothing. */
#include <string.h>

#include "base/cleanup.h"
#include "core/where_match.h"
#include "guard/guard.h"

#define SCHEMA_DEPTH 16u

/* What a schema says of the members of an object. */
struct members {
	const char *name, *rest; /* of a path: the one, with its `\`, and all behind its point; NULL: none */
	size_t n;
	bool lists; /* it names some */
	bool open;  /* it may have others, or says so elsewhere */
	bool found;
};

static bool may_have(const json_t *schema, const char *path, unsigned depth);

static void look_at_members(struct members *m, const json_t *schema, unsigned depth);

static void look_at_each(struct members *m, const json_t *list, unsigned depth)
{
	const char *key;
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, one) look_at_members(m, one, depth);
	json_object_foreach((json_t *)(uintptr_t)list, key, one) look_at_members(m, one, depth);
}

static bool is_name_of(const struct members *m, const char *key)
{
	auto_buf name = { .max = 6 * GUARD_DEFINITION_MAX };

	where_put_name(&name, key, strlen(key));
	return !name.failed && name.len == m->n && (m->n == 0 || memcmp(name.data, m->name, m->n) == 0);
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
	const json_t *properties = json_object_get(schema, "properties");
	const char *key;
	json_t *one;

	if (depth == 0) {
		m->open = true;
		return;
	}
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		m->open = m->open || json_object_get(schema, elsewhere[i]) != NULL;
	m->open = m->open || json_is_true(others) || json_is_object(others) || json_is_true(rest) ||
		  json_is_object(rest);
	m->lists = m->lists || json_is_object(properties) || json_is_false(others);
	json_object_foreach((json_t *)(uintptr_t)properties, key, one)
	{
		if (is_name_of(m, key))
			m->found = m->found || m->rest == NULL || may_have(one, m->rest, depth - 1);
	}
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
		if ((v = json_object_get(schema, inner[i])) != NULL && json_is_object(v))
			look_at_members(m, v, depth - 1);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(parts[i], "items") != 0 || json_is_array(json_object_get(schema, "items")))
			look_at_each(m, json_object_get(schema, parts[i]), depth - 1);
}

static bool may_have(const json_t *schema, const char *path, unsigned depth)
{
	struct members m = { .name = path };

	while (path[m.n] != 0 && path[m.n] != '.')
		m.n += path[m.n] == '\\' && path[m.n + 1] != 0 ? 2 : 1;
	m.rest = path[m.n] == '.' ? path + m.n + 1 : NULL;
	look_at_members(&m, schema, depth);
	return m.found || m.open || !m.lists;
}

bool described_may_have(const json_t *tool, const char *path)
{
	return may_have(json_object_get(tool, "inputSchema"), path, SCHEMA_DEPTH);
}

bool described_is_needed(const struct where *w, const struct where_condition *c)
{
	return !w->only && !c->given && (c->absent || c->schema != 0 || where_is_bounded(c));
}
