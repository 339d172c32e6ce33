/* What the daemon, and the role of a session, say. */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "rpc/rpc.h"

/* ---- rows that are collected ---- */

/* As one more object of the list; members are put by the caller. */
static void begin_row(struct request *q, struct json *j)
{
	json_begin(j, &q->kept);
	j->comma = q->count++ > 0;
	json_put_object(j);
}

static void answer_rows(struct rpc *r, struct request *q, const char *key, bool more)
{
	struct json j;

	if (q->id[0] != 0 && !q->kept.failed) {
		say_result(&j, &r->out, q->id);
		json_put_array(json_put_key(&j, key));
		json_put_made(&j, q->kept.data, q->kept.len);
		json_put_array_end(&j);
		json_put_bool(json_put_key(&j, "more"), more);
		say_result_end(&j);
	}
	request_free(q);
}

/* The one row that was asked for is an object already. */
static void answer_row(struct rpc *r, struct request *q, const char *what)
{
	struct err e;

	if (q->count == 0) {
		(void)err_set(&e, AMBIT_NOT_FOUND, NULL, "there is no such %s", what);
		request_fail(r, q, &e);
		return;
	}
	if (q->id[0] != 0) {
		buf_printf(&r->out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", q->id);
		buf_put(&r->out, q->kept.data, q->kept.len);
		buf_printf(&r->out, "}\n");
	}
	request_free(q);
}

/* ---- the daemon ---- */

static void on_session_row(struct rpc *r, const struct session_row *row)
{
	struct request *q = request_of(r, row->request, AWAIT_SESSIONS);
	struct json j;

	if (q == NULL || q->count >= SERVE_PAGE)
		return;
	if (q->method == METHOD_SESSION_SHOW && (q->count > 0 || strcmp(row->session, q->session) != 0))
		return;
	begin_row(q, &j);
	say_session(&j, row);
	json_put_object_end(&j);
}

static void on_narrowed(struct rpc *r, struct request *q)
{
	struct err why;

	(void)err_set(&why, AMBIT_GONE, NULL, "this connection was narrowed to session %s", q->session);
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL && strcmp(r->channels[i]->session, q->session) != 0)
			channel_drop(r, r->channels[i], &why);
	request_done(r, q);
}

static void on_daemon_done(struct rpc *r, const struct link_number *n)
{
	struct request *rows = request_of(r, n->request, AWAIT_SESSIONS);
	struct request *narrowed = request_of(r, n->request, AWAIT_NARROWED);

	if (narrowed != NULL)
		on_narrowed(r, narrowed);
	else if (rows != NULL && rows->method == METHOD_SESSION_SHOW)
		answer_row(r, rows, "session");
	else if (rows != NULL)
		answer_rows(r, rows, "sessions", n->value >= SERVE_PAGE);
}

static void on_status(struct rpc *r, const struct serve_status *s)
{
	struct request *q = request_of(r, s->request, AWAIT_STATUS);
	struct json j;

	if (q == NULL)
		return;
	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_count(json_put_key(&j, "pid"), s->pid);
		json_put_ms(json_put_key(&j, "started"), s->started_ms);
		json_put_count(json_put_key(&j, "clients"), s->clients);
		json_put_count(json_put_key(&j, "clients_now"), s->clients_now);
		json_put_count(json_put_key(&j, "sessions_now"), s->sessions_now);
		json_put_count(json_put_key(&j, "running_now"), s->running_now);
		json_put_count(json_put_key(&j, "sessions_made"), s->sessions_made);
		json_put_count(json_put_key(&j, "events_taken"), s->events_taken);
		json_put_count(json_put_key(&j, "events_ended"), s->events_ended);
		json_put_count(json_put_key(&j, "events_failed"), s->events_failed);
		json_put_count(json_put_key(&j, "events_interrupted"), s->events_interrupted);
		json_put_count(json_put_key(&j, "denials"), s->denials);
		json_put_count(json_put_key(&j, "refused"), s->refused);
		say_result_end(&j);
	}
	request_free(q);
}

/* Its role speaks first. */
static void on_channel(struct rpc *r, const struct serve_name *name, struct wire_message *m)
{
	struct request *q = request_of(r, name->request, AWAIT_CHANNEL);
	struct channel *c;
	struct err e;

	if (q == NULL)
		return; /* the descriptor goes with the message */
	c = channel_new(r, steal_fd(&m->fds[0]), name->session);
	if (c == NULL) {
		(void)err_set(&e, AMBIT_MEMORY, NULL, "no memory for the session");
		request_fail(r, q, &e);
		return;
	}
	c->opening = q->number;
	q->awaits = AWAIT_READY;
}

static bool on_daemon_failed(struct rpc *r, struct rbuf *in)
{
	uint32_t number;
	struct err e;

	(void)link_failed_take(in, &number, &e);
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits > AWAIT_NOW && q->number == number && q->channel == NULL && q->awaits != AWAIT_READY)
			request_fail(r, q, &e);
	}
	return !in->failed;
}

static bool on_hello(struct rpc *r, struct rbuf *in)
{
	const bool is = serve_hello_take(in, &r->daemon_is) && r->daemon_is.revision == SESSION_REVISION;

	r->greeted = r->greeted || is;
	return is;
}

static bool hear_daemon(struct rpc *r, struct wire_message *m)
{
	union {
		struct serve_name name;
		struct session_row row;
		struct link_number number;
		struct serve_status status;
		struct link_halted halted;
	} v;

	switch ((int)m->number) {
	case WIRE_SERVE_HELLO: return on_hello(r, &m->body);
	case WIRE_SERVE_CHANNEL:
		if (!serve_name_take(&m->body, &v.name))
			return false;
		on_channel(r, &v.name, m);
		return true;
	case WIRE_SERVE_ROW:
		if (!session_row_take(&m->body, &v.row))
			return false;
		on_session_row(r, &v.row);
		return true;
	case WIRE_SERVE_DONE:
		if (!link_number_take(&m->body, &v.number))
			return false;
		on_daemon_done(r, &v.number);
		return true;
	case WIRE_SERVE_TOLD:
		if (!serve_status_take(&m->body, &v.status))
			return false;
		on_status(r, &v.status);
		return true;
	case WIRE_SERVE_HALTED:
		if (!link_halted_take(&m->body, &v.halted))
			return false;
		rpc_halted(r, NULL, &v.halted);
		return true;
	case WIRE_SERVE_FAILED: return on_daemon_failed(r, &m->body);
	default: return false;
	}
}

bool rpc_told_by_daemon(struct rpc *r)
{
	auto_message m = { .n_fds = 0 };
	const int rc = wire_receive(r->daemon.fd, WIRE_DAEMON, r->greeted ? WIRE_RUNNING : WIRE_NEW, r->room,
				    sizeof r->room, &m);

	return rc == -EAGAIN || (rc > 0 && hear_daemon(r, &m));
}

/* ---- a session's role ---- */

static void answer_session(struct rpc *r, struct request *q, const struct session_ready *ready)
{
	struct json j;

	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		say_session(&j, &ready->row);
		json_put_count(json_put_key(&j, "next"), ready->next);
		json_put_count(json_put_key(&j, "oldest"), ready->oldest);
		say_result_end(&j);
	}
	request_free(q);
}

/* A session that was open already keeps its first channel: what is followed there goes on. */
static bool on_ready(struct rpc *r, struct channel *c, struct rbuf *in)
{
	struct request *q = request_of(r, c->opening, AWAIT_READY);
	struct session_ready ready;
	struct err none;

	if (c->ready || !session_ready_take(in, &ready) || strcmp(ready.row.session, c->session) != 0)
		return false;
	if (q != NULL)
		answer_session(r, q, &ready);
	c->opening = 0;
	(void)err_set(&none, AMBIT_GONE, NULL, "it is open already"); /* nobody hears it: nothing waits for this one */
	if (channel_of(r, c->session) != NULL)
		channel_drop(r, c, &none);
	else
		c->ready = true;
	return true;
}

static void on_taken(struct rpc *r, struct channel *c, const struct session_taken *t)
{
	struct request *q = request_of(r, t->request, AWAIT_TAKEN);
	struct followed *f;
	struct json j;
	struct err e;
	bool follow, wait;

	if (q == NULL || q->channel != c)
		return;
	follow = q->follow;
	wait = q->wait;
	q->taken = *t;
	q->n = t->n;
	if (!wait && q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_count(json_put_key(&j, "n"), t->n);
		json_put_word(json_put_key(&j, "event"), t->event);
		json_put_bool(json_put_key(&j, "replayed"), t->replayed != 0);
		json_put_null(json_put_key(&j, "row"));
		say_result_end(&j);
	}
	q->awaits = AWAIT_OVER;
	if (!wait)
		request_free(q);
	if (!follow && !wait)
		return;
	f = followed_get(r, c, t->n, &e);
	if (f != NULL && follow)
		followed_tell(f, 0, 0);
	if (f != NULL)
		return;
	if (wait)
		request_fail(r, q, &e);
	else
		followed_lost(
			r, &(struct followed){ .channel = c, .n = t->n, .told = true, .file = { -1, -1 }, .input = -1 },
			&e);
}

static void on_event_row(struct rpc *r, struct channel *c, const struct event_row *row)
{
	struct request *q = request_of(r, c->listing, AWAIT_EVENTS);
	struct json j;

	if (q == NULL || (q->method == METHOD_EVENT_SHOW && row->n != q->n))
		return;
	if (q->count >= q->limit) {
		q->more = true;
		return;
	}
	begin_row(q, &j);
	say_event(&j, row);
	json_put_object_end(&j);
}

static void on_changed(struct rpc *r, const struct channel *c, const struct event_row *row)
{
	struct json j;

	if (!c->watched)
		return;
	say_note(&j, &r->out, NOTE_CHANGED);
	json_put_word(json_put_key(&j, "session"), c->session);
	say_event(&j, row);
	say_note_end(&j);
}

static void on_session_done(struct rpc *r, struct channel *c, const struct link_number *n)
{
	struct request *done = request_of(r, n->request, AWAIT_DONE), *list = request_of(r, n->request, AWAIT_EVENTS);

	struct request *step = request_of(r, n->request, AWAIT_STEP);

	if (step != NULL && step->channel == c)
		step_done(r, step, n->value);
	if (done != NULL && done->channel == c && done->method == METHOD_KERNEL_END && done->wait)
		done->awaits = AWAIT_OVER;
	else if (done != NULL && done->channel == c)
		request_done(r, done);
	if (list == NULL || list->channel != c)
		return;
	if (list->method == METHOD_EVENT_SHOW)
		answer_row(r, list, "event");
	else
		answer_rows(r, list, "events", list->more || list->count >= list->limit);
	list_next(r, c);
}

static bool on_files(struct rpc *r, struct channel *c, struct wire_message *m)
{
	struct rbuf ahead = m->body;
	struct link_number n;
	struct request *q = link_number_take(&ahead, &n) ? request_of(r, n.request, AWAIT_RECORD) : NULL;

	if (q == NULL)
		return followed_got_files(r, c, m);
	if (q->channel == c)
		answer_page(r, q, m->fds[0]);
	return true;
}

static bool on_session_failed(struct rpc *r, struct channel *c, struct rbuf *in)
{
	uint32_t number;
	struct err e;

	(void)link_failed_take(in, &number, &e);
	if (number == 0 && !c->ready) {
		channel_drop(r, c, &e);
		return true;
	}
	if (followed_failed(r, c, number, &e))
		return true;
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits > AWAIT_NOW && q->channel == c && q->number == number)
			request_fail(r, q, &e);
	}
	if (c->listing == number && number != 0)
		list_next(r, c);
	return true;
}

static bool hear_event_row(struct rpc *r, struct channel *c, struct wire_message *m)
{
	struct event_row row;

	if (!event_row_take(&m->body, &row))
		return false;
	if (m->number == WIRE_SESSION_ROW)
		on_event_row(r, c, &row);
	else if (m->number == WIRE_SESSION_CHANGED)
		on_changed(r, c, &row);
	else
		followed_over(r, c, &row);
	return true;
}

static bool hear_session(struct rpc *r, struct channel *c, struct wire_message *m)
{
	union {
		struct session_taken taken;
		struct session_grew grew;
		struct link_number number;
		struct step_row step;
		struct link_halted halted;
	} v;

	switch ((int)m->number) {
	case WIRE_SESSION_READY: return on_ready(r, c, &m->body);
	case WIRE_SESSION_TAKEN:
		if (!session_taken_take(&m->body, &v.taken))
			return false;
		on_taken(r, c, &v.taken);
		return true;
	case WIRE_SESSION_FILES: return on_files(r, c, m);
	case WIRE_SESSION_GREW:
		if (!session_grew_take(&m->body, &v.grew))
			return false;
		followed_grew(r, c, &v.grew);
		return true;
	case WIRE_SESSION_ROW:
	case WIRE_SESSION_CHANGED:
	case WIRE_SESSION_OVER: return hear_event_row(r, c, m);
	case WIRE_SESSION_DONE:
		if (!link_number_take(&m->body, &v.number))
			return false;
		on_session_done(r, c, &v.number);
		return true;
	case WIRE_SESSION_STEPPED:
		if (!step_row_take(&m->body, &v.step))
			return false;
		step_over(r, c, &v.step);
		return true;
	case WIRE_SESSION_HALTED:
		if (!link_halted_take(&m->body, &v.halted))
			return false;
		rpc_halted(r, c, &v.halted);
		return true;
	case WIRE_SESSION_FAILED: return on_session_failed(r, c, &m->body);
	default: return false;
	}
}

bool rpc_told_by_session(struct rpc *r, struct channel *c)
{
	auto_message m = { .n_fds = 0 };
	const int rc = wire_receive(c->port.fd, WIRE_SESSION, c->ready ? WIRE_RUNNING : WIRE_NEW, r->room,
				    sizeof r->room, &m);

	return rc == -EAGAIN || (rc > 0 && hear_session(r, c, &m));
}
