/* The requests of HTTP. */
#include <string.h>

#include "bridge/bridge.h"

#define HEAD_MAX (128u << 10) /* fields of arguments among it */

static const char version_key[] = "io.modelcontextprotocol/protocolVersion";

/* ---- connections ---- */

/* One that may be used again, or a new one. */
static bool connect_call(struct bridge *b, struct call *c)
{
	for (size_t i = 0; i < BRIDGE_IDLE_MAX; i++)
		if (b->idle[i].state == TALK_IDLE) {
			c->talk = b->idle[i];
			talk_init(&b->idle[i]);
			return true;
		}
	return talk_open(&c->talk, b->net);
}

static bool send_it(struct bridge *b, struct call *c, struct buf *request, bool is_get)
{
	if (request->failed || !connect_call(b, c)) {
		buf_finish(request);
		return false;
	}
	talk_ask(&c->talk, request, is_get);
	return true;
}

/* ---- heads ---- */

static void begin(const struct bridge *b, const char *method, struct buf *out)
{
	char host[ENDPOINT_TEXT_MAX];

	url_host(b->url, host);
	buf_init(out, BRIDGE_BODY_MAX + HEAD_MAX);
	buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ambit\r\n", method, b->url->target, host);
}

static void put_session(const struct bridge *b, struct buf *out)
{
	if (b->session[0] != 0)
		buf_printf(out, "Mcp-Session-Id: %s\r\n", b->session);
	if (b->version[0] != 0)
		buf_printf(out, "MCP-Protocol-Version: %s\r\n", b->version);
}

/* What stands in the fields is what stands in the body: who routes by the one does what the other says (2026-07-28). */
static void put_mirror(const struct bridge *b, const json_t *said, const char *version, struct buf *out)
{
	static const struct {
		const char *method, *member;
	} named[] = { { "tools/call", "name" },  { "prompts/get", "name" },    { "resources/read", "uri" },
		      { "tasks/get", "taskId" }, { "tasks/update", "taskId" }, { "tasks/cancel", "taskId" } };
	const char *method = json_string_value(json_object_get(said, "method"));
	const json_t *params = json_object_get(said, "params");

	buf_printf(out, "MCP-Protocol-Version: ");
	param_value(out, version);
	buf_printf(out, "\r\nMcp-Method: ");
	param_value(out, method);
	buf_printf(out, "\r\n");
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
		const char *name = json_string_value(json_object_get(params, named[i].member));

		if (strcmp(named[i].method, method) != 0 || name == NULL)
			continue;
		buf_printf(out, "Mcp-Name: ");
		param_value(out, name);
		buf_printf(out, "\r\n");
	}
	if (strcmp(method, "tools/call") == 0)
		param_put(out, b->params, params);
}

bool ask_post(struct bridge *b, struct call *c, const json_t *said, const char *line, size_t n)
{
	const json_t *meta = json_object_get(json_object_get(said, "params"), "_meta");
	const char *version = json_string_value(json_object_get(meta, version_key));
	struct buf out;

	c->modern = version != NULL && json_object_get(said, "method") != NULL;
	begin(b, "POST", &out);
	buf_printf(&out, "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n");
	if (c->modern)
		put_mirror(b, said, version, &out);
	else if (!c->begins)
		put_session(b, &out);
	c->of_session = c->modern || c->begins || b->session[0] == 0 ? 0 : b->n_sessions;
	buf_printf(&out, "Content-Length: %zu\r\n\r\n", n);
	buf_put(&out, line, n);
	return send_it(b, c, &out, false);
}

bool ask_stream(struct bridge *b, struct call *c)
{
	struct buf out;

	c->again_ms = 0;
	c->resumes = true;
	sse_again(&c->events);
	begin(b, "GET", &out);
	buf_printf(&out, "Accept: text/event-stream\r\n");
	put_session(b, &out);
	if (c->events.id[0] != 0)
		buf_printf(&out, "Last-Event-ID: %s\r\n", c->events.id);
	buf_printf(&out, "\r\n");
	return send_it(b, c, &out, true);
}

bool ask_again(struct bridge *b, struct call *c)
{
	struct buf out = c->request;
	bool sent;

	c->request = (struct buf){ .max = 0 };
	c->again_ms = 0;
	if (!c->is_body)
		return send_it(b, c, &out, false);
	c->is_body = false;
	sent = ask_post(b, c, NULL, (const char *)out.data, out.len);
	buf_finish(&out);
	return sent;
}

bool ask_bye(struct bridge *b, struct call *c)
{
	struct buf out;

	begin(b, "DELETE", &out);
	put_session(b, &out);
	buf_printf(&out, "\r\n");
	return send_it(b, c, &out, false);
}
