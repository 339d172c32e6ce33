#include "audit/policy_asked.h"

static void put_set(const struct grant_set *set, struct buf *out)
{
	buf_put_u32(out, set->count);
	for (uint32_t i = 0; i < set->count; i++) {
		buf_put_u16(out, set->grants[i].verb);
		buf_put_u16(out, set->grants[i].flags);
		qualifiers_put(out, &set->grants[i].qualifiers);
		buf_put_str(out, grant_terms(set, i));
		buf_put_str(out, grant_flow(set, i));
		buf_put_str(out, grant_object(set, i));
	}
}

void policy_asked_encode(const struct policy_asked *p, struct buf *out)
{
	put_set(&p->fixed, out);
	put_set(&p->within, out);
}

static bool take_set(struct rbuf *in, struct grant_set *ret)
{
	const uint32_t count = rbuf_u32(in);

	grant_set_init(ret);
	for (uint32_t i = 0; i < count; i++) {
		const uint16_t verb = rbuf_u16(in), flags = rbuf_u16(in);
		struct qualifiers qualifiers;
		char object[GRANT_OBJECT_MAX], terms[TERMS_TEXT_MAX], flow[FLOW_TEXT_MAX];

		qualifiers_take(in, &qualifiers);
		rbuf_str(in, terms, sizeof terms);
		rbuf_str(in, flow, sizeof flow);
		rbuf_str(in, object, sizeof object);
		if (in->failed || flags > GRANT_OPTIONAL ||
		    grant_add_qualified(ret, (enum grant_verb)verb, object, flags, &qualifiers, terms, flow, NULL,
					NULL) < 0)
			return false;
	}
	return !in->failed;
}

int policy_asked_decode(struct span bytes, struct policy_asked *ret, struct err *e)
{
	struct rbuf in;

	rbuf_init(&in, bytes.at, bytes.len);
	if (!take_set(&in, &ret->fixed) || !take_set(&in, &ret->within) || !rbuf_done(&in))
		return err_set(e, AMBIT_PROTOCOL, NULL, "the policy that is asked about has another form");
	return 0;
}
