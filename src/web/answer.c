/* What a connection is told, in HTTP. */
#include <string.h>

#include "base/json.h"
#include "web/web.h"

static const char *reason_of(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} rows[] = { { 200, "OK" },
		     { 202, "Accepted" },
		     { 204, "No Content" },
		     { 400, "Bad Request" },
		     { 401, "Unauthorized" },
		     { 403, "Forbidden" },
		     { 404, "Not Found" },
		     { 405, "Method Not Allowed" },
		     { 406, "Not Acceptable" },
		     { 408, "Request Timeout" },
		     { 409, "Conflict" },
		     { 413, "Content Too Large" },
		     { 415, "Unsupported Media Type" },
		     { 417, "Expectation Failed" },
		     { 429, "Too Many Requests" },
		     { 431, "Request Header Fields Too Large" },
		     { 502, "Bad Gateway" },
		     { 503, "Service Unavailable" },
		     { 505, "HTTP Version Not Supported" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "";
}

/* ---- heads ---- */

static void put_head(struct conn *c, unsigned status, const char *session)
{
	buf_printf(&c->out, "HTTP/1.1 %u %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n", status,
		   reason_of(status));
	if (session != NULL && session[0] != 0)
		buf_printf(&c->out, "Mcp-Session-Id: %s\r\n", session);
	if (c->want.origin[0] != 0) /* one that may read it */
		buf_printf(&c->out,
			   "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
			   "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n",
			   c->want.origin);
	if (c->closes)
		buf_printf(&c->out, "Connection: close\r\n");
}

/* The answer is written: what comes next is another request, or nothing. */
static void rest(const struct web *w, struct conn *c)
{
	c->server = NULL;
	c->asked = NULL;
	c->used = true;
	c->state = c->closes ? CONN_ENDS : CONN_HEAD;
	c->since_ms = w->now_ms;
}

static void put_body(const struct web *w, struct conn *c, const char *type, const struct buf *body)
{
	buf_printf(&c->out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, body->len);
	buf_put(&c->out, body->data, body->len);
	rest(w, c);
}

void answer_json(const struct web *w, struct conn *c, unsigned status, const char *session, const struct buf *body)
{
	put_head(c, status, session);
	put_body(w, c, "application/json", body);
}

void answer_nothing(const struct web *w, struct conn *c, unsigned status)
{
	put_head(c, status, NULL);
	buf_printf(&c->out, status == 204 ? "\r\n" : "Content-Length: 0\r\n\r\n");
	rest(w, c);
}

void answer_options(const struct web *w, struct conn *c)
{
	put_head(c, 204, NULL);
	buf_printf(&c->out,
		   "Allow: GET, POST, DELETE\r\n"
		   "Access-Control-Allow-Methods: GET, POST, DELETE\r\n"
		   "Access-Control-Allow-Headers: Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Method, "
		   "Mcp-Name, MCP-Protocol-Version, Mcp-Session-Id\r\n"
		   "Access-Control-Max-Age: 600\r\n\r\n");
	rest(w, c);
}

/* ---- refusals ---- */

/* Where it is told who gives tokens: beside the path of the resource (RFC 9728, 3.1). */
static void put_challenge(const struct web *w, struct conn *c, const struct no *no)
{
	const char *audience = w->rules.audience, *begin = strstr(audience, "://");
	const size_t place = begin == NULL ? 0 : (size_t)(begin + 3 - audience) + strcspn(begin + 3, "/");

	buf_printf(&c->out, "WWW-Authenticate: Bearer ");
	if (w->rules.auth == WEB_AUTH_OAUTH)
		buf_printf(&c->out, "resource_metadata=\"%.*s/.well-known/oauth-protected-resource" WEB_PATH "\"",
			   (int)place, audience);
	else
		buf_printf(&c->out, "realm=\"ambit\"");
	if (no->error != NULL)
		buf_printf(&c->out, ", error=\"%s\"", no->error);
	if (w->rules.scope[0] != 0)
		buf_printf(&c->out, ", scope=\"%s\"", w->rules.scope);
	buf_printf(&c->out, "\r\n");
}

void answer_no(const struct web *w, struct conn *c, const struct no *no, const char *id)
{
	auto_buf body = { .max = 4096 };
	struct json j;

	json_begin(&j, &body);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "jsonrpc"), "2.0");
	json_put_made(json_put_key(&j, "id"), id != NULL ? id : "null", id != NULL ? strlen(id) : 4);
	json_put_object(json_put_key(&j, "error"));
	buf_printf(&body, "\"code\":%d", no->number);
	j.comma = true;
	json_put_name(json_put_key(&j, "message"), no->err.msg);
	json_put_object(json_put_key(&j, "data"));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)no->err.code));
	if (no->err.hint[0] != 0)
		json_put_name(json_put_key(&j, "hint"), no->err.hint);
	json_put_object_end(&j);
	json_put_object_end(&j);
	json_put_object_end(&j);
	put_head(c, no->status, NULL);
	if (no->allow != NULL)
		buf_printf(&c->out, "Allow: %s\r\n", no->allow);
	if (no->retry_s > 0)
		buf_printf(&c->out, "Retry-After: %u\r\n", no->retry_s);
	if (no->challenged)
		put_challenge(w, c, no);
	put_body(w, c, "application/json", &body);
}

void answer_metadata(const struct web *w, struct conn *c)
{
	auto_buf body = { .max = 4096 };
	const char *scope = w->rules.scope;
	struct json j;

	json_begin(&j, &body);
	json_put_object(&j);
	json_put_name(json_put_key(&j, "resource"), w->rules.audience);
	json_put_array(json_put_key(&j, "authorization_servers"));
	json_put_name(&j, w->rules.issuer);
	json_put_array_end(&j);
	json_put_array(json_put_key(&j, "bearer_methods_supported"));
	json_put_word(&j, "header");
	json_put_array_end(&j);
	if (scope[0] != 0)
		json_put_array(json_put_key(&j, "scopes_supported"));
	while (*scope != 0) {
		const size_t n = strcspn(scope, " ");

		if (n > 0)
			json_put_bytes(&j, scope, n);
		scope += n + (scope[n] == ' ');
	}
	if (w->rules.scope[0] != 0)
		json_put_array_end(&j);
	json_put_object_end(&j);
	answer_json(w, c, 200, NULL, &body);
}

/* ---- streams of events (text/event-stream, in chunks) ---- */

void stream_begin(const struct web *w, struct conn *c, const char *session)
{
	put_head(c, 200, session);
	buf_printf(&c->out,
		   "Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n");
	c->state = CONN_STREAMS;
	c->since_ms = w->now_ms;
}

static void put_chunk(struct conn *c, const struct buf *head, const void *line, size_t n)
{
	buf_printf(&c->out, "%zx\r\n", head->len + n + 2);
	buf_put(&c->out, head->data, head->len);
	buf_put(&c->out, line, n);
	buf_printf(&c->out, "\n\n\r\n");
}

void stream_event(struct conn *c, uint32_t stream, uint64_t number, const void *line, size_t n)
{
	uint8_t room[96];
	struct buf head;

	buf_init_in(&head, room, sizeof room);
	if (number > 0)
		buf_printf(&head, "id: %u-%llu\n", stream, (unsigned long long)number);
	buf_printf(&head, "data: ");
	put_chunk(c, &head, line, n);
}

void stream_beat(struct conn *c)
{
	buf_printf(&c->out, "3\r\n:\n\n\r\n");
}

void stream_end(struct conn *c)
{
	buf_printf(&c->out, "0\r\n\r\n");
}
