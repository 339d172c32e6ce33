/* A server for each call: lists and all else are the first one's, which is there for as long as its client. A call is said to one that has begun as the first did, and heard nothing else; its answer is told when the command line
 * has ended it, and said what became of its changes. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "many/many.h"

enum { INTERNAL = -32603 };
enum { OWN_BEGIN = 1, OWN_CALL }; /* what one is asked has these ids */

static const char *const at_id[] = { "id", NULL };

/* ---- what the command line is told ---- */

static void tell_owner(struct many *m, enum wire_number number, uint32_t call, uint32_t good)
{
	const struct many_call c = { .number = call, .good = good };
	uint8_t room[16];
	struct buf body;
	struct err e;

	buf_init_in(&body, room, sizeof room);
	many_call_put(&body, &c);
	(void)port_send(&m->owner, number, &body, &e); /* who is gone is seen elsewhere */
}

/* ---- one call ---- */

static struct call *call_of_id(struct many *m, const char *id)
{
	for (unsigned i = 1; i < MANY_SERVERS_MAX; i++)
		if (m->calls[i].state != CALL_NONE && !m->calls[i].cancelled && strcmp(m->calls[i].id, id) == 0)
			return &m->calls[i];
	return NULL;
}

static void free_call(struct many *m, unsigned at)
{
	struct server *s = &m->servers[at];

	for (size_t i = 0; i < MANY_ASKED_MAX; i++)
		if (m->called[i].used && m->called[i].server == at && !m->called[i].cancelled) {
			m->called[i].cancelled = true;
			note_cancelled(&m->client.bytes, m->called[i].own);
		}
	buf_finish(&m->calls[at].line);
	m->calls[at] = (struct call){ .state = CALL_NONE };
	side_finish(&s->side);
	side_init(&s->side, -1, -1);
	s->state = SERVER_GONE;
}

static void end_call(struct many *m, unsigned at, bool good)
{
	struct call *c = &m->calls[at];

	c->state = CALL_ENDS;
	m->servers[at].side.deaf = true;
	tell_owner(m, WIRE_FRESH_OVER, c->number, good);
	if (good) /* it ends by itself, and the command line knows before that that it may */
		fd_close(&m->servers[at].side.out);
}

static void fail_call(struct many *m, unsigned at, const struct err *e)
{
	struct call *c = &m->calls[at];

	buf_finish(&c->line);
	buf_init(&c->line, 4096);
	answer_error(&c->line, c->id, INTERNAL, e);
}

static int begin_call(struct many *m, const json_t *id, const char *line, size_t n, struct err *e)
{
	unsigned at = 1;
	struct call *c;

	while (at < MANY_SERVERS_MAX && m->calls[at].state != CALL_NONE)
		at++;
	if (at == MANY_SERVERS_MAX)
		return err_set(e, AMBIT_LIMIT, "wait for some of the answers", "%u calls are not answered yet", at - 1);
	c = &m->calls[at];
	*c = (struct call){ .state = CALL_WANTED, .number = ++m->last_call };
	(void)id_take(id, c->id); /* it was taken before */
	buf_init(&c->line, n + GUARD_ID_MAX);
	buf_put(&c->line, line, n);
	if (!draft_set(&c->line, at_id, "2") || c->line.failed) {
		free_call(m, at);
		return err_set(e, AMBIT_MALFORMED, "write \"id\" without escapes",
			       "the id of the request cannot be found in its line");
	}
	tell_owner(m, WIRE_FRESH_WANT, c->number, 1);
	return 0;
}
_Static_assert(OWN_CALL == 2, "it is written so");

static void say_call(struct many *m, unsigned at)
{
	struct buf *out = &m->servers[at].side.bytes;

	if (m->first != NULL)
		buf_printf(out, "%s\n", m->first);
	buf_put(out, m->calls[at].line.data, m->calls[at].line.len);
	buf_put_u8(out, '\n');
	buf_finish(&m->calls[at].line);
	m->calls[at].state = CALL_SENT;
}

void fresh_given(struct many *m, uint32_t number, int to, int from)
{
	unsigned at = 1;
	struct server *s;

	while (at < MANY_SERVERS_MAX && (m->calls[at].state != CALL_WANTED || m->calls[at].number != number))
		at++;
	if (at == MANY_SERVERS_MAX) {
		fd_close(&to);
		fd_close(&from);
		return;
	}
	s = &m->servers[at];
	side_finish(&s->side);
	side_init(&s->side, from, to);
	s->state = SERVER_READY;
	m->n = at >= m->n ? at + 1 : m->n;
	if (m->calls[at].cancelled) {
		end_call(m, at, false);
	} else if (m->begin != NULL) {
		buf_printf(&s->side.bytes, "%s\n", m->begin);
		m->calls[at].state = CALL_BEGINS;
	} else {
		say_call(m, at);
	}
}

void fresh_done(struct many *m, const struct many_done *d)
{
	for (unsigned at = 1; at < MANY_SERVERS_MAX; at++) {
		struct call *c = &m->calls[at];

		if (c->state == CALL_NONE || c->number != d->number)
			continue;
		if (d->why.code != AMBIT_OK)
			fail_call(m, at, &d->why);
		if (!c->cancelled)
			buf_put(&m->client.bytes, c->line.data, c->line.len);
		free_call(m, at);
		return;
	}
}

/* ---- what the gate says ---- */

static void to_first(struct many *m, const char *id, bool begins, const char *line, size_t n)
{
	struct asked *a = server_takes(m, 0) ? asked_new(m, m->asked, 0) : NULL;
	auto_buf b = { .max = n + GUARD_ID_MAX };
	struct err e;
	char own[24];

	buf_put(&b, line, n);
	if (a != NULL) {
		(void)text_copy(a->id, sizeof a->id, id); /* same size */
		(void)snprintf(own, sizeof own, "%llu", (unsigned long long)a->own);
	}
	if (a == NULL || b.failed || !draft_set(&b, at_id, own)) {
		(void)err_set(&e, m->servers[0].state == SERVER_GONE ? AMBIT_GONE : AMBIT_LIMIT, NULL,
			      "the server takes no more now");
		if (a != NULL)
			a->used = false;
		refuse_client(m, id, INTERNAL, &e);
		return;
	}
	buf_put(&m->servers[0].side.bytes, b.data, b.len);
	buf_put_u8(&m->servers[0].side.bytes, '\n');
	if (begins && m->begin == NULL && draft_set(&b, at_id, "1") && buf_cstr(&b) != NULL)
		m->begin = strdup((const char *)b.data);
}

static void on_cancelled(struct many *m, const json_t *params)
{
	char id[GUARD_ID_MAX];
	struct asked *a;
	struct call *c;

	if (!id_take(json_object_get(params, "requestId"), id))
		return;
	c = call_of_id(m, id);
	a = c == NULL ? asked_of_id(m->asked, id, 0) : NULL;
	if (a != NULL) {
		a->cancelled = true;
		note_cancelled(&m->servers[0].side.bytes, a->own);
	} else if (c != NULL) {
		c->cancelled = true;
		if (c->state == CALL_BEGINS || c->state == CALL_SENT)
			end_call(m, (unsigned)(c - m->calls), false);
	}
}

static void on_note(struct many *m, const json_t *said, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));

	if (strcmp(method, "notifications/cancelled") == 0) {
		on_cancelled(m, json_object_get(said, "params"));
		return;
	}
	if (strcmp(method, "notifications/progress") == 0) {
		client_progress(m, json_object_get(said, "params"), line, n);
		return;
	}
	if (strcmp(method, "notifications/initialized") == 0 && m->first == NULL)
		m->first = strndup(line, n);
	buf_put(&m->servers[0].side.bytes, line, n);
	buf_put_u8(&m->servers[0].side.bytes, '\n');
}

static void on_request(struct many *m, const json_t *said, const char *id, const char *line, size_t n)
{
	const char *method = json_string_value(json_object_get(said, "method"));
	struct err e;

	if (strcmp(method, "tools/call") != 0)
		to_first(m, id, strcmp(method, "initialize") == 0, line, n);
	else if (begin_call(m, json_object_get(said, "id"), line, n, &e) < 0)
		refuse_client(m, id, INTERNAL, &e);
}

/* The gate says nothing that is not good; so it is not told what is wrong. */
void fresh_client_line(struct many *m, const char *line, size_t n)
{
	char id[GUARD_ID_MAX];
	struct err e;
	json_t *said = line_read(line, n, &e);

	if (said != NULL && said_check(said, &e) == 0) {
		if (json_object_get(said, "method") == NULL)
			client_answer(m, said, line, n);
		else if (json_object_get(said, "id") == NULL)
			on_note(m, said, line, n);
		else if (id_take(json_object_get(said, "id"), id))
			on_request(m, said, id, line, n);
	}
	json_decref(said);
}

/* ---- what the servers say ---- */

static void on_answer_of_call(struct many *m, unsigned at, const json_t *said, const char *line, size_t n)
{
	const json_t *result = json_object_get(said, "result");
	const json_int_t own = json_integer_value(json_object_get(said, "id"));
	struct call *c = &m->calls[at];
	struct err e;

	if (c->state == CALL_BEGINS && own == OWN_BEGIN && result != NULL) {
		say_call(m, at);
	} else if (c->state == CALL_BEGINS && own == OWN_BEGIN) {
		(void)err_set(&e, AMBIT_GONE, NULL, "a server that was started for this call did not begin");
		fail_call(m, at, &e);
		end_call(m, at, false);
	} else if (c->state == CALL_SENT && own == OWN_CALL) {
		buf_init(&c->line, n + GUARD_ID_MAX + 1);
		buf_put(&c->line, line, n);
		if (!draft_set(&c->line, at_id, c->id) || c->line.failed) {
			(void)err_set(&e, AMBIT_PROTOCOL, NULL, "the id of the answer cannot be found in its line");
			fail_call(m, at, &e);
		} else {
			buf_put_u8(&c->line, '\n');
		}
		end_call(m, at, result != NULL && !json_is_true(json_object_get(result, "isError")));
	}
}

static bool says_of_lists(const json_t *said)
{
	const char *method = json_string_value(json_object_get(said, "method"));

	return strstr(method, "list_changed") != NULL;
}

void fresh_server_line(struct many *m, unsigned at, const char *line, size_t n)
{
	char id[GUARD_ID_MAX];
	struct err e;
	json_t *said = line_read(line, n, &e);

	if (said == NULL || said_check(said, &e) < 0 || (at > 0 && m->calls[at].state == CALL_ENDS)) {
		/* nobody waits for it */
	} else if (json_object_get(said, "method") == NULL && at > 0) {
		on_answer_of_call(m, at, said, line, n);
	} else if (json_object_get(said, "method") == NULL) {
		server_answer(m, at, said, line, n);
	} else if (json_object_get(said, "id") != NULL) {
		if (id_take(json_object_get(said, "id"), id) && asked_of_id(m->called, id, (int)at) == NULL)
			server_request(m, at, said, id, line, n);
	} else if (strcmp(json_string_value(json_object_get(said, "method")), "notifications/cancelled") == 0) {
		server_cancelled(m, at, json_object_get(said, "params"));
	} else if (at == 0 || !says_of_lists(said)) { /* of lists the first one says */
		buf_put(&m->client.bytes, line, n);
		buf_put_u8(&m->client.bytes, '\n');
	}
	json_decref(said);
}

void fresh_server_ended(struct many *m, unsigned at)
{
	struct call *c = &m->calls[at];
	struct err e;

	m->servers[at].state = SERVER_GONE;
	if (at == 0 || (c->state != CALL_BEGINS && c->state != CALL_SENT))
		return;
	(void)err_set(&e, AMBIT_GONE, NULL, "the server that was started for this call ended");
	fail_call(m, at, &e);
	end_call(m, at, false);
}
