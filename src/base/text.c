#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t text_decode(const void *bytes, size_t n, uint32_t *ret)
{
	static const struct {
		uint8_t mask, lead, len;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 }, { 0xe0, 0xc0, 2, 0x80 }, { 0xf0, 0xe0, 3, 0x800 }, { 0xf8, 0xf0, 4, 0x10000 }
	};
	const uint8_t *s = bytes;

	for (size_t f = 0; n > 0 && f < sizeof forms / sizeof forms[0]; f++) {
		uint32_t c;

		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].len > n)
			return 0;
		c = s[0] & (uint8_t)~forms[f].mask;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < forms[f].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*ret = c;
		return forms[f].len;
	}
	return 0;
}

bool text_is_utf8(const void *bytes, size_t n, size_t *ret_at)
{
	const uint8_t *s = bytes;
	size_t at = 0;

	while (at < n) {
		uint32_t c;
		const size_t len = text_decode(s + at, n - at, &c);

		if (len == 0) {
			if (ret_at != NULL)
				*ret_at = at;
			return false;
		}
		at += len;
	}
	return true;
}

/* Characters that move a reader's eye or terminal: C1 controls, bidirectional marks, line separators, the BOM. */
static bool is_tricky(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

/* lead, the number with at least two hexadecimal digits, tail. Not printf's: texts may be all escapes, and long. */
static size_t put_hex(char piece[TEXT_PIECE], const char *lead, uint32_t value, const char *tail)
{
	unsigned digits = 2;
	char *p = stpcpy(piece, lead);

	while (digits < 8 && value >> (4 * digits) != 0)
		digits++;
	for (unsigned i = digits; i > 0; i--)
		*p++ = "0123456789abcdef"[value >> (4 * (i - 1)) & 0xf];
	return (size_t)(stpcpy(p, tail) - piece);
}

/* One character of the copy into piece; gives how many input bytes it took. */
static size_t escape_one(const uint8_t *s, size_t n, bool double_backslash, char piece[TEXT_PIECE], size_t *ret_len)
{
	uint32_t c = 0;
	const size_t len = text_decode(s, n, &c);

	if (len == 0 || c < 0x20 || c == 0x7f) {
		*ret_len = put_hex(piece, "\\x", s[0], "");
		return 1;
	}
	if (is_tricky(c)) {
		*ret_len = put_hex(piece, "\\u{", c, "}");
		return len;
	}
	piece[0] = '\\';
	*ret_len = c == '\\' && double_backslash ? 2 : len;
	memcpy(piece + *ret_len - len, s, len);
	piece[*ret_len] = 0;
	return len;
}

size_t text_show_one(const void *bytes, size_t n, char piece[TEXT_PIECE], size_t *ret_len)
{
	return escape_one(bytes, n, false, piece, ret_len);
}

bool text_is_plain(const void *bytes, size_t n)
{
	const uint8_t *s = bytes;
	char piece[TEXT_PIECE];

	for (size_t at = 0, took, len; at < n; at += took) {
		took = escape_one(s + at, n - at, false, piece, &len);
		if (len != took) /* no escape is as long as what it stands for */
			return false;
	}
	return true;
}

static char *escape(char *dst, size_t dst_size, const void *bytes, size_t n, bool double_backslash)
{
	const uint8_t *s = bytes;
	size_t at = 0, out = 0;

	if (dst_size == 0)
		return dst;
	while (at < n) {
		char piece[TEXT_PIECE];
		size_t len;
		const size_t took = escape_one(s + at, n - at, double_backslash, piece, &len);

		if (out + len + sizeof "..." > dst_size) {
			if (out + sizeof "..." <= dst_size)
				out += (size_t)snprintf(dst + out, dst_size - out, "...");
			break;
		}
		memcpy(dst + out, piece, len);
		out += len;
		at += took;
	}
	dst[out] = 0;
	return dst;
}

char *text_escape(char *dst, size_t dst_size, const void *bytes, size_t n)
{
	return escape(dst, dst_size, bytes, n, true);
}

char *text_show(char *dst, size_t dst_size, const void *bytes, size_t n)
{
	return escape(dst, dst_size, bytes, n, false);
}

bool text_copy(char *dst, size_t dst_size, const char *src)
{
	const size_t n = strlen(src);

	if (dst_size > 0)
		dst[0] = 0;
	if (n >= dst_size)
		return false;
	memcpy(dst, src, n + 1);
	return true;
}

const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}
