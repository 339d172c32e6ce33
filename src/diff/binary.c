#include "diff/binary.h"
#include "base/num.h"

#include <stdio.h>
#include <string.h>

#include "diff/sha1.h"

#define LINE_BYTES 52      /* of the stream on one line */
#define STORED_MAX 0xffffu /* bytes of a block that is not compressed (RFC 1951, 3.2.4) */
#define ADLER_BASE 65521u
#define ADLER_RUN 5552 /* bytes after which the sums must be reduced, as in zlib */

void object_name(const struct text *content, char ret[OBJECT_NAME_MAX])
{
	uint8_t digest[SHA1_BYTES] = { 0 };
	char head[32];

	if (content != NULL) {
		const int n = snprintf(head, sizeof head, "blob %zu", content->len);
		struct sha1 s;

		sha1_init(&s);
		sha1_add(&s, head, (size_t)n + 1); /* with its NUL */
		sha1_add(&s, content->data, content->len);
		sha1_end(&s, digest);
	}
	hex_write(digest, SHA1_BYTES, ret);
}

/* Bytes on their way into lines of base 85. */
struct lines85 {
	struct out *o;
	uint8_t bytes[LINE_BYTES];
	size_t n;
};

static void put_word(struct out *o, const uint8_t *bytes, size_t n)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
	uint32_t word = 0;
	char text[5];

	for (size_t i = 0; i < 4; i++)
		word = word << 8 | (i < n ? bytes[i] : 0u);
	for (size_t i = sizeof text; i-- > 0; word /= 85)
		text[i] = digits[word % 85];
	out_raw(o, text, sizeof text);
}

/* The length comes first: A to Z are 1 to 26, a to z 27 to 52. */
static void put_line(struct lines85 *l)
{
	const char length = (char)(l->n <= 26 ? 'A' + (int)l->n - 1 : 'a' + (int)l->n - 27);

	if (l->n == 0)
		return;
	out_raw(l->o, &length, 1);
	for (size_t i = 0; i < l->n; i += 4)
		put_word(l->o, l->bytes + i, l->n - i);
	out_string(l->o, "\n");
	l->n = 0;
}

static void put_bytes(struct lines85 *l, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		const size_t room = sizeof l->bytes - l->n, now = n < room ? n : room;

		memcpy(l->bytes + l->n, bytes, now);
		l->n += now;
		bytes += now;
		n -= now;
		if (l->n == sizeof l->bytes)
			put_line(l);
	}
}

static uint32_t adler32(const struct text *t)
{
	uint32_t a = 1, b = 0;

	for (size_t at = 0; at < t->len;) {
		const size_t end = t->len - at < ADLER_RUN ? t->len : at + ADLER_RUN;

		for (; at < end; at++) {
			a += t->data[at];
			b += a;
		}
		a %= ADLER_BASE;
		b %= ADLER_BASE;
	}
	return b << 16 | a;
}

/* A zlib stream (RFC 1950) of stored blocks. */
static void put_stream(struct lines85 *l, const struct text *t)
{
	static const uint8_t head[] = { 0x78, 0x01 };
	const uint32_t sum = adler32(t);
	const uint8_t tail[] = { (uint8_t)(sum >> 24), (uint8_t)(sum >> 16 & 0xff), (uint8_t)(sum >> 8 & 0xff),
				 (uint8_t)(sum & 0xff) };
	size_t at = 0;

	put_bytes(l, head, sizeof head);
	do { /* an empty content is one empty block */
		const size_t n = t->len - at < STORED_MAX ? t->len - at : STORED_MAX;
		const uint8_t block[] = { at + n == t->len, (uint8_t)(n & 0xff), (uint8_t)(n >> 8),
					  (uint8_t)(~n & 0xff), (uint8_t)(~n >> 8 & 0xff) };

		put_bytes(l, block, sizeof block);
		put_bytes(l, t->data + at, n);
		at += n;
	} while (at < t->len);
	put_bytes(l, tail, sizeof tail);
}

static void put_literal(struct out *o, const struct text *t)
{
	struct lines85 l = { .o = o };

	out_printf(o, "literal %zu\n", t->len);
	put_stream(&l, t);
	put_line(&l);
	out_string(o, "\n");
}

/* No less than what a content becomes: five characters for four bytes, two for each line, and the stream's own bytes. */
static uint64_t literal_size(const struct text *t)
{
	return t->len + t->len / 3 + 128;
}

bool binary_write(struct out *o, const struct text *old, const struct text *new)
{
	if (o->max > 0 && (out_is_full(o) || literal_size(old) + literal_size(new) > o->max - o->total))
		return false;
	out_string(o, "GIT binary patch\n");
	put_literal(o, new);
	put_literal(o, old);
	return true;
}
