#include "core/meter.h"

#include <errno.h>
#include <string.h>

static const char *const why_words[METER_WHY_COUNT] = {
#define METER_WORD(name, word) [METER_##name] = (word),
	METER_WHYS(METER_WORD)
#undef METER_WORD
};

static const char *const why_texts[METER_WHY_COUNT] = {
	[METER_FROZEN] = "it is frozen",
	[METER_LABELLED] = "what was read may not leave by it",
	[METER_SPENT] = "nothing is left of its budget",
	[METER_ASKED] = "a person is asked first",
	[METER_REFUSED] = "a person said no",
	[METER_NOT_NOW] = "not at this time of day",
	[METER_ENDED] = "it was revoked, or has expired",
	[METER_OTHER] = "the authority did not say yes",
};

const char *meter_why_word(enum meter_why why)
{
	return why < METER_WHY_COUNT ? why_words[why] : "?";
}

void meter_put_whys(const struct meter *m, struct buf *out)
{
	const char *lead = "";

	for (enum meter_why i = 0; i < METER_WHY_COUNT; i++) {
		if ((m->stopped & METER_BY(i)) == 0)
			continue;
		buf_printf(out, "%s%s", lead, why_texts[i]);
		lead = "; ";
	}
}

bool meter_stop_is(const char *word, uint32_t *ret_bit)
{
	enum qualifier which;

	*ret_bit = qualifier_is(word, &which) ? 1u << which & METER_BY_BUDGET : 0;
	for (enum meter_why i = 0; i < METER_WHY_COUNT; i++)
		if (strcmp(word, why_words[i]) == 0)
			*ret_bit = METER_BY(i);
	return *ret_bit != 0;
}

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
		return m->failed > 0 ? "nothing had answered when it ended" : "";
	if (m->sys_errno == EHOSTUNREACH)
		return "its name has no address, or no way leads there";
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
