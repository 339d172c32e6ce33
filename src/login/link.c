#include "login/link.h"

#include <string.h>

#include "base/text.h"

static bool is_printable(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

void login_ask_put(struct buf *out, const struct login_ask *a)
{
	buf_put_u8(out, a->step);
	buf_put_str(out, a->url);
	buf_put_u32(out, a->n);
	for (uint32_t i = 0; i < a->n; i++) {
		buf_put_str(out, a->params[i].name);
		buf_put_str(out, a->params[i].value);
	}
}

bool login_ask_take(const void *bytes, size_t n, struct login_ask *ret)
{
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	ret->step = rbuf_u8(&in);
	rbuf_str(&in, ret->url, sizeof ret->url);
	ret->n = rbuf_u32(&in);
	if (in.failed || ret->step < LOGIN_PROBE || ret->step >= LOGIN_STEPS || ret->n > LOGIN_PARAMS_MAX)
		return false;
	for (uint32_t i = 0; i < ret->n; i++) {
		rbuf_str(&in, ret->params[i].name, sizeof ret->params[i].name);
		rbuf_str(&in, ret->params[i].value, sizeof ret->params[i].value);
	}
	return rbuf_done(&in);
}

void login_answer_put(struct buf *out, const struct login_answer *a)
{
	buf_put_u8(out, a->outcome);
	buf_put_u8(out, a->flags);
	buf_put_u16(out, a->status);
	for (size_t i = 0; i < LOGIN_FIELDS; i++)
		buf_put_str(out, a->text[i]);
}

bool login_answer_take(const void *bytes, size_t n, struct login_answer *ret)
{
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	ret->outcome = rbuf_u8(&in);
	ret->flags = rbuf_u8(&in);
	ret->status = rbuf_u16(&in);
	for (size_t i = 0; i < LOGIN_FIELDS; i++) {
		rbuf_str(&in, ret->text[i], sizeof ret->text[i]);
		if (in.failed || !is_printable(ret->text[i], strlen(ret->text[i])))
			return false;
	}
	return rbuf_done(&in) && ret->outcome < LOGIN_OUTCOME_COUNT &&
	       ret->flags <= (LOGIN_S256 | LOGIN_ISS | LOGIN_SECRET);
}

const char *login_outcome_text(unsigned outcome)
{
	static const char *const texts[] = {
#define LOGIN_TEXT(name, text) text,
		LOGIN_OUTCOMES(LOGIN_TEXT)
#undef LOGIN_TEXT
	};

	return texts[outcome < LOGIN_OUTCOME_COUNT ? outcome : LOGIN_UNCLEAR];
}

bool login_param(struct login_ask *a, const char *name, const char *value)
{
	struct login_param *p = &a->params[a->n];

	if (a->n == LOGIN_PARAMS_MAX || !text_copy(p->name, sizeof p->name, name) ||
	    !text_copy(p->value, sizeof p->value, value))
		return false;
	a->n++;
	return true;
}

const char *login_param_of(const struct login_ask *a, const char *name)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (strcmp(a->params[i].name, name) == 0)
			return a->params[i].value;
	return "";
}

void login_set(struct login_answer *a, enum login_field which, const char *text, size_t n)
{
	if (n >= LOGIN_FIELD_MAX || !is_printable(text, n))
		return;
	memcpy(a->text[which], text, n);
	a->text[which][n] = 0;
}
