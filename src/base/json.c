#include "base/json.h"

#include <string.h>

#include "base/base64.h"
#include "base/sat.h"
#include "base/text.h"
#include "base/timestamp.h"

#define NS_PER_MS UINT64_C(1000000)

void json_begin(struct json *j, struct buf *out)
{
	*j = (struct json){ .out = out };
}

static void put(struct json *j, const char *text)
{
	buf_put(j->out, text, strlen(text));
}

static void begin(struct json *j)
{
	if (j->comma)
		put(j, ",");
	j->comma = true;
}

static void open_with(struct json *j, const char *bracket)
{
	begin(j);
	put(j, bracket);
	j->comma = false;
}

static void close_with(struct json *j, const char *bracket)
{
	put(j, bracket);
	j->comma = true;
}

void json_put_object(struct json *j)
{
	open_with(j, "{");
}

void json_put_object_end(struct json *j)
{
	close_with(j, "}");
}

void json_put_array(struct json *j)
{
	open_with(j, "[");
}

void json_put_array_end(struct json *j)
{
	close_with(j, "]");
}

/* A quote, a backslash and five controls have a letter; NULL where there is none. */
static const char *short_escape(uint8_t c)
{
	switch (c) {
	case '"': return "\\\"";
	case '\\': return "\\\\";
	case '\b': return "\\b";
	case '\t': return "\\t";
	case '\n': return "\\n";
	case '\f': return "\\f";
	case '\r': return "\\r";
	default: return NULL;
	}
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* The text stands between quotes; its bytes are UTF-8. Runs of plain characters are copied as they are. */
static void put_quoted(struct json *j, const uint8_t *s, size_t n)
{
	put(j, "\"");
	for (size_t i = 0; i < n;) {
		size_t run = i;

		while (run < n && is_plain(s[run]))
			run++;
		buf_put(j->out, s + i, run - i);
		i = run;
		if (i == n)
			break;
		if (short_escape(s[i]) != NULL)
			put(j, short_escape(s[i]));
		else
			buf_printf(j->out, "\\u%04x", s[i]);
		i++;
	}
	put(j, "\"");
}

struct json *json_put_key(struct json *j, const char *key)
{
	begin(j);
	put_quoted(j, (const uint8_t *)key, strlen(key));
	put(j, ":");
	j->comma = false;
	return j;
}

void json_put_null(struct json *j)
{
	begin(j);
	put(j, "null");
}

void json_put_bool(struct json *j, bool value)
{
	begin(j);
	put(j, value ? "true" : "false");
}

static void put_b64(struct json *j, const void *bytes, size_t n)
{
	json_put_object(j);
	(void)json_put_key(j, "b64");
	begin(j);
	put(j, "\"");
	base64_put(j->out, bytes, n);
	put(j, "\"");
	json_put_object_end(j);
}

static void text_or_b64(struct json *j, const void *bytes, size_t n)
{
	if (n > 0 && !text_is_utf8(bytes, n, NULL)) {
		put_b64(j, bytes, n);
		return;
	}
	begin(j);
	put_quoted(j, bytes, n);
}

void json_put_word(struct json *j, const char *s)
{
	json_put_name(j, s);
}

void json_put_hex(struct json *j, const uint8_t *bytes, size_t n)
{
	begin(j);
	put(j, "\"");
	buf_put_hex(j->out, bytes, n);
	put(j, "\"");
}

void json_put_name(struct json *j, const char *s)
{
	if (s != NULL)
		text_or_b64(j, s, strlen(s));
	else
		json_put_null(j);
}

/* How many bytes JSON needs for it. */
static size_t text_size(const uint8_t *s, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += is_plain(s[i]) ? 1 : short_escape(s[i]) != NULL ? 2 : 6;
	return size;
}

void json_put_bytes(struct json *j, const void *bytes, size_t n)
{
	if (n > 0 && text_size(bytes, n) > BASE64_LEN(n))
		put_b64(j, bytes, n);
	else
		text_or_b64(j, bytes, n);
}

void json_put_made(struct json *j, const void *bytes, size_t n)
{
	begin(j);
	buf_put(j->out, bytes, n);
}

void json_put_count(struct json *j, uint64_t n)
{
	begin(j);
	buf_printf(j->out, "%llu", (unsigned long long)(n < INT53_MAX ? n : INT53_MAX));
}

void json_put_ms(struct json *j, uint64_t ms)
{
	char text[TIMESTAMP_LEN + 1];

	json_put_word(j, ms != 0 && timestamp_write(ms, text) ? text : NULL);
}

void json_put_time(struct json *j, uint64_t ns)
{
	json_put_ms(j, ns / NS_PER_MS);
}
