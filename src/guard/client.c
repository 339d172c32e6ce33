/* What the client says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "guard/guard.h"
#include "profile/call_link.h"

_Static_assert(GUARD_ITEMS_MAX >= CALL_BYTES_MAX && GUARD_ITEMS_KEY_BYTES == CALL_KEY_SIZE, "what is told has room");

enum {
	NO_JSON = -32700,
	NO_REQUEST = -32600,
	NO_METHOD = -32601,
	PARAMS = -32602,
	INTERNAL = -32603,
	REFUSED = -32001
};

/* What becomes of a request. JUDGED: the command line is asked, by its name or that of the tool. LISTS: its answer has definitions. */
enum { PASSES = 0, JUDGED = 1, CALL = 2, LISTS = 4, FIRST = 8 };
static const struct {
	const char *word;
	unsigned is;
	const char
		*known[8]; /* parameters that it may have beside _meta: what stands in another is nobody's to judge */
} methods[] = {
	{ "initialize", FIRST, { "protocolVersion", "capabilities", "clientInfo" } },
	{ "ping", PASSES, { NULL } },
	{ "server/discover", PASSES, { NULL } },
	{ "tools/list", LISTS, { "cursor" } },
	{ "tools/call", JUDGED | CALL, { "name", "arguments", "task", "inputResponses", "requestState" } },
	{ "resources/list", PASSES, { "cursor" } },
	{ "resources/templates/list", PASSES, { "cursor" } },
	{ "resources/read", JUDGED, { "uri", "inputResponses", "requestState" } },
	{ "resources/subscribe", JUDGED, { "uri" } },
	{ "resources/unsubscribe", PASSES, { "uri" } },
	{ "prompts/list", PASSES, { "cursor" } },
	{ "prompts/get", JUDGED, { "name", "arguments", "inputResponses", "requestState" } },
	{ "completion/complete", JUDGED, { "ref", "argument", "context" } },
	{ "logging/setLevel", JUDGED, { "level" } },
	{ "subscriptions/listen", PASSES, { "notifications" } },
	{ "tasks/get", PASSES, { "taskId", "task" } },
	{ "tasks/result", PASSES, { "taskId", "task" } },
	{ "tasks/cancel", PASSES, { "taskId", "task" } },
	{ "tasks/update", PASSES, { "taskId", "inputResponses" } },
	{ "tasks/list", PASSES, { "cursor" } },
};
#define METHODS (sizeof methods / sizeof methods[0])

bool client_may_have(const char *name, const char *path)
{
	const size_t n = strcspn(path, "."); /* none of these has a `\` in its name */
	bool is_one = false;

	for (size_t i = 0; i < METHODS; i++) {
		if ((methods[i].is & (JUDGED | CALL)) != JUDGED ||
		    (strcmp(name, TOOL_ANY) != 0 && strcmp(name, methods[i].word) != 0))
			continue;
		is_one = true;
		for (const char *const *known = methods[i].known; *known != NULL; known++)
			if (strlen(*known) == n && memcmp(*known, path, n) == 0)
				return true;
	}
	return !is_one && tool_is_method(name); /* what is asked of a client is its server's to say */
}

static void refuse(struct guard *g, const char *id, int number, const struct err *e)
{
	answer_error(&g->client.bytes, id[0] != 0 ? id : "null", number, e);
}

/* ---- on its way ---- */

static void drop(struct guard *g, struct pending *p, int number, const struct err *e)
{
	if (!p->cancelled && p->list != LIST_OWN)
		refuse(g, p->id, number, e);
	pending_free(g, p);
}

/* What a server was told may be why it says what it says: what it has from then on was not there when it was first seen. */
static void send_on(struct guard *g, struct pending *p)
{
	g->is_first = g->is_first && !(g->whole && p->tool[0] != 0);
	buf_put(&g->server.bytes, p->line.data, p->line.len);
	g->held -= p->line.len;
	buf_finish(&p->line);
	p->state = PENDING_SENT;
}

/* ---- judging ---- */

static int too_many(struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "wait for some of the answers", "%d requests are not answered yet",
		       GUARD_PENDING_MAX);
}

/* Of a call its arguments; of anything else its parameters, without what is said beside them. The caller frees it. */
static json_t *judged_of(const json_t *said, bool call)
{
	const json_t *params = json_object_get(said, "params");
	const json_t *from = call ? json_object_get(params, "arguments") : params;
	json_t *plain = from == NULL ? json_object() : json_copy((json_t *)(uintptr_t)from);

	if (!call) {
		(void)json_object_del(plain, "_meta");
		(void)json_object_del(plain, "requestState");
		(void)json_object_del(plain, "inputResponses");
	}
	return plain;
}

static const char *name_of(const struct pending *p, const json_t *said)
{
	return p->tool[0] != 0 ? p->tool : json_string_value(json_object_get(said, "method"));
}

/* Of what is done, and to what: in whatever order its members stand. */
static int take_digest(struct pending *p, const char *name, const json_t *judged, struct err *e)
{
	auto_free char *text = json_dumps(judged, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	struct sha256 s;

	if (text == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	sha256_init(&s);
	sha256_add(&s, name, strlen(name) + 1);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, p->sha256);
	p->bytes = strlen(text);
	hex_write(p->sha256, sizeof p->sha256, p->digest);
	return 0;
}

/* What it is made of, if somebody wants to know. */
static void put_items(struct guard *g, struct buf *out)
{
	if (g->items == NULL)
		return;
	items_end(g->items);
	call_put(out, &g->items->call);
}

static int ask_owner(struct guard *g, struct pending *p, const json_t *said, const json_t *judged, struct err *e)
{
	auto_buf flat = { .max = 2 * WHERE_BYTES_MAX }, body = { .max = WIRE_BODY_MAX },
		 items = { .max = CALL_BYTES_MAX };
	struct guard_ask ask = { .number = p->number, .bytes = p->bytes, .canary = scan_canary(g, said) };
	const char *name = name_of(p, said);
	int r;

	if (g->items != NULL)
		items_begin(g->items, name, p->tool[0] != 0 && !pins_are_risky(g, p->tool));
	r = flat_put(&flat, NULL, judged, g->items != NULL ? &g->items->call : NULL, e);
	if (r == 0 && g->tells_risk && p->tool[0] != 0 && pins_are_risky(g, p->tool))
		where_put(&flat, WHERE_RISKY, WHERE_BOOL, "true", strlen("true"));
	if (r == 0 && flat.len > WHERE_BYTES_MAX)
		return err_set(e, AMBIT_LIMIT, "pass long texts by a file", "arguments of more than %u bytes",
			       WHERE_BYTES_MAX);
	if (r < 0)
		return r;
	memcpy(ask.sha256, p->sha256, sizeof ask.sha256);
	ask.arguments = (struct where_arguments){ .bytes = flat.data, .n = flat.len };
	(void)text_copy(ask.name, sizeof ask.name, name); /* measured */
	put_items(g, &items);
	ask.items = (struct guard_items){ .bytes = items.data, .n = items.len };
	guard_ask_put(&body, &ask);
	p->state = PENDING_JUDGED;
	return port_send(&g->owner, WIRE_GUARD_ASK, &body, e);
}

static int check(const struct guard *g, const struct pending *p, struct err *e)
{
	return p->tool[0] != 0 ? pins_check(g, p->tool, e) : pins_check_all(g, e);
}

static int judge(struct guard *g, struct pending *p, const json_t *said, const json_t *judged, struct err *e)
{
	const int r = check(g, p, e);

	if (r == -AMBIT_NOT_FOUND && !g->listed) {
		p->state = PENDING_LISTED;
		return guard_list(g, NULL) == 0 ? 0 : too_many(e);
	}
	return r < 0 ? r : ask_owner(g, p, said, judged, e);
}

int client_judge(struct guard *g, struct pending *p, struct err *e)
{
	struct mistake m;
	json_t *said = parse_json_within((const char *)p->line.data, p->line.len, GUARD_DEPTH_MAX, GUARD_VALUES_MAX,
					 &m);
	json_t *judged = judged_of(said, p->tool[0] != 0);
	const int r = said == NULL || judged == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the request")
						     : judge(g, p, said, judged, e);

	json_decref(judged);
	json_decref(said);
	return r;
}

static int number_of(const struct err *e)
{
	return e->code == AMBIT_NOT_FOUND || e->code == AMBIT_MALFORMED || e->code == AMBIT_USAGE ? PARAMS
	       : e->code == AMBIT_DENIED                                                          ? REFUSED
												  : INTERNAL;
}

/* What the model called is answered as the tool would: it is to see why, and go on. */
void client_denied(struct guard *g, struct pending *p, const struct err *e, const char *question)
{
	char text[2400];
	struct json j;

	if (p->tool[0] == 0 || e->code != AMBIT_DENIED) {
		drop(g, p, number_of(e), e);
		return;
	}
	(void)snprintf(text, sizeof text, "%s%s%s%s%s%s", e->msg, e->why[0] != 0 ? "\nwhy: " : "", e->why,
		       e->hint[0] != 0 ? "\nhint: " : "", e->hint,
		       question[0] != 0 ? "\nA person is asked; call it again after their yes." : "");
	if (!p->cancelled) {
		buf_printf(&g->client.bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", p->id);
		json_begin(&j, &g->client.bytes);
		json_put_object(&j);
		if (p->modern)
			json_put_word(json_put_key(&j, "resultType"), "complete");
		json_put_array(json_put_key(&j, "content"));
		json_put_object(&j);
		json_put_word(json_put_key(&j, "type"), "text");
		json_put_name(json_put_key(&j, "text"), text);
		json_put_object_end(&j);
		json_put_array_end(&j);
		json_put_bool(json_put_key(&j, "isError"), true);
		json_put_object_end(&j);
		buf_printf(&g->client.bytes, "}\n");
	}
	pending_free(g, p);
}

/* What nobody waits for any longer is not done, also if it may be. */
bool guard_word(struct guard *g, const struct guard_word *w)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		struct pending *p = &g->asked[i];

		if (p->state != PENDING_JUDGED || p->number != w->number)
			continue;
		p->judged = w->verdict == GUARD_YES;
		if (p->cancelled) {
			guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
			pending_free(g, p);
		} else if (w->verdict == GUARD_PERSON && person_ask(g, p, w->question)) {
			/* it waits, or was answered by a question */
		} else if (w->verdict != GUARD_YES) {
			client_denied(g, p, &w->why, w->question);
		} else {
			send_on(g, p);
		}
		return true;
	}
	return server_word(g, w);
}

/* ---- requests ---- */

static int check_params(const json_t *params, const char *const *known, const char *method, struct err *e)
{
	const char *key;
	json_t *v;

	if (params != NULL && !json_is_object(params))
		return err_set(e, AMBIT_USAGE, "parameters have names here", "the parameters are not an object");
	json_object_foreach((json_t *)(uintptr_t)params, key, v)
	{
		bool is = strcmp(key, "_meta") == 0;

		for (size_t i = 0; i < sizeof methods[0].known / sizeof methods[0].known[0] && known[i] != NULL; i++)
			is = is || strcmp(known[i], key) == 0;
		if (!is)
			return err_set(e, AMBIT_USAGE, NULL, "%.64s takes no parameter '%.64s'", method, key);
	}
	return 0;
}

static int take_call(struct pending *p, const json_t *params, struct err *e)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	const json_t *arguments = json_object_get(params, "arguments");

	if (name == NULL || name[0] == 0 || !text_copy(p->tool, sizeof p->tool, name))
		return err_set(e, AMBIT_USAGE, NULL, "no tool is named, or by a name that is too long");
	return arguments == NULL || json_is_object(arguments)
		       ? 0
		       : err_set(e, AMBIT_USAGE, NULL, "the arguments are not an object");
}

/* What the client says with each request of 2026-07-28, and so do we with our own. */
static int take_envelope(struct guard *g, const json_t *meta)
{
	g->envelope = json_deep_copy((json_t *)(uintptr_t)meta);
	(void)json_object_del(g->envelope, "progressToken");
	return g->envelope != NULL ? 0 : -AMBIT_MEMORY;
}

/* One that is in use is of a request that is not answered: its progress could not be told apart. */
static int take_token(struct guard *g, struct pending *p, const json_t *params, struct err *e)
{
	const json_t *meta = json_object_get(params, "_meta"), *token = json_object_get(meta, "progressToken");
	char text[GUARD_ID_MAX];

	p->modern = json_object_get(meta, "io.modelcontextprotocol/protocolVersion") != NULL;
	p->elicits =
		p->modern ? json_is_object(json_object_get(
				    json_object_get(meta, "io.modelcontextprotocol/clientCapabilities"), "elicitation"))
			  : g->elicits;
	if (p->modern && g->envelope == NULL && take_envelope(g, meta) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	if (token == NULL)
		return 0;
	if (!id_take(token, text))
		return err_set(e, AMBIT_USAGE, "a short text, or a whole number", "a progressToken that is none");
	if (pending_has_token(g->asked, text))
		return err_set(e, AMBIT_USAGE, "give each request a token of its own",
			       "that progressToken is of a request that is not answered yet");
	memcpy(p->token, text, sizeof p->token);
	return 0;
}

static int take_line(struct guard *g, struct pending *p, const char *line, size_t n, struct err *e)
{
	char own[24];

	(void)snprintf(own, sizeof own, "%llu", (unsigned long long)p->own);
	buf_init(&p->line, n + sizeof own + 8);
	if (!line_put(&p->line, line, n, own) || p->line.failed)
		return err_set(e, AMBIT_MALFORMED, "write \"id\" without escapes",
			       "the id of the request cannot be found in its line");
	if (g->held + p->line.len > GUARD_HELD_MAX)
		return err_set(e, AMBIT_LIMIT, "wait for some of the answers",
			       "requests that are not answered are longer than %u bytes together", GUARD_HELD_MAX);
	g->held += p->line.len;
	return 0;
}

/* What the client says to what the server asked is not judged, and is a part of what a person would say yes to. */
static int add_carried(struct pending *p, const json_t *said, json_t *judged, struct err *e)
{
	const json_t *params = json_object_get(said, "params");
	json_t *all = json_pack("[O, O?, O?]", judged, json_object_get(params, "inputResponses"),
				json_object_get(params, "requestState"));
	const int r = take_digest(p, name_of(p, said), all, e);

	json_decref(all);
	return r;
}

/* What is judged is what goes on: what was for us is taken out of both before. */
static int begin_judged(struct guard *g, struct pending *p, json_t *said, const char *line, size_t n, struct err *e)
{
	json_t *judged = judged_of(said, p->tool[0] != 0);
	auto_free char *made = NULL;
	int r = judged == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the request")
			       : take_digest(p, name_of(p, said), judged, e);

	r = r < 0 ? r : person_returned(g, p, said, &made, e);
	if (r == 0 && p->carries)
		r = add_carried(p, said, judged, e);
	if (r > 0)
		r = err_set(e, AMBIT_DENIED, "go on without it, or ask what they want instead",
			    "the user did not accept: nothing was done");
	if (r == 0 && p->tool[0] != 0)
		r = once_begin(g, p, json_object_get(said, "params"), e);
	if (r > 0) { /* it was answered, or waits */
		json_decref(judged);
		return 0;
	}
	r = r < 0 ? r : take_line(g, p, made != NULL ? made : line, made != NULL ? strlen(made) : n, e);
	r = r < 0 ? r : judge(g, p, said, judged, e);
	json_decref(judged);
	return r;
}

static void on_request(struct guard *g, json_t *said, const char *id, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	struct pending *p;
	struct err e = { .code = AMBIT_OK };
	size_t i = 0;
	int r;

	while (i < METHODS && strcmp(methods[i].word, method) != 0)
		i++;
	if (i == METHODS) {
		(void)err_set(&e, AMBIT_UNKNOWN, NULL, "no method '%.64s' passes here", method);
		refuse(g, id, NO_METHOD, &e);
		return;
	}
	p = pending_new(g->asked, g);
	if (p == NULL) {
		(void)too_many(&e);
		refuse(g, id, INTERNAL, &e);
		return;
	}
	(void)text_copy(p->id, sizeof p->id, id); /* same size */
	p->number = ++g->last_number;
	p->list = (methods[i].is & LISTS) != 0 ? LIST_OF_CLIENT : LIST_NONE;
	if ((methods[i].is & FIRST) != 0)
		g->elicits = json_is_object(json_object_get(json_object_get(params, "capabilities"), "elicitation"));
	r = check_params(params, methods[i].known, method, &e);
	r = r < 0 || (methods[i].is & CALL) == 0 ? r : take_call(p, params, &e);
	r = r < 0 ? r : take_token(g, p, params, &e);
	if (r == 0 && (methods[i].is & JUDGED) == 0 && scan_touched(g, said, &e))
		r = -AMBIT_DENIED;
	if (r == 0 && (methods[i].is & JUDGED) != 0) {
		r = begin_judged(g, p, said, line, n, &e);
	} else {
		r = r < 0 ? r : take_line(g, p, line, n, &e);
		if (r == 0)
			send_on(g, p);
	}
	if (r < 0)
		client_denied(g, p, &e, "");
}

void client_go_on(struct guard *g, const struct err *failed)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++) {
		struct pending *p = &g->asked[i];
		struct err e;

		if (p->state != PENDING_LISTED)
			continue;
		if (failed != NULL && check(g, p, &e) == -AMBIT_NOT_FOUND)
			client_denied(g, p, failed, "");
		else if (client_judge(g, p, &e) < 0)
			client_denied(g, p, &e, "");
	}
}

/* ---- notes and answers ---- */

void side_cancel(struct side *to, const struct pending *p)
{
	buf_printf(&to->bytes,
		   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%llu}}\n",
		   (unsigned long long)p->own);
}

/* Nobody waits for its answer from here on. */
static void on_cancelled(struct guard *g, const json_t *params)
{
	char id[GUARD_ID_MAX];
	struct pending *p = id_take(json_object_get(params, "requestId"), id) ? pending_of_id(g->asked, id) : NULL;

	if (p == NULL || p->cancelled)
		return;
	p->cancelled = true;
	if (p->state == PENDING_SENT) {
		side_cancel(&g->server, p);
		guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
		p->judged = false; /* told: whatever the server still answers is nobody's */
	}
	if (p->state == PENDING_SENT || p->state == PENDING_JUDGED) /* there is something to come */
		return;
	guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
	pending_free(g, p);
}

static void on_note(struct guard *g, const json_t *said, const char *line, size_t n)
{
	static const char *const pass[] = { "notifications/initialized", "notifications/roots/list_changed",
					    "notifications/progress" };
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");
	char token[GUARD_ID_MAX];

	if (strcmp(method, "notifications/cancelled") == 0) {
		on_cancelled(g, params);
		return;
	}
	for (size_t i = 0; i < sizeof pass / sizeof pass[0]; i++) {
		if (strcmp(pass[i], method) != 0)
			continue;
		if (i == 2 &&
		    (!id_take(json_object_get(params, "progressToken"), token) || !pending_has_token(g->called, token)))
			return;
		buf_put(&g->server.bytes, line, n);
		buf_put_u8(&g->server.bytes, '\n');
	}
}

/* To what the server asked, and was let ask. */
static void on_answer(struct guard *g, const json_t *said, const char *line, size_t n)
{
	struct pending *p = pending_of_own(g->called, json_object_get(said, "id"));

	if (p == NULL) {
		if (++g->client.stray >= GUARD_STRAY_MAX)
			g->client.said_all = true;
		return;
	}
	if (p->about != NULL) {
		person_answered(g, p, said);
		return;
	}
	if (!p->cancelled && !line_put(&g->server.bytes, line, n, p->id))
		answer_lost(&g->server.bytes, p->id, "the id of the answer cannot be found in its line");
	guard_tell_over(g, p, json_object_get(said, "error") != NULL ? GUARD_ERROR : GUARD_DONE, line, n);
	pending_free(g, p);
}

/* ---- a line ---- */

static void take(struct guard *g, json_t *said, const char *line, size_t n)
{
	const json_t *id = json_object_get(said, "id");
	char text[GUARD_ID_MAX] = "";
	struct err e;
	int r = said_check(said, &e);

	if (r == 0 && json_object_get(said, "method") == NULL) {
		if (!scan_touched(g, said, &e))
			on_answer(g, said, line, n);
		return;
	}
	if (id != NULL && !id_take(id, text))
		r = err_set(&e, AMBIT_USAGE, "a short text or a whole number", "an id that is none");
	if (r == 0 && id != NULL && pending_of_id(g->asked, text) != NULL) {
		text[0] = 0;
		r = err_set(&e, AMBIT_USAGE, "give each request an id of its own",
			    "that id is of a request that is not answered yet");
	}
	if (r < 0)
		refuse(g, text, NO_REQUEST, &e);
	else if (id != NULL)
		on_request(g, said, text, line, n);
	else if (!scan_touched(g, said, &e))
		on_note(g, said, line, n);
}

void client_said(struct guard *g, const char *line, size_t n)
{
	struct err e;
	json_t *said;

	if (line_is_blank(line, n))
		return;
	said = line_read(line, n, &e);
	if (said == NULL)
		refuse(g, "", e.code == AMBIT_MALFORMED ? NO_JSON : NO_REQUEST, &e);
	else
		take(g, said, line, n);
	json_decref(said);
}

void client_said_too_much(struct guard *g)
{
	struct err e;

	(void)err_set(&e, AMBIT_LIMIT, NULL, "a line of more than %u bytes", FRAME_LINE_MAX);
	refuse(g, "", NO_REQUEST, &e);
}
