#include "core/meter.h"

#include <errno.h>
#include <string.h>

void meter_add(struct meter *sum, const struct meter *m)
{
	sum->opened += m->opened;
	sum->failed += m->failed;
	sum->refused += m->refused;
	sum->stopped |= m->stopped;
	sum->sys_errno = m->sys_errno != 0 ? m->sys_errno : sum->sys_errno;
	sum->up += m->up;
	sum->down += m->down;
}

uint32_t meter_asked(const struct meter *m)
{
	const uint64_t n = (uint64_t)m->opened + m->failed + m->refused;

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

const char *meter_failure(const struct meter *m)
{
	if (m->sys_errno == 0)
		return "";
	return m->sys_errno == EPERM ? "its name leads to no public address" : strerror((int)m->sys_errno);
}

void meter_put(struct buf *out, const struct meter *m)
{
	buf_put_u32(out, m->opened);
	buf_put_u32(out, m->failed);
	buf_put_u32(out, m->refused);
	buf_put_u32(out, m->stopped);
	buf_put_u32(out, m->sys_errno);
	buf_put_u64(out, m->up);
	buf_put_u64(out, m->down);
}

void meter_take(struct rbuf *in, struct meter *ret)
{
	*ret = (struct meter){ .opened = rbuf_u32(in) };
	ret->failed = rbuf_u32(in);
	ret->refused = rbuf_u32(in);
	ret->stopped = rbuf_u32(in);
	ret->sys_errno = rbuf_u32(in);
	ret->up = rbuf_u64(in);
	ret->down = rbuf_u64(in);
	if ((ret->stopped & ~METER_STOPPED_ALL) != 0 || ret->sys_errno > INT32_MAX)
		in->failed = true;
}
