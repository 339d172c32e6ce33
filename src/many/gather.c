/* What all servers are asked, and one answer comes of. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "many/many.h"

enum { NO_METHOD = -32601, INTERNAL = -32603 };

#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static const struct {
	const char *method, *capability; /* which a server must have; NULL: each is asked */
	const char *changed;             /* of lists: what is told when they are others */
	const char *listens;             /* by whom of 2026-07-28 */
} kinds[GATHER_COUNT] = {
	[GATHER_BEGIN] = { "initialize", NULL, NULL, NULL },
	[GATHER_DISCOVER] = { "server/discover", NULL, NULL, NULL },
	[GATHER_LEVEL] = { "logging/setLevel", "logging", NULL, NULL },
	[GATHER_LISTEN] = { "subscriptions/listen", NULL, NULL, NULL },
	[GATHER_TOOLS] = { "tools/list", "tools", "notifications/tools/list_changed", "toolsListChanged" },
	[GATHER_PROMPTS] = { "prompts/list", "prompts", "notifications/prompts/list_changed", "promptsListChanged" },
	[GATHER_RESOURCES] = { "resources/list", "resources", "notifications/resources/list_changed",
			       "resourcesListChanged" },
	[GATHER_TEMPLATES] = { "resources/templates/list", "resources", "notifications/resources/list_changed",
			       "resourcesListChanged" },
	[GATHER_TASKS] = { "tasks/list", "tasks", NULL, NULL },
};

bool server_can(const struct server *s, enum gather_kind kind)
{
	if (s->state == SERVER_GONE)
		return false;
	if (kind == GATHER_BEGIN || kind == GATHER_DISCOVER)
		return true;
	if (s->state == SERVER_FAILED || s->state == SERVER_BEGINS)
		return false;
	return s->can == NULL || kinds[kind].capability == NULL ||
	       json_object_get(s->can, kinds[kind].capability) != NULL;
}

/* ---- to them ---- */

/* Of what is listened to: of resources each server its own. */
static json_t *listens_of(const struct many *m, const struct gather *g, unsigned server)
{
	json_t *params = json_deep_copy(g->params), *notes = json_object_get(params, "notifications");
	json_t *uris = json_object_get(notes, "resourceSubscriptions");
	char prefix[MANY_SERVER_MAX + 2];

	uri_prefix(m, server, prefix);
	for (size_t i = json_array_size(uris); i-- > 0;) {
		const char *uri = json_string_value(json_array_get(uris, i));
		unsigned whose;

		if (uri == NULL || !uri_split(m, uri, &whose) || whose != server)
			(void)json_array_remove(uris, i);
		else
			(void)json_array_set_new(uris, i, json_string(uri + strlen(prefix)));
	}
	if (uris != NULL && json_array_size(uris) == 0)
		(void)json_object_del(notes, "resourceSubscriptions");
	return params;
}

static bool ask(struct many *m, struct gather *g, unsigned server, const char *cursor)
{
	json_t *params = g->kind == GATHER_LISTEN ? listens_of(m, g, server)
			 : g->params != NULL      ? json_copy(g->params)
						  : NULL;
	struct asked *a;

	if (cursor != NULL) {
		params = params != NULL ? params : json_object();
		(void)json_object_set_new(params, "cursor", json_string(cursor));
	}
	a = ask_server(m, server, kinds[g->kind].method, params);
	json_decref(params);
	if (a == NULL)
		return false;
	a->gather = g;
	g->waits |= 1u << server;
	g->silent |= g->kind == GATHER_LISTEN ? 1u << server : 0;
	if (g->kind == GATHER_BEGIN)
		m->servers[server].state = SERVER_BEGINS;
	return true;
}

/* ---- back ---- */

static void drop(struct many *m, struct gather *g)
{
	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (m->asked[i].used && m->asked[i].gather == g) {
			m->asked[i].gather = NULL;
			m->asked[i].late = g->kind;
		}
	for (unsigned i = 0; i < MANY_SERVERS_MAX; i++)
		json_decref(g->said[i]);
	json_decref(g->params);
	json_decref(g->refusal);
	json_decref(g->told);
	*g = (struct gather){ .used = false };
}

static json_t *merged(struct many *m, struct gather *g)
{
	switch (g->kind) {
	case GATHER_BEGIN: return merge_begin(m, g);
	case GATHER_DISCOVER: return merge_discover(m, g);
	case GATHER_LEVEL: return json_object();
	case GATHER_LISTEN: return json_pack("{s:s}", "resultType", "complete");
	case GATHER_TOOLS:
	case GATHER_PROMPTS:
	case GATHER_RESOURCES:
	case GATHER_TEMPLATES:
	case GATHER_TASKS: merge_list(m, g); return merge_page(m, g->kind, 0);
	case GATHER_COUNT: break;
	}
	return NULL;
}

static bool has_said(const struct gather *g)
{
	for (unsigned i = 0; i < MANY_SERVERS_MAX; i++)
		if (g->said[i] != NULL)
			return true;
	return false;
}

/* A client of 2026-07-28 asks first which versions are spoken: one server that does not know the question speaks none of them, and with it all go back to the older way. */
static bool is_refused(const struct gather *g)
{
	return g->refusal != NULL && (!has_said(g) || g->kind == GATHER_DISCOVER);
}

/* Nor do they speak one that they have no version of in common. */
static bool is_common(const struct gather *g, const json_t *result)
{
	return g->kind != GATHER_DISCOVER || json_array_size(json_object_get(result, "supportedVersions")) > 0;
}

static void finish(struct many *m, struct gather *g)
{
	const bool lists = g->kind == GATHER_TOOLS;
	json_t *result;
	struct err e;

	if (g->id[0] != 0 && !side_has_room(&m->client)) { /* many may end at once: gather_look has it when there is */
		g->until_ms = 1;
		return;
	}
	if (is_refused(g)) {
		if (g->id[0] != 0)
			answer_json(&m->client.bytes, g->id, "error", g->refusal);
	} else if ((result = merged(m, g)) != NULL && !is_common(g, result)) {
		(void)err_set(&e, AMBIT_UNKNOWN, "`initialize`",
			      "the servers have no version in common that is asked so");
		refuse_client(m, g->id, NO_METHOD, &e);
		json_decref(result);
	} else if (result != NULL) {
		if (g->id[0] != 0)
			answer_json(&m->client.bytes, g->id, "result", result);
		json_decref(result);
	} else if (g->id[0] != 0) {
		(void)err_set(&e, AMBIT_MEMORY, NULL, "no memory for the answer");
		refuse_client(m, g->id, INTERNAL, &e);
	}
	drop(m, g);
	if (lists) {
		m->listed = true;
		client_release(m);
	}
}

static struct gather *find_free(struct many *m)
{
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++)
		if (!m->gathers[i].used)
			return &m->gathers[i];
	return NULL;
}

/* Where nobody can be asked, and nobody has said anything: as each of them would refuse it. */
static void refuse_all(struct gather *g)
{
	if (g->refusal != NULL || has_said(g))
		return;
	if (g->kind == GATHER_LEVEL)
		g->refusal = json_pack("{s:i, s:s}", "code", NO_METHOD, "message",
				       "no server has logs to set a level of");
	else if (g->kind == GATHER_BEGIN || g->kind == GATHER_DISCOVER)
		g->refusal = json_pack("{s:i, s:s}", "code", INTERNAL, "message", "no server is there");
}

void gather_begin(struct many *m, enum gather_kind kind, const char *id, const json_t *params)
{
	struct gather *g = find_free(m);
	struct err e;

	if (g == NULL) {
		(void)err_set(&e, AMBIT_LIMIT, "wait for some of the answers",
			      "%d requests to all servers are not answered yet", MANY_GATHERS_MAX);
		if (id[0] != 0)
			refuse_client(m, id, INTERNAL, &e);
		return;
	}
	*g = (struct gather){ .used = true,
			      .kind = kind,
			      .params = json_deep_copy((json_t *)(uintptr_t)params),
			      .until_ms = clock_ms() + (kind == GATHER_BEGIN || kind == GATHER_DISCOVER
								? m->patience.begin_ms
								: m->patience.list_ms) };
	(void)snprintf(g->id, sizeof g->id, "%s", id); /* same size */
	for (unsigned i = 0; i < m->n; i++)
		if (server_can(&m->servers[i], kind))
			(void)ask(m, g, i, NULL);
	if (g->waits != 0)
		return;
	refuse_all(g);
	finish(m, g);
}

static void take_list(struct many *m, struct gather *g, unsigned server, const json_t *result, size_t n)
{
	const char *key = merge_keys[g->kind], *cursor = json_string_value(json_object_get(result, "nextCursor"));
	json_t *items = json_object_get(result, key), *all, *item;
	size_t i;

	g->bytes[server] += n;
	if (g->said[server] == NULL) {
		g->said[server] = json_copy((json_t *)(uintptr_t)result);
		(void)json_object_set_new(g->said[server], key, json_array());
	}
	all = json_object_get(g->said[server], key);
	json_array_foreach(items, i, item)
	{
		if (json_array_size(all) < MANY_ITEMS_MAX)
			(void)json_array_append(all, item);
	}
	if (cursor != NULL && ++g->pages[server] < MANY_PAGES_MAX && g->bytes[server] < MANY_LIST_MAX)
		(void)ask(m, g, server, cursor);
}

static void take_capabilities(struct server *s, const json_t *result, bool begins)
{
	json_decref(s->can);
	s->can = json_deep_copy(json_object_get(result, "capabilities"));
	if (begins)
		s->state = result != NULL ? SERVER_READY : SERVER_FAILED;
}

/* One that begins by a version that is none would have the client go, from all of them. */
static bool begins_well(const struct gather *g, const json_t *result)
{
	static const char *const words[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07" };
	const json_t *version = json_object_get(result, "protocolVersion");
	bool is = json_equal(version, json_object_get(g->params, "protocolVersion")) != 0;

	for (size_t i = 0; json_is_string(version) && i < sizeof words / sizeof words[0]; i++)
		is = is || strcmp(words[i], json_string_value(version)) == 0;
	return is;
}

void gather_said(struct many *m, struct gather *g, unsigned server, const json_t *said, size_t n)
{
	json_t *result = json_object_get(said, "result"), *error = json_object_get(said, "error");

	if ((g->kind == GATHER_BEGIN && !begins_well(g, result)) || (merge_keys[g->kind] == NULL && n > MANY_WORD_MAX))
		result = NULL;
	g->waits &= ~(1u << server);
	if (g->kind == GATHER_BEGIN || (g->kind == GATHER_DISCOVER && json_is_object(result)))
		take_capabilities(&m->servers[server], result, g->kind == GATHER_BEGIN);
	if (!json_is_object(result))
		g->refusal = g->refusal != NULL ? g->refusal
			     : error != NULL    ? json_incref(error)
						: json_pack("{s:i, s:s}", "code", INTERNAL, "message",
							    "a server does not begin as the protocol has it");
	else if (merge_keys[g->kind] != NULL)
		take_list(m, g, server, result, n);
	else
		g->said[server] = json_incref(result);
	if (g->waits == 0)
		finish(m, g);
}

void gather_late(struct many *m, enum gather_kind kind, unsigned server, const json_t *said)
{
	struct server *s = &m->servers[server];

	if (kind != GATHER_BEGIN) {
		tell_changed(m, kind);
		return;
	}
	take_capabilities(s, json_object_get(said, "result"), true);
	if (s->state != SERVER_READY)
		return;
	if (m->first != NULL)
		buf_printf(&s->side.bytes, "%s\n", m->first);
	for (enum gather_kind k = GATHER_TOOLS; k <= GATHER_RESOURCES; k++)
		if (server_can(s, k))
			tell_changed(m, k);
}

void gather_lost(struct many *m, unsigned server)
{
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++) {
		struct gather *g = &m->gathers[i];

		if (!g->used || (g->waits >> server & 1u) == 0)
			continue;
		g->waits &= ~(1u << server);
		if (g->kind == GATHER_LISTEN && (g->silent >> server & 1u) != 0)
			gather_acknowledged(m, g, server, NULL);
		if (g->waits != 0)
			continue;
		refuse_all(g);
		finish(m, g);
	}
}

void gather_cancel(struct many *m, struct gather *g)
{
	for (size_t i = 0; i < MANY_ASKED_MAX; i++) {
		struct asked *a = &m->asked[i];

		if (!a->used || a->gather != g)
			continue;
		note_cancelled(&m->servers[a->server].side.bytes, a->own);
		a->gather = NULL;
		a->cancelled = true;
	}
	drop(m, g);
}

struct gather *gather_of_id(struct many *m, const char *id)
{
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++)
		if (m->gathers[i].used && strcmp(m->gathers[i].id, id) == 0)
			return &m->gathers[i];
	return NULL;
}

/* ---- what is listened to ---- */

static void add_uris(const struct many *m, unsigned server, json_t *into, const json_t *uris)
{
	json_t *all = json_object_get(into, "resourceSubscriptions");
	char prefix[MANY_SERVER_MAX + 2];
	const json_t *one;
	size_t i;

	uri_prefix(m, server, prefix);
	if (all == NULL && json_object_set_new(into, "resourceSubscriptions", json_array()) == 0)
		all = json_object_get(into, "resourceSubscriptions");
	json_array_foreach((json_t *)(uintptr_t)uris, i, one)
	{
		if (json_is_string(one))
			(void)json_array_append_new(all, json_sprintf("%s%s", prefix, json_string_value(one)));
	}
}

static void acknowledge(struct many *m, struct gather *g)
{
	json_t *id = json_loads(g->id, JSON_DECODE_ANY, NULL);
	json_t *params = json_pack("{s:o, s:{s:o}}", "notifications", g->told != NULL ? g->told : json_object(),
				   "_meta", SUBSCRIPTION, id);

	g->told = NULL;
	g->silent = 0;
	g->until_ms = 0;
	note_json(&m->client.bytes, "notifications/subscriptions/acknowledged", params);
	json_decref(params);
}

void gather_acknowledged(struct many *m, struct gather *g, unsigned server, const json_t *params)
{
	const json_t *notes = json_object_get(params, "notifications");
	const char *key;
	json_t *v;

	if ((g->silent >> server & 1u) == 0)
		return;
	g->told = g->told != NULL ? g->told : json_object();
	json_object_foreach((json_t *)(uintptr_t)notes, key, v)
	{
		if (strcmp(key, "resourceSubscriptions") == 0)
			add_uris(m, server, g->told, v);
		else
			(void)json_object_set(g->told, key, v);
	}
	g->silent &= ~(1u << server);
	if (g->silent == 0)
		acknowledge(m, g);
}

static void tell_listeners(struct many *m, enum gather_kind kind)
{
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++) {
		const struct gather *g = &m->gathers[i];
		json_t *params;

		if (!g->used || g->kind != GATHER_LISTEN ||
		    !json_is_true(json_object_get(json_object_get(g->params, "notifications"), kinds[kind].listens)))
			continue;
		params = json_pack("{s:{s:o}}", "_meta", SUBSCRIPTION, json_loads(g->id, JSON_DECODE_ANY, NULL));
		note_json(&m->client.bytes, kinds[kind].changed, params);
		json_decref(params);
	}
}

void tell_changed(struct many *m, enum gather_kind kind)
{
	if (kind == GATHER_TOOLS)
		m->listed = false;
	if (kinds[kind].changed == NULL)
		return;
	if (m->initialized)
		note_json(&m->client.bytes, kinds[kind].changed, NULL);
	else
		tell_listeners(m, kind);
}

/* ---- time ---- */

bool gather_is_due(const struct many *m)
{
	const uint64_t now = clock_ms();

	for (size_t i = 0; i < MANY_GATHERS_MAX; i++)
		if (m->gathers[i].used && m->gathers[i].until_ms != 0 && m->gathers[i].until_ms <= now)
			return true;
	return false;
}

int gather_look(struct many *m, int wait_ms)
{
	const uint64_t now = clock_ms();

	for (size_t i = 0; i < MANY_GATHERS_MAX; i++) {
		struct gather *g = &m->gathers[i];

		if (!g->used || g->until_ms == 0)
			continue;
		if (g->until_ms > now) {
			const int left = (int)(g->until_ms - now); /* patience is a u32, of minutes at most */

			wait_ms = wait_ms < 0 || left < wait_ms ? left : wait_ms;
		} else if (g->kind == GATHER_LISTEN) {
			acknowledge(m, g);
		} else if (g->id[0] == 0 || side_has_room(&m->client)) {
			finish(m, g);
			wait_ms = 0;
		}
	}
	return wait_ms;
}
