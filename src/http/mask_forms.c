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
 *   5. as gRPC has it in what it says of an error.
 * Not those that change what it is: compressed, hashed, or within other base64. */
struct forms {
	struct buf room; /* lent, and of that size from the start: nothing is left behind elsewhere */
	struct mask_text texts[MASK_TEXTS_MAX];
	size_t n;
};

/* What the longest secret needs, for one of n bytes with its user: forms 3 and 5 are three bytes for each, form 4 two; as Basic has it, form 5 changes nothing. */
#define FORMS_ROOM(n) (32 * ((n) + 4))

/* Keeps what was written from `start` on, unless it is there already. */
static void keep(struct forms *f, size_t start)
{
	const struct mask_text t = { f->room.data + start, f->room.len - start };

	for (size_t k = 0; k < f->n; k++)
		if (f->texts[k].n == t.n && memcmp(f->texts[k].at, t.at, t.n) == 0) {
			f->room.len = start;
			return;
		}
	if (f->n < MASK_TEXTS_MAX)
		f->texts[f->n++] = t;
}

static bool is_unreserved(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

static void put_hex(struct buf *out, uint8_t c, const char *digits)
{
	buf_put_u8(out, '%');
	buf_put_u8(out, (uint8_t)digits[c >> 4]);
	buf_put_u8(out, (uint8_t)digits[c & 15]);
}

void mask_put_percent(struct buf *out, const void *bytes, size_t n, const char *digits)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = ((const uint8_t *)bytes)[i];

		if (is_unreserved(c))
			buf_put_u8(out, c);
		else
			put_hex(out, c, digits);
	}
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
	add_percent(f, &plain, "0123456789ABCDEF");
	add_percent(f, &plain, "0123456789abcdef");
	add_json(f, &plain, false);
	add_json(f, &plain, true);
}

static void add_basic(struct forms *f, const struct mask_text *secret, const char *user)
{
	const size_t start = f->room.len;
	size_t base64;

	buf_put(&f->room, user, strlen(user));
	buf_put_u8(&f->room, ':');
	buf_put(&f->room, secret->at, secret->n);
	base64 = f->room.len;
	base64_put(&f->room, f->room.data + start, base64 - start);
	while (f->room.data[f->room.len - 1] == '=')
		f->room.len--;
	add_all(f, base64);
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

struct mask_set *mask_set_of(const void *secret, size_t n, const char *user, const struct memory *memory)
{
	const size_t size = FORMS_ROOM(n + (user != NULL ? strlen(user) + 1 : 0));
	struct forms f = { .n = 0 };
	struct mask_set *set = NULL;

	if (n < MASK_TEXT_LEAST || n > MASK_SECRET_MAX || (user != NULL && strlen(user) >= MASK_USER_MAX))
		return NULL;
	buf_init_of(&f.room, size, memory);
	if (buf_room(&f.room, size) == NULL) /* once and for all: the texts point into it */
		return NULL;
	buf_put(&f.room, secret, n);
	add_all(&f, 0);
	add_status(&f, &f.texts[0]);
	if (user != NULL) {
		const size_t basic = f.n;

		add_basic(&f, &f.texts[0], user);
		add_url_safe(&f, &f.texts[basic]);
	}
	if (!f.room.failed)
		set = mask_set_create(f.texts, f.n, memory);
	buf_wipe(&f.room);
	return set;
}
