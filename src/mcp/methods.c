/* The methods of the protocol but the calls of tools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mcp/mcp.h"

#define LIST_FRESH_MS 300000u /* how long a client may keep what is the same for the life of the session */

static const char *const legacy_versions[] = { MCP_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05" };
#define LEGACY_VERSIONS (sizeof legacy_versions / sizeof legacy_versions[0])

static const char instructions[] =
	"Each call runs in a fresh cell that has what was granted and nothing else; `session` says what that is. Files are the only thing that carries over from one call to "
	"the next: what a call started ends with it, a server too. What is not granted is not there: `No such file`, and a connection refused, also by localhost, may mean "
	"that. Changes of a call that succeeds are taken over, all or none; those of one that fails are kept for `diff`. What was denied is told with the grant that would "
	"allow it: only the person can give it, so say what you need and why, and do not look for a way around.";

/* ---- parameters ---- */

/* Names that a method takes beside _meta; NULL ends them. */
static int check_params(const struct asked *a, const char *const *known, struct mistake *why)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)a->params, key, value)
	{
		bool is = strcmp(key, "_meta") == 0;

		for (size_t i = 0; known[i] != NULL; i++)
			is = is || strcmp(known[i], key) == 0;
		if (is)
			continue;
		(void)snprintf(why->place, sizeof why->place, "/params/%.80s", key);
		return err_set(&why->err, AMBIT_USAGE, NULL, "%.64s takes no parameter '%.64s'", a->method, key);
	}
	return 0;
}

/* All is in one page. */
static int check_page(const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { "cursor", NULL };
	const int r = check_params(a, known, why);

	if (r < 0 || json_object_get(a->params, "cursor") == NULL)
		return r;
	(void)snprintf(why->place, sizeof why->place, "/params/cursor");
	return err_set(&why->err, AMBIT_USAGE, "the first page has all", "a cursor that is none of ours");
}

static int check_none(const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { NULL };

	return check_params(a, known, why);
}

/* ---- who this is ---- */

static void put_empty(struct json *j)
{
	json_put_object(j);
	json_put_object_end(j);
}

/* Of tasks each revision has another word. */
static void put_capabilities(struct json *j, enum era era)
{
	json_put_object(j);
	put_empty(json_put_key(j, "tools"));
	put_empty(json_put_key(j, "resources"));
	json_put_object(json_put_key(j, era == ERA_MODERN ? "extensions" : "tasks"));
	if (era == ERA_MODERN) {
		put_empty(json_put_key(j, TASKS_EXTENSION));
	} else {
		put_empty(json_put_key(j, "cancel"));
		json_put_object(json_put_key(j, "requests"));
		json_put_object(json_put_key(j, "tools"));
		put_empty(json_put_key(j, "call"));
		json_put_object_end(j);
		json_put_object_end(j);
	}
	json_put_object_end(j);
	json_put_object_end(j);
}

static int initialize(struct mcp *m, const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { "protocolVersion", "capabilities", "clientInfo", NULL };
	const char *wanted = json_string_value(json_object_get(a->params, "protocolVersion"));
	const int r = check_params(a, known, why);
	struct json j;

	if (r < 0)
		return r;
	if (wanted == NULL || !json_is_object(json_object_get(a->params, "capabilities")) ||
	    !json_is_object(json_object_get(a->params, "clientInfo")))
		return err_set(&why->err, AMBIT_USAGE, "protocolVersion, capabilities and clientInfo",
			       "initialize without what it must have");
	if (m->version[0] != 0)
		return err_set(&why->err, AMBIT_PROTOCOL, "once on each connection", "initialize was said before");
	(void)text_copy(m->version, sizeof m->version, MCP_LEGACY); /* fits */
	for (size_t i = 0; i < LEGACY_VERSIONS; i++)
		if (strcmp(legacy_versions[i], wanted) == 0)
			(void)text_copy(m->version, sizeof m->version, wanted); /* fits */
	m->elicits = json_is_object(json_object_get(json_object_get(a->params, "capabilities"), "elicitation"));
	say_result(&j, &m->out, a->id);
	json_put_word(json_put_key(&j, "protocolVersion"), m->version);
	put_capabilities(json_put_key(&j, "capabilities"), a->era);
	say_implementation(json_put_key(&j, "serverInfo"));
	json_put_word(json_put_key(&j, "instructions"), instructions);
	say_result_end(&j);
	return 0;
}

static int discover(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const int r = check_none(a, why);
	struct json j;

	if (r < 0)
		return r;
	say_result(&j, &m->out, a->id);
	say_kind(&j, a->era);
	say_fresh(&j, a->era, LIST_FRESH_MS);
	json_put_array(json_put_key(&j, "supportedVersions"));
	json_put_word(&j, MCP_MODERN);
	json_put_word(&j, MCP_LEGACY);
	json_put_array_end(&j);
	put_capabilities(json_put_key(&j, "capabilities"), a->era);
	json_put_word(json_put_key(&j, "instructions"), instructions);
	say_result_end(&j);
	return 0;
}

static int ping(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const int r = check_none(a, why);
	struct json j;

	if (r < 0)
		return r;
	say_result(&j, &m->out, a->id);
	say_result_end(&j);
	return 0;
}

/* ---- lists ---- */

static int list_tools(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const int r = check_page(a, why);
	struct json j;

	if (r < 0)
		return r;
	say_result(&j, &m->out, a->id);
	say_kind(&j, a->era);
	say_fresh(&j, a->era, LIST_FRESH_MS);
	json_put_array(json_put_key(&j, "tools"));
	for (unsigned t = 0; t < TOOL_COUNT; t++)
		if ((m->begin.tools & TOOL_BIT(t)) != 0)
			tool_put(&j, (enum tool)t, (m->begin.flags & MCP_REACHES) != 0, a->era == ERA_LEGACY);
	json_put_array_end(&j);
	say_result_end(&j);
	return 0;
}

static const struct {
	const char *uri, *name, *text, *mime;
} templates[] = {
	{ "ambit://event/{n}/record", "record", "The record of an event: what it did, and what was allowed and denied",
	  "application/json" },
	{ "ambit://event/{n}/stdout", "stdout", "The beginning of what an event wrote to its standard output",
	  "text/plain" },
	{ "ambit://event/{n}/stderr", "stderr", "The beginning of what an event wrote to its standard error",
	  "text/plain" },
	{ "ambit://event/{n}/result", "result", "Of code: value, displays and exception", "application/json" },
	{ "ambit://event/{n}/diff", "diff", "What an event changed that is not taken over", "text/x-diff" },
};
#define TEMPLATES (sizeof templates / sizeof templates[0])

static int list_templates(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const int r = check_page(a, why);
	struct json j;

	if (r < 0)
		return r;
	say_result(&j, &m->out, a->id);
	say_kind(&j, a->era);
	say_fresh(&j, a->era, LIST_FRESH_MS);
	json_put_array(json_put_key(&j, "resourceTemplates"));
	for (size_t i = 0; i < TEMPLATES; i++) {
		json_put_object(&j);
		json_put_word(json_put_key(&j, "uriTemplate"), templates[i].uri);
		json_put_word(json_put_key(&j, "name"), templates[i].name);
		json_put_word(json_put_key(&j, "description"), templates[i].text);
		json_put_word(json_put_key(&j, "mimeType"), templates[i].mime);
		json_put_object_end(&j);
	}
	json_put_array_end(&j);
	say_result_end(&j);
	return 0;
}

static int list_resources(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const int r = check_page(a, why);

	return r < 0 ? r : call_resources(m, a, why);
}

/* ambit://event/17/record */
static bool take_uri(const char *uri, uint64_t *ret_n, const char **ret_name, const char **ret_mime)
{
	static const char begins[] = "ambit://event/";
	const char *at = uri + sizeof begins - 1;
	uint64_t n = 0;

	if (strncmp(uri, begins, sizeof begins - 1) != 0 || *at == '0')
		return false;
	for (; *at >= '0' && *at <= '9' && n < 1000000000; at++)
		n = n * 10 + (uint64_t)(*at - '0');
	if (n == 0 || *at != '/')
		return false;
	for (size_t i = 0; i < TEMPLATES; i++) {
		if (strcmp(templates[i].name, at + 1) != 0)
			continue;
		*ret_n = n;
		*ret_name = templates[i].name;
		*ret_mime = templates[i].mime;
		return true;
	}
	return false;
}

static int read_resource(struct mcp *m, const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { "uri", NULL };
	const char *uri = json_string_value(json_object_get(a->params, "uri")), *name, *mime;
	const int r = check_params(a, known, why);
	uint64_t n;

	if (r < 0)
		return r;
	(void)snprintf(why->place, sizeof why->place, "/params/uri");
	if (uri == NULL || strlen(uri) >= sizeof m->calls[0].uri || !take_uri(uri, &n, &name, &mime))
		return err_set(&why->err, AMBIT_NOT_FOUND, "resources/templates/list has their form",
			       "there is no such resource");
	why->place[0] = 0;
	return call_resource(m, a, uri, n, name, mime, why);
}

/* Nothing that could be listened for ever changes here. It has its place until it is cancelled. */
static int listen_for(struct mcp *m, const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { "notifications", NULL };
	int r = check_params(a, known, why);
	struct call *c;
	struct json j;

	if (r == 0 && !json_is_object(json_object_get(a->params, "notifications"))) {
		(void)snprintf(why->place, sizeof why->place, "/params/notifications");
		r = err_set(&why->err, AMBIT_USAGE, NULL, "'notifications' is missing, or no object");
	}
	c = r < 0 ? NULL : call_new(m, a, why);
	if (c == NULL)
		return r < 0 ? r : -AMBIT_LIMIT;
	c->state = CALL_LISTENS;
	say_note(&j, &m->out, "notifications/subscriptions/acknowledged");
	json_put_object(json_put_key(&j, "notifications"));
	json_put_object_end(&j);
	json_put_object(json_put_key(&j, "_meta"));
	json_put_made(json_put_key(&j, "io.modelcontextprotocol/subscriptionId"), c->id, strlen(c->id));
	json_put_object_end(&j);
	say_note_end(&j);
	return 0;
}

/* ---- tasks ---- */

static int ask_task(struct mcp *m, const struct asked *a, struct mistake *why, enum task what)
{
	static const char *const known[] = { "taskId", "task", NULL };
	const int r = check_params(a, known, why);

	if (r == 0 && a->era == ERA_MODERN && !a->tasks) {
		say_capability(&m->out, a->id);
		return 0;
	}
	return r < 0 ? r : task_ask(m, a, what, why);
}

static int get_task(struct mcp *m, const struct asked *a, struct mistake *why)
{
	return ask_task(m, a, why, a->era == ERA_MODERN ? TASK_GET : TASK_STATUS);
}

static int task_result(struct mcp *m, const struct asked *a, struct mistake *why)
{
	return ask_task(m, a, why, TASK_RESULT);
}

static int cancel_task(struct mcp *m, const struct asked *a, struct mistake *why)
{
	return ask_task(m, a, why, TASK_CANCEL);
}

/* ---- dispatch ---- */

typedef int method_fn(struct mcp *m, const struct asked *a, struct mistake *why);

enum { LEGACY = 1, MODERN = 2, FIRST = 4 /* it fixes no revision */, SESSION = 8 /* wants the session */ };
static const struct method {
	const char *word;
	method_fn *ask;
	unsigned is;
} methods[] = {
	{ "initialize", initialize, LEGACY },
	{ "ping", ping, LEGACY | FIRST },
	{ "server/discover", discover, MODERN | FIRST },
	{ "tools/list", list_tools, LEGACY | MODERN },
	{ "tools/call", call_tool, LEGACY | MODERN | SESSION },
	{ "resources/list", list_resources, LEGACY | MODERN | SESSION },
	{ "resources/templates/list", list_templates, LEGACY | MODERN },
	{ "resources/read", read_resource, LEGACY | MODERN | SESSION },
	{ "subscriptions/listen", listen_for, MODERN },
	{ "tasks/get", get_task, LEGACY | MODERN | SESSION },
	{ "tasks/result", task_result, LEGACY | SESSION },
	{ "tasks/cancel", cancel_task, LEGACY | MODERN | SESSION },
};
#define METHODS (sizeof methods / sizeof methods[0])

static const struct method *find_method(const char *word, unsigned era)
{
	for (size_t i = 0; i < METHODS; i++)
		if (strcmp(methods[i].word, word) == 0 && (methods[i].is & era) != 0)
			return &methods[i];
	return NULL;
}

static void refuse_version(struct mcp *m, const struct asked *a, const char *wanted)
{
	struct json j;

	buf_printf(
		&m->out,
		"{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"that version of the protocol is not spoken here\",\"data\":",
		a->id, SAY_VERSION);
	json_begin(&j, &m->out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "supported"));
	json_put_word(&j, MCP_MODERN);
	if (m->pin != PIN_MODERN)
		json_put_word(&j, MCP_LEGACY);
	json_put_array_end(&j);
	say_text(json_put_key(&j, "requested"), wanted, strlen(wanted));
	json_put_object_end(&j);
	buf_printf(&m->out, "}}\n");
}

/* What is asked waits until there is a session; nothing more is heard until then. */
static int open_session(struct mcp *m, struct mistake *why)
{
	const struct buf none = { .len = 0 };
	int r;

	buf_put(&m->held, m->line, m->line_n);
	if (m->held.failed)
		return err_set(&why->err, AMBIT_MEMORY, NULL, "no memory for the request");
	r = port_send(&m->owner, WIRE_MCP_OPEN, &none, &why->err);
	if (r == 0)
		m->open = OPEN_ASKED;
	return r;
}

static int ask_method(struct mcp *m, const struct method *method, const struct asked *a, struct mistake *why)
{
	if ((method->is & SESSION) == 0 || m->open == OPEN_IS || (m->open == OPEN_FAILED && method->ask == call_tool))
		return method->ask(m, a, why);
	if (m->open == OPEN_FAILED) {
		why->err = m->why_not;
		return -(int)why->err.code;
	}
	return open_session(m, why);
}

/* Which revision a request is of: what it says, unless the connection is of the older one. */
void mcp_ask(struct mcp *m, const struct asked *given)
{
	struct asked a = *given;
	const struct method *method;
	struct mistake why = { .place = "" };
	int number = SAY_NO_METHOD, r;

	if (m->pin == PIN_LEGACY)
		a.era = ERA_LEGACY;
	if (a.era == ERA_MODERN && strcmp(a.version, MCP_MODERN) != 0) {
		refuse_version(m, &a, a.version);
		return;
	}
	if (m->pin == PIN_MODERN && strcmp(a.method, "initialize") == 0) {
		const char *wanted = json_string_value(json_object_get(a.params, "protocolVersion"));

		refuse_version(m, &a, wanted != NULL ? wanted : "");
		return;
	}
	method = find_method(a.method, a.era == ERA_MODERN || m->pin == PIN_MODERN ? MODERN : LEGACY);
	if (method == NULL) {
		r = err_set(&why.err, AMBIT_UNKNOWN, NULL, "no method '%.64s'", a.method);
	} else if (m->pin == PIN_MODERN && a.era != ERA_MODERN) {
		number = SAY_PARAMS;
		r = err_set(&why.err, AMBIT_PROTOCOL,
			    "_meta has io.modelcontextprotocol/protocolVersion and .../clientCapabilities",
			    "a request without its envelope");
	} else if (a.era == ERA_LEGACY && m->version[0] == 0 && (method->is & FIRST) == 0 &&
		   method->ask != initialize) {
		number = SAY_NO_REQUEST;
		r = err_set(&why.err, AMBIT_PROTOCOL,
			    "initialize comes first, or _meta with io.modelcontextprotocol/protocolVersion",
			    "the client did not say which version it speaks");
	} else {
		r = ask_method(m, method, &a, &why);
		number = say_number_of(&why.err);
		if (r == 0 && (method->is & FIRST) == 0)
			m->pin = a.era == ERA_MODERN ? PIN_MODERN : PIN_LEGACY;
	}
	if (r < 0 && why.err.code == AMBIT_NOT_FOUND && method != NULL && method->ask == read_resource) {
		const char *uri = json_string_value(json_object_get(a.params, "uri"));

		say_no_resource(&m->out, a.id, uri != NULL ? uri : "", &why);
	} else if (r < 0) {
		say_error(&m->out, a.id, &why, number);
	}
}

/* Of a note nothing is answered, whatever is wrong with it. */
void mcp_note(struct mcp *m, const char *method, const json_t *params)
{
	const json_t *id = json_object_get(params, "requestId");
	char *text;

	if (strcmp(method, "notifications/cancelled") != 0 || (!json_is_string(id) && !json_is_integer(id)))
		return;
	text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);
	if (text != NULL)
		call_cancel(m, text);
	free(text);
}
