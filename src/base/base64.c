#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *out, const void *bytes, size_t n)
{
	const uint8_t *s = bytes;

	for (size_t at = 0; at < n; at += 3) {
		const size_t left = n - at;
		const uint32_t three = (uint32_t)s[at] << 16 | (left > 1 ? (uint32_t)s[at + 1] << 8 : 0) |
				       (left > 2 ? (uint32_t)s[at + 2] : 0);
		const char four[4] = { alphabet[three >> 18], alphabet[three >> 12 & 63],
				       left > 1 ? alphabet[three >> 6 & 63] : '=',
				       left > 2 ? alphabet[three & 63] : '=' };

		buf_put(out, four, sizeof four);
	}
}

/* Each character's digit and one more, 0 for what has none: a cell may start with a quarter of a megabyte of this. */
static const uint8_t digits[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
	['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* One group of four. False if a character has no digit. */
static inline bool take_group(const char *text, uint8_t ret[3])
{
	const uint32_t a = digits[(uint8_t)text[0]], b = digits[(uint8_t)text[1]], c = digits[(uint8_t)text[2]],
		       d = digits[(uint8_t)text[3]];
	const uint32_t three = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);

	ret[0] = (uint8_t)(three >> 16);
	ret[1] = (uint8_t)(three >> 8);
	ret[2] = (uint8_t)three;
	return a != 0 && b != 0 && c != 0 && d != 0;
}

/* The last, of which so many characters are `=`. False also if a bit is wrong. */
static bool take_padded(const char *text, size_t pads, uint8_t ret[3])
{
	const char full[4] = { text[0], text[1], pads > 1 ? 'A' : text[2], pads > 0 ? 'A' : text[3] };

	return take_group(full, ret) && (pads < 1 || ret[2] == 0) && (pads < 2 || ret[1] == 0);
}

static size_t pads_of(const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

#define ROOM_GROUPS 64 /* put at once */

/* The bytes of all groups, one group after the other, into out (NULL: only looked at). */
static bool take_groups(const char *text, size_t len, size_t pads, struct buf *out)
{
	const char *const last = len > 0 ? text + len - 4 : text;
	uint8_t room[3 * ROOM_GROUPS];
	size_t n = 0;

	for (; text < last; text += 4) {
		if (!take_group(text, room + n))
			return false;
		n += 3;
		if (n < sizeof room)
			continue;
		if (out != NULL)
			buf_put(out, room, n);
		n = 0;
	}
	if (len > 0 && !take_padded(last, pads, room + n))
		return false;
	if (len > 0 && out != NULL)
		buf_put(out, room, n + 3 - pads);
	return true;
}

bool base64_take(struct buf *out, const char *text, size_t len)
{
	const size_t before = out->len;

	if (len % 4 != 0)
		return false;
	if (!take_groups(text, len, pads_of(text, len), out)) {
		out->len = before;
		return false;
	}
	return !out->failed;
}

bool base64_is(const char *text, size_t len, size_t *ret_n)
{
	if (len % 4 != 0 || !take_groups(text, len, pads_of(text, len), NULL))
		return false;
	*ret_n = len / 4 * 3 - pads_of(text, len);
	return true;
}
