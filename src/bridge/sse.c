#include "bridge/sse.h"

#include <string.h>

#define MARK "\xef\xbb\xbf" /* of the order of bytes: may stand before everything */

void sse_init(struct sse *s)
{
	*s = (struct sse){ .is_message = true };
	buf_init(&s->line, SSE_DATA_MAX + 64);
	buf_init(&s->data, SSE_DATA_MAX);
}

void sse_finish(struct sse *s)
{
	buf_finish(&s->line);
	buf_finish(&s->data);
}

static void next_event(struct sse *s)
{
	buf_finish(&s->data);
	s->has_data = false;
	s->is_message = true;
}

void sse_again(struct sse *s)
{
	buf_finish(&s->line);
	next_event(s);
	memcpy(s->next, s->id, sizeof s->next);
	s->after_cr = s->begun = false;
}

/* ---- fields ---- */

static void take_id(struct sse *s, const uint8_t *at, size_t n)
{
	s->next[0] = 0;
	if (n >= sizeof s->next)
		return;
	for (size_t i = 0; i < n; i++)
		if (at[i] < 0x21 || at[i] > 0x7e)
			return;
	memcpy(s->next, at, n);
	s->next[n] = 0;
}

static void take_retry(struct sse *s, const uint8_t *at, size_t n)
{
	uint32_t ms = 0;

	for (size_t i = 0; i < n; i++) {
		if (at[i] < '0' || at[i] > '9')
			return;
		ms = ms * 10 + (uint32_t)(at[i] - '0');
		ms = ms < SSE_RETRY_MAX ? ms : SSE_RETRY_MAX;
	}
	s->has_retry = s->has_retry || n > 0;
	s->retry_ms = n > 0 ? ms : s->retry_ms;
}

static void take_data(struct sse *s, const uint8_t *at, size_t n)
{
	if (s->has_data)
		buf_put_u8(&s->data, '\n');
	buf_put(&s->data, at, n);
	s->has_data = true;
}

static bool is_named(const uint8_t *at, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(at, name, n) == 0;
}

static void take_field(struct sse *s, const uint8_t *at, size_t n)
{
	const uint8_t *colon = memchr(at, ':', n);
	const size_t name = colon == NULL ? n : (size_t)(colon - at);
	const size_t skip = colon == NULL ? 0 : colon + 1 < at + n && colon[1] == ' ' ? 2 : 1;
	const uint8_t *value = at + name + skip;
	const size_t left = n - name - skip;

	if (is_named(at, name, "data"))
		take_data(s, value, left);
	else if (is_named(at, name, "event"))
		s->is_message = left == 0 || is_named(value, left, "message");
	else if (is_named(at, name, "id"))
		take_id(s, value, left);
	else if (is_named(at, name, "retry"))
		take_retry(s, value, left);
}

/* True: that was the end of an event. */
static bool take_line(struct sse *s)
{
	const uint8_t *at = s->line.data;
	size_t n = s->line.len;

	if (!s->begun && n >= strlen(MARK) && memcmp(at, MARK, strlen(MARK)) == 0) {
		at += strlen(MARK);
		n -= strlen(MARK);
	}
	s->begun = true;
	if (n > 0) {
		take_field(s, at, n);
		buf_reset(&s->line);
		return false;
	}
	memcpy(s->id, s->next, sizeof s->id);
	buf_finish(&s->line); /* a long one's room is not kept */
	if (s->has_data && s->is_message && s->data.len > 0)
		return true;
	next_event(s);
	return false;
}

/* ---- bytes ---- */

enum sse_result sse_take(struct sse *s, const uint8_t *bytes, size_t n, size_t *ret_taken)
{
	size_t at = 0;

	if (s->is_told)
		next_event(s);
	s->is_told = false;
	*ret_taken = 0;
	while (at < n) {
		const size_t from = at;
		bool whole;

		if (s->after_cr && bytes[at] == '\n') {
			s->after_cr = false;
			*ret_taken = ++at;
			continue;
		}
		s->after_cr = false;
		while (at < n && bytes[at] != '\n' && bytes[at] != '\r')
			at++;
		buf_put(&s->line, bytes + from, at - from);
		if (s->line.failed)
			return SSE_BAD;
		*ret_taken = at;
		if (at == n)
			break;
		s->after_cr = bytes[at] == '\r';
		*ret_taken = ++at;
		whole = take_line(s);
		if (s->data.failed)
			return SSE_BAD;
		if (whole) {
			s->is_told = true;
			return SSE_EVENT;
		}
	}
	return SSE_MORE;
}
