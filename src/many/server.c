/* What the servers say, each through its gate: hostile bytes, as the client's. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "many/many.h"

enum { INTERNAL = -32603 };

#define META "_meta"
#define RELATED "io.modelcontextprotocol/related-task"
#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static const char *const at_id[] = { "id", NULL };

/* ---- answers ---- */

static void answer_one(struct many *m, const struct asked *a, json_t *said, const char *line, size_t n)
{
	json_t *result = json_object_get(said, "result"), *error = json_object_get(said, "error");
	auto_buf b = { .max = n + GUARD_ID_MAX };

	if (!m->fresh && (names_in_result(m, a->server, result) || names_in_error(m, a->server, error))) {
		answer_json(&m->client.bytes, a->id, result != NULL ? "result" : "error",
			    result != NULL ? result : error);
		return;
	}
	buf_put(&b, line, n);
	if (!b.failed && draft_set(&b, at_id, a->id)) {
		buf_put(&m->client.bytes, b.data, b.len);
		buf_put_u8(&m->client.bytes, '\n');
	} else {
		answer_lost(&m->client.bytes, a->id, "the id of the answer cannot be found in its line");
	}
}

void server_answer(struct many *m, unsigned server, json_t *said, const char *line, size_t n)
{
	struct asked *a = asked_of_own(m->asked, json_object_get(said, "id"));
	const struct asked was = a != NULL ? *a : (struct asked){ .server = server };

	if (a == NULL || was.server != server) {
		if (++m->servers[server].side.stray >= MANY_STRAY_MAX)
			m->servers[server].side.said_all = true;
		return;
	}
	a->used = false;
	if (was.cancelled)
		return;
	if (was.gather != NULL)
		gather_said(m, was.gather, server, said, n);
	else if (was.late != GATHER_COUNT)
		gather_late(m, was.late, server, said);
	else
		answer_one(m, &was, said, line, n);
}

/* ---- requests ---- */

/* Where there is a text it has the prefix behind that. False: it is there, and not found in the line, where some name has escapes; or somebody finds another there. */
static bool prefix_if(struct buf *b, const json_t *said, const char *const path[], const char *prefix)
{
	const json_t *v = said;

	for (size_t i = 0; path[i] != NULL; i++) {
		if (has_other_case(v, path[i]))
			return false;
		v = json_object_get(v, path[i]);
	}
	return !json_is_string(v) || draft_prefix(b, path, prefix);
}

/* The user is to see who asks. */
static bool name_who_asks(struct buf *b, const struct many *m, unsigned server, const json_t *said)
{
	static const char *const message[] = { "params", "message", NULL };
	static const char *const task[] = { "params", META, RELATED, "taskId", NULL };
	char who[MANY_SERVER_MAX + 2], name[MANY_SERVER_MAX + 2];

	who_prefix(m, server, who);
	name_prefix(m, server, name);
	return prefix_if(b, said, message, who) && prefix_if(b, said, task, name);
}

void server_request(struct many *m, unsigned server, const json_t *said, const char *id, const char *line, size_t n)
{
	struct asked *a = asked_new(m, m->called, server);
	auto_buf b = { .max = n + 3 * GUARD_ID_MAX };
	bool good = a != NULL;
	char own[24];
	struct err e;

	buf_put(&b, line, n);
	if (a != NULL) {
		(void)text_copy(a->id, sizeof a->id, id); /* same size */
		(void)id_take(json_object_get(json_object_get(json_object_get(said, "params"), META), "progressToken"),
			      a->token);
		(void)snprintf(own, sizeof own, "%llu", (unsigned long long)a->own);
		good = m->fresh || name_who_asks(&b, m, server, said);
	}
	if (good && !b.failed && draft_set(&b, at_id, own)) {
		buf_put(&m->client.bytes, b.data, b.len);
		buf_put_u8(&m->client.bytes, '\n');
		return;
	}
	if (a != NULL)
		a->used = false;
	if (a != NULL)
		(void)err_set(&e, AMBIT_MALFORMED, "write names without escapes",
			      "whose the question is cannot be said in its line");
	else
		(void)err_set(&e, AMBIT_LIMIT, NULL, "more is asked than can wait");
	answer_error(&m->servers[server].side.bytes, id, INTERNAL, &e);
}

/* ---- notes ---- */

void server_cancelled(struct many *m, unsigned server, const json_t *params)
{
	char id[GUARD_ID_MAX];
	struct asked *a = id_take(json_object_get(params, "requestId"), id) ? asked_of_id(m->called, id, (int)server)
									    : NULL;

	if (a == NULL)
		return;
	a->cancelled = true;
	note_cancelled(&m->client.bytes, a->own);
}

/* Of whom it listens it knows by the id that it gave; it is ours that the server was given. False: of nobody. */
static bool name_listener(struct many *m, unsigned server, const json_t *params, struct buf *b)
{
	static const char *const path[] = { "params", META, SUBSCRIPTION, NULL };
	const json_t *own = json_object_get(json_object_get(params, META), SUBSCRIPTION);
	const struct asked *a = asked_of_own(m->asked, own);

	return own == NULL || (a != NULL && a->server == server && a->gather != NULL &&
			       a->gather->kind == GATHER_LISTEN && draft_set(b, path, a->gather->id));
}

static void on_acknowledged(struct many *m, unsigned server, const json_t *params)
{
	const struct asked *a = asked_of_own(m->asked, json_object_get(json_object_get(params, META), SUBSCRIPTION));

	if (a != NULL && a->server == server && a->gather != NULL && a->gather->kind == GATHER_LISTEN)
		gather_acknowledged(m, a->gather, server, params);
}

static void on_note(struct many *m, unsigned server, const json_t *said, const char *line, size_t n)
{
	static const char *const task[] = { "params", "taskId", NULL }, *const uri[] = { "params", "uri", NULL };
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	auto_buf b = { .max = n + 3 * GUARD_ID_MAX };
	char prefix[MANY_SERVER_MAX + 2];

	if (strcmp(method, "notifications/cancelled") == 0) {
		server_cancelled(m, server, params);
		return;
	}
	if (strcmp(method, "notifications/subscriptions/acknowledged") == 0) {
		on_acknowledged(m, server, params);
		return;
	}
	buf_put(&b, line, n);
	if (!name_listener(m, server, params, &b))
		return;
	if (strcmp(method, "notifications/tools/list_changed") == 0)
		m->listed = false;
	uri_prefix(m, server, prefix);
	if (strcmp(method, "notifications/resources/updated") == 0 && !draft_prefix(&b, uri, prefix))
		return;
	name_prefix(m, server, prefix);
	if (strncmp(method, "notifications/tasks", strlen("notifications/tasks")) == 0 &&
	    !prefix_if(&b, said, task, prefix))
		return;
	if (b.failed)
		return;
	buf_put(&m->client.bytes, b.data, b.len);
	buf_put_u8(&m->client.bytes, '\n');
}

/* ---- a line ---- */

static void take(struct many *m, unsigned server, json_t *said, const char *line, size_t n)
{
	const json_t *id = json_object_get(said, "id");
	char text[GUARD_ID_MAX];
	struct err e;

	if (said_check(said, &e) < 0)
		return; /* nobody waits for it */
	if (json_object_get(said, "method") == NULL)
		server_answer(m, server, said, line, n);
	else if (id == NULL)
		on_note(m, server, said, line, n);
	else if (id_take(id, text) && asked_of_id(m->called, text, (int)server) == NULL)
		server_request(m, server, said, text, line, n);
}

void server_line(struct many *m, unsigned server, const char *line, size_t n)
{
	struct err e;
	json_t *said = line_read(line, n, &e);

	if (said != NULL)
		take(m, server, said, line, n);
	json_decref(said);
}

void server_ended(struct many *m, unsigned server)
{
	struct server *s = &m->servers[server];
	const bool had = s->state == SERVER_READY || s->state == SERVER_NEW;
	struct err e;

	s->state = SERVER_GONE;
	(void)err_set(&e, AMBIT_GONE, NULL, "the server '%s' ended", s->name);
	for (size_t i = 0; i < MANY_ASKED_MAX; i++) {
		struct asked *a = &m->asked[i], *c = &m->called[i];

		if (a->used && a->server == server) {
			if (!a->cancelled && a->id[0] != 0)
				refuse_client(m, a->id, INTERNAL, &e);
			a->used = false;
		}
		if (c->used && c->server == server && !c->cancelled) {
			c->cancelled = true;
			note_cancelled(&m->client.bytes, c->own);
		}
	}
	gather_lost(m, server);
	for (enum gather_kind k = GATHER_TOOLS; had && k <= GATHER_RESOURCES; k++)
		if (k == GATHER_TOOLS || (s->can != NULL && json_object_get(s->can, merge_keys[k]) != NULL))
			tell_changed(m, k);
}
