/* What the server says: hostile bytes. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "bridge/bridge.h"
#include "rpc/parse.h"

#define INTERNAL_ERROR (-32603)
#define COMPLAINT_MAX (64u << 10)

/* ---- to the gate ---- */

static void answer(struct bridge *b, const struct call *c, const struct err *e)
{
	auto_free char *id = json_dumps(c->id, JSON_ENCODE_ANY | JSON_COMPACT);
	struct json j;

	if (id == NULL)
		return;
	buf_printf(&b->bytes, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,", id, INTERNAL_ERROR);
	json_begin(&j, &b->bytes);
	json_put_name(json_put_key(&j, "message"), e->msg);
	json_put_object(json_put_key(&j, "data"));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)e->code));
	if (e->why[0] != 0)
		json_put_name(json_put_key(&j, "why"), e->why);
	if (e->hint[0] != 0)
		json_put_name(json_put_key(&j, "hint"), e->hint);
	json_put_object_end(&j);
	buf_printf(&b->bytes, "}}\n");
}

static void fail(struct call *c, const struct err *e)
{
	if (c->kind == CALL_REQUEST && !c->answered && !c->own)
		answer(c->of, c, e);
	c->answered = true;
}

void heard_nothing(struct bridge *b, struct call *c, enum ambit_code code, const char *hint, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	struct err e;
	va_list list;

	va_start(list, fmt);
	(void)vsnprintf(text, sizeof text, fmt, list);
	va_end(list);
	(void)err_set(&e, code, hint, "%s", text);
	c->of = b;
	fail(c, &e);
}

static void stray(struct bridge *b)
{
	b->over = b->over || ++b->stray >= BRIDGE_STRAY_MAX;
}

/* As one line: an end of a line in it stands between values, since it was read strictly. */
static void put_line(struct bridge *b, const char *text, size_t n)
{
	for (size_t from = 0; from < n;) {
		size_t to = from;

		while (to < n && text[to] != '\n' && text[to] != '\r')
			to++;
		buf_put(&b->bytes, text + from, to - from);
		if (to < n)
			buf_put_u8(&b->bytes, ' ');
		from = to + 1;
	}
	buf_put_u8(&b->bytes, '\n');
}

/* ---- messages ---- */

static bool is_version(const char *text)
{
	const size_t n = text == NULL ? 0 : strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((text[i] < '0' || text[i] > '9') && (text[i] < 'a' || text[i] > 'z') && text[i] != '-' &&
		    text[i] != '.')
			return false;
	return n > 0 && n < BRIDGE_VERSION_MAX;
}

static void on_result(struct bridge *b, const struct call *c, const json_t *said)
{
	const json_t *result = json_object_get(said, "result");
	const char *version = json_string_value(json_object_get(result, "protocolVersion"));

	if (c->begins && result != NULL && is_version(version))
		(void)text_copy(b->version, sizeof b->version, version); /* it fits */
	if (c->modern && json_is_array(json_object_get(result, "tools")))
		param_learn(b->params, result);
}

/* One object. Its answer counts on its own stream alone, and once. */
static void take_message(struct call *c, const char *text, size_t n)
{
	struct bridge *b = c->of;
	struct mistake m;
	json_t *said = parse_json_within(text, n, BRIDGE_DEPTH_MAX, BRIDGE_VALUES_MAX, &m);

	if (!json_is_object(said)) {
		stray(b);
		heard_nothing(b, c, AMBIT_MALFORMED, NULL, "what the server answered is no message: %s",
			      said == NULL ? m.err.msg : "it is a list");
	} else if (json_object_get(said, "method") != NULL) {
		put_line(b, text, n);
	} else if (c->kind == CALL_REQUEST && !c->answered && json_equal(json_object_get(said, "id"), c->id)) {
		c->answered = true;
		c->good = json_object_get(said, "result") != NULL;
		on_result(b, c, said);
		if (!c->own)
			put_line(b, text, n);
	} else {
		stray(b);
	}
	json_decref(said);
}

/* ---- heads ---- */

static bool is_type(const struct http_head *h, const char *type)
{
	const struct http_field *f = http_head_find(h, "content-type");
	size_t n = 0;
	struct http_text essence;

	if (f == NULL)
		return false;
	while (n < f->value.n && f->value.at[n] != ';')
		n++;
	essence = http_trimmed(f->value.at, n);
	return http_text_is(&essence, type);
}

static void take_session(struct bridge *b, const struct http_head *h)
{
	const struct http_field *f = http_head_find(h, "mcp-session-id");

	b->session[0] = 0;
	b->n_sessions++;
	if (f == NULL || f->value.n >= sizeof b->session)
		return;
	for (size_t i = 0; i < f->value.n; i++)
		if (f->value.at[i] < 0x21 || f->value.at[i] > 0x7e)
			return;
	(void)snprintf(b->session, sizeof b->session, "%.*s", (int)f->value.n, f->value.at); /* it fits */
}

static bool refuse_kind(struct call *c, const struct http_head *h)
{
	const struct http_field *f = http_head_find(h, "content-type");
	char shown[128];

	heard_nothing(c->of, c, AMBIT_PROTOCOL, "is this the address of a server of the Model Context Protocol?",
		      "the server answered with HTTP %u and neither JSON nor events, but %s", h->status,
		      f == NULL ? "nothing" : text_escape(shown, sizeof shown, f->value.at, f->value.n));
	return false;
}

/* Which is none of ours to follow: the token was given to the server that the person named. */
static bool refuse_redirect(struct call *c, const struct http_head *h)
{
	const struct http_field *f = http_head_find(h, "location");
	char shown[256];

	heard_nothing(c->of, c, AMBIT_DENIED, "if you trust it, name that address with --url",
		      "the server points to another address, which is not followed: %s",
		      f == NULL ? "it does not say which" : text_escape(shown, sizeof shown, f->value.at, f->value.n));
	return false;
}

static bool head_of_request(struct call *c, const struct http_head *h)
{
	const bool plain = http_head_find(h, "content-encoding") == NULL ||
			   http_head_lists_only(h, "content-encoding", (const char *const[]){ "identity", NULL });

	if (h->status >= 300 && h->status < 400)
		return refuse_redirect(c, h);
	if (h->status >= 400) {
		c->body_kind = BODY_COMPLAINT;
		return true;
	}
	if (c->begins)
		take_session(c->of, h);
	if (plain && is_type(h, "text/event-stream"))
		c->body_kind = BODY_EVENTS;
	else if (plain && is_type(h, "application/json"))
		c->body_kind = BODY_JSON;
	else
		return refuse_kind(c, h);
	return true;
}

/* A token is renewed while servers may take the old one no longer. Who is refused for that was not heard, so it is asked once more. */
static bool repeats(struct call *c, const struct http_head *h)
{
	struct talk *t = &c->talk;

	if (h->status != 401 || !c->of->welcome || c->repeated || c->resumes || c->kind > CALL_NOTE ||
	    t->sent < t->out.len)
		return false;
	c->repeated = true;
	c->request = t->out;
	t->out = (struct buf){ .max = 0 };
	t->sent = 0;
	c->again_ms = clock_ms() + BRIDGE_TOKEN_MS;
	return true;
}

static bool on_head(void *arg, const struct http_head *h)
{
	struct call *c = arg;

	if (repeats(c, h) || session_is_lost(c, h))
		return false;
	c->of->welcome = c->of->welcome || h->status < 300;

	c->status = h->status;
	c->opens_ms = 0;
	c->body_kind = BODY_NONE;
	buf_finish(&c->body);
	if (c->kind == CALL_REQUEST)
		return head_of_request(c, h);
	if (c->kind == CALL_STREAM && h->status == 200 && is_type(h, "text/event-stream")) {
		c->body_kind = BODY_EVENTS;
		return true;
	}
	return c->kind != CALL_STREAM; /* the bodies of others are passed over */
}

/* ---- bodies ---- */

static size_t held(const struct bridge *b)
{
	size_t n = 0;

	for (size_t i = 0; i < BRIDGE_CALLS_MAX; i++)
		n += b->calls[i].request.len + b->calls[i].body.len + b->calls[i].events.line.len +
		     b->calls[i].events.data.len;
	return n;
}

static bool too_much(struct call *c)
{
	heard_nothing(c->of, c, AMBIT_LIMIT, NULL,
		      "the server's answer is longer than %u MiB, or too many are on their way", BRIDGE_BODY_MAX >> 20);
	c->again_ms = 0;
	return false;
}

static bool take_events(struct call *c, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		size_t taken = 0;
		const enum sse_result r = sse_take(&c->events, bytes, n, &taken);

		if (r == SSE_BAD)
			return too_much(c);
		if (r == SSE_EVENT) {
			c->tries = 0;
			take_message(c, (const char *)c->events.data.data, c->events.data.len);
		}
		bytes += taken;
		n -= taken;
		if (c->kind == CALL_REQUEST && c->answered)
			return false; /* nothing of it is wanted any more */
	}
	return true;
}

static bool on_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct call *c = arg;
	const size_t most = c->body_kind == BODY_JSON ? BRIDGE_BODY_MAX : COMPLAINT_MAX;

	if (c->of->over)
		return false;
	if (held(c->of) + n > BRIDGE_HELD_MAX)
		return too_much(c);
	if (c->body_kind == BODY_EVENTS)
		return take_events(c, bytes, n);
	if (c->body_kind == BODY_NONE)
		return (c->passed += n) < COMPLAINT_MAX;
	c->body.max = most;
	buf_put(&c->body, bytes, n);
	return !c->body.failed || (c->body_kind == BODY_JSON ? too_much(c) : false);
}

const struct talk_ear heard_ear = { .head = on_head, .data = on_data };

/* ---- ends ---- */

/* Of a refusal in Ambit's own form (http/refusal.h), or in JSON-RPC's. */
static void complain(const struct json_t *said, struct err *e)
{
	const json_t *error = json_object_get(said, "error");
	const char *text = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	char shown[ERR_WHY_MAX];

	if (text == NULL)
		text = json_string_value(json_object_get(said, "error_description"));
	if (text != NULL)
		(void)err_why(e, -(int)e->code, "%s", text_escape(shown, sizeof shown, text, strlen(text)));
	if (hint != NULL)
		(void)text_escape(e->hint, sizeof e->hint, hint, strlen(hint));
}

static void refused(struct call *c)
{
	struct mistake m;
	json_t *said = c->body.len == 0 ? NULL
					: parse_json_within((const char *)c->body.data, c->body.len, BRIDGE_DEPTH_MAX,
							    BRIDGE_VALUES_MAX, &m);
	const bool is_answer = json_is_object(json_object_get(said, "error")) && json_object_size(said) == 3 &&
			       json_equal(json_object_get(said, "id"), c->id);
	struct err e;

	if (is_answer) {
		take_message(c, (const char *)c->body.data, c->body.len);
	} else {
		(void)err_set(
			&e, c->status == 401 || c->status == 403 ? AMBIT_DENIED : AMBIT_PROTOCOL,
			c->status == 401
				? "it wants a token: `ambit secret login NAME URL`, or one of yours by --secret NAME"
			: c->status == 404 && c->of->session[0] != 0
				? "its session is over: end this one, and begin again"
				: "is this the address of a server of the Model Context Protocol?",
			"the server refused the request: HTTP %u", c->status);
		complain(said, &e);
		fail(c, &e);
	}
	json_decref(said);
}

/* Asks for the rest of its events, from the last that came on. */
static bool goes_on(struct call *c)
{
	struct sse *s = &c->events;
	const bool can = !c->modern && !c->of->said_all && (c->kind == CALL_STREAM || s->id[0] != 0) &&
			 (c->body_kind == BODY_EVENTS || c->resumes);
	uint64_t wait_ms = s->has_retry ? s->retry_ms : BRIDGE_AGAIN_MS << (c->tries < 5 ? c->tries : 5);

	if (!can || (c->status >= 400 && c->resumes) || (c->kind == CALL_REQUEST && c->tries >= BRIDGE_TRIES_MAX))
		return false;
	c->tries++;
	wait_ms = wait_ms < BRIDGE_SOONEST_MS ? BRIDGE_SOONEST_MS : wait_ms;
	if (c->kind == CALL_STREAM && c->tries > BRIDGE_TRIES_MAX && wait_ms < SSE_RETRY_MAX)
		wait_ms = SSE_RETRY_MAX; /* it ends each time without having said anything */
	c->again_ms = clock_ms() + wait_ms;
	return true;
}

static void broken(struct call *c, enum talk_result how)
{
	if (how == TALK_FAILED)
		heard_nothing(c->of, c, AMBIT_GONE, "`ambit explain last` tells more, when the server has ended",
			      "the server cannot be reached, or is not the one that was named");
	else
		heard_nothing(c->of, c, AMBIT_GONE, "what it did is not known: look before you ask again",
			      "the server ended the connection before it had answered");
}

static void begin_stream(struct bridge *b)
{
	struct call *c = b->said_all ? NULL : call_new(b, CALL_STREAM);

	if (c == NULL)
		return;
	c->opens_ms = clock_ms() + BRIDGE_OPENS_MS;
	if (!ask_stream(b, c))
		call_free(c);
}

/* Its part of a request is over. */
static void end_request(struct call *c, enum talk_result how)
{
	if (how == TALK_WHOLE && c->body_kind == BODY_COMPLAINT)
		refused(c);
	else if (how == TALK_WHOLE && c->body_kind == BODY_JSON && c->body.len > 0)
		take_message(c, (const char *)c->body.data, c->body.len);
	if (!c->answered && how == TALK_WHOLE)
		heard_nothing(c->of, c, AMBIT_PROTOCOL, NULL, "what the server answered is no answer to it");
	else if (!c->answered)
		broken(c, how);
}

void heard_end(struct bridge *b, struct call *c, enum talk_result how)
{
	const bool begun = c->begun && how == TALK_WHOLE && c->status >= 200 && c->status < 300;

	c->opens_ms = 0;
	if (c->waits)
		session_begin(b, c);
	if (c->kind == CALL_FREE || c->request.len > 0)
		return;
	if (!c->answered && (c->kind == CALL_REQUEST || c->kind == CALL_STREAM) && how != TALK_LEFT && goes_on(c))
		return;
	if (c->kind == CALL_REQUEST)
		end_request(c, how);
	if (c->kind == CALL_BYE)
		b->over = true;
	if (c->own)
		session_answered(b, c, c->begins ? c->good : begun);
	call_free(c);
	if (begun)
		begin_stream(b);
}
