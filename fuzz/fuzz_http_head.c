/* The head of a request or an answer: its parts lie in its bytes and hold nothing that makes another line; more bytes change nothing; and what was
 * taken, written again, is taken as the same. */
#include <string.h>

#include "fuzz.h"
#include "http/compose.h"
#include "http/head.h"

typedef int take(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why);

static struct http_head whole, part;

static void is_plain(const struct http_text *t, const uint8_t *data)
{
	const char *first = (const char *)data;

	promise(t->n == 0 || (t->at >= first && t->at + t->n <= first + whole.length));
	for (size_t i = 0; i < t->n; i++)
		promise(((uint8_t)t->at[i] >= 0x20 || t->at[i] == '\t') && t->at[i] != 0x7f);
}

static bool is_same(const struct http_text *a, const struct http_text *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

static void write_again(take *f, const uint8_t *data)
{
	const uint8_t *line_end = memchr(data, '\n', whole.length);
	const char *why;
	auto_buf out = { 0 };

	buf_init(&out, 2 * HTTP_HEAD_MAX);
	buf_put(&out, data, (size_t)(line_end + 1 - data));
	for (uint32_t i = 0; i < whole.n_fields; i++)
		compose_field(&out, &whole.fields[i].name, &whole.fields[i].value);
	buf_put(&out, "\r\n", 2);
	promise(!out.failed);
	if (out.len > HTTP_HEAD_MAX) /* a blank behind each colon, where there was none */
		return;
	promise(f(out.data, out.len, &part, &why) == 1 && part.length == out.len);
	promise(part.n_fields == whole.n_fields && part.body == whole.body && part.body_length == whole.body_length);
	for (uint32_t i = 0; i < whole.n_fields; i++)
		promise(is_same(&part.fields[i].name, &whole.fields[i].name) &&
			is_same(&part.fields[i].value, &whole.fields[i].value));
}

static void try_as(take *f, const uint8_t *data, size_t size)
{
	const char *why = NULL;
	const int r = f(data, size, &whole, &why);
	const size_t step = 1 + size / 64;

	promise(r >= -1 && r <= 1 && (r >= 0 || why != NULL));
	for (size_t n = 0; n < size; n += step) {
		const int before = f(data, n, &part, &why);

		promise(before == 0 || before == r);
		promise(r != 1 || (before == 1) == (n >= whole.length));
	}
	if (r != 1)
		return;
	promise(whole.length <= size && whole.length <= HTTP_HEAD_MAX && whole.n_fields <= HTTP_FIELDS_MAX);
	is_plain(&whole.method, data);
	is_plain(&whole.target, data);
	is_plain(&whole.reason, data);
	for (uint32_t i = 0; i < whole.n_fields; i++) {
		is_plain(&whole.fields[i].name, data);
		is_plain(&whole.fields[i].value, data);
	}
	write_again(f, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_as(http_head_request, data, size);
	try_as(http_head_answer, data, size);
	return 0;
}
