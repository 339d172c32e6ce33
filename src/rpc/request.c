#include <string.h>

#include "rpc/rpc.h"

uint32_t rpc_number(struct rpc *r)
{
	if (++r->last_number == 0) /* which is nobody's */
		r->last_number = 1;
	return r->last_number;
}

struct request *request_new(struct rpc *r, struct err *e)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits != AWAIT_NONE)
			continue;
		*q = (struct request){ .awaits = AWAIT_NOW, .number = rpc_number(r) };
		return q;
	}
	(void)err_set(e, AMBIT_LIMIT, "wait for some of the answers", "%d requests are not answered yet",
		      RPC_REQUESTS_MAX);
	return NULL;
}

struct request *request_of(struct rpc *r, uint32_t number, enum awaits awaits)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits == awaits && r->requests[i].number == number)
			return &r->requests[i];
	return NULL;
}

unsigned request_count(const struct rpc *r, enum awaits awaits)
{
	unsigned n = 0;

	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		n += r->requests[i].awaits == awaits;
	return n;
}

void request_free(struct request *q)
{
	buf_finish(&q->kept);
	q->awaits = AWAIT_NONE;
}

void request_fail(struct rpc *r, struct request *q, const struct err *e)
{
	struct mistake m = { .err = *e };

	if (q->id[0] != 0)
		say_error(&r->out, q->id, &m, 0);
	request_free(q);
}

void request_done(struct rpc *r, struct request *q)
{
	struct json j;

	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		say_result_end(&j);
	}
	request_free(q);
}
