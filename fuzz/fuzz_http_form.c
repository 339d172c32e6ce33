/* Any body as a form, after a byte that says what becomes of credentials: what is written has one reading, in which each secret is there once, and all else is as it was. */
#include <string.h>

#include "fuzz.h"
#include "http/form.h"

#define SECRET "s%2Bcret"
#define PLAIN "s+cret"

static const char *const terms[] = {
	"secret='b as bearer, a as form:token'",
	"secret='b as form:client_secret, a as form:token' credentials=replace",
	"secret='a as form:token' credentials=pass",
	"http='POST /a' secret='a as form:api_key'",
};

static bool is_clean(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != 0 && strchr("-._~%&=", c) != NULL);
}

static const struct terms_secret *placed(const struct judge *j, const struct http_parameter *p)
{
	return judge_parameter_meaning(j, p).in_place;
}

static bool next_of_program(const struct judge *j, struct http_parameters *all, struct http_parameter *ret)
{
	while (http_parameters_next(all, ret))
		if (ret->raw.n > 0 && placed(j, ret) == NULL)
			return true;
	return false;
}

/* With credentials=pass nothing else is left out. */
static void hold(const struct judge *j, const struct http_text *form, const struct http_text *written)
{
	static struct http_parameters before, after;
	static struct http_parameter was, is;
	uint32_t n_secrets = 0;

	http_parameters_begin(&before, form);
	http_parameters_begin(&after, written);
	while (http_parameters_next(&after, &is)) {
		promise(!is.malformed);
		if (placed(j, &is) != NULL) {
			promise(is.value.n == strlen(PLAIN) && memcmp(is.value.at, PLAIN, is.value.n) == 0);
			n_secrets++;
		} else if (j->terms.credentials == TERMS_PASS) {
			promise(form->n > 0 && next_of_program(j, &before, &was));
			promise(was.name.n == is.name.n && memcmp(was.name.at, is.name.at, is.name.n) == 0);
			promise(was.value.n == is.value.n && memcmp(was.value.at, is.value.at, is.value.n) == 0);
		}
	}
	promise(n_secrets == (j->terms.n_secrets == 2 && j->terms.secrets[0].place == TERMS_FORM ? 2 : 1));
	promise(j->terms.credentials != TERMS_PASS || form->n == 0 || !next_of_program(j, &before, &was));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge j;
	static struct verdict v;
	struct http_text form = { .at = (const char *)data + 1, .n = size - 1 }, written;
	struct buf out;

	if (size == 0)
		return 0;
	j = (struct judge){ .object = "a.example:443" };
	promise(terms_take(terms[data[0] & 3], &j.terms, NULL) == 0);
	for (uint32_t i = 0; i < j.terms.n_secrets; i++)
		j.secrets[i] = (struct judge_secret){ SECRET, strlen(SECRET) };
	v = (struct verdict){ .status = 0 };
	promise(form_write(&j, form.at, form.n, NULL, &out, &v) == (v.status == 0));
	promise(v.status == 0 || v.why.msg[0] != 0);
	if (v.status == 0) {
		for (size_t i = 0; i < out.len; i++)
			promise(is_clean(out.data[i]));
		promise(out.cap >= out.max && out.len <= out.max);
		written = (struct http_text){ (const char *)out.data, out.len };
		hold(&j, &form, &written);
	}
	buf_wipe(&out);
	return 0;
}
