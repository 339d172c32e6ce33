#include "mcp/say.h"

#include <string.h>

#include "base/text.h"

static void put(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

void say_result(struct json *j, struct buf *out, const char *id)
{
	put(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	put(out, id);
	put(out, ",\"result\":");
	json_begin(j, out);
	json_put_object(j);
}

void say_result_end(struct json *j)
{
	json_put_object_end(j);
	put(j->out, "}\n");
}

void say_error(struct buf *out, const char *id, const struct mistake *m, int number)
{
	struct json j;

	put(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	put(out, id == NULL ? "null" : id);
	buf_printf(out, ",\"error\":{\"code\":%d,", number);
	json_begin(&j, out);
	json_put_name(json_put_key(&j, "message"), m->err.msg);
	json_put_object(json_put_key(&j, "data"));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)m->err.code));
	if (m->err.hint[0] != 0)
		json_put_name(json_put_key(&j, "hint"), m->err.hint);
	if (m->place[0] != 0)
		json_put_name(json_put_key(&j, "place"), m->place);
	json_put_object_end(&j);
	put(out, "}}\n");
}

void say_capability(struct buf *out, const char *id)
{
	buf_printf(
		out,
		"{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"the client did not say that it takes tasks\",\"data\":{\"requiredCapabilities\":"
		"{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}}}\n",
		id, SAY_CAPABILITY);
}

void say_no_resource(struct buf *out, const char *id, const char *uri, const struct mistake *m)
{
	struct json j;

	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,", id, SAY_PARAMS);
	json_begin(&j, out);
	json_put_name(json_put_key(&j, "message"), m->err.msg);
	json_put_object(json_put_key(&j, "data"));
	say_text(json_put_key(&j, "uri"), uri, strlen(uri));
	json_put_object_end(&j);
	put(out, "}}\n");
}

void say_note(struct json *j, struct buf *out, const char *method)
{
	put(out, "{\"jsonrpc\":\"2.0\",\"method\":\"");
	put(out, method);
	put(out, "\",\"params\":");
	json_begin(j, out);
	json_put_object(j);
}

void say_note_end(struct json *j)
{
	say_result_end(j);
}

/* ---- text ---- */

static void put_escaped(struct buf *out, const uint8_t *at, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		if (at[i] >= 0x20 && at[i] != '"' && at[i] != '\\')
			continue;
		buf_put(out, at + from, i - from);
		from = i + 1;
		switch (at[i]) {
		case '\n': put(out, "\\n"); break;
		case '\t': put(out, "\\t"); break;
		case '\r': put(out, "\\r"); break;
		case '"': put(out, "\\\""); break;
		case '\\': put(out, "\\\\"); break;
		default: buf_printf(out, "\\u%04x", at[i]); break;
		}
	}
	buf_put(out, at + from, n - from);
}

void say_text(struct json *j, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	size_t wrong;

	json_put_made(j, "\"", 1);
	while (n > 0) {
		const size_t whole = text_is_utf8(at, n, &wrong) ? n : wrong;

		put_escaped(j->out, at, whole);
		at += whole;
		n -= whole;
		if (n > 0) {
			put(j->out, "\xef\xbf\xbd");
			at++;
			n--;
		}
	}
	put(j->out, "\"");
}

void say_content_text(struct json *j, const void *bytes, size_t n)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "type"), "text");
	say_text(json_put_key(j, "text"), bytes, n);
	json_put_object_end(j);
}

void say_implementation(struct json *j)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "name"), "ambit");
	json_put_word(json_put_key(j, "title"), "Ambit");
	json_put_word(json_put_key(j, "version"), AMBIT_VERSION);
	json_put_object_end(j);
}

void say_kind(struct json *j, enum era era)
{
	if (era != ERA_MODERN)
		return;
	json_put_word(json_put_key(j, "resultType"), "complete");
	json_put_object(json_put_key(j, "_meta"));
	say_implementation(json_put_key(j, "io.modelcontextprotocol/serverInfo"));
	json_put_object_end(j);
}

void say_fresh(struct json *j, enum era era, unsigned ms)
{
	if (era != ERA_MODERN)
		return;
	json_put_count(json_put_key(j, "ttlMs"), ms);
	json_put_word(json_put_key(j, "cacheScope"), "private");
}
