#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "http/mask.h"

/* A host shows what it received as its own tools write it. These are the ways that keep the secret legible:
 *   1. as it is;
 *   2. as Basic has it, and in the alphabet of URLs, both without the `=` behind them, which others leave out;
 *   3. each of those in a query, where what is not unreserved (RFC 3986, 2.3) is %XX, in large or small digits;
 *   4. each of those as a string of JSON, where `/` may be `\/`;
 *   5. the first as gRPC has it in what it says of an error;
 *   6. the first in a form, where a blank is `+`, and in a query as browsers write it: they differ in what else stands for itself.
 * Not those that change what it is: compressed, hashed, or within other base64. */
static const struct writing {
	const char *plain; /* beside letters and digits */
	bool plus;
} writings[] = {
	{ "-._~", true },       /* Python, Go */
	{ "*-._", true },       /* browsers' forms (WHATWG), Java */
	{ "-._", true },        /* PHP */
	{ "-_.!~*'()", false }, /* encodeURIComponent */
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define PLAIN_FORMS 5 /* 1, 3 and 4 */
_Static_assert(MASK_FORMS_MAX >= 2 * PLAIN_FORMS + 1 + 1 + 2 * COUNT_OF(writings), "room for each way");

static const char *const digits_of[] = { "0123456789ABCDEF", "0123456789abcdef" };

struct forms {
	struct buf room; /* lent, and of that size from the start: nothing is left behind elsewhere */
	struct mask_text texts[MASK_TEXTS_MAX];
	size_t n;
};

/* Keeps what was written from `start` on, unless it is kept already; in either case it stays in the room, from which others are made. */
static void keep(struct forms *f, size_t start)
{
	const struct mask_text t = { f->room.data + start, f->room.len - start };

	for (size_t k = 0; k < f->n; k++)
		if (f->texts[k].n == t.n && memcmp(f->texts[k].at, t.at, t.n) == 0)
			return;
	if (f->n < MASK_TEXTS_MAX)
		f->texts[f->n++] = t;
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void put_hex(struct buf *out, uint8_t c, const char *digits)
{
	buf_put_u8(out, '%');
	buf_put_u8(out, (uint8_t)digits[c >> 4]);
	buf_put_u8(out, (uint8_t)digits[c & 15]);
}

static void put_written(struct buf *out, const void *bytes, size_t n, const struct writing *w, const char *digits)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = ((const uint8_t *)bytes)[i];

		if (is_alnum(c) || (c != 0 && strchr(w->plain, c) != NULL))
			buf_put_u8(out, c);
		else if (c == ' ' && w->plus)
			buf_put_u8(out, '+');
		else
			put_hex(out, c, digits);
	}
}

void mask_put_percent(struct buf *out, const void *bytes, size_t n, const char *digits)
{
	static const struct writing query = { "-._~", false };

	put_written(out, bytes, n, &query, digits);
}

void mask_put_status(struct buf *out, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = ((const uint8_t *)bytes)[i];

		if (c >= 0x20 && c < 0x7f && c != '%')
			buf_put_u8(out, c);
		else
			put_hex(out, c, "0123456789ABCDEF");
	}
}

static void add_percent(struct forms *f, const struct mask_text *of, const char *digits)
{
	const size_t start = f->room.len;

	mask_put_percent(&f->room, of->at, of->n, digits);
	keep(f, start);
}

static void add_written(struct forms *f, const struct mask_text *of)
{
	for (size_t i = 0; i < COUNT_OF(writings) * COUNT_OF(digits_of); i++) {
		const size_t start = f->room.len;

		put_written(&f->room, of->at, of->n, &writings[i / COUNT_OF(digits_of)],
			    digits_of[i % COUNT_OF(digits_of)]);
		keep(f, start);
	}
}

static void add_json(struct forms *f, const struct mask_text *of, bool slashes)
{
	const size_t start = f->room.len;

	for (size_t i = 0; i < of->n; i++) {
		const uint8_t c = of->at[i];

		if (c == '"' || c == '\\' || (slashes && c == '/'))
			buf_put_u8(&f->room, '\\');
		buf_put_u8(&f->room, c);
	}
	keep(f, start);
}

static void add_status(struct forms *f, const struct mask_text *of)
{
	const size_t start = f->room.len;

	mask_put_status(&f->room, of->at, of->n);
	keep(f, start);
}

static void add_all(struct forms *f, size_t start)
{
	const struct mask_text plain = { f->room.data + start, f->room.len - start };

	keep(f, start);
	for (size_t i = 0; i < COUNT_OF(digits_of); i++)
		add_percent(f, &plain, digits_of[i]);
	add_json(f, &plain, false);
	add_json(f, &plain, true);
}

/* What differs from the usual alphabet is added by itself: neither a query nor JSON changes it. */
static void add_url_safe(struct forms *f, const struct mask_text *of)
{
	const size_t start = f->room.len;

	for (size_t i = 0; i < of->n; i++) {
		const uint8_t c = of->at[i];

		buf_put_u8(&f->room, c == '+' ? '-' : c == '/' ? '_' : c);
	}
	keep(f, start);
}

static void add_basic(struct forms *f, const struct mask_text *secret, const char *user)
{
	const size_t start = f->room.len;
	struct mask_text encoded;
	size_t base64;

	buf_put(&f->room, user, strlen(user));
	buf_put_u8(&f->room, ':');
	buf_put(&f->room, secret->at, secret->n);
	base64 = f->room.len;
	base64_put(&f->room, f->room.data + start, base64 - start);
	while (f->room.data[f->room.len - 1] == '=')
		f->room.len--;
	encoded = (struct mask_text){ f->room.data + base64, f->room.len - base64 };
	add_all(f, base64);
	add_url_safe(f, &encoded);
}

static void add_secret(struct forms *f, const struct mask_secret *s)
{
	const size_t start = f->room.len;
	const struct mask_text plain = { f->room.data + start, s->n };

	buf_put(&f->room, s->at, s->n);
	add_all(f, start);
	add_status(f, &plain);
	add_written(f, &plain);
	if (s->user != NULL)
		add_basic(f, &plain, s->user);
}

/* ---- room ---- */

/* Of n bytes, of which some are not letters and digits: those are three as %XX, in two forms 3, form 5 and all of form 6, and two in both forms 4. */
static size_t room_for_plain(const struct mask_secret *s)
{
	size_t others = 0;

	for (size_t i = 0; i < s->n; i++)
		others += !is_alnum(((const uint8_t *)s->at)[i]);
	return 14 * s->n + 24 * others;
}

/* Behind its user, in base64 as it is, as two forms 3 of three bytes for each at most, as forms 4 of one and of two, and in the alphabet of URLs. */
static size_t room_for_basic(const struct mask_secret *s)
{
	const size_t pair = s->n + strlen(s->user) + 1, encoded = (pair + 2) / 3 * 4;

	return pair + 11 * encoded;
}

/* 0: one is out of range. */
static size_t room_for(const struct mask_secret *secrets, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mask_secret *s = &secrets[i];

		if (s->n < MASK_TEXT_LEAST || s->n > MASK_SECRET_MAX ||
		    (s->user != NULL && strlen(s->user) >= MASK_USER_MAX))
			return 0;
		size += room_for_plain(s) + (s->user != NULL ? room_for_basic(s) : 0);
	}
	return n <= MASK_SECRETS_MAX ? size : 0;
}

struct mask_set *mask_set_of(const struct mask_secret *secrets, size_t n, const struct memory *memory)
{
	const size_t size = room_for(secrets, n);
	struct forms f = { .n = 0 };
	struct mask_set *set = NULL;

	buf_init_of(&f.room, size, memory);
	if (size == 0 || buf_room(&f.room, size) == NULL) /* once and for all: the texts point into it */
		return NULL;
	for (size_t i = 0; i < n; i++)
		add_secret(&f, &secrets[i]);
	if (!f.room.failed)
		set = mask_set_create(f.texts, f.n, memory);
	buf_wipe(&f.room);
	return set;
}
