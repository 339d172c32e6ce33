#include "guard/line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "rpc/member.h"
#include "rpc/parse.h"

#define INTERNAL_ERROR (-32603)

int said_check(const json_t *said, struct err *e)
{
	static const char *const known[] = { "jsonrpc", "id", "method", "params", "result", "error" };
	const json_t *version = json_object_get(said, "jsonrpc"), *method = json_object_get(said, "method");
	const char *key;
	json_t *v;

	if (!json_is_object(said))
		return err_set(e, AMBIT_USAGE, "send each message as a line of its own", "batches are not taken");
	json_object_foreach((json_t *)(uintptr_t)said, key, v)
	{
		bool is = false;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			is = is || strcmp(known[i], key) == 0;
		if (!is)
			return err_set(e, AMBIT_USAGE, "a message has jsonrpc, id, method and params",
				       "a message with a member '%.64s'", key);
	}
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return err_set(e, AMBIT_USAGE, "\"jsonrpc\": \"2.0\"", "not a message of JSON-RPC 2.0");
	if (method != NULL && (!json_is_string(method) || json_object_get(said, "result") != NULL ||
			       json_object_get(said, "error") != NULL))
		return err_set(e, AMBIT_USAGE, NULL, "a message is a request, a note or an answer, and one of these");
	if (method == NULL && (json_object_get(said, "result") != NULL) == (json_object_get(said, "error") != NULL))
		return err_set(e, AMBIT_USAGE, NULL, "no method is named, and it is no answer");
	return 0;
}

/* There are readers to whom a carriage return ends a line, as it ends one of text in Python: what is a blank between two values here would be two messages there. */
static bool is_one_line(const char *line, size_t n)
{
	while (n > 0 && strchr(" \t\r", line[n - 1]) != NULL)
		n--;
	return memchr(line, '\r', n) == NULL;
}

bool has_other_case(const json_t *object, const char *name)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		if (strcasecmp(key, name) == 0 && strcmp(key, name) != 0)
			return true;
	}
	return false;
}

/* There is no NUL behind it. */
bool line_is_blank(const char *line, size_t n)
{
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	return n == 0;
}

json_t *line_read(const char *line, size_t n, struct err *e)
{
	struct mistake m;
	json_t *said;

	if (!is_one_line(line, n)) {
		(void)err_set(e, AMBIT_MALFORMED, "end lines by a line feed",
			      "a carriage return within a line, which to some begins another");
		return NULL;
	}
	said = parse_json_within(line, n, GUARD_DEPTH_MAX, GUARD_VALUES_MAX, &m);
	if (said == NULL)
		*e = m.err;
	return said;
}

bool id_take(const json_t *id, char ret[GUARD_ID_MAX])
{
	auto_free char *text = NULL;

	if (!json_is_string(id) && !json_is_integer(id))
		return false;
	text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);
	return text != NULL && text_copy(ret, GUARD_ID_MAX, text);
}

/* ---- an id in a line ---- */

/* Of an object that the parser took: names that it has twice it would not have taken, so the first is the only one. */
bool line_put_at(struct buf *out, const char *line, size_t n, const char *const *path, const char *value)
{
	struct member m;

	if (!member_find_in(line, n, path, &m))
		return false;
	buf_put(out, line, m.from);
	buf_put(out, value, strlen(value));
	buf_put(out, line + m.to, n - m.to);
	return true;
}

bool line_put(struct buf *out, const char *line, size_t n, const char *id)
{
	static const char *const path[] = { "id", NULL };

	if (!line_put_at(out, line, n, path, id))
		return false;
	buf_put_u8(out, '\n');
	return true;
}

void answer_error(struct buf *out, const char *id, int number, const struct err *e)
{
	struct json j;

	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,", id, number);
	json_begin(&j, out);
	json_put_name(json_put_key(&j, "message"), e->msg);
	json_put_object(json_put_key(&j, "data"));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)e->code));
	if (e->hint[0] != 0)
		json_put_name(json_put_key(&j, "hint"), e->hint);
	json_put_object_end(&j);
	buf_printf(out, "}}\n");
}

void answer_lost(struct buf *out, const char *id, const char *why)
{
	struct err e;

	(void)err_set(&e, AMBIT_PROTOCOL, NULL, "%s", why);
	answer_error(out, id, INTERNAL_ERROR, &e);
}
