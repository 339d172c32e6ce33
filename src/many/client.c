/* What the client says. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "many/many.h"

enum { NO_JSON = -32700, NO_REQUEST = -32600, NO_METHOD = -32601, PARAMS = -32602, INTERNAL = -32603 };

/* Whose a request is. */
enum whose { OURS, OF_ALL, BY_NAME, BY_URI, BY_REF, BY_TASK };
static const struct {
	const char *word;
	enum whose whose;
	enum gather_kind kind; /* ALL */
} methods[] = {
	{ "initialize", OF_ALL, GATHER_BEGIN },
	{ "ping", OURS, 0 },
	{ "server/discover", OF_ALL, GATHER_DISCOVER },
	{ "tools/list", OF_ALL, GATHER_TOOLS },
	{ "tools/call", BY_NAME, 0 },
	{ "resources/list", OF_ALL, GATHER_RESOURCES },
	{ "resources/templates/list", OF_ALL, GATHER_TEMPLATES },
	{ "resources/read", BY_URI, 0 },
	{ "resources/subscribe", BY_URI, 0 },
	{ "resources/unsubscribe", BY_URI, 0 },
	{ "prompts/list", OF_ALL, GATHER_PROMPTS },
	{ "prompts/get", BY_NAME, 0 },
	{ "completion/complete", BY_REF, 0 },
	{ "logging/setLevel", OF_ALL, GATHER_LEVEL },
	{ "subscriptions/listen", OF_ALL, GATHER_LISTEN },
	{ "tasks/get", BY_TASK, 0 },
	{ "tasks/result", BY_TASK, 0 },
	{ "tasks/cancel", BY_TASK, 0 },
	{ "tasks/update", BY_TASK, 0 },
	{ "tasks/list", OF_ALL, GATHER_TASKS },
};
#define METHODS (sizeof methods / sizeof methods[0])

/* ---- to one of them ---- */

/* Where the name stands by which it is known whose it is, and what stands before what it is to that server. */
struct way {
	const char *path[4];
	char prefix[MANY_SERVER_MAX + 2];
	const char *name; /* as the server has it; borrowed */
	unsigned server;
};

static int none_so(const char *what, const char *name, struct err *e)
{
	return err_set(e, AMBIT_USAGE, "lists have the names that there are, each with its server in front",
		       "no server here has the %s '%.64s'", what, name != NULL ? name : "");
}

static int find_way(const struct many *m, enum whose whose, const json_t *params, struct way *w, struct err *e)
{
	const json_t *ref = json_object_get(params, "ref");
	const json_t *of = whose == BY_REF ? ref : params;
	const bool by_uri = whose == BY_URI || (whose == BY_REF && json_object_get(ref, "uri") != NULL);
	const char *key = by_uri ? "uri" : whose == BY_TASK ? "taskId" : "name";
	const char *name = json_string_value(json_object_get(of, key));

	*w = (struct way){ .path = { "params", key } };
	if (whose == BY_REF) {
		w->path[1] = "ref";
		w->path[2] = key;
	}
	if (name == NULL || !(by_uri ? uri_split : name_split)(m, name, &w->server))
		return none_so(by_uri ? "resource" : whose == BY_TASK ? "task" : "name", name, e);
	(by_uri ? uri_prefix : name_prefix)(m, w->server, w->prefix);
	w->name = name + strlen(w->prefix);
	return 0;
}

static int number_of(const struct err *e)
{
	return e->code == AMBIT_USAGE || e->code == AMBIT_MALFORMED ? PARAMS : INTERNAL;
}

static int send_on(struct many *m, const struct way *w, const char *id, const char *line, size_t n, struct err *e)
{
	static const char *const at_id[] = { "id", NULL };
	auto_buf b = { .max = n + 64 };
	struct asked *a;
	char own[24];

	if (m->servers[w->server].state == SERVER_GONE)
		return err_set(e, AMBIT_GONE, NULL, "the server '%s' ended", m->servers[w->server].name);
	a = server_takes(m, w->server) ? asked_new(m, m->asked, w->server) : NULL;
	if (a == NULL)
		return err_set(e, AMBIT_LIMIT, "wait for some of the answers", "the server '%s' takes no more now",
			       m->servers[w->server].name);
	(void)snprintf(own, sizeof own, "%llu", (unsigned long long)a->own);
	buf_put(&b, line, n);
	if (!draft_set(&b, at_id, own) || !draft_strip(&b, w->path, w->prefix)) {
		a->used = false;
		return err_set(e, AMBIT_MALFORMED, "write names without escapes",
			       "the id or the name in the request cannot be found in its line");
	}
	(void)text_copy(a->id, sizeof a->id, id); /* same size */
	buf_put(&m->servers[w->server].side.bytes, b.data, b.len);
	buf_put_u8(&m->servers[w->server].side.bytes, '\n');
	return 0;
}

/* What the model called is answered as the tool would: it is to see why, and go on. */
static void denied(struct many *m, const char *id, const struct err *e)
{
	char text[ERR_MSG_MAX + ERR_HINT_MAX + 16];
	json_t *result;

	(void)snprintf(text, sizeof text, "%s\nhint: %s", e->msg, e->hint);
	result = json_pack("{s:[{s:s, s:s}], s:b}", "content", "type", "text", "text", text, "isError", 1);
	if (!m->initialized)
		(void)json_object_set_new(result, "resultType", json_string("complete"));
	answer_json(&m->client.bytes, id, "result", result);
	json_decref(result);
}

/* ---- calls that wait for a list ---- */

static bool lists(const struct many *m)
{
	for (size_t i = 0; i < MANY_GATHERS_MAX; i++)
		if (m->gathers[i].used && m->gathers[i].kind == GATHER_TOOLS)
			return true;
	return false;
}

static json_t *envelope_of(const json_t *params)
{
	json_t *meta = json_copy(json_object_get(params, "_meta"));

	(void)json_object_del(meta, "progressToken");
	return meta != NULL ? json_pack("{s:o}", "_meta", meta) : NULL;
}

static int hold(struct many *m, const json_t *params, const char *id, const char *line, size_t n, struct err *e)
{
	struct held *h = NULL;
	json_t *own;

	for (size_t i = 0; i < MANY_HELD_MAX && h == NULL; i++)
		h = m->held[i].id[0] == 0 ? &m->held[i] : NULL;
	if (h == NULL || m->held_bytes + n > MANY_HELD_BYTES)
		return err_set(e, AMBIT_LIMIT, "wait for some of the answers", "more is called than can wait");
	buf_init(&h->line, n);
	buf_put(&h->line, line, n);
	if (h->line.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	(void)text_copy(h->id, sizeof h->id, id); /* same size */
	m->held_bytes += n;
	if (lists(m))
		return 0;
	own = envelope_of(params);
	gather_begin(m, GATHER_TOOLS, "", own);
	json_decref(own);
	return 0;
}

static void let_go(struct many *m, struct held *h)
{
	m->held_bytes -= h->line.len;
	buf_finish(&h->line);
	h->id[0] = 0;
}

void client_release(struct many *m)
{
	for (size_t i = 0; i < MANY_HELD_MAX; i++) {
		struct held *h = &m->held[i];
		struct buf line = h->line;

		if (h->id[0] == 0)
			continue;
		buf_init(&h->line, 1);
		m->held_bytes -= line.len;
		h->id[0] = 0;
		client_line(m, (const char *)line.data, line.len);
		buf_finish(&line);
	}
}

static struct held *held_of_id(struct many *m, const char *id)
{
	for (size_t i = 0; i < MANY_HELD_MAX; i++)
		if (m->held[i].id[0] != 0 && strcmp(m->held[i].id, id) == 0)
			return &m->held[i];
	return NULL;
}

/* ---- requests ---- */

static int to_one(struct many *m, enum whose whose, bool is_call, const json_t *params, const char *id,
		  const char *line, size_t n, struct err *e)
{
	struct way w;
	int r = find_way(m, whose, params, &w, e);

	if (r == 0 && is_call && !m->listed)
		return hold(m, params, id, line, n, e);
	r = r < 0 || !is_call ? r : shadow_check(m, w.server, w.name, e);
	return r < 0 ? r : send_on(m, &w, id, line, n, e);
}

static void to_all(struct many *m, enum gather_kind kind, const char *id, const json_t *params)
{
	const char *cursor = json_string_value(json_object_get(params, "cursor"));
	struct err e;
	json_t *page;
	size_t from;

	if (merge_keys[kind] == NULL || json_object_get(params, "cursor") == NULL) {
		gather_begin(m, kind, id, params);
	} else if (cursor == NULL || !merge_cursor(m, kind, cursor, &from)) {
		(void)err_set(&e, AMBIT_USAGE, "begin the list anew", "a cursor that is of no list");
		refuse_client(m, id, PARAMS, &e);
	} else {
		page = merge_page(m, kind, from);
		answer_json(&m->client.bytes, id, "result", page);
		json_decref(page);
	}
}

static void on_request(struct many *m, const json_t *said, const char *id, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	struct err e;
	size_t i = 0;
	int r;

	while (i < METHODS && strcmp(methods[i].word, method) != 0)
		i++;
	if (i == METHODS) {
		(void)err_set(&e, AMBIT_UNKNOWN, NULL, "no method '%.64s' passes here", method);
		refuse_client(m, id, NO_METHOD, &e);
	} else if (params != NULL && !json_is_object(params)) {
		(void)err_set(&e, AMBIT_USAGE, "parameters have names here", "the parameters are not an object");
		refuse_client(m, id, PARAMS, &e);
	} else if (methods[i].whose == OURS) {
		buf_printf(&m->client.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n", id);
	} else if (methods[i].whose == OF_ALL) {
		to_all(m, methods[i].kind, id, params);
	} else {
		const bool is_call = strcmp(method, "tools/call") == 0;

		r = to_one(m, methods[i].whose, is_call, params, id, line, n, &e);
		if (r < 0 && is_call && e.code == AMBIT_DENIED)
			denied(m, id, &e);
		else if (r < 0)
			refuse_client(m, id, number_of(&e), &e);
	}
}

/* ---- notes and answers ---- */

/* Nobody waits for its answer from here on. */
static void on_cancelled(struct many *m, const json_t *params)
{
	char id[GUARD_ID_MAX];
	struct asked *a;
	struct gather *g;
	struct held *h;

	if (!id_take(json_object_get(params, "requestId"), id))
		return;
	if ((h = held_of_id(m, id)) != NULL) {
		let_go(m, h);
	} else if ((g = gather_of_id(m, id)) != NULL) {
		gather_cancel(m, g);
	} else if ((a = asked_of_id(m->asked, id, -1)) != NULL) {
		a->cancelled = true;
		note_cancelled(&m->servers[a->server].side.bytes, a->own);
	}
}

static void pass_to(struct many *m, unsigned server, const char *line, size_t n)
{
	if (!server_takes(m, server))
		return;
	buf_put(&m->servers[server].side.bytes, line, n);
	buf_put_u8(&m->servers[server].side.bytes, '\n');
}

void client_progress(struct many *m, const json_t *params, const char *line, size_t n)
{
	char token[GUARD_ID_MAX];

	if (!id_take(json_object_get(params, "progressToken"), token))
		return;
	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (m->called[i].used && m->called[i].token[0] != 0 && strcmp(m->called[i].token, token) == 0) {
			pass_to(m, m->called[i].server, line, n);
			return;
		}
}

static void on_note(struct many *m, const json_t *said, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	const bool begins = strcmp(method, "notifications/initialized") == 0;

	if (strcmp(method, "notifications/cancelled") == 0) {
		on_cancelled(m, params);
	} else if (strcmp(method, "notifications/progress") == 0) {
		client_progress(m, params, line, n);
	} else if (begins || strcmp(method, "notifications/roots/list_changed") == 0) {
		m->initialized = m->initialized || begins;
		if (begins && m->first == NULL)
			m->first = strndup(line, n);
		for (unsigned i = 0; i < m->n; i++)
			if (m->servers[i].state == SERVER_READY)
				pass_to(m, i, line, n);
	}
}

/* To what a server asked. */
void client_answer(struct many *m, const json_t *said, const char *line, size_t n)
{
	static const char *const at_id[] = { "id", NULL };
	static const char *const task[] = { "result", "_meta", "io.modelcontextprotocol/related-task", "taskId", NULL };
	struct asked *a = asked_of_own(m->called, json_object_get(said, "id"));
	auto_buf b = { .max = n + GUARD_ID_MAX };
	char prefix[MANY_SERVER_MAX + 2];
	struct buf *out;

	if (a == NULL) {
		if (++m->client.stray >= MANY_STRAY_MAX)
			m->client.said_all = true;
		return;
	}
	a->used = false;
	if (a->cancelled)
		return;
	out = &m->servers[a->server].side.bytes;
	name_prefix(m, a->server, prefix);
	buf_put(&b, line, n);
	if (!m->fresh)
		(void)draft_strip(&b, task, prefix); /* most have none */
	if (!b.failed && draft_set(&b, at_id, a->id)) {
		buf_put(out, b.data, b.len);
		buf_put_u8(out, '\n');
	} else {
		answer_lost(out, a->id, "the id of the answer cannot be found in its line");
	}
}

/* ---- a line ---- */

static void take(struct many *m, const json_t *said, const char *line, size_t n)
{
	const json_t *id = json_object_get(said, "id");
	char text[GUARD_ID_MAX] = "";
	struct err e;
	int r = said_check(said, &e);

	if (r == 0 && json_object_get(said, "method") == NULL) {
		client_answer(m, said, line, n);
		return;
	}
	if (r == 0 && id != NULL && !id_take(id, text))
		r = err_set(&e, AMBIT_USAGE, "a short text or a whole number", "an id that is none");
	if (r == 0 && id != NULL &&
	    (asked_of_id(m->asked, text, -1) != NULL || gather_of_id(m, text) != NULL || held_of_id(m, text) != NULL)) {
		text[0] = 0;
		r = err_set(&e, AMBIT_USAGE, "give each request an id of its own",
			    "that id is of a request that is not answered yet");
	}
	if (r < 0)
		refuse_client(m, text, NO_REQUEST, &e);
	else if (id == NULL)
		on_note(m, said, line, n);
	else
		on_request(m, said, text, line, n);
}

void client_line(struct many *m, const char *line, size_t n)
{
	struct err e;
	json_t *said;

	if (line_is_blank(line, n))
		return;
	said = line_read(line, n, &e);
	if (said == NULL)
		refuse_client(m, "", e.code == AMBIT_MALFORMED ? NO_JSON : NO_REQUEST, &e);
	else
		take(m, said, line, n);
	json_decref(said);
}

void client_long(struct many *m)
{
	struct err e;

	(void)err_set(&e, AMBIT_LIMIT, NULL, "a line of more than %u bytes", FRAME_LINE_MAX);
	refuse_client(m, "", NO_REQUEST, &e);
}
