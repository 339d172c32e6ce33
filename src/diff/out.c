#include "diff/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

void out_init(struct out *o, struct sink sink, bool colour, uint64_t max)
{
	memset(o, 0, offsetof(struct out, bytes));
	o->sink = sink;
	o->colour = colour;
	o->max = max;
}

bool out_flush(struct out *o)
{
	if (!o->failed && o->len > 0)
		o->failed = o->sink.write(o->sink.of, o->bytes, o->len) < 0;
	o->len = 0;
	return !o->failed;
}

bool out_is_full(const struct out *o)
{
	return o->max > 0 && o->total >= o->max;
}

void out_raw(struct out *o, const void *bytes, size_t n)
{
	const char *from = bytes;

	if (n == 0)
		return;
	o->total += n;
	if (n < sizeof o->bytes - o->len) { /* nearly always */
		memcpy(o->bytes + o->len, from, n);
		o->len += n;
		return;
	}
	while (n > 0) {
		const size_t room = sizeof o->bytes - o->len, now = n < room ? n : room;

		memcpy(o->bytes + o->len, from, now);
		o->len += now;
		from += now;
		n -= now;
		if (o->len == sizeof o->bytes)
			(void)out_flush(o);
	}
}

void out_string(struct out *o, const char *s)
{
	out_raw(o, s, strlen(s));
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char line[256]; /* numbers and our own words */
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n > 0)
		out_raw(o, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void out_colour(struct out *o, enum out_colour c)
{
	static const char *const codes[] = {
		[OUT_PLAIN] = "\033[m", [OUT_HEADER] = "\033[1m", [OUT_HUNK] = "\033[36m",
		[OUT_OLD] = "\033[31m", [OUT_NEW] = "\033[32m",   [OUT_NOTE] = "\033[33m",
	};

	if (o->colour)
		out_string(o, codes[c]);
}

/* How many bytes from the start are copied as they are: printing ASCII and tabs. */
static size_t plain_run(const uint8_t *s, size_t n)
{
	size_t i = 0;

	while (i < n && ((s[i] >= 0x20 && s[i] < 0x7f) || s[i] == '\t'))
		i++;
	return i;
}

/* One character that is not plain ASCII; gives how many bytes it took. */
static size_t put_character(struct out *o, const uint8_t *s, size_t n)
{
	char piece[TEXT_PIECE];
	size_t len;
	const size_t took = text_show_one(s, n, piece, &len);
	const bool escaped = len != took;

	if (escaped && o->colour)
		out_string(o, "\033[7m");
	out_raw(o, piece, len);
	if (escaped && o->colour)
		out_string(o, "\033[27m");
	return took;
}

static void put_text(struct out *o, const uint8_t *s, size_t n, bool bounded)
{
	while (n > 0 && !(bounded && out_is_full(o))) {
		size_t took = plain_run(s, n < sizeof o->bytes ? n : sizeof o->bytes);

		if (took > 0)
			out_raw(o, s, took);
		else
			took = put_character(o, s, n);
		s += took;
		n -= took;
	}
}

bool out_shows_as_is(const void *bytes, size_t n)
{
	const uint8_t *s = bytes;

	while (n > 0) {
		size_t took = plain_run(s, n), len = took;
		char piece[TEXT_PIECE];

		if (took == 0)
			took = text_show_one(s, n, piece, &len);
		if (took != len)
			return false;
		s += took;
		n -= took;
	}
	return true;
}

void out_text(struct out *o, const void *bytes, size_t n)
{
	put_text(o, bytes, n, false);
}

void out_content(struct out *o, const void *bytes, size_t n)
{
	put_text(o, bytes, n, true);
}

/* The letter that stands for a byte behind a backslash, 0: three octal digits do. */
static char letter_of(uint8_t c)
{
	static const char bytes[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
	const char *at = c == 0 ? NULL : strchr(bytes, c);

	return at == NULL ? 0 : letters[at - bytes];
}

static bool needs_quotes(const struct buf *name)
{
	for (size_t i = 0; i < name->len; i++)
		if (letter_of(name->data[i]) != 0)
			return true;
	return !out_shows_as_is(name->data, name->len);
}

/* One character; gives how many bytes it took. */
static size_t put_quoted_one(struct buf *dst, const uint8_t *s, size_t n)
{
	char piece[TEXT_PIECE];
	size_t len;
	const size_t took = text_show_one(s, n, piece, &len);

	if (letter_of(s[0]) != 0)
		buf_printf(dst, "\\%c", letter_of(s[0]));
	else if (took == len)
		buf_put(dst, s, took);
	else
		for (size_t i = 0; i < took; i++)
			buf_printf(dst, "\\%03o", s[i]);
	return took;
}

static void put_quoted(struct buf *dst, const struct buf *name)
{
	buf_put_u8(dst, '"');
	for (size_t at = 0; at < name->len;)
		at += put_quoted_one(dst, name->data + at, name->len - at);
	buf_put_u8(dst, '"');
}

void name_put(struct buf *dst, const char *lead, const char *tree, const char *path)
{
	auto_buf name = { .max = NAME_MAX_BYTES };

	buf_printf(&name, "%s%s%s%s", lead, tree, tree[0] != 0 && path[0] != 0 ? "/" : "", path);
	if (tree[0] == 0 && path[0] == 0)
		buf_put_u8(&name, '.');
	if (name.failed)
		dst->failed = true;
	else if (needs_quotes(&name))
		put_quoted(dst, &name);
	else
		buf_put(dst, name.data, name.len);
}

void out_name(struct out *o, const char *lead, const char *tree, const char *path)
{
	auto_buf name = { .max = 2 * NAME_MAX_BYTES };

	name_put(&name, lead, tree, path);
	if (name.failed)
		o->failed = true; /* memory: a text without its names must not pass for one */
	out_raw(o, name.data, name.len);
}
