/* Steps of kernels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "rpc/rpc.h"

/* The source, whose bytes are in the value or in text. */
static int put_source(const json_t *source, struct buf *text, struct mistake *m)
{
	auto_buf room = { .max = 0 };
	const size_t room_n = name_room(source);
	const char *bytes;
	uint8_t *space;
	size_t n;

	buf_init(&room, room_n + 1);
	space = buf_room(&room, room_n + 1);
	if (space == NULL)
		return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the source");
	bytes = name_bytes(source, space, &n);
	buf_put(text, bytes, n);
	return text->failed ? err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the source") : 0;
}

/* Its files are asked for before, so that they are there when it is over. */
int ask_step(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	auto_buf text = { .max = RUN_BYTES_MAX };
	const json_t *timeout = json_object_get(params, "timeout");
	struct session_step step = { .request = q->number,
				     .flags = param_bool(params, "show", false) ? STEP_SHOWS : 0,
				     .n = q->n };
	uint8_t room[32];
	struct buf body;
	int rc = put_source(json_object_get(params, "source"), &text, m);

	if (timeout != NULL)
		(void)parse_duration(json_string_value(timeout), &step.timeout_ms); /* checked */
	if (rc == 0 && followed_get(r, q->channel, q->n, &m->err) == NULL)
		rc = -(int)m->err.code;
	if (rc < 0)
		return rc;
	buf_init_in(&body, room, sizeof room);
	session_step_put(&body, &step);
	q->awaits = AWAIT_STEP;
	return port_send_parts(&q->channel->port, WIRE_SESSION_PART, &text, WIRE_SESSION_STEP, &body, &m->err);
}

int ask_step_wait(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const uint64_t step = param_count(params, "step", 0);

	if (followed_get(r, q->channel, q->n, &m->err) == NULL)
		return -(int)m->err.code;
	q->awaits = AWAIT_STEP;
	return channel_ask(q->channel, WIRE_SESSION_STEP_WAIT,
			   &(struct session_event){ .request = q->number, .a = (uint32_t)step, .n = q->n },
			   &m->err); /* at most STEPS_MAX */
}

/* The one that waits with that id. */
static const struct request *run_of(const struct rpc *r, const struct request *stop, const json_t *id)
{
	auto_free char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);

	for (size_t i = 0; text != NULL && i < RPC_REQUESTS_MAX; i++) {
		const struct request *q = &r->requests[i];

		if (q->awaits == AWAIT_STEP && q->method == METHOD_KERNEL_RUN && q->channel == stop->channel &&
		    q->n == stop->n && strcmp(q->id, text) == 0)
			return q;
	}
	return NULL;
}

int ask_step_stop(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const uint64_t step = param_count(params, "step", 0);
	const json_t *id = json_object_get(params, "request");
	const struct request *run = id != NULL ? run_of(r, q, id) : NULL;

	if ((step != 0) == (id != NULL)) {
		(void)snprintf(m->place, sizeof m->place, "/params");
		return err_set(&m->err, AMBIT_USAGE, "step: its number, or request: the id of its kernel.run",
			       "one step is broken off, and which is not said");
	}
	if (id != NULL && run == NULL)
		return err_set(&m->err, AMBIT_GONE, NULL,
			       "no kernel.run of this kernel with that id waits for its answer here");
	q->awaits = AWAIT_DONE;
	return channel_ask(
		q->channel, WIRE_SESSION_STEP_STOP,
		&(struct session_event){
			.request = q->number, .a = (uint32_t)step, .b = run != NULL ? run->number : 0, .n = q->n },
		&m->err); /* likewise */
}

int ask_kernel_end(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	q->wait = param_bool(params, "wait", false);
	if (q->wait && followed_get(r, q->channel, q->n, &m->err) == NULL)
		return -(int)m->err.code;
	q->awaits = AWAIT_DONE;
	return channel_ask(q->channel, WIRE_SESSION_STEPS_END,
			   &(struct session_event){ .request = q->number, .n = q->n }, &m->err);
}

void step_done(struct rpc *r, struct request *q, uint64_t value)
{
	(void)r;
	q->step = value;
}

static void put_part(struct rpc *r, struct json *j, const char *key, const struct followed *f, unsigned which,
		     uint64_t at, uint64_t end)
{
	put_brought(r, j, key, f != NULL ? f->file[which] : -1, at, end - at);
}

static void put_time(struct json *j, const char *key, uint64_t ms)
{
	(void)json_put_key(j, key);
	if (ms != 0)
		json_put_ms(j, ms);
	else
		json_put_null(j);
}

static void answer(struct rpc *r, struct request *q, const struct step_row *row)
{
	static const char *const ends[STEP_STATE_COUNT] = { [STEP_OK] = "ok",
							    [STEP_ERROR] = "error",
							    [STEP_EXIT] = "exit",
							    [STEP_ENDED] = "ended",
							    [STEP_NEVER] = "never" };
	const struct followed *f = followed_find(r, q->channel, q->n);
	struct json j;

	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_count(json_put_key(&j, "step"), row->step);
		json_put_word(json_put_key(&j, "end"), ends[row->state]);
		json_put_bool(json_put_key(&j, "stopped"), (row->flags & STEP_STOPPED) != 0);
		json_put_bool(json_put_key(&j, "timed_out"), (row->flags & STEP_TIMED_OUT) != 0);
		json_put_bool(json_put_key(&j, "cut"), (row->flags & STEP_LOST) != 0);
		put_time(&j, "begun", row->begun_ms);
		put_time(&j, "ended", row->ended_ms);
		json_put_count(json_put_key(&j, "stdout_at"), row->out_at);
		json_put_count(json_put_key(&j, "stderr_at"), row->err_at);
		json_put_count(json_put_key(&j, "result_at"), row->result_at);
		json_put_count(json_put_key(&j, "stdout_bytes"), row->out_end - row->out_at);
		json_put_count(json_put_key(&j, "stderr_bytes"), row->err_end - row->err_at);
		json_put_count(json_put_key(&j, "result_bytes"), row->result_end - row->result_at);
		put_part(r, &j, "stdout", f, 0, row->out_at, row->out_end);
		put_part(r, &j, "stderr", f, 1, row->err_at, row->err_end);
		put_part(r, &j, "result", f, 2, row->result_at, row->result_end);
		say_result_end(&j);
	}
	request_free(q);
}

void step_over(struct rpc *r, const struct channel *c, const struct step_row *row)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits == AWAIT_STEP && q->channel == c && q->n == row->n && q->step == row->step)
			answer(r, q, row);
	}
}
