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

void out_text(struct out *o, const void *bytes, size_t n)
{
	put_text(o, bytes, n, false);
}

void out_content(struct out *o, const void *bytes, size_t n)
{
	put_text(o, bytes, n, true);
}

/* In quotes: as text_escape, and the quote itself. */
static void put_quoted(struct buf *dst, const char *escaped)
{
	buf_put_u8(dst, '"');
	for (const char *p = escaped; *p != 0; p++) {
		if (*p == '"')
			buf_put_u8(dst, '\\');
		buf_put_u8(dst, (uint8_t)*p);
	}
	buf_put_u8(dst, '"');
}

void name_put(struct buf *dst, const char *lead, const char *tree, const char *path)
{
	auto_buf name = { .max = NAME_MAX_BYTES };
	auto_free char *escaped = malloc(NAME_MAX_BYTES);
	const char *plain;

	buf_printf(&name, "%s%s%s%s", lead, tree, tree[0] != 0 && path[0] != 0 ? "/" : "", path);
	if (tree[0] == 0 && path[0] == 0)
		buf_put_u8(&name, '.');
	plain = buf_cstr(&name);
	if (plain == NULL || escaped == NULL) {
		dst->failed = true;
		return;
	}
	(void)text_escape(escaped, NAME_MAX_BYTES, plain, strlen(plain));
	if (strcmp(plain, escaped) == 0 && strchr(plain, '"') == NULL)
		buf_put(dst, plain, strlen(plain));
	else
		put_quoted(dst, escaped);
}

void out_name(struct out *o, const char *lead, const char *tree, const char *path)
{
	auto_buf name = { .max = 2 * NAME_MAX_BYTES };

	name_put(&name, lead, tree, path);
	if (name.failed)
		o->failed = true; /* memory: a text without its names must not pass for one */
	out_raw(o, name.data, name.len);
}
