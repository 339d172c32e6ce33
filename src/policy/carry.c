/* A policy and what it came from, for who keeps both (policy.h). */
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

void policy_carry(const struct policy *p, const struct policy_text texts[POLICY_SOURCES_MAX], struct buf *out)
{
	auto_buf body = { .max = 0 };

	buf_init(&body, POLICY_ENCODED_MAX);
	policy_encode(p, &body);
	buf_put_bytes(out, body.data, body.len);
	out->failed = out->failed || body.failed;
	buf_put_u32(out, p->n_sources);
	for (uint32_t i = 1; i <= p->n_sources; i++) {
		buf_put_str(out, p->sources[i]);
		buf_put(out, texts[i].sha256, SHA256_BYTES);
		buf_put_u32(out, texts[i].size);
	}
	for (uint32_t i = 0; i < p->n_lines; i++)
		buf_put_u8(out, (uint8_t)p->lines[i].source); /* at most n_sources */
}

static int take_sources(struct rbuf *in, struct policy *p, struct policy_text texts[POLICY_SOURCES_MAX], struct err *e)
{
	p->n_sources = rbuf_u32(in);
	for (uint32_t i = 1; i <= p->n_sources && i < POLICY_SOURCES_MAX; i++) {
		const uint8_t *sum;

		rbuf_str(in, p->sources[i], sizeof p->sources[i]);
		sum = rbuf_bytes(in, SHA256_BYTES);
		if (sum != NULL)
			memcpy(texts[i].sha256, sum, SHA256_BYTES);
		texts[i].size = rbuf_u32(in);
		if (!in->failed && !text_is_utf8(p->sources[i], strlen(p->sources[i]), NULL))
			in->failed = true;
	}
	return in->failed || p->n_sources >= POLICY_SOURCES_MAX
		       ? err_set(e, AMBIT_PROTOCOL, NULL, "what a policy came from is not well-formed")
		       : 0;
}

int policy_carried(const void *bytes, size_t n, struct policy *ret, struct policy_text texts[POLICY_SOURCES_MAX],
		   struct err *e)
{
	struct rbuf in, body;
	const uint8_t *at;
	uint32_t size;
	int r;

	rbuf_init(&in, bytes, n);
	size = rbuf_u32(&in);
	at = rbuf_bytes(&in, size);
	if (at == NULL)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a policy is cut off");
	rbuf_init(&body, at, size);
	r = policy_decode(&body, ret, e);
	r = r < 0 ? r : take_sources(&in, ret, texts, e);
	for (uint32_t i = 0; r == 0 && i < ret->n_lines; i++) {
		ret->lines[i].source = rbuf_u8(&in);
		if (ret->lines[i].source > ret->n_sources)
			in.failed = true;
	}
	if (r == 0 && !rbuf_done(&in))
		r = err_set(e, AMBIT_PROTOCOL, NULL, "what a policy came from is not well-formed");
	return r;
}
