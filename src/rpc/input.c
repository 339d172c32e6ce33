/* What a client gives programs to read. */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "rpc/rpc.h"

struct request *input_of(struct rpc *r, const struct channel *c, uint64_t n)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits == AWAIT_INPUT && r->requests[i].channel == c && r->requests[i].n == n)
			return &r->requests[i];
	return NULL;
}

size_t input_pending(const struct rpc *r)
{
	size_t n = 0;

	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].method == METHOD_EVENT_INPUT && r->requests[i].awaits != AWAIT_NONE)
			n += r->requests[i].kept.len;
	return n;
}

/* The other end of its input is asked for each time: held for longer, it would keep the input open when another client ends it. */
int input_ask(struct rpc *r, struct channel *c, uint64_t n, struct err *e)
{
	struct followed *f = followed_get(r, c, n, e);
	const uint32_t number = rpc_number(r);
	int rc;

	if (f == NULL)
		return -(int)e->code;
	rc = channel_ask(c, WIRE_SESSION_FOLLOW, &(struct session_event){ .request = number, .a = 1, .n = n }, e);
	if (rc == 0)
		f->asked_input = number;
	return rc;
}

static void fail(struct rpc *r, struct followed *f, struct request *q, int sys_errno)
{
	struct err e;

	fd_close(&f->input);
	if (sys_errno == 0)
		(void)err_set(&e, AMBIT_GONE, "run it with \"input\": true", "the event takes no input");
	else
		(void)err_sys(&e, AMBIT_GONE, sys_errno, NULL, "the event takes no more input");
	request_fail(r, q, &e);
}

static void done(struct rpc *r, struct followed *f, struct request *q)
{
	const struct session_event v = { .request = q->number, .n = q->n };
	struct err e;

	fd_close(&f->input);
	if (!q->end) {
		request_done(r, q);
		return;
	}
	buf_finish(&q->kept);
	q->awaits = AWAIT_DONE;
	if (channel_ask(q->channel, WIRE_SESSION_INPUT_END, &v, &e) < 0)
		request_fail(r, q, &e);
}

void input_write(struct rpc *r, struct followed *f)
{
	struct request *q = input_of(r, f->channel, f->n);

	if (q == NULL) {
		fd_close(&f->input);
		return;
	}
	if (f->input < 0) {
		fail(r, f, q, 0);
		return;
	}
	while (q->kept_at < q->kept.len) {
		const ssize_t n = write(f->input, q->kept.data + q->kept_at, q->kept.len - q->kept_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			fail(r, f, q, errno);
			return;
		}
		q->kept_at += (size_t)n;
	}
	done(r, f, q);
}
