/* What the gate says: its client's lines, which it has judged. */
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "rpc/parse.h"

static struct call *call_of(struct bridge *b, const json_t *id)
{
	for (size_t i = 0; i < BRIDGE_CALLS_MAX && id != NULL; i++)
		if (b->calls[i].kind == CALL_REQUEST && json_equal(b->calls[i].id, id))
			return &b->calls[i];
	return NULL;
}

/* In 2026-07-28 nobody waits for a request whose connection was closed, and that is how its server is told. */
static bool is_cancelled(struct bridge *b, const json_t *said)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	struct call *c;

	if (method == NULL || strcmp(method, "notifications/cancelled") != 0)
		return false;
	c = call_of(b, json_object_get(json_object_get(said, "params"), "requestId"));
	if (c == NULL || !c->modern)
		return false;
	heard_nothing(b, c, AMBIT_GONE, NULL, "it was cancelled");
	call_free(c);
	return true;
}

static void post(struct bridge *b, struct call *c, const json_t *said, const char *line, size_t n)
{
	if (ask_post(b, c, said, line, n))
		return;
	heard_nothing(b, c, AMBIT_GONE,
		      "is there a network? `ambit explain last` tells more, when the server has ended",
		      "the server cannot be reached");
	call_free(c);
}

/* The gate's own line with an id that nobody waits for any more, or a note. */
static void refuse(struct bridge *b, const json_t *id)
{
	struct call c = { .kind = CALL_REQUEST, .id = (json_t *)(uintptr_t)id };

	if (id != NULL)
		heard_nothing(b, &c, AMBIT_LIMIT, "wait for some of them", "%d requests are not answered yet",
			      BRIDGE_REQUESTS_MAX);
}

/* For when its server forgets the session. */
static void keep(struct bridge *b, const struct call *c, const char *line, size_t n)
{
	struct buf *to = c->begins ? &b->hello : &b->inited;

	buf_reset(to);
	buf_put(to, line, n);
	if (!c->begins)
		return;
	json_decref(b->hello_id);
	b->hello_id = json_incref(c->id);
}

static void take(struct bridge *b, json_t *said, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	json_t *id = json_object_get(said, "id");
	const bool asks = method != NULL && id != NULL;
	struct call *c;

	if (is_cancelled(b, said))
		return;
	c = call_new(b, asks ? CALL_REQUEST : CALL_NOTE);
	if (c == NULL) {
		refuse(b, asks ? id : NULL);
		return;
	}
	c->id = asks ? json_incref(id) : NULL;
	c->begins = asks && strcmp(method, "initialize") == 0;
	c->begun = !asks && method != NULL && strcmp(method, "notifications/initialized") == 0;
	if (c->begins || c->begun)
		keep(b, c, line, n);
	post(b, c, said, line, n);
}

void said_line(struct bridge *b, const char *line, size_t n)
{
	struct mistake m;
	json_t *said = parse_json_within(line, n, BRIDGE_DEPTH_MAX, BRIDGE_VALUES_MAX, &m);

	if (json_is_object(said))
		take(b, said, line, n);
	else
		b->over = true; /* the gate says no such thing */
	json_decref(said);
}

bool said_must_wait(const struct bridge *b)
{
	unsigned notes = 0;

	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++) {
		const struct call *c = &b->calls[i];

		if (c->kind != CALL_FREE && (c->begins || c->begun || c->opens_ms != 0))
			return true; /* what comes next needs the session, and where its server can ask */
		notes += c->kind > CALL_REQUEST;
	}
	return notes >= BRIDGE_NOTES_MAX - 2; /* the standing stream and the end have room */
}
