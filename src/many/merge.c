/* One answer of many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "many/many.h"

const char *const merge_keys[GATHER_COUNT] = { [GATHER_TOOLS] = "tools",
					       [GATHER_PROMPTS] = "prompts",
					       [GATHER_RESOURCES] = "resources",
					       [GATHER_TEMPLATES] = "resourceTemplates",
					       [GATHER_TASKS] = "tasks" };

/* ---- what they can ---- */

/* What either can. */
static void add_capabilities(json_t *into, const json_t *from)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)from, key, v)
	{
		json_t *is = json_object_get(into, key);

		if (json_is_object(is) && json_is_object(v))
			add_capabilities(is, v);
		else if (is == NULL || (json_is_false(is) && json_is_true(v)))
			(void)json_object_set_new(into, key, json_deep_copy(v));
	}
}

/* Tools may come and go with their servers. */
static json_t *capabilities(const struct many *m, const struct gather *g)
{
	json_t *all = json_pack("{s:{s:b}}", "tools", "listChanged", 1);

	for (unsigned i = 0; i < m->n; i++)
		add_capabilities(all, json_object_get(g->said[i], "capabilities"));
	return all;
}

/* Each with whose they are. NULL: none has any. */
static json_t *instructions(const struct many *m, const struct gather *g)
{
	auto_buf all = { .max = 256u << 10 };

	for (unsigned i = 0; i < m->n; i++) {
		const char *text = json_string_value(json_object_get(g->said[i], "instructions"));

		if (text != NULL && text[0] != 0)
			buf_printf(&all, "%sOf %s, whose tools are %s__NAME:\n%s", all.len > 0 ? "\n\n" : "",
				   m->servers[i].name, m->servers[i].name, text);
	}
	return all.len == 0 || all.failed ? NULL : json_stringn((const char *)all.data, all.len);
}

static json_t *info(const struct many *m)
{
	auto_buf names = { .max = MANY_SERVERS_MAX * (MANY_SERVER_MAX + 2) };

	for (unsigned i = 0; i < m->n; i++)
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", m->servers[i].name);
	return json_pack("{s:s, s:s, s:s%}", "name", "ambit-guard", "version", AMBIT_VERSION, "title",
			 names.data != NULL ? (const char *)names.data : "", names.len);
}

static void put_common(const struct many *m, const struct gather *g, json_t *all)
{
	json_t *text = instructions(m, g);

	(void)json_object_set_new(all, "capabilities", capabilities(m, g));
	if (text != NULL)
		(void)json_object_set_new(all, "instructions", text);
}

/* The oldest version that one of them speaks: each of the others has what that has. */
json_t *merge_begin(struct many *m, const struct gather *g)
{
	const char *version = NULL;
	json_t *all = json_object();

	for (unsigned i = 0; i < m->n; i++) {
		const char *one = json_string_value(json_object_get(g->said[i], "protocolVersion"));

		if (one != NULL && (version == NULL || strcmp(one, version) < 0))
			version = one;
	}
	(void)json_object_set_new(all, "protocolVersion", json_string(version != NULL ? version : "2025-11-25"));
	(void)json_object_set_new(all, "serverInfo", info(m));
	put_common(m, g, all);
	return all;
}

static bool has_version(const json_t *versions, const json_t *one)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)versions, i, v)
	{
		if (json_equal(v, one) != 0)
			return true;
	}
	return false;
}

/* Those that all of them speak. */
static json_t *versions(const struct many *m, const struct gather *g)
{
	json_t *all = NULL;

	for (unsigned i = 0; i < m->n; i++) {
		const json_t *own = json_object_get(g->said[i], "supportedVersions");

		if (g->said[i] == NULL)
			continue;
		if (all == NULL) {
			all = json_is_array(own) ? json_copy((json_t *)(uintptr_t)own) : json_array();
			continue;
		}
		for (size_t k = json_array_size(all); k-- > 0;)
			if (!has_version(own, json_array_get(all, k)))
				(void)json_array_remove(all, k);
	}
	return all != NULL ? all : json_array();
}

/* What of 2026-07-28 each result has: it may be kept as long as each part of it. */
static void put_frame(const struct many *m, const struct gather *g, json_t *into)
{
	bool is_modern = false, is_public = true, has_ttl = true;
	json_int_t ttl = 0;

	for (unsigned i = 0; i < m->n; i++) {
		const json_t *own = json_object_get(g->said[i], "ttlMs");
		const char *scope = json_string_value(json_object_get(g->said[i], "cacheScope"));

		if (g->said[i] == NULL)
			continue;
		is_modern = is_modern || json_object_get(g->said[i], "resultType") != NULL;
		is_public = is_public && scope != NULL && strcmp(scope, "public") == 0;
		ttl = !json_is_integer(own)                       ? ttl
		      : ttl == 0 || json_integer_value(own) < ttl ? json_integer_value(own)
								  : ttl;
		has_ttl = has_ttl && json_is_integer(own) && json_integer_value(own) > 0;
	}
	if (!is_modern)
		return;
	(void)json_object_set_new(into, "resultType", json_string("complete"));
	(void)json_object_set_new(into, "ttlMs", json_integer(has_ttl ? ttl : 0));
	(void)json_object_set_new(into, "cacheScope", json_string(is_public ? "public" : "private"));
}

json_t *merge_discover(struct many *m, const struct gather *g)
{
	json_t *all = json_object();

	put_frame(m, g, all);
	(void)json_object_set_new(all, "supportedVersions", versions(m, g));
	(void)json_object_set_new(all, "serverInfo", info(m));
	put_common(m, g, all);
	return all;
}

/* ---- lists ---- */

static bool take_item(struct many *m, enum gather_kind kind, unsigned server, json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	char of_name[MANY_SERVER_MAX + 2], of_uri[MANY_SERVER_MAX + 2];

	name_prefix(m, server, of_name);
	uri_prefix(m, server, of_uri);
	if (kind == GATHER_TOOLS)
		return name != NULL && shadow_take(m, server, name) && json_prefix(item, "name", of_name);
	if (kind == GATHER_PROMPTS)
		return json_prefix(item, "name", of_name);
	if (kind == GATHER_TASKS)
		return json_prefix(item, "taskId", of_name);
	return json_prefix(item, kind == GATHER_RESOURCES ? "uri" : "uriTemplate", of_uri);
}

void merge_list(struct many *m, const struct gather *g)
{
	struct kept *k = &m->kept[g->kind];
	json_t *item;
	size_t at;

	json_decref(k->items);
	json_decref(k->frame);
	*k = (struct kept){ .items = json_array(), .frame = json_object(), .generation = k->generation + 1 };
	put_frame(m, g, k->frame);
	if (g->kind == GATHER_TOOLS)
		shadow_begin(m);
	for (unsigned i = 0; i < m->n; i++) {
		json_array_foreach(json_object_get(g->said[i], merge_keys[g->kind]), at, item)
		{
			if (take_item(m, g->kind, i, item))
				(void)json_array_append(k->items, item);
		}
	}
}

static size_t size_of(const json_t *item)
{
	return json_dumpb(item, NULL, 0, JSON_COMPACT);
}

json_t *merge_page(const struct many *m, enum gather_kind kind, size_t from)
{
	const struct kept *k = &m->kept[kind];
	json_t *page = json_copy(k->frame), *items = json_array();
	size_t bytes = 0, n = json_array_size(k->items);
	char cursor[48];

	while (from < n && (bytes == 0 || bytes + size_of(json_array_get(k->items, from)) < MANY_PAGE_MAX)) {
		bytes += size_of(json_array_get(k->items, from));
		(void)json_array_append(items, json_array_get(k->items, from++));
	}
	(void)json_object_set_new(page, merge_keys[kind], items);
	(void)snprintf(cursor, sizeof cursor, "%u.%zu", k->generation, from);
	if (from < n)
		(void)json_object_set_new(page, "nextCursor", json_string(cursor));
	return page;
}

bool merge_cursor(const struct many *m, enum gather_kind kind, const char *cursor, size_t *ret)
{
	const struct kept *k = &m->kept[kind];
	char back[48];
	uint64_t from;
	int n;

	n = snprintf(back, sizeof back, "%u.", k->generation);
	if (strncmp(cursor, back, (size_t)n) != 0 || !parse_u64(cursor + n, 0, json_array_size(k->items), &from) ||
	    from == json_array_size(k->items))
		return false;
	(void)snprintf(back, sizeof back, "%u.%llu", k->generation, (unsigned long long)from);
	*ret = (size_t)from;
	return strcmp(back, cursor) == 0; /* and nothing else, however it is written */
}
