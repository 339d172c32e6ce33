#include "supervisor/sibling.h"

#include <string.h>

#include "supervisor/request.h"
#include "wire/wire.h"

#define SIBLING_VERSION 3

void sibling_put_from(struct buf *out, const struct sibling_from *f)
{
	buf_put_u32(out, f->delegate);
	buf_put_u32(out, f->n);
	for (uint32_t i = 0; i < f->n; i++)
		buf_put_u32(out, f->grant[i]);
}

bool sibling_take_from(struct rbuf *in, uint32_t n, struct sibling_from *ret)
{
	ret->delegate = rbuf_u32(in);
	ret->n = rbuf_u32(in);
	if (in->failed || ret->delegate >= n || ret->n > GRANTS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n; i++) {
		ret->grant[i] = rbuf_u32(in);
		in->failed |= ret->grant[i] >= n;
	}
	return !in->failed;
}

void sibling_put(struct buf *out, const struct sibling_ask *a)
{
	buf_put_u32(out, SIBLING_VERSION);
	buf_put_u32(out, a->flags);
	buf_put_str(out, a->agent);
	buf_put_str(out, a->workdir);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		buf_put_u64(out, a->limits.value[i]);
	request_put_grants(out, &a->grants, NULL);
	buf_put(out, a->program.data + a->program.at, rbuf_left(&a->program));
}

int sibling_take(struct rbuf *in, struct sibling_ask *ret, struct err *e)
{
	const uint32_t version = rbuf_u32(in);
	int r;

	ret->flags = rbuf_u32(in);
	rbuf_str(in, ret->agent, sizeof ret->agent);
	rbuf_str(in, ret->workdir, sizeof ret->workdir);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->limits.value[i] = rbuf_u64(in);
	if (in->failed || version != SIBLING_VERSION ||
	    (ret->flags & ~(SIBLING_INHERITS | SIBLING_TERMINAL | SIBLING_HANDED)) != 0 ||
	    (ret->agent[0] != 0 && !agent_is_name(ret->agent)) || !path_is_normal(ret->workdir))
		return err_set(e, AMBIT_MALFORMED, NULL, "what asks for a sub-agent is not of this version");
	r = request_take_grants(in, &ret->grants, NULL, e);
	if (r < 0)
		return r;
	if ((ret->flags & SIBLING_INHERITS) != 0 && ret->grants.count != 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "what asks for a sub-agent names grants, and none");
	ret->program = *in;
	return 0;
}

void sibling_refuse(struct sibling_end *end, const struct err *e)
{
	end->cause = CAUSE_REFUSED;
	end->error = *e;
}

void sibling_put_end(struct buf *out, const struct sibling_end *end)
{
	buf_put_u32(out, end->number);
	buf_put_u32(out, end->cause);
	buf_put_u32(out, end->limit);
	buf_put_u32(out, end->exit_status);
	buf_put_u32(out, end->signal);
	buf_put_u32(out, end->denied);
	buf_put_str(out, end->event);
	if (end->error.code != AMBIT_OK)
		wire_put_error(out, &end->error);
}

bool sibling_take_end(struct rbuf *in, struct sibling_end *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->number = rbuf_u32(in);
	ret->cause = rbuf_u32(in);
	ret->limit = rbuf_u32(in);
	ret->exit_status = rbuf_u32(in);
	ret->signal = rbuf_u32(in);
	ret->denied = rbuf_u32(in);
	rbuf_str(in, ret->event, sizeof ret->event);
	if (!in->failed && rbuf_left(in) > 0)
		(void)wire_take_error(in, &ret->error); /* which it is, or that it is none */
	return rbuf_done(in) && ret->cause >= CAUSE_EXITED && ret->cause <= CAUSE_LAST && ret->limit < LIMIT_COUNT &&
	       ret->exit_status <= 255 && ret->signal <= 64 && ret->denied <= 1 &&
	       (ret->cause != CAUSE_REFUSED || ret->error.code != AMBIT_OK);
}
