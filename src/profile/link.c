#include "profile/link.h"

#include <string.h>

#define MAGIC 0x6c617665u /* "eval" */

void order_put(struct buf *out, const struct order *o)
{
	buf_put_u32(out, MAGIC);
	buf_put_u32(out, o->flags);
	buf_put_u64(out, o->train);
	buf_put_u64(out, o->calibrate);
	buf_put_u64(out, o->test);
	buf_put_u32(out, o->n_alphas);
	for (size_t i = 0; i < ORDER_ALPHAS_MAX; i++)
		buf_put_double(out, o->alphas[i]);
	buf_put(out, o->key, sizeof o->key);
}

bool order_take(struct rbuf *in, struct order *ret)
{
	bool good = rbuf_u32(in) == MAGIC;

	ret->flags = rbuf_u32(in);
	ret->train = rbuf_u64(in);
	ret->calibrate = rbuf_u64(in);
	ret->test = rbuf_u64(in);
	ret->n_alphas = rbuf_u32(in);
	for (size_t i = 0; i < ORDER_ALPHAS_MAX; i++)
		ret->alphas[i] = rbuf_double(in);
	rbuf_fixed(in, ret->key, sizeof ret->key);
	good = good && !in->failed && ret->flags < 2 * ORDER_TAUGHT && ret->n_alphas <= ORDER_ALPHAS_MAX &&
	       ret->train <= ORDER_TEXT_MAX && ret->calibrate <= ORDER_TEXT_MAX && ret->test <= ORDER_TEXT_MAX;
	for (size_t i = 0; i < ret->n_alphas && good; i++)
		good = ret->alphas[i] > 0 && ret->alphas[i] < 1;
	return good;
}

void answer_put_error(struct buf *out, const struct err *e)
{
	buf_put_u32(out, e->code);
	buf_put_str(out, e->msg);
	buf_put_str(out, e->why);
	buf_put_str(out, e->hint);
}

static const uint8_t *take_text(struct rbuf *in, size_t *ret_n)
{
	*ret_n = rbuf_u32(in);
	return rbuf_bytes(in, *ret_n);
}

int answer_take(const struct buf *answer, const uint8_t **ret_text, size_t *ret_n, const uint8_t **ret_drawing,
		size_t *ret_drawing_n, struct err *e)
{
	struct err told = { .code = AMBIT_OK };
	struct rbuf in;
	uint32_t code;

	rbuf_init(&in, answer->data, answer->len);
	code = rbuf_u32(&in);
	if (code == AMBIT_OK) {
		*ret_text = take_text(&in, ret_n);
		*ret_drawing = take_text(&in, ret_drawing_n);
	} else {
		rbuf_str(&in, told.msg, sizeof told.msg);
		rbuf_str(&in, told.why, sizeof told.why);
		rbuf_str(&in, told.hint, sizeof told.hint);
	}
	if (!rbuf_done(&in) || strcmp(err_code_name((int)code), "INTERNAL") == 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "ambit-profile gave no answer");
	told.code = code;
	if (code != AMBIT_OK)
		*e = told;
	return -(int)code;
}
