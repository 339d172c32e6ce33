/* What a client says: the envelope of JSON-RPC, and which revision of the protocol it speaks. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "mcp/mcp.h"

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_KEY "io.ambit/idempotencyKey"

#define no_request(m, at, hint, ...)                                                                                   \
	((void)snprintf((m)->place, sizeof(m)->place, "%s", (at)), err_set(&(m)->err, AMBIT_USAGE, (hint), __VA_ARGS__))

/* A text or whole number, as JSON of its own. */
static int take_id(const json_t *id, const char *at, char ret[MCP_ID_MAX], struct mistake *m)
{
	auto_free char *text = NULL;

	if (!json_is_string(id) && !json_is_integer(id))
		return no_request(m, at, "a text or a whole number", "an id that is neither text nor number");
	text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);
	if (text == NULL)
		return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the request");
	if (!text_copy(ret, MCP_ID_MAX, text))
		return no_request(m, at, "a short text or a number is enough", "an id of more than %d bytes",
				  MCP_ID_MAX - 1);
	return 0;
}

static int check_members(const json_t *said, struct mistake *m)
{
	static const char *const known[] = { "jsonrpc", "id", "method", "params", "result", "error" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)said, key, value)
	{
		bool is = false;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			is = is || strcmp(known[i], key) == 0;
		if (!is)
			return no_request(m, "", "a request has jsonrpc, id, method and params",
					  "a message with a member '%.64s'", key);
	}
	return 0;
}

/* What is said beside the parameters: the revision, how progress is told, and a key. */
static int take_meta(struct asked *a, struct mistake *why)
{
	const json_t *meta = json_object_get(a->params, "_meta");
	const json_t *version = json_object_get(meta, META_VERSION), *token = json_object_get(meta, "progressToken"),
		     *key = json_object_get(meta, META_KEY);
	int r = 0;

	if (meta != NULL && !json_is_object(meta))
		return no_request(why, "/params/_meta", NULL, "_meta is not an object");
	a->era = version != NULL ? ERA_MODERN : ERA_LEGACY;
	a->version = json_string_value(version);
	if (version != NULL && !json_is_string(version))
		return no_request(why, "/params/_meta/" META_VERSION, NULL, "a version that is no text");
	a->elicits = json_is_object(json_object_get(json_object_get(meta, META_CAPABILITIES), "elicitation"));
	a->tasks = json_is_object(json_object_get(
		json_object_get(json_object_get(meta, META_CAPABILITIES), "extensions"), TASKS_EXTENSION));
	if (version != NULL && !json_is_object(json_object_get(meta, META_CAPABILITIES)))
		return no_request(why, "/params/_meta/" META_CAPABILITIES, "an object, which may be empty",
				  "a request without the client's capabilities");
	if (token != NULL)
		r = take_id(token, "/params/_meta/progressToken", a->token, why);
	if (r == 0 && key != NULL &&
	    (!json_is_string(key) || !text_copy(a->key, sizeof a->key, json_string_value(key)) || a->key[0] == 0))
		r = no_request(why, "/params/_meta/" META_KEY, "a text of 1 to 128 bytes",
			       "an idempotency key that is none");
	return r;
}

/* ---- requests, notes, answers ---- */

static int take_request(const json_t *said, struct asked *a, struct mistake *why)
{
	const json_t *method = json_object_get(said, "method");

	if (!json_is_string(method))
		return no_request(why, "/method", NULL, "no method is named");
	if (json_object_get(said, "result") != NULL || json_object_get(said, "error") != NULL)
		return no_request(why, "", "a message is one thing", "a request with an answer in it");
	a->method = json_string_value(method);
	a->params = json_object_get(said, "params");
	if (a->params != NULL && !json_is_object(a->params))
		return no_request(why, "/params", "parameters have names here", "the parameters are not an object");
	return take_meta(a, why);
}

/* Of who goes on to answer what was never asked nothing more is heard. */
static void on_answer(struct mcp *m, const json_t *said)
{
	if (!person_answered(m, said) && ++m->stray >= MCP_STRAY_MAX)
		m->said_all = true;
}

static int check_version(const json_t *said, struct mistake *why)
{
	const json_t *version = json_object_get(said, "jsonrpc");

	if (json_is_string(version) && strcmp(json_string_value(version), "2.0") == 0)
		return 0;
	return no_request(why, "/jsonrpc", "\"jsonrpc\": \"2.0\"", "not a message of JSON-RPC 2.0");
}

/* An id that is in use is not answered by it: that has an answer to come. */
static void take_message(struct mcp *m, const json_t *said)
{
	struct asked a = { .id = "" };
	struct mistake why = { .place = "" };
	const json_t *id = json_object_get(said, "id");
	const bool is_answer = json_object_get(said, "method") == NULL &&
			       (json_object_get(said, "result") != NULL || json_object_get(said, "error") != NULL);
	int r;

	if (json_is_array(said))
		r = no_request(&why, "", "send each message as a line of its own", "batches are not taken");
	else if (id != NULL && !is_answer)
		r = take_id(id, "/id", a.id, &why);
	else
		r = 0;
	if (r == 0 && call_is_taken(m, a.id)) {
		a.id[0] = 0;
		r = no_request(&why, "/id", "give each request an id of its own",
			       "that id is of a request that is not answered yet");
	}
	r = r < 0 ? r : check_members(said, &why);
	r = r < 0 ? r : check_version(said, &why);
	if (r == 0 && is_answer) {
		on_answer(m, said);
		return;
	}
	r = r < 0 ? r : take_request(said, &a, &why);
	if (r == 0 && id == NULL)
		mcp_note(m, a.method, a.params);
	else if (r == 0)
		mcp_ask(m, &a);
	else if (id != NULL || json_object_get(said, "method") == NULL)
		say_error(&m->out, a.id[0] != 0 ? a.id : NULL, &why, SAY_NO_REQUEST);
}

static bool is_blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

void mcp_heard(struct mcp *m, const char *line, size_t n)
{
	struct mistake why;
	json_t *said;

	if (is_blank(line, n))
		return;
	m->line = line;
	m->line_n = n;
	said = parse_json(line, n, &why);
	if (said == NULL)
		say_error(&m->out, NULL, &why, why.err.code == AMBIT_MALFORMED ? SAY_NO_JSON : SAY_NO_REQUEST);
	else
		take_message(m, said);
	json_decref(said);
}

void mcp_heard_too_long(struct mcp *m)
{
	struct mistake why = { .place = "" };

	(void)err_set(&why.err, AMBIT_LIMIT, "write long texts to a file in parts", "a line of more than %u bytes",
		      FRAME_LINE_MAX);
	(void)snprintf(why.place, sizeof why.place, "byte %u", FRAME_LINE_MAX);
	say_error(&m->out, NULL, &why, SAY_NO_REQUEST);
}
