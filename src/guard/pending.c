#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "guard/guard.h"

#define INTERNAL_ERROR (-32603)

/* Of those of which nobody waits for the answer the one that was sent first: who is told so need not answer. */
static struct pending *oldest_cancelled(struct pending *all)
{
	struct pending *oldest = NULL;

	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state == PENDING_SENT && all[i].cancelled && (oldest == NULL || all[i].own < oldest->own))
			oldest = &all[i];
	return oldest;
}

struct pending *pending_new(struct pending *all, struct guard *g)
{
	struct pending *p = NULL;

	for (size_t i = 0; i < GUARD_PENDING_MAX && p == NULL; i++)
		p = all[i].state == PENDING_FREE ? &all[i] : NULL;
	if (p == NULL && (p = oldest_cancelled(all)) != NULL) {
		guard_tell_over(g, p, GUARD_CANCELLED, "", 0);
		pending_free(g, p);
	}
	if (p != NULL)
		*p = (struct pending){ .state = PENDING_SENT, .own = ++g->last_own };
	return p;
}

void pending_free(struct guard *g, struct pending *p)
{
	if (p->state == PENDING_PERSON)
		person_forget(g, p);
	once_none(g, p);
	g->held -= p->line.len;
	buf_finish(&p->line);
	p->state = PENDING_FREE;
}

struct pending *pending_of_id(struct pending *all, const char *id)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state != PENDING_FREE && all[i].id[0] != 0 && strcmp(all[i].id, id) == 0)
			return &all[i];
	return NULL;
}

/* Of one that was sent. */
struct pending *pending_of_own(struct pending *all, const json_t *id)
{
	if (!json_is_integer(id) || json_integer_value(id) <= 0)
		return NULL;
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state == PENDING_SENT && all[i].own == (uint64_t)json_integer_value(id))
			return &all[i];
	return NULL;
}

bool pending_has_token(const struct pending *all, const char *token)
{
	for (size_t i = 0; i < GUARD_PENDING_MAX; i++)
		if (all[i].state != PENDING_FREE && all[i].token[0] != 0 && strcmp(all[i].token, token) == 0)
			return true;
	return false;
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

static size_t skip_blank(const char *line, size_t n, size_t at)
{
	while (at < n && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r' || line[at] == '\n'))
		at++;
	return at;
}

/* Behind the text that begins there. */
static size_t skip_text(const char *line, size_t n, size_t at)
{
	for (at++; at < n && line[at] != '"'; at++)
		if (line[at] == '\\')
			at++;
	return at + 1;
}

/* Behind the value that begins there, of JSON that is good. */
static size_t skip_value(const char *line, size_t n, size_t at)
{
	unsigned depth = 0;

	for (; at < n; at++) {
		const char c = line[at];

		if (c == '"') {
			at = skip_text(line, n, at) - 1;
			if (depth == 0)
				return at + 1;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return at;
			if (--depth == 0)
				return at + 1;
		} else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
			return at;
		}
	}
	return n;
}

/* Of an object that the parser took: names that it has twice it would not have taken, so the first is the only one. */
static bool find_id(const char *line, size_t n, size_t *ret_from, size_t *ret_to)
{
	size_t at = skip_blank(line, n, 0);

	if (at >= n || line[at] != '{')
		return false;
	for (at = skip_blank(line, n, at + 1); at < n && line[at] == '"';) {
		const size_t name = at, end = skip_text(line, n, at);

		at = skip_blank(line, n, end);
		if (at >= n || line[at] != ':')
			return false;
		at = skip_blank(line, n, at + 1);
		*ret_from = at;
		*ret_to = at = skip_value(line, n, at);
		if (end - name == 4 && memcmp(line + name, "\"id\"", 4) == 0)
			return true;
		at = skip_blank(line, n, at);
		if (at < n && line[at] == ',')
			at = skip_blank(line, n, at + 1);
	}
	return false;
}

bool line_put(struct buf *out, const char *line, size_t n, const char *id)
{
	size_t from, to;

	if (!find_id(line, n, &from, &to))
		return false;
	buf_put(out, line, from);
	buf_put(out, id, strlen(id));
	buf_put(out, line + to, n - to);
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
