/* The one message of the policy role. */
#include "policy/policy.h"

#include <string.h>

#include "base/text.h"

static void put_frame(struct buf *out, enum policy_answer kind, const struct buf *body)
{
	if (body->failed || body->len > POLICY_ENCODED_MAX) {
		out->failed = true;
		return;
	}
	buf_put_u32(out, (uint32_t)(body->len + 1)); /* at most POLICY_ENCODED_MAX + 1 */
	buf_put_u8(out, (uint8_t)kind);
	buf_put(out, body->data, body->len);
}

void policy_answer_encode(const struct policy *p, struct buf *out)
{
	auto_buf body = { .max = 0 };

	buf_init(&body, POLICY_ENCODED_MAX);
	policy_encode(p, &body);
	put_frame(out, POLICY_ANSWER_POLICY, &body);
}

void policy_answer_encode_mistake(const struct policy_mistake *m, struct buf *out)
{
	auto_buf body = { .max = 0 };

	buf_init(&body, POLICY_ENCODED_MAX);
	buf_put_u32(&body, (uint32_t)m->err.code);
	buf_put_u32(&body, m->line);
	buf_put_u32(&body, m->column);
	buf_put_str(&body, m->err.msg);
	buf_put_str(&body, m->err.why);
	buf_put_str(&body, m->err.hint);
	put_frame(out, POLICY_ANSWER_MISTAKE, &body);
}

static int protocol(struct policy_mistake *m, const char *what)
{
	m->line = m->column = 0;
	return err_set(&m->err, AMBIT_PROTOCOL, "this is not your policy's fault; report it with the policy",
		       "the policy parser answered with %s", what);
}

/* The codes that a file can earn. */
static bool is_mistake(uint32_t code)
{
	return code == AMBIT_MALFORMED || code == AMBIT_UNKNOWN || code == AMBIT_UNAVAILABLE || code == AMBIT_DENIED ||
	       code == AMBIT_LIMIT || code == AMBIT_CONFLICT || code == AMBIT_MEMORY || code == AMBIT_SYSTEM ||
	       code == AMBIT_INTERNAL;
}

/* The texts come from a process that read hostile bytes: nothing in them may reach a terminal as a control. What it
 * escaped already stays as it is, so backslashes pass. */
static void take_text(struct rbuf *in, char *ret, size_t size)
{
	char raw[ERR_MSG_MAX];
	size_t out = 0;

	_Static_assert(ERR_MSG_MAX == ERR_WHY_MAX && ERR_MSG_MAX == ERR_HINT_MAX, "one size for all texts");
	rbuf_str(in, raw, sizeof raw);
	ret[0] = 0;
	for (const char *at = raw; *at != 0 && out + 2 < size;) {
		const size_t n = strcspn(at, "\\");

		(void)text_escape(ret + out, size - out - 1, at, n);
		out += strlen(ret + out);
		at += n;
		if (*at == 0)
			break;
		ret[out++] = *at++;
		ret[out] = 0;
	}
}

static int decode_mistake(struct rbuf *in, struct policy_mistake *m)
{
	const uint32_t code = rbuf_u32(in);

	m->err = (struct err){ .code = AMBIT_OK };
	m->line = rbuf_u32(in);
	m->column = rbuf_u32(in);
	take_text(in, m->err.msg, sizeof m->err.msg);
	take_text(in, m->err.why, sizeof m->err.why);
	take_text(in, m->err.hint, sizeof m->err.hint);
	if (!rbuf_done(in) || !is_mistake(code) || m->err.msg[0] == 0)
		return protocol(m, "a mistake that cannot be read");
	m->err.code = (enum ambit_code)code;
	return -(int)code;
}

int policy_answer_decode(const void *bytes, size_t n, struct policy *ret, struct policy_mistake *ret_mistake)
{
	struct rbuf in;
	uint32_t len;
	uint8_t kind;
	int rc;

	rbuf_init(&in, bytes, n);
	len = rbuf_u32(&in);
	if (in.failed || len != n - 4 || n > POLICY_ANSWER_MAX)
		return protocol(ret_mistake, "the wrong number of bytes");
	kind = rbuf_u8(&in);
	if (kind == POLICY_ANSWER_MISTAKE)
		return decode_mistake(&in, ret_mistake);
	if (kind != POLICY_ANSWER_POLICY)
		return protocol(ret_mistake, "something else than a policy");
	rc = policy_decode(&in, ret, &ret_mistake->err);
	return rc < 0 ? protocol(ret_mistake, "a policy that cannot be") : 0;
}
