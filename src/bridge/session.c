/* A session that the server forgot (2025-11-25): one more is begun, as the client began the first, and what was refused for that is asked again, once. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "bridge/bridge.h"

/* The tools may be others now: whoever keeps a list of them looks again. */
static const char changed[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n";

bool session_is_lost(struct call *c, const struct http_head *h)
{
	const struct bridge *b = c->of;
	struct talk *t = &c->talk;
	const uint8_t *end;
	size_t head;

	if (h->status != 404 || c->of_session == 0 || b->hello.len == 0 || c->kind != CALL_REQUEST || c->modern ||
	    c->begins || c->rebegun || c->resumes || t->sent < t->out.len)
		return false;
	end = memmem(t->out.data, t->out.len, "\r\n\r\n", 4); /* our own head has it at its end, and nowhere else */
	if (end == NULL)
		return false;
	head = (size_t)(end - t->out.data) + 4;
	c->request = t->out;
	t->out = (struct buf){ .max = 0 };
	t->sent = 0;
	buf_drop(&c->request, head);
	c->rebegun = c->waits = c->is_body = true;
	return true;
}

static bool post_own(struct bridge *b, const struct buf *line, bool begins)
{
	struct call *c = call_new(b, CALL_NOTE);

	if (c == NULL)
		return false;
	c->kind = begins ? CALL_REQUEST : CALL_NOTE;
	c->own = true;
	c->begins = begins;
	c->begun = !begins;
	c->id = begins ? json_incref(b->hello_id) : NULL;
	if (ask_post(b, c, NULL, (const char *)line->data, line->len))
		return true;
	call_free(c);
	return false;
}

void session_begin(struct bridge *b, struct call *c)
{
	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++)
		if (b->calls[i].kind != CALL_FREE && b->calls[i].own)
			return;              /* it is on its way */
	if (c->of_session < b->n_sessions) { /* there is another by now */
		c->waits = false;
		c->again_ms = clock_ms();
		return;
	}
	(void)text_copy(b->lost, sizeof b->lost, b->session); /* of the same size, as the other */
	(void)text_copy(b->lost_version, sizeof b->lost_version, b->version);
	b->session[0] = b->version[0] = 0;
	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++)
		if (b->calls[i].kind == CALL_STREAM)
			call_free(&b->calls[i]); /* of the old one */
	if (!post_own(b, &b->hello, true))
		session_ended(b, false);
}

/* What waits is asked again, or has its answer. */
static void release(struct bridge *b, bool good)
{
	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++) {
		struct call *c = &b->calls[i];

		if (c->kind == CALL_FREE || !c->waits)
			continue;
		c->waits = false;
		c->again_ms = good ? clock_ms() : 0;
		if (good)
			continue;
		heard_nothing(b, c, AMBIT_GONE, "end this one, and begin again",
			      "the server forgot its session, and began no other");
		call_free(c);
	}
}

void session_ended(struct bridge *b, bool good)
{
	if (good) {
		buf_put(&b->bytes, changed, sizeof changed - 1);
	} else { /* so that it is tried again with the next request */
		(void)text_copy(b->session, sizeof b->session, b->lost);
		(void)text_copy(b->version, sizeof b->version, b->lost_version);
	}
	release(b, good);
}

void session_answered(struct bridge *b, const struct call *c, bool good)
{
	if (c->begins && good && post_own(b, &b->inited, false))
		return;
	session_ended(b, good && !c->begins);
}
