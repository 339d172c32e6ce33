#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256 /* a message header and a short path fit */

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_init_of(struct buf *b, size_t max, const struct memory *memory)
{
	*b = (struct buf){ .max = max, .memory = memory };
}

void buf_init_in(struct buf *b, void *room, size_t size)
{
	*b = (struct buf){ .data = room, .cap = size, .max = size, .lent = true };
}

void buf_finish(struct buf *b)
{
	if (b == NULL)
		return;
	if (b->memory != NULL)
		b->memory->give(b->data);
	else if (!b->lent)
		free(b->data);
	*b = (struct buf){ .max = b->lent ? 0 : b->max, .memory = b->memory };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_finish(b);
}

void buf_drop(struct buf *b, size_t n)
{
	if (n == 0) /* and no data, perhaps */
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

/* Makes room for n more bytes. */
static bool reserve(struct buf *b, size_t n)
{
	size_t want = b->cap == 0 ? BUF_FIRST : b->cap;
	uint8_t *grown;

	if (b->failed || n > b->max || b->len > b->max - n) {
		b->failed = true;
		return false;
	}
	while (want < b->len + n)
		want = want > b->max / 2 ? b->max : want * 2;
	if (want <= b->cap)
		return true;
	grown = b->memory != NULL ? b->memory->grow(b->data, want) : realloc(b->data, want);
	if (grown == NULL) {
		b->failed = true;
		return false;
	}
	b->data = grown;
	b->cap = want;
	return true;
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->data + b->len : NULL;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t le[8];

	for (size_t i = 0; i < n; i++)
		le[i] = (uint8_t)(v >> (8 * i) & 0xff);
	buf_put(b, le, n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	put_le(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_put_double(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	buf_put_u64(b, bits);
}

void buf_put_be16(struct buf *b, uint16_t v)
{
	put_le(b, __builtin_bswap16(v), 2);
}

void buf_put_be32(struct buf *b, uint32_t v)
{
	put_le(b, __builtin_bswap32(v), 4);
}

void buf_put_bytes(struct buf *b, const void *bytes, size_t n)
{
	if (n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, bytes, n);
}

void buf_put_str(struct buf *b, const char *s)
{
	buf_put_bytes(b, s, strlen(s));
}

void buf_put_text(struct buf *b, const char *s, size_t room)
{
	const size_t n = strnlen(s, room - 1);
	uint8_t *to = buf_room(b, room);

	if (to == NULL)
		return;
	memcpy(to, s, n);
	memset(to + n, 0, room - n);
	b->len += room;
}

void buf_put_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", bytes[i]);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n + 1)) {
		b->failed = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap); /* fits: just measured */
	va_end(ap);
	b->len += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
	if (!reserve(b, 1))
		return NULL;
	b->data[b->len] = 0;
	return (const char *)b->data;
}

bool buf_is_same(const struct buf *a, const struct buf *b)
{
	return !a->failed && !b->failed && a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void rbuf_init(struct rbuf *r, const void *bytes, size_t n)
{
	*r = (struct rbuf){ .data = bytes, .len = n };
}

size_t rbuf_left(const struct rbuf *r)
{
	return r->failed ? 0 : r->len - r->at;
}

const uint8_t *rbuf_bytes(struct rbuf *r, size_t n)
{
	const uint8_t *here;

	if (r->failed || n > r->len - r->at) {
		r->failed = true;
		return NULL;
	}
	here = r->data + r->at;
	r->at += n;
	return here;
}

static uint64_t get_le(struct rbuf *r, size_t n)
{
	const uint8_t *le = rbuf_bytes(r, n);
	uint64_t v = 0;

	if (le == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)le[i] << (8 * i);
	return v;
}

uint8_t rbuf_u8(struct rbuf *r)
{
	return (uint8_t)get_le(r, 1);
}

uint16_t rbuf_u16(struct rbuf *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t rbuf_u32(struct rbuf *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t rbuf_u64(struct rbuf *r)
{
	return get_le(r, 8);
}

double rbuf_double(struct rbuf *r)
{
	const uint64_t bits = rbuf_u64(r);
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

uint16_t rbuf_be16(struct rbuf *r)
{
	return __builtin_bswap16(rbuf_u16(r));
}

void rbuf_str(struct rbuf *r, char *dst, size_t dst_size)
{
	const size_t n = rbuf_u32(r);
	const uint8_t *bytes;

	if (dst_size > 0)
		dst[0] = 0;
	if (n >= dst_size) {
		r->failed = true;
		return;
	}
	bytes = rbuf_bytes(r, n);
	if (bytes == NULL)
		return;
	if (memchr(bytes, 0, n) != NULL) {
		r->failed = true;
		return;
	}
	memcpy(dst, bytes, n);
	dst[n] = 0;
}

void rbuf_fixed(struct rbuf *r, uint8_t *dst, size_t n)
{
	const uint8_t *bytes = rbuf_bytes(r, n);

	if (bytes != NULL)
		memcpy(dst, bytes, n);
}

bool rbuf_bool(struct rbuf *r)
{
	const uint8_t v = rbuf_u8(r);

	r->failed |= v > 1;
	return v == 1;
}

void rbuf_text(struct rbuf *r, char *dst, size_t room)
{
	const uint8_t *bytes = rbuf_bytes(r, room);
	const size_t n = bytes != NULL ? strnlen((const char *)bytes, room) : 0;

	dst[0] = 0;
	for (size_t i = n; bytes != NULL && i < room; i++)
		if (bytes[i] != 0)
			r->failed = true;
	if (bytes == NULL || n == room)
		r->failed = true;
	if (!r->failed)
		memcpy(dst, bytes, room);
}

bool rbuf_done(const struct rbuf *r)
{
	return !r->failed && r->at == r->len;
}
