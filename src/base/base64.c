#include "base/base64.h"

#include <stdint.h>
#include <string.h>

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

static int digit(char c)
{
	const char *at = c != 0 ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* One group of four; pads is how many `=` end it. False if a character or a bit is wrong. */
static bool take_group(const char *text, size_t pads, uint8_t ret[3])
{
	uint32_t three = 0;

	for (size_t i = 0; i < 4; i++) {
		const int d = i < 4 - pads ? digit(text[i]) : 0;

		if (d < 0)
			return false;
		three = three << 6 | (uint32_t)d;
	}
	ret[0] = (uint8_t)(three >> 16);
	ret[1] = (uint8_t)(three >> 8);
	ret[2] = (uint8_t)three;
	return (pads < 1 || ret[2] == 0) && (pads < 2 || ret[1] == 0);
}

static size_t pads_of(const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

/* The bytes of all groups, one group after the other, into out (NULL: only looked at). */
static bool take_groups(const char *text, size_t len, size_t pads, struct buf *out)
{
	for (size_t at = 0; at < len; at += 4) {
		const size_t p = at + 4 == len ? pads : 0;
		uint8_t three[3];

		if (!take_group(text + at, p, three))
			return false;
		if (out != NULL)
			buf_put(out, three, 3 - p);
	}
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
