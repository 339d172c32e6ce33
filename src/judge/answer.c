#include "judge/answer.h"

#include <string.h>

#include "base/text.h"

#define MAGIC 0x31524A41u /* "AJR1" */

void judge_answer_begin(struct buf *out, uint32_t count)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, count);
}

void judge_answer_put(struct buf *out, const struct judge_verdict *v)
{
	buf_put_u8(out, v->inert);
	buf_put_u32(out, v->offset);
	buf_put_str(out, v->why);
}

/* Inert with nothing to say, or not inert and why. */
static void take(struct rbuf *in, struct judge_verdict *ret)
{
	char raw[CHANGE_REASON_MAX];
	const uint8_t inert = rbuf_u8(in);

	ret->offset = rbuf_u32(in);
	rbuf_str(in, raw, sizeof raw);
	if (inert > 1 || ret->offset > JUDGE_CONTENT_MAX + 1 || (inert == 1) != (raw[0] == 0) ||
	    (inert == 1 && ret->offset != 0))
		in->failed = true;
	ret->inert = inert == 1;
	(void)text_show(ret->why, sizeof ret->why, raw, strlen(raw));
}

int judge_answer_decode(const void *bytes, size_t n, uint32_t n_asked, struct judge_verdict *ret, struct err *e)
{
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	if (n > JUDGE_ANSWER_MAX || rbuf_u32(&in) != MAGIC || rbuf_u32(&in) != n_asked)
		in.failed = true;
	for (uint32_t i = 0; i < n_asked && !in.failed; i++)
		take(&in, &ret[i]);
	if (rbuf_done(&in))
		return 0;
	for (uint32_t i = 0; i < n_asked; i++)
		ret[i] = (struct judge_verdict){ .inert = false, .why = "the judge gave no answer" };
	return err_set(e, AMBIT_PROTOCOL, "this is not your fault; report it",
		       "the judge answered with what is no answer");
}
