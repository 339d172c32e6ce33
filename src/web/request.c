/* A request that is whole: what it is by its revision, and whose session's. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "rpc/parse.h"
#include "web/web.h"

enum kind { KIND_REQUEST, KIND_NOTE, KIND_ANSWER };

/* What a body says, as far as it is ours to know. */
struct message {
	enum kind kind;
	const char *method;                     /* borrowed */
	const json_t *params;                   /* borrowed; NULL */
	const char *version;                    /* of the revision that each request names; NULL: it names none */
	bool claims;                            /* it has one, whatever it is */
	char id[WEB_ID_MAX], token[WEB_ID_MAX]; /* JSON; "": none */
};

/* ---- the message ---- */

static bool take_json(const json_t *v, char ret[WEB_ID_MAX])
{
	auto_free char *text = json_is_string(v) || json_is_integer(v) ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT)
								       : NULL;

	return text != NULL && text_copy(ret, WEB_ID_MAX, text);
}

static bool wrong(struct no *no, const char *hint, const char *what)
{
	return no_set(no, 400, NO_REQUEST, hint, "%s", what);
}

static bool has_only(const json_t *said, const char *const *known)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)said, key, v)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return false;
	}
	return true;
}

/* Beside the parameters: the revision, and by what its progress is told. */
static bool take_meta(struct message *m, struct no *no)
{
	const json_t *meta = json_object_get(m->params, "_meta"), *token = json_object_get(meta, "progressToken"),
		     *version = json_object_get(meta, META_VERSION);

	if (m->params != NULL && !json_is_object(m->params))
		return wrong(no, "parameters have names here", "the parameters are not an object");
	if (meta != NULL && !json_is_object(meta))
		return wrong(no, NULL, "_meta is not an object");
	m->claims = version != NULL;
	m->version = json_string_value(version);
	if (m->claims && m->version == NULL)
		return no_set(no, 400, NO_PARAMS, NULL, "_meta names a version that is no text");
	return token == NULL || take_json(token, m->token) ||
	       wrong(no, "a short text, or a whole number", "a progressToken that is none");
}

/* The same that a server looks at: what it would refuse without saying of which request must not come to it. */
static bool take_message(const json_t *said, struct message *ret, struct no *no)
{
	static const char *const of_request[] = { "jsonrpc", "id", "method", "params", NULL };
	static const char *const of_answer[] = { "jsonrpc", "id", "result", "error", NULL };
	const json_t *id = json_object_get(said, "id"), *method = json_object_get(said, "method");
	const char *version = json_string_value(json_object_get(said, "jsonrpc"));

	*ret = (struct message){ .method = json_string_value(method), .params = json_object_get(said, "params") };
	if (json_is_array(said))
		return wrong(no, "send each message as a request of its own", "batches are not taken");
	if (id != NULL && !take_json(id, ret->id))
		return wrong(no, "a short text, or a whole number", "an id that is none");
	if (version == NULL || strcmp(version, "2.0") != 0)
		return wrong(no, "\"jsonrpc\": \"2.0\"", "not a message of JSON-RPC 2.0");
	ret->kind = method == NULL ? KIND_ANSWER : id == NULL ? KIND_NOTE : KIND_REQUEST;
	if (!has_only(said, ret->kind == KIND_ANSWER ? of_answer : of_request))
		return wrong(no, "a request has jsonrpc, id, method and params",
			     "a message with a member that none has");
	if (ret->kind != KIND_ANSWER)
		return ret->method != NULL ? take_meta(ret, no) : wrong(no, NULL, "a method that is no text");
	return (id != NULL && (json_object_get(said, "result") != NULL) != (json_object_get(said, "error") != NULL)) ||
	       wrong(no, NULL, "a message that is neither a request nor an answer");
}

/* ---- the revision ---- */

static bool mismatch(struct no *no, const char *what)
{
	return no_set(no, 400, NO_HEADER, "they say what the body says", "%s", what);
}

/* What a request's Mcp-Name has to be; NULL: nothing. */
static const char *name_of(const struct message *m)
{
	static const char *const rows[][2] = { { "tools/call", "name" },     { "prompts/get", "name" },
					       { "resources/read", "uri" },  { "tasks/get", "taskId" },
					       { "tasks/update", "taskId" }, { "tasks/cancel", "taskId" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i][0], m->method) == 0)
			return json_string_value(json_object_get(m->params, rows[i][1]));
	return NULL;
}

/* Who stands between looks at the head, and a server at the body: they must not see two different things. */
static bool check_head(const struct wanted *w, const struct message *m, struct no *no)
{
	const char *name = m->kind == KIND_REQUEST ? name_of(m) : NULL;

	if (w->version[0] == 0 && m->kind == KIND_REQUEST)
		return mismatch(no, "the field MCP-Protocol-Version is missing");
	if (w->version[0] != 0 && m->claims && strcmp(w->version, m->version) != 0)
		return mismatch(no, "MCP-Protocol-Version is not the version of the body");
	if (!m->claims && m->kind == KIND_REQUEST)
		return no_set(no, 400, NO_PARAMS, "_meta[\"" META_VERSION "\"]",
			      "a request of " MCP_MODERN " that does not say so in its body");
	if (w->what[0] == 0 && m->kind == KIND_REQUEST)
		return mismatch(no, "the field Mcp-Method is missing");
	if (w->what[0] != 0 && strcmp(w->what, m->method) != 0)
		return mismatch(no, "Mcp-Method is not the method of the body");
	if (name != NULL && !w->has_name)
		return mismatch(no, "the field Mcp-Name is missing");
	return name == NULL || strcmp(w->name, name) == 0 || mismatch(no, "Mcp-Name is not what the body names");
}

static bool is_initialize(const struct message *m)
{
	return m->kind == KIND_REQUEST && strcmp(m->method, "initialize") == 0;
}

/* ---- whose it is ---- */

/* The revisions before 2026-07-28. A session has agreed upon one; who says another of them is not held to it, as clients do that. */
static bool is_legacy(const char *version)
{
	static const char *const words[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], version) == 0)
			return true;
	return false;
}

static bool find_session(struct web *w, struct conn *c, struct server **ret, struct no *no)
{
	if (c->want.version[0] != 0 && !is_legacy(c->want.version))
		return no_set(no, 400, NO_HTTP, NULL, "MCP-Protocol-Version names a revision that is not known");
	if (c->want.session[0] == 0)
		return no_set(no, 400, NO_HTTP, "POST an `initialize` first, and send the Mcp-Session-Id of its answer",
			      "the field Mcp-Session-Id is missing");
	*ret = session_find(w, &c->who, c->want.session);
	if (*ret != NULL)
		return true;
	(void)no_set(no, 404, NO_SESSION, "begin another by `initialize`", "there is no such session");
	no->err.code = AMBIT_NOT_FOUND;
	return false;
}

static bool find_modern(struct web *w, struct conn *c, const struct message *m, struct server **ret, struct no *no)
{
	if (is_initialize(m) && !m->claims)
		return mismatch(no, "`initialize` is of the revisions before " MCP_MODERN);
	if (m->kind == KIND_ANSWER)
		return wrong(no, NULL, "nothing is asked that could be answered so");
	if (!check_head(&c->want, m, no))
		return false;
	*ret = session_modern(w, &c->who);
	if (*ret == NULL && m->kind == KIND_REQUEST)
		*ret = session_new(w, &c->who, true, no);
	return *ret != NULL || m->kind != KIND_REQUEST;
}

/* *ret NULL: a note to a server that is not there. */
static bool find_server(struct web *w, struct conn *c, const struct message *m, struct server **ret, struct no *no)
{
	*ret = NULL;
	if (m->claims || strcmp(c->want.version, MCP_MODERN) == 0)
		return find_modern(w, c, m, ret, no);
	if (!is_initialize(m))
		return find_session(w, c, ret, no);
	if (c->want.session[0] != 0)
		return wrong(no, "send it without Mcp-Session-Id", "that session has begun already");
	*ret = session_new(w, &c->who, false, no);
	return *ret != NULL;
}

/* ---- on its way ---- */

static bool cut_at(const char *text, size_t n, const char *const *names, const char *with, struct cut *ret)
{
	ret->with = with;
	return member_find_in(text, n, names, &ret->at);
}

/* A line has one end. Between values of JSON a blank is as good. */
static void one_line(struct buf *body)
{
	for (size_t i = 0; i < body->len; i++)
		if (body->data[i] == '\n' || body->data[i] == '\r')
			body->data[i] = ' ';
}

static bool has_room(const struct server *s, size_t n, struct no *no)
{
	if (n > WEB_BODY_MAX)
		return no_set(no, 413, NO_HTTP, "write long texts to a file in parts",
			      "the request is longer than %u bytes", WEB_BODY_MAX);
	if (s->out.len - s->out_at + n <= WEB_TO_SERVER_MAX)
		return true;
	(void)no_set(no, 503, NO_SERVER, "send it again", "its server does not take what it is told");
	no->retry_s = 1;
	return false;
}

/* With an id of ours; of the revision that has no sessions, so that others of this principal use the same ids, also its token. */
static bool send_request(struct server *s, struct asked *a, const struct message *m, const struct buf *body,
			 struct no *no)
{
	static const char *const id[] = { "id", NULL }, *const token[] = { "params", "_meta", "progressToken", NULL };
	struct cut cuts[2];
	char own[24];
	size_t n = 1;
	bool found;

	(void)snprintf(own, sizeof own, "%llu", (unsigned long long)a->own); /* fits */
	found = cut_at((const char *)body->data, body->len, id, own, &cuts[0]);
	if (found && s->modern && m->token[0] != 0)
		found = cut_at((const char *)body->data, body->len, token, own, &cuts[n++]);
	if (!found)
		return wrong(no, "write names without escapes", "the id of the request is not found in it");
	if (!has_room(s, body->len + 2 * sizeof own, no))
		return false;
	cuts_put(&s->out, (const char *)body->data, body->len, cuts, n);
	return true;
}

static bool take_request(struct web *w, struct conn *c, struct server *s, const struct message *m,
			 const struct buf *body, struct no *no)
{
	struct asked *a;

	if (!s->modern && asked_of_id(s, m->id, NULL) != NULL)
		return wrong(no, "give each request an id of its own",
			     "that id is of a request that is not answered yet");
	a = asked_new(s);
	if (a == NULL) {
		(void)no_set(no, 429, NO_SERVER, "wait for some of the answers", "%d requests are not answered yet",
			     WEB_ASKED_MAX);
		no->retry_s = 1;
		return false;
	}
	if (!send_request(s, a, m, body, no)) {
		asked_free(a);
		return false;
	}
	memcpy(a->id, m->id, sizeof a->id);
	memcpy(a->token, m->token, sizeof a->token);
	a->initializes = is_initialize(m) && !s->modern;
	a->logs = json_object_get(json_object_get(m->params, "_meta"), META_LOG) != NULL;
	a->since_ms = w->now_ms;
	a->conn = c;
	c->asked = a;
	c->server = c->from = s;
	return true;
}

/* Of the one request that it can mean; its server says nothing more of it. */
static void cancel(struct web *w, struct server *s, const struct message *m, const struct buf *body)
{
	static const char *const where[] = { "params", "requestId", NULL };
	char id[WEB_ID_MAX], own[24];
	struct asked *a = take_json(json_object_get(m->params, "requestId"), id) ? asked_of_id(s, id, NULL) : NULL;
	struct cut cut;

	if (a == NULL || a->initializes || asked_of_id(s, id, a) != NULL)
		return;
	(void)snprintf(own, sizeof own, "%llu", (unsigned long long)a->own); /* fits */
	if (!cut_at((const char *)body->data, body->len, where, own, &cut))
		return;
	cuts_put(&s->out, (const char *)body->data, body->len, &cut, 1);
	route_cancelled(w, a);
}

static bool take_other(struct web *w, struct server *s, const struct message *m, const struct buf *body, struct no *no)
{
	if (s == NULL)
		return true;
	if (!has_room(s, body->len + 32, no))
		return false;
	if (m->kind == KIND_NOTE && strcmp(m->method, "notifications/cancelled") == 0)
		cancel(w, s, m, body);
	else if (m->kind == KIND_ANSWER || !s->modern)
		cuts_put(&s->out, (const char *)body->data, body->len, NULL, 0);
	return true;
}

static bool carry(struct web *w, struct conn *c, const struct message *m, const struct buf *body, struct no *no)
{
	struct server *s;

	if (!find_server(w, c, m, &s, no))
		return false;
	if (s != NULL && m->kind == KIND_REQUEST) {
		const bool good = take_request(w, c, s, m, body, no);

		if (!good && is_initialize(m) && !s->modern)
			session_end(w, s, NULL);
		return good;
	}
	if (!take_other(w, s, m, body, no))
		return false;
	answer_nothing(w, c, 202);
	return true;
}

static bool take_post(struct web *w, struct conn *c, struct buf *body, char ret_id[WEB_ID_MAX], struct no *no)
{
	struct mistake why;
	json_t *said = parse_json_within((const char *)body->data, body->len, w->rules.depth, w->rules.values, &why);
	struct message m;
	bool good;

	if (said == NULL) {
		(void)no_set(no, 400, why.err.code == AMBIT_MALFORMED ? NO_JSON : NO_REQUEST, NULL, "no JSON");
		no->err = why.err;
		return false;
	}
	good = take_message(said, &m, no);
	if (good && m.kind == KIND_REQUEST)
		memcpy(ret_id, m.id, WEB_ID_MAX);
	one_line(body);
	good = good && carry(w, c, &m, body, no);
	json_decref(said);
	return good;
}

/* ---- the other methods ---- */

static bool take_get(struct web *w, struct conn *c, struct no *no)
{
	struct server *s;

	if (!find_session(w, c, &s, no))
		return false;
	if (c->want.event[0] != 0)
		return route_resume(w, s, c, c->want.event, no);
	route_listen(w, s, c);
	return true;
}

static bool take_delete(struct web *w, struct conn *c, struct no *no)
{
	struct server *s;

	if (!find_session(w, c, &s, no))
		return false;
	session_end(w, s, NULL);
	answer_nothing(w, c, 204);
	return true;
}

void request_take(struct web *w, struct conn *c, struct buf *body)
{
	char id[WEB_ID_MAX] = "";
	struct no no = { .status = 0 };
	bool good;

	if (c->want.method == WANTED_POST) {
		good = take_post(w, c, body, id, &no);
	} else if (strcmp(c->want.version, MCP_MODERN) == 0) {
		good = no_set(&no, 405, NO_HTTP, NULL, "that method is none of " MCP_MODERN);
		no.allow = "POST";
	} else {
		good = c->want.method == WANTED_GET ? take_get(w, c, &no) : take_delete(w, c, &no);
	}
	if (!good)
		answer_no(w, c, &no, id[0] != 0 ? id : NULL);
}
