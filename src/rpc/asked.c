/* What a client says: the envelope of JSON-RPC, and whose it is to answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "rpc/rpc.h"

static ask_method *const asks[METHOD_COUNT] = {
	[METHOD_HELLO] = ask_hello,
	[METHOD_DAEMON_STATUS] = ask_status,
	[METHOD_SESSION_NEW] = ask_new,
	[METHOD_SESSION_OPEN] = ask_open,
	[METHOD_SESSION_LIST] = ask_list,
	[METHOD_SESSION_SHOW] = ask_show,
	[METHOD_SESSION_NARROW] = ask_narrow,
	[METHOD_SESSION_LEAVE] = ask_leave,
	[METHOD_SESSION_END] = ask_end,
	[METHOD_EVENT_RUN] = ask_run,
	[METHOD_EVENT_FOLLOW] = ask_follow,
	[METHOD_EVENT_UNFOLLOW] = ask_unfollow,
	[METHOD_EVENT_INPUT] = ask_input,
	[METHOD_EVENT_SIGNAL] = ask_signal,
	[METHOD_EVENT_CANCEL] = ask_cancel,
	[METHOD_EVENT_RESIZE] = ask_resize,
	[METHOD_EVENT_LIST] = ask_events,
	[METHOD_EVENT_SHOW] = ask_event,
	[METHOD_EVENT_READ] = ask_read,
	[METHOD_EVENT_CODE] = ask_run,
	[METHOD_KERNEL_START] = ask_run,
	[METHOD_KERNEL_RUN] = ask_step,
	[METHOD_KERNEL_WAIT] = ask_step_wait,
	[METHOD_KERNEL_STOP] = ask_step_stop,
	[METHOD_KERNEL_END] = ask_kernel_end,
	[METHOD_FREEZE] = ask_freeze,
	[METHOD_THAW] = ask_thaw,
	[METHOD_KILL] = ask_kill,
};

/* ---- the envelope ---- */

struct envelope {
	char id[RPC_ID_MAX]; /* JSON; "": a notification */
	const char *method;
	const json_t *params; /* or NULL */
};

#define no_request(m, at, hint, ...)                                                                                   \
	((void)snprintf((m)->place, sizeof(m)->place, "%s", (at)), err_set(&(m)->err, AMBIT_USAGE, (hint), __VA_ARGS__))

static int take_id(const json_t *id, struct envelope *ret, struct mistake *m)
{
	auto_free char *text = NULL;

	if (id == NULL)
		return 0;
	if (!json_is_string(id) && !json_is_integer(id))
		return no_request(m, "/id", "a text or a whole number, or leave it out if no answer is wanted",
				  "an id that is neither text nor number");
	text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);
	if (text == NULL)
		return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for the request");
	if (!text_copy(ret->id, sizeof ret->id, text))
		return no_request(m, "/id", "a short text or a number is enough", "an id of more than %d bytes",
				  RPC_ID_MAX - 1);
	return 0;
}

static int check_members(const json_t *request, struct mistake *m)
{
	static const char *const known[] = { "jsonrpc", "id", "method", "params" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)request, key, value)
	{
		bool is = false;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			is = is || strcmp(known[i], key) == 0;
		if (!is)
			return no_request(m, "", "a request has jsonrpc, id, method and params",
					  "a request with a member '%.64s'", key);
	}
	return 0;
}

/* The id first: whoever can be answered is. */
static int take_envelope(const json_t *request, struct envelope *ret, struct mistake *m)
{
	const json_t *version, *method;
	int r;

	if (json_is_array(request))
		return no_request(m, "", "send each request as a line of its own", "batches are not taken");
	r = take_id(json_object_get(request, "id"), ret, m);
	r = r < 0 ? r : check_members(request, m);
	if (r < 0)
		return r;
	version = json_object_get(request, "jsonrpc");
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return no_request(m, "/jsonrpc", "\"jsonrpc\": \"2.0\"", "not a request of JSON-RPC 2.0");
	method = json_object_get(request, "method");
	if (!json_is_string(method))
		return no_request(m, "/method", "doc/PROTOCOL.md has the methods", "no method is named");
	ret->method = json_string_value(method);
	ret->params = json_object_get(request, "params");
	if (ret->params != NULL && !json_is_object(ret->params))
		return no_request(m, "/params", "parameters have names here", "the parameters are not an object");
	return 0;
}

static bool is_taken(const struct rpc *r, const char *id)
{
	for (size_t i = 0; id[0] != 0 && i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits != AWAIT_NONE && strcmp(r->requests[i].id, id) == 0)
			return true;
	return false;
}

/* ---- the method ---- */

static int find_channel(struct rpc *r, struct request *q, const json_t *params, struct mistake *m)
{
	const enum method_to to = method_row(q->method)->to;
	const char *session = json_string_value(json_object_get(params, "session"));

	if (to != TO_SESSION && (to != TO_NAMED || session == NULL))
		return 0;
	q->channel = channel_of(r, session);
	if (q->channel != NULL)
		return 0;
	(void)snprintf(m->place, sizeof m->place, "/params/session");
	return err_set(&m->err, AMBIT_NOT_FOUND, "session.open comes first, once on each connection",
		       "that session is not open on this connection");
}

/* Of an event, if it is about one. */
static int take_number(struct request *q, const json_t *params, struct mistake *m)
{
	const json_t *n = json_object_get(params, "n");

	q->n = (uint64_t)json_integer_value(n);
	if (n == NULL || q->n > 0)
		return 0;
	(void)snprintf(m->place, sizeof m->place, "/params/n");
	return err_set(&m->err, AMBIT_USAGE, NULL, "numbers of events begin with 1");
}

static int ask(struct rpc *r, const struct envelope *v, struct mistake *m, int *ret_number)
{
	enum method method;
	struct request *q;
	int rc = method_find(v->method, &method, &m->err);

	if (rc < 0) {
		*ret_number = SAY_NO_METHOD;
		return rc;
	}
	if (!r->met && method != METHOD_HELLO)
		return err_set(&m->err, AMBIT_PROTOCOL,
			       "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"hello\",\"params\":{\"protocol\":1}}",
			       "hello comes first");
	rc = method_check(method, v->params, m);
	if (rc < 0)
		return rc;
	q = request_new(r, &m->err);
	if (q == NULL)
		return -AMBIT_LIMIT;
	q->method = method;
	memcpy(q->id, v->id, sizeof q->id);
	rc = find_channel(r, q, v->params, m);
	rc = rc < 0 ? rc : take_number(q, v->params, m);
	rc = rc < 0 ? rc : asks[method](r, q, v->params, m);
	if (rc < 0)
		request_free(q);
	return rc;
}

static void ask_one(struct rpc *r, const json_t *request)
{
	struct envelope v = { .id = "" };
	struct mistake m = { .place = "" };
	int number = 0, rc = take_envelope(request, &v, &m);
	const bool is_request = rc == 0;

	if (rc == 0 && is_taken(r, v.id))
		rc = no_request(&m, "/id", "give each request an id of its own",
				"that id is of a request that is not answered yet");
	if (rc < 0)
		number = m.err.code == AMBIT_USAGE ? SAY_NO_REQUEST : 0;
	else
		rc = ask(r, &v, &m, &number);
	if (rc < 0 && (v.id[0] != 0 || !is_request))
		say_error(&r->out, v.id[0] != 0 ? v.id : NULL, &m, number);
}

static bool is_blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

void rpc_asked(struct rpc *r, const char *line, size_t n)
{
	struct mistake m;
	json_t *request;

	if (is_blank(line, n))
		return;
	request = parse_json(line, n, &m);
	if (request == NULL)
		say_error(&r->out, NULL, &m, m.err.code == AMBIT_MALFORMED ? SAY_NO_JSON : 0);
	else
		ask_one(r, request);
	json_decref(request);
}

void rpc_asked_too_long(struct rpc *r)
{
	struct mistake m = { .place = "" };

	(void)err_set(&m.err, AMBIT_LIMIT, "send less at once: event.input takes as many parts as you like",
		      "a line of more than %u bytes", FRAME_LINE_MAX);
	(void)snprintf(m.place, sizeof m.place, "byte %u", FRAME_LINE_MAX);
	say_error(&r->out, NULL, &m, 0);
}
