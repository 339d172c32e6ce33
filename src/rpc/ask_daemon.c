/* What the daemon is asked. */
#include <string.h>

#include "base/text.h"
#include "rpc/make.h"
#include "rpc/rpc.h"

uint64_t param_count(const json_t *params, const char *key, uint64_t otherwise)
{
	const json_t *v = json_object_get(params, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : otherwise;
}

bool param_bool(const json_t *params, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(params, key);

	return v != NULL ? json_is_true(v) : otherwise;
}

int ask_hello(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	struct json j;

	if (param_count(params, "protocol", 0) < RPC_PROTOCOL)
		return err_set(&m->err, AMBIT_USAGE, "use a client that speaks version 1",
			       "no such version of the protocol");
	r->met = true;
	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_count(json_put_key(&j, "protocol"), RPC_PROTOCOL);
		json_put_name(json_put_key(&j, "version"), r->daemon_is.version);
		json_put_count(json_put_key(&j, "pid"), r->daemon_is.pid);
		say_result_end(&j);
	}
	request_free(q);
	return 0;
}

int daemon_gone(const struct rpc *r, struct mistake *m)
{
	return r->daemon.fd >= 0 ? 0
				 : err_set(&m->err, AMBIT_GONE, "connect again: `ambit serve` starts a new one",
					   "the daemon is gone");
}

static int send_number(struct rpc *r, struct request *q, enum wire_number number, enum awaits awaits, struct mistake *m)
{
	uint8_t room[16];
	struct buf body;
	int rc = daemon_gone(r, m);

	buf_init_in(&body, room, sizeof room);
	link_number_put(&body, &(struct link_number){ .request = q->number });
	rc = rc < 0 ? rc : port_send(&r->daemon, number, &body, &m->err);
	q->awaits = awaits;
	return rc;
}

static int send_name(struct rpc *r, struct request *q, enum wire_number number, enum awaits awaits, struct mistake *m)
{
	struct serve_name name = { .request = q->number };
	uint8_t room[64];
	struct buf body;
	int rc = daemon_gone(r, m);

	(void)text_copy(name.session, sizeof name.session, q->session); /* an id */
	buf_init_in(&body, room, sizeof room);
	serve_name_put(&body, &name);
	rc = rc < 0 ? rc : port_send(&r->daemon, number, &body, &m->err);
	q->awaits = awaits;
	return rc;
}

static void take_session(struct request *q, const json_t *params, const char *key)
{
	const char *id = json_string_value(json_object_get(params, key));

	(void)text_copy(q->session, sizeof q->session, id == NULL ? "" : id); /* checked */
}

int ask_status(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	(void)params;
	return send_number(r, q, WIRE_SERVE_STATUS, AWAIT_STATUS, m);
}

/* ---- sessions ---- */

/* With those that are on their way. */
static int check_room(const struct rpc *r, struct mistake *m)
{
	unsigned n = request_count(r, AWAIT_CHANNEL);

	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		n += r->channels[i] != NULL;
	return n < RPC_CHANNELS_MAX ? 0
				    : err_set(&m->err, AMBIT_LIMIT, "session.leave those that you do not use",
					      "%d sessions are open on this connection", RPC_CHANNELS_MAX);
}

int ask_new(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const char *key;
	auto_buf text = { .max = DESCRIPTION_BYTES_MAX };
	uint8_t room[16];
	struct buf body;
	int rc = daemon_gone(r, m);

	rc = rc < 0 ? rc : check_room(r, m);
	rc = rc < 0 ? rc : make_description(params, &text, m);
	if (rc < 0)
		return rc;
	buf_init_in(&body, room, sizeof room);
	key = json_string_value(json_object_get(params, "key"));
	link_number_put(&body, &(struct link_number){ .request = q->number, .value = key != NULL ? link_key(key) : 0 });
	q->awaits = AWAIT_CHANNEL;
	return port_send_parts(&r->daemon, WIRE_SERVE_PART, &text, WIRE_SERVE_NEW, &body, &m->err);
}

int ask_open(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const int rc = check_room(r, m);

	take_session(q, params, "session");
	return rc < 0 ? rc : send_name(r, q, WIRE_SERVE_OPEN, AWAIT_CHANNEL, m);
}

int ask_list(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	take_session(q, params, "after");
	buf_init(&q->kept, RPC_OUT_MAX / 2);
	return send_name(r, q, WIRE_SERVE_LIST, AWAIT_SESSIONS, m);
}

/* The id that comes before this one, so that the list behind it begins with this one; "" before the first. */
static void step_back(char id[ID_TEXT_MAX])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char last[2] = "";
	size_t i = ID_LEN;

	while (i > 2 && id[i - 1] == '0')
		id[--i] = 'Z';
	if (i == 2) {
		id[0] = 0;
		return;
	}
	last[0] = id[i - 1];
	id[i - 1] = digits[strcspn(digits, last) - 1]; /* it is one of them, and not the first */
}

int ask_show(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	char shown[ID_TEXT_MAX];
	int rc;

	take_session(q, params, "session");
	memcpy(shown, q->session, sizeof shown);
	step_back(q->session);
	rc = send_name(r, q, WIRE_SERVE_LIST, AWAIT_SESSIONS, m);
	memcpy(q->session, shown, sizeof shown);
	buf_init(&q->kept, RPC_OUT_MAX / 2);
	return rc;
}

int ask_narrow(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	take_session(q, params, "session");
	return send_name(r, q, WIRE_SERVE_NARROW, AWAIT_NARROWED, m);
}
