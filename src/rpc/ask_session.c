/* What the role of a session is asked. */
#include <string.h>

#include "rpc/make.h"
#include "rpc/rpc.h"

/* Of one event, answered by SESSION_DONE. */
static int send_event(struct request *q, enum wire_number number, uint32_t a, uint32_t b, struct mistake *m)
{
	const struct session_event v = { .request = q->number, .a = a, .b = b, .n = q->n };

	q->awaits = AWAIT_DONE;
	return channel_ask(q->channel, number, &v, &m->err);
}

int ask_signal(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)r;
	return send_event(q, WIRE_SESSION_SIGNAL, (uint32_t)signal_number(json_object_get(params, "signal")), 0, m);
}

int ask_cancel(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)r;
	(void)params;
	return send_event(q, WIRE_SESSION_CANCEL, 0, 0, m);
}

int ask_resize(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)r;
	return send_event(q, WIRE_SESSION_RESIZE, (uint32_t)param_count(params, "rows", 0),
			  (uint32_t)param_count(params, "columns", 0), m);
}

int ask_leave(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	struct channel *c = q->channel;
	struct err why;

	(void)params;
	(void)m;
	(void)err_set(&why, AMBIT_GONE, "session.open it again", "the session was left");
	request_done(r, q);
	channel_drop(r, c, &why);
	return 0;
}

int ask_end(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	uint8_t room[16];
	struct buf body;

	(void)r;
	(void)params;
	buf_init_in(&body, room, sizeof room);
	link_number_put(&body, &(struct link_number){ .request = q->number });
	q->awaits = AWAIT_DONE;
	return port_send(&q->channel->port, WIRE_SESSION_CLOSE, &body, &m->err);
}

/* ---- running ---- */

/* What will be followed has its place before it begins. */
static int check_room(const struct rpc *r, struct mistake *m)
{
	return followed_count(r) + request_count(r, AWAIT_TAKEN) < RPC_FOLLOWED_MAX
		       ? 0
		       : err_set(&m->err, AMBIT_LIMIT, "unfollow some, or run it with \"follow\": false",
				 "%d events are followed on this connection", RPC_FOLLOWED_MAX);
}

int ask_run(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	auto_buf text = { .max = RUN_BYTES_MAX };
	uint8_t room[16];
	struct buf body;
	int rc = 0;

	q->follow = param_bool(params, "follow", q->method != METHOD_KERNEL_START);
	q->wait = param_bool(params, "wait", false);
	q->brings = param_bool(params, "output", false);
	if (q->follow || q->wait)
		rc = check_room(r, m);
	rc = rc < 0 ? rc : make_run(params, &text, m);
	if (rc < 0)
		return rc;
	buf_init_in(&body, room, sizeof room);
	link_number_put(&body, &(struct link_number){ .request = q->number });
	q->awaits = AWAIT_TAKEN;
	return port_send_parts(&q->channel->port, WIRE_SESSION_PART, &text, WIRE_SESSION_RUN, &body, &m->err);
}

/* ---- following ---- */

int ask_follow(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	struct followed *f = followed_get(r, q->channel, q->n, &m->err);

	if (f == NULL)
		return -(int)m->err.code;
	q->at[0] = param_count(params, "stdout", 0);
	q->at[1] = param_count(params, "stderr", 0);
	q->awaits = AWAIT_FILES;
	if (f->asked == 0) {
		request_done(r, q);
		followed_tell(f, param_count(params, "stdout", 0), param_count(params, "stderr", 0));
	}
	return 0;
}

int ask_unfollow(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	struct followed *f = followed_find(r, q->channel, q->n);

	(void)params;
	if (f == NULL || !f->told)
		return err_set(&m->err, AMBIT_NOT_FOUND, NULL, "that event is not followed");
	request_done(r, q);
	followed_quiet(r, f);
	return 0;
}

int ask_read(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const char *stream = json_string_value(json_object_get(params, "stream"));
	struct followed *f;

	q->at[0] = param_count(params, "offset", 0);
	q->bytes = (uint32_t)param_count(params, "bytes", 64u << 10); /* checked */
	q->stream = strcmp(stream, "stderr") == 0;
	if (strcmp(stream, "record") == 0 || strcmp(stream, "result") == 0) {
		const struct session_event v = { .request = q->number, .a = strcmp(stream, "result") == 0, .n = q->n };

		q->awaits = AWAIT_RECORD;
		return channel_ask(q->channel, WIRE_SESSION_RECORD, &v, &m->err);
	}
	f = followed_get(r, q->channel, q->n, &m->err);
	if (f == NULL)
		return -(int)m->err.code;
	q->awaits = AWAIT_FILES;
	if (f->asked == 0)
		answer_page(r, q, f->file[q->stream]);
	return 0;
}

/* ---- input ---- */

static int keep_input(struct rpc *r, struct request *q, const json_t *data, struct mistake *m)
{
	const size_t room_n = data == NULL ? 0 : name_room(data);
	const char *bytes;
	size_t n;
	uint8_t *room;

	buf_init(&q->kept, room_n > 0 ? room_n : json_string_length(data) + 1);
	if (data == NULL)
		return 0;
	room = buf_room(&q->kept, q->kept.max);
	if (room == NULL)
		return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the input");
	bytes = name_bytes(data, room, &n);
	if (room_n == 0)
		memcpy(room, bytes, n);
	q->kept.len = n;
	return input_pending(r) <= RPC_INPUT_MAX
		       ? 0
		       : err_set(&m->err, AMBIT_LIMIT, "wait until some of it is taken",
				 "programs did not take %u bytes of input yet", RPC_INPUT_MAX);
}

int ask_input(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	int rc;

	q->end = param_bool(params, "end", false);
	if (input_of(r, q->channel, q->n) != NULL)
		return err_set(&m->err, AMBIT_LIMIT, "wait for its answer", "input of that event is not taken yet");
	rc = keep_input(r, q, json_object_get(params, "data"), m);
	q->awaits = AWAIT_INPUT;
	return rc < 0 ? rc : input_ask(r, q->channel, q->n, &m->err);
}

/* ---- lists ---- */

static int send_list(struct request *q, struct err *e)
{
	const bool watches = q->follow && !q->channel->watched;
	const struct session_event v = { .request = q->number, .a = watches, .b = q->limit, .n = q->n };
	const int rc = channel_ask(q->channel, WIRE_SESSION_LIST, &v, e);

	if (rc < 0)
		return rc;
	q->awaits = AWAIT_EVENTS;
	q->channel->listing = q->number;
	q->channel->watched = q->channel->watched || watches;
	return 0;
}

/* One at a time: rows do not say whose they are. */
static int begin_list(struct request *q, struct mistake *m)
{
	buf_init(&q->kept, RPC_OUT_MAX / 2);
	q->awaits = AWAIT_TURN;
	return q->channel->listing != 0 ? 0 : send_list(q, &m->err);
}

void list_next(struct rpc *r, struct channel *c)
{
	struct request *first = NULL;
	struct err e;

	c->listing = 0;
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits == AWAIT_TURN && q->channel == c && (first == NULL || q->number < first->number))
			first = q;
	}
	if (first != NULL && send_list(first, &e) < 0)
		request_fail(r, first, &e); /* those behind it fail with the channel */
}

int ask_events(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)r;
	q->n = param_count(params, "from", 1);
	q->limit = (uint32_t)param_count(params, "limit", RPC_LIST_MAX);
	q->follow = param_bool(params, "follow", false);
	if (q->n == 0 || q->limit == 0)
		return err_set(&m->err, AMBIT_USAGE, NULL, "numbers of events, and of rows, begin with 1");
	return begin_list(q, m);
}

int ask_event(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)r;
	(void)params;
	q->limit = 1;
	return begin_list(q, m);
}
