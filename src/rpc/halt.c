/* What is to stand still, go on, or end: asked of the session that it is of, or of the daemon, for everything. */
#include <stdio.h>

#include "base/text.h"
#include "rpc/rpc.h"

static int wrong(struct mistake *m, const char *place, const char *what)
{
	(void)snprintf(m->place, sizeof m->place, "/params%s", place); /* fits */
	return err_set(&m->err, AMBIT_USAGE, "\"session\": one that is open here, or \"everything\": true", "%s", what);
}

static int ask(struct rpc *r, struct request *q, const json_t *params, enum halt_deed deed, struct mistake *m)
{
	const char *reason = json_string_value(json_object_get(params, "reason"));
	struct link_halt h = {
		.request = q->number, .deed = deed, .keep = param_bool(params, "keep_frozen", false), .n = q->n
	};
	uint8_t room[256];
	struct buf body;

	if (param_bool(params, "everything", false) == (q->channel != NULL))
		return wrong(m, "", "a session or everything, and which is not said");
	if (q->n != 0 && q->channel == NULL)
		return wrong(m, "/n", "an event is one of a session");
	if (q->channel == NULL && daemon_gone(r, m) < 0)
		return -AMBIT_GONE;
	(void)text_copy(h.reason, sizeof h.reason, reason == NULL ? "" : reason); /* no longer: checked */
	buf_init_in(&body, room, sizeof room);
	link_halt_put(&body, &h);
	q->awaits = AWAIT_HALTED;
	return q->channel != NULL ? port_send(&q->channel->port, WIRE_SESSION_HALT, &body, &m->err)
				  : port_send(&r->daemon, WIRE_SERVE_HALT, &body, &m->err);
}

int ask_freeze(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	return ask(r, q, params, HALT_FREEZE, m);
}

int ask_thaw(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	return ask(r, q, params, HALT_THAW, m);
}

int ask_kill(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	return ask(r, q, params, HALT_KILL, m);
}

void rpc_halted(struct rpc *r, const struct channel *c, const struct link_halted *done)
{
	struct request *q = request_of(r, done->request, AWAIT_HALTED);
	struct json j;

	if (q == NULL || q->channel != c)
		return;
	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_bool(json_put_key(&j, "before"), done->before != 0);
		json_put_count(json_put_key(&j, "events"), done->events);
		if (q->method == METHOD_KILL)
			json_put_count(json_put_key(&j, "cancelled"), done->cancelled);
		say_result_end(&j);
	}
	request_free(q);
}
