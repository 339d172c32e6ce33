/* What the server says: hostile bytes, as the client's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/tool.h"
#include "guard/guard.h"

enum { NO_METHOD = -32601, INTERNAL = -32603, REFUSED = -32001 };
#define SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

/* ---- what came of it ---- */

void guard_tell_over(struct guard *g, const struct pending *p, enum guard_end end, const void *bytes, size_t n)
{
	struct guard_over o = { .number = p->number, .end = end, .bytes = n };
	uint8_t room[64];
	struct sha256 s;
	struct buf body;
	struct err e;

	if (!p->judged)
		return;
	once_over(g, p, end, bytes, n);
	sha256_init(&s);
	sha256_add(&s, bytes, n);
	sha256_end(&s, o.sha256);
	buf_init_in(&body, room, sizeof room);
	guard_over_put(&body, &o);
	(void)port_send(&g->owner, WIRE_GUARD_OVER, &body, &e); /* who is gone is seen elsewhere */
}

static enum guard_end end_of(const json_t *said)
{
	const json_t *result = json_object_get(said, "result");

	if (result == NULL)
		return GUARD_ERROR;
	return json_is_true(json_object_get(result, "isError")) ? GUARD_FAILED : GUARD_DONE;
}

/* ---- answers ---- */

/* With what may not be seen taken out, as the parser has the rest. */
static void answer_made(struct guard *g, const struct pending *p, const json_t *result)
{
	auto_free char *text = json_dumps(result, JSON_COMPACT);

	if (text == NULL)
		return;
	buf_printf(&g->client.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", p->id);
	buf_put(&g->client.bytes, text, strlen(text));
	buf_printf(&g->client.bytes, "}\n");
}

int guard_list(struct guard *g, const char *cursor)
{
	struct pending *p;
	json_t *params;
	auto_free char *text = NULL;

	for (size_t i = 0; i < GUARD_PENDING_MAX && cursor == NULL; i++)
		if (g->asked[i].state == PENDING_SENT && g->asked[i].list == LIST_OWN)
			return 0; /* it is on its way */
	p = pending_new(g->asked, g);
	if (p == NULL)
		return -AMBIT_LIMIT;
	p->list = LIST_OWN;
	g->stale = g->stale && cursor != NULL;
	params = json_object();
	if (cursor != NULL)
		(void)json_object_set_new(params, "cursor", json_string(cursor));
	if (g->envelope != NULL)
		(void)json_object_set(params, "_meta", g->envelope);
	text = json_dumps(params, JSON_COMPACT);
	json_decref(params);
	buf_printf(&g->server.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"tools/list\",\"params\":",
		   (unsigned long long)p->own);
	buf_put(&g->server.bytes, text != NULL ? text : "{}", text != NULL ? strlen(text) : 2);
	buf_printf(&g->server.bytes, "}\n");
	return 0;
}

/* Of ours, and it is none: it is asked for once more (a connection may have gone), and then again with the next call. */
static void own_list_failed(struct guard *g, const json_t *error)
{
	const json_t *message = json_object_get(error, "message");
	const char *text = json_is_string(message) ? json_string_value(message) : "its answer is none";
	char shown[ERR_WHY_MAX];
	struct err e;

	g->pages = 0;
	if (g->list_failed++ == 0 && guard_list(g, NULL) == 0)
		return;
	g->list_failed = 0;
	(void)err_set(&e, AMBIT_GONE, "nothing was called: call it again",
		      "the server did not say which tools it has: %.200s",
		      text_escape(shown, sizeof shown, text, strlen(text)));
	client_go_on(g, &e);
}

/* Of ours: the next page, or what waited for all of them goes on. */
static void on_own_list(struct guard *g, json_t *result)
{
	const char *cursor = json_string_value(json_object_get(result, "nextCursor"));
	bool changed;

	pins_look(g, result, &changed);
	if (g->stale)
		cursor = NULL; /* what its first pages had may be other by now */
	if ((g->stale || cursor != NULL) && ++g->pages < GUARD_PAGES_MAX && guard_list(g, cursor) == 0)
		return;
	pins_end(g, false);
	g->listed = true;
	g->pages = g->list_failed = 0;
	client_go_on(g, NULL);
}

/* The end of what the client listened for, which it knows by its own id. False: it is no such answer. */
static bool name_heard(struct buf *out, const json_t *result, const char *line, size_t n, const char *id)
{
	static const char *const path[] = { "result", "_meta", SUBSCRIPTION, NULL };

	return json_object_get(json_object_get(result, "_meta"), SUBSCRIPTION) != NULL &&
	       line_put_at(out, line, n, path, id) && !out->failed;
}

static void on_answer(struct guard *g, json_t *said, const char *line, size_t n)
{
	struct pending *p = pending_of_own(g->asked, json_object_get(said, "id"));
	json_t *result = json_object_get(said, "result");
	auto_buf named = { .max = n + GUARD_ID_MAX };
	enum guard_end how = end_of(said);
	bool changed = false;

	if (p == NULL) {
		if (++g->server.stray >= GUARD_STRAY_MAX)
			g->server.said_all = true;
		return;
	}
	if (p->list == LIST_OWN) {
		pending_free(g, p);
		if (json_is_object(result))
			on_own_list(g, result);
		else
			own_list_failed(g, json_object_get(said, "error"));
		return;
	}
	if (!p->cancelled && inputs_hold(g, p, said, line, n))
		return;
	if (g->items != NULL && p->judged && !p->cancelled)
		items_hear(g->items, said);
	if (p->list == LIST_OF_CLIENT && result != NULL)
		pins_look(g, result, &changed);
	if (name_heard(&named, result, line, n, p->id)) {
		line = (const char *)named.data;
		n = named.len;
	}
	if (!p->cancelled && p->list == LIST_OF_CLIENT && result != NULL && !json_is_object(result)) {
		answer_lost(&g->client.bytes, p->id, "the server's list is none");
	} else if (!p->cancelled && changed) {
		answer_made(g, p, result);
	} else if (!p->cancelled && !line_put(&g->client.bytes, line, n, p->id)) {
		answer_lost(&g->client.bytes, p->id, "the id of the answer cannot be found in its line");
		how = GUARD_ERROR;
	}
	guard_tell_over(g, p, p->cancelled ? GUARD_CANCELLED : how, line, n);
	pending_free(g, p);
}

/* ---- requests of the server ---- */

static void refuse(struct guard *g, const char *id, int number, const struct err *e)
{
	answer_error(&g->server.bytes, id, number, e);
}

int server_ask(struct guard *g, struct pending *p, const char *method, const json_t *params, struct err *e)
{
	auto_buf flat = { .max = 2 * WHERE_BYTES_MAX }, body = { .max = WIRE_BODY_MAX };
	auto_free char *text = params == NULL ? strdup("null")
					      : json_dumps(params, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	struct guard_ask ask = { .number = p->number };
	struct sha256 s;
	int r = flat_put(&flat, NULL, params, NULL, e);

	if (r < 0)
		return r;
	if (text == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, ask.sha256);
	ask.bytes = strlen(text);
	ask.arguments = (struct where_arguments){ .bytes = flat.data, .n = flat.len };
	(void)text_copy(ask.name, sizeof ask.name, method); /* one of ours */
	guard_ask_put(&body, &ask);
	p->state = PENDING_JUDGED;
	return port_send(&g->owner, WIRE_GUARD_ASK, &body, e);
}

static void pass_on(struct guard *g, struct pending *p)
{
	buf_put(&g->client.bytes, p->line.data, p->line.len);
	g->held -= p->line.len;
	buf_finish(&p->line);
	p->state = PENDING_SENT;
}

static void on_request(struct guard *g, const json_t *said, const char *id, const char *line, size_t n)
{
#define METHOD(name) name,
	/* those are granted; the others are about what came of these */
	static const char *const known[] = { TOOL_METHODS_OF_CLIENT(METHOD) "tasks/get", "tasks/result", "tasks/cancel",
					     "tasks/list" };
#undef METHOD
	const char *method = json_string_value(json_object_get(said, "method"));
	struct pending *p;
	char own[24];
	struct err e;
	size_t i = 0;

	if (strcmp(method, "ping") == 0) {
		buf_printf(&g->server.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n", id);
		return;
	}
	while (i < sizeof known / sizeof known[0] && strcmp(known[i], method) != 0)
		i++;
	p = i < sizeof known / sizeof known[0] ? pending_new(g->called, g) : NULL;
	if (p == NULL) {
		(void)err_set(&e, AMBIT_UNKNOWN, NULL, "no method '%.64s' passes here", method);
		refuse(g, id, NO_METHOD, &e);
		return;
	}
	(void)text_copy(p->id, sizeof p->id, id); /* same size */
	(void)id_take(json_object_get(json_object_get(json_object_get(said, "params"), "_meta"), "progressToken"),
		      p->token);
	p->number = ++g->last_number;
	(void)snprintf(own, sizeof own, "%llu", (unsigned long long)p->own);
	buf_init(&p->line, n + sizeof own + 8);
	if (!line_put(&p->line, line, n, own) || g->held + p->line.len > GUARD_HELD_MAX) {
		(void)err_set(&e, AMBIT_LIMIT, NULL, "more is asked than can wait");
		refuse(g, id, INTERNAL, &e);
		buf_finish(&p->line);
		p->state = PENDING_FREE;
		return;
	}
	g->held += p->line.len;
	if (!tool_is_method(method))
		pass_on(g, p);
	else if (server_ask(g, p, method, json_object_get(said, "params"), &e) < 0) {
		refuse(g, id, INTERNAL, &e);
		pending_free(g, p);
	}
}

bool server_word(struct guard *g, const struct guard_word *w)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		struct pending *p = &g->called[i];

		if (p->state != PENDING_JUDGED || p->number != w->number)
			continue;
		if (p->is_input) {
			inputs_word(g, p, w);
			return true;
		}
		p->judged = w->verdict == GUARD_YES;
		if (p->cancelled) {
			guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
			pending_free(g, p);
		} else if (p->judged) {
			pass_on(g, p);
		} else {
			refuse(g, p->id, REFUSED, &w->why);
			pending_free(g, p);
		}
		return true;
	}
	return false;
}

/* ---- notes ---- */

/* What is told to who listens is of that request, which the server knows by an id of ours. */
static void pass_note(struct guard *g, const json_t *params, const char *line, size_t n)
{
	static const char *const path[] = { "params", "_meta", SUBSCRIPTION, NULL };
	const json_t *id = json_object_get(json_object_get(params, "_meta"), SUBSCRIPTION);
	const struct pending *p = pending_of_own(g->asked, id);

	if (id == NULL)
		buf_put(&g->client.bytes, line, n);
	else if (p == NULL || !line_put_at(&g->client.bytes, line, n, path, p->id))
		return; /* of nobody */
	buf_put_u8(&g->client.bytes, '\n');
}

static void on_note(struct guard *g, const json_t *said, const char *line, size_t n)
{
	static const char *const pass[] = { "notifications/progress",
					    "notifications/message",
					    "notifications/tools/list_changed",
					    "notifications/prompts/list_changed",
					    "notifications/resources/list_changed",
					    "notifications/resources/updated",
					    "notifications/subscriptions/acknowledged",
					    "notifications/elicitation/complete",
					    "notifications/tasks/status",
					    "notifications/tasks" };
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	char token[GUARD_ID_MAX];

	if (strcmp(method, "notifications/cancelled") == 0) {
		struct pending *p = id_take(json_object_get(params, "requestId"), token)
					    ? pending_of_id(g->called, token)
					    : NULL;

		if (p != NULL && !p->cancelled) {
			p->cancelled = true;
			if (p->state == PENDING_SENT)
				side_cancel(&g->client, p);
		}
		return;
	}
	for (size_t i = 0; i < sizeof pass / sizeof pass[0]; i++) {
		if (strcmp(pass[i], method) != 0)
			continue;
		if (i == 0 &&
		    (!id_take(json_object_get(params, "progressToken"), token) || !pending_has_token(g->asked, token)))
			return;
		if (json_object_get(params, "inputRequests") != NULL || inputs_are_hidden(said))
			return; /* of a task: the client sees them in what it gets, where they are judged */
		if (i == 2)
			pins_forget(g);
		pass_note(g, params, line, n);
	}
}

/* ---- a line ---- */

/* It was done, and nobody but the server has the answer. */
static void withhold(struct guard *g, struct pending *p, const char *line, size_t n, const struct err *e)
{
	guard_tell_over(g, p, p->cancelled ? GUARD_CANCELLED : GUARD_WITHHELD, line, n);
	client_denied(g, p, e, "");
}

static void take(struct guard *g, json_t *said, const char *line, size_t n)
{
	const json_t *id = json_object_get(said, "id");
	struct pending *p;
	char text[GUARD_ID_MAX];
	struct err e;

	if (said_check(said, &e) < 0)
		return; /* nobody waits for it */
	if (json_object_get(said, "method") == NULL) {
		p = pending_of_own(g->asked, id);
		if (p != NULL && p->list != LIST_OWN && scan_finds(g, said, n, true, &e))
			withhold(g, p, line, n, &e);
		else
			on_answer(g, said, line, n);
	} else if (id == NULL) {
		if (!scan_finds(g, said, n, false, &e))
			on_note(g, said, line, n);
	} else if (id_take(id, text) && pending_of_id(g->called, text) == NULL) {
		if (scan_finds(g, said, n, false, &e))
			refuse(g, text, REFUSED, &e);
		else
			on_request(g, said, text, line, n);
	}
}

void server_said(struct guard *g, const char *line, size_t n)
{
	struct err e;
	json_t *said = line_read(line, n, &e);

	if (said != NULL)
		take(g, said, line, n);
	json_decref(said);
}

static void lose(struct guard *g, struct pending *p, const struct err *e)
{
	if (!p->cancelled && p->list != LIST_OWN)
		answer_error(&g->client.bytes, p->id, INTERNAL, e);
	guard_tell_over(g, p, GUARD_LOST, "", 0);
	pending_free(g, p);
}

/* Whose answer it was cannot be known: all that wait get none. What it was not asked yet goes on. */
void server_said_too_much(struct guard *g)
{
	struct err e;

	(void)err_set(&e, AMBIT_GONE, NULL, "the server said a line of more than %u bytes", FRAME_LINE_MAX);
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (g->asked[i].state == PENDING_SENT || g->asked[i].state == PENDING_LISTED)
			lose(g, &g->asked[i], &e);
	g->pages = 0;
}

void server_lost(struct guard *g)
{
	struct err e;

	(void)err_set(&e, AMBIT_GONE, NULL, "the server ended");
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (g->asked[i].state != PENDING_FREE)
			lose(g, &g->asked[i], &e);
}
