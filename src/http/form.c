#include "http/form.h"

#include <string.h>

#include "base/text.h"
#include "http/mask.h"

#define DIGITS "0123456789ABCDEF"

/* ---- its parameters ---- */

static bool refuse(struct verdict *v, const char *why)
{
	judge_refuse(v, 400, AMBIT_MALFORMED, "encode what is no letter or digit as %XX",
		     "servers could read the form in two ways: %s", why);
	return false;
}

/* All of ASCII that can be seen; everything else is encoded, or it is no form. */
static bool is_plain(const struct http_text *raw)
{
	for (size_t i = 0; i < raw->n; i++)
		if ((uint8_t)raw->at[i] <= 0x20 || (uint8_t)raw->at[i] >= 0x7f)
			return false;
	return true;
}

static bool is_name(const struct http_text *name)
{
	for (size_t i = 0; i < name->n; i++)
		if ((uint8_t)name->at[i] < 0x20 || name->at[i] == 0x7f)
			return false;
	return text_is_utf8(name->at, name->n, NULL);
}

/* The place of a secret, as a bit; 0: it is none. */
static unsigned place_of(const struct judge *j, const struct judge_meaning *m)
{
	return m->in_place != NULL ? 1u << (m->in_place - j->terms.secrets) : 0;
}

static bool names_charset(const struct http_text *name)
{
	return http_name_means(name, "-charset-"); /* which `_charset_` is, too */
}

/* Rules, in this order: it is written as parameters are; its name is text; it does not say that all are written in another way (by a convention of HTML); it
 * is none that stands in a secret's place a second time; it passes as one of the query would. */
static bool take(const struct judge *j, const struct http_parameter *p, unsigned *places, bool *ret_drop,
		 struct verdict *v)
{
	const struct judge_meaning m = judge_parameter_meaning(j, p);

	if (!is_plain(&p->raw))
		return refuse(v, "it has a character that is not encoded");
	if (!is_name(&p->name))
		return refuse(v, "the name of a parameter is no text");
	if (names_charset(&p->name))
		return refuse(v, "by _charset_ it may have another encoding");
	if ((*places & place_of(j, &m)) != 0)
		return refuse(v, "what stands in the place of a secret is there twice");
	*places |= place_of(j, &m);
	return judge_parameter(j, TERMS_FORM, p, &m, ret_drop, v);
}

/* ---- writing ---- */

static void put_name(struct buf *out, const char *name, size_t n)
{
	if (out->len > 0)
		buf_put_u8(out, '&');
	mask_put_percent(out, name, n, DIGITS);
	buf_put_u8(out, '=');
}

static void put_secrets(const struct judge *j, struct buf *out)
{
	for (uint32_t i = 0; i < j->terms.n_secrets; i++) {
		const struct terms_secret *s = &j->terms.secrets[i];

		if (s->place != TERMS_FORM)
			continue;
		put_name(out, s->where, strlen(s->where));
		buf_put(out, j->secrets[i].at, j->secrets[i].n);
	}
}

/* A byte is written as three at most, and what is added, a sign behind a name without a value, takes no more than its separator would; but for the last one's. */
static size_t room_for(const struct judge *j, size_t n)
{
	size_t room = 3 * n + 2;

	for (uint32_t i = 0; i < j->terms.n_secrets; i++)
		room += 3 * TERMS_NAME_MAX + 2 + j->secrets[i].n;
	return room;
}

static bool put_parameters(const struct judge *j, struct http_text form, struct buf *out, struct verdict *v)
{
	struct http_parameters all;
	struct http_parameter one;
	unsigned places = 0;

	http_parameters_begin(&all, &form);
	while (http_parameters_next(&all, &one)) {
		bool drop = false;

		if (one.raw.n == 0)
			continue;
		if (!take(j, &one, &places, &drop, v))
			return false;
		if (drop)
			continue;
		put_name(out, one.name.at, one.name.n);
		mask_put_percent(out, one.value.at, one.value.n, DIGITS);
	}
	return true;
}

bool form_write(const struct judge *j, const void *bytes, size_t n, const struct memory *memory, struct buf *ret,
		struct verdict *v)
{
	const struct http_text form = { .at = bytes, .n = n };
	const size_t room = room_for(j, n);

	buf_init_of(ret, room, memory);
	(void)buf_room(ret, room); /* at once: such memory is short, and a copy of it is not made */
	if (n > 0 && !put_parameters(j, form, ret, v))
		return false;
	put_secrets(j, ret);
	if (ret->failed)
		judge_refuse(v, 503, AMBIT_MEMORY, NULL, "no memory that is never written to a disk, for the form");
	return !ret->failed;
}
