#include "http/compose.h"

static bool is_line(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (((uint8_t)t->at[i] < 0x20 && t->at[i] != '\t') || t->at[i] == 0x7f)
			return false;
	return true;
}

static bool is_name(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!http_is_token((uint8_t)t->at[i]))
			return false;
	return t->n > 0;
}

void compose_field(struct buf *out, const struct http_text *name, const struct http_text *value)
{
	if (!is_name(name) || !is_line(value)) {
		out->failed = true;
		return;
	}
	buf_put(out, name->at, name->n);
	buf_put(out, ": ", 2);
	buf_put(out, value->at, value->n);
	buf_put(out, "\r\n", 2);
}

void compose_chunk(struct buf *out, size_t n)
{
	buf_printf(out, "%zx\r\n", n);
}
