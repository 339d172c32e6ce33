#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "many/many.h"

/* Of those of which nobody waits for the answer the one that was sent first: who is told so need not answer. */
static struct asked *oldest_cancelled(struct asked *all)
{
	struct asked *oldest = NULL;

	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (all[i].cancelled && (oldest == NULL || all[i].own < oldest->own))
			oldest = &all[i];
	return oldest;
}

struct asked *asked_new(struct many *m, struct asked *all, unsigned server)
{
	struct asked *a = NULL;

	for (size_t i = 0; i < MANY_ASKED_MAX && a == NULL; i++)
		a = all[i].used ? NULL : &all[i];
	a = a != NULL ? a : oldest_cancelled(all);
	if (a != NULL)
		*a = (struct asked){ .used = true, .server = server, .own = ++m->last_own, .late = GATHER_COUNT };
	return a;
}

struct asked *asked_of_id(struct asked *all, const char *id, int server)
{
	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (all[i].used && !all[i].cancelled && all[i].id[0] != 0 && strcmp(all[i].id, id) == 0 &&
		    (server < 0 || all[i].server == (unsigned)server))
			return &all[i];
	return NULL;
}

struct asked *asked_of_own(struct asked *all, const json_t *id)
{
	if (!json_is_integer(id) || json_integer_value(id) <= 0)
		return NULL;
	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (all[i].used && all[i].own == (uint64_t)json_integer_value(id))
			return &all[i];
	return NULL;
}

bool server_takes(const struct many *m, unsigned server)
{
	const struct server *s = &m->servers[server];

	return s->state != SERVER_GONE && s->side.bytes.len - s->side.at < GUARD_OUT_LOW;
}

static void put_json(struct buf *out, const json_t *value)
{
	auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	buf_put(out, text != NULL ? text : "{}", text != NULL ? strlen(text) : 2);
}

void answer_json(struct buf *out, const char *id, const char *key, const json_t *value)
{
	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"%s\":", id, key);
	put_json(out, value);
	buf_printf(out, "}\n");
}

void note_json(struct buf *out, const char *method, const json_t *params)
{
	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"", method);
	if (params != NULL) {
		buf_printf(out, ",\"params\":");
		put_json(out, params);
	}
	buf_printf(out, "}\n");
}

void note_cancelled(struct buf *out, uint64_t own)
{
	buf_printf(out,
		   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%llu}}\n",
		   (unsigned long long)own);
}

struct asked *ask_server(struct many *m, unsigned server, const char *method, const json_t *params)
{
	struct buf *out = &m->servers[server].side.bytes;
	struct asked *a = server_takes(m, server) ? asked_new(m, m->asked, server) : NULL;

	if (a == NULL)
		return NULL;
	buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"%s\"", (unsigned long long)a->own, method);
	if (params != NULL) {
		buf_printf(out, ",\"params\":");
		put_json(out, params);
	}
	buf_printf(out, "}\n");
	return a;
}

void refuse_client(struct many *m, const char *id, int number, const struct err *e)
{
	answer_error(&m->client.bytes, id[0] != 0 ? id : "null", number, e);
}
