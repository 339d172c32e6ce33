#include "cell/pem.h"

#include <string.h>

#include "base/base64.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define LINE_BYTES 48 /* 64 characters */

void pem_put(struct buf *out, const void *der, size_t n)
{
	buf_printf(out, BEGIN "\n");
	for (size_t at = 0; at < n; at += LINE_BYTES) {
		base64_put(out, (const uint8_t *)der + at, n - at < LINE_BYTES ? n - at : LINE_BYTES);
		buf_put_u8(out, '\n');
	}
	buf_printf(out, END "\n");
}

/* The next line without its end, which may be CR LF. */
static bool next_line(struct lines *l, struct span *ret)
{
	if (!lines_next(l, ret))
		return false;
	if (ret->len > 0 && ret->at[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static bool is(struct span line, const char *text)
{
	return span_equal(line, span_of(text));
}

/* One SEQUENCE that fills it, with the shortest length that says so: 4 bytes hold what PEM_CERTIFICATE_MAX allows. */
static bool is_one_value(const struct buf *der)
{
	const uint8_t *at = der->data;

	if (der->len < 2 || at[0] != 0x30)
		return false;
	if (at[1] < 0x80)
		return der->len == 2u + at[1];
	if (at[1] == 0x81)
		return der->len >= 3 && at[2] >= 0x80 && der->len == 3u + at[2];
	return at[1] == 0x82 && der->len >= 4 && at[2] != 0 && der->len == 4u + ((unsigned)at[2] << 8 | at[3]);
}

/* What follows the first line, to the last and with it. */
static bool take_body(struct lines *l, struct buf *der)
{
	bool padded = false;
	struct span line;

	while (next_line(l, &line)) {
		if (is(line, END))
			return is_one_value(der);
		if (padded || line.len == 0 || !base64_take(der, line.at, line.len))
			return false;
		padded = line.at[line.len - 1] == '=';
	}
	return false;
}

bool pem_next(struct span *text, struct span *ret_text, struct buf *der)
{
	struct lines l = { .left = *text };
	struct span line;

	while (next_line(&l, &line)) {
		if (!is(line, BEGIN))
			continue;
		struct lines body = l; /* what is none may have the beginning of one within */

		buf_reset(der);
		if (!take_body(&body, der))
			continue;
		*ret_text = (struct span){ line.at, (size_t)(body.left.at - line.at) };
		*text = body.left;
		return true;
	}
	return false;
}

static bool is_written_by_us(struct span text, const struct buf *der)
{
	uint8_t room[AUTHORITIES_TEXT_MAX / AUTHORITIES_MAX];
	struct buf again;

	buf_init_in(&again, room, sizeof room);
	pem_put(&again, der->data, der->len);
	return !again.failed && span_equal(text, span_bytes(again.data, again.len));
}

bool pem_is_of_event(const char *text)
{
	struct span left = span_of(text), one = { .at = NULL };
	const char *expected = text;
	uint8_t room[AUTHORITY_BYTES_MAX];
	struct buf der;
	size_t n = 0;

	buf_init_in(&der, room, sizeof room);
	for (; n < AUTHORITIES_MAX && pem_next(&left, &one, &der); n++) {
		if (one.at != expected || !is_written_by_us(one, &der))
			return false;
		expected = one.at + one.len;
	}
	return n > 0 && *expected == 0;
}
