#include "http/head.h"

#include <string.h>

#include "base/num.h"

/* ---- characters ---- */

bool http_is_token(uint8_t c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != 0 && strchr(others, c) != NULL);
}

static uint8_t small(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_value(uint8_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* ---- texts ---- */

bool http_text_is(const struct http_text *t, const char *word)
{
	const size_t n = strlen(word);

	if (t->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (small((uint8_t)t->at[i]) != (uint8_t)word[i])
			return false;
	return true;
}

static uint8_t folded(uint8_t c)
{
	c = small(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
}

bool http_name_means(const struct http_text *name, const char *word)
{
	const size_t n = strlen(word);

	if (name->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (folded((uint8_t)name->at[i]) != folded((uint8_t)word[i]))
			return false;
	return true;
}

bool http_text_is_same(const struct http_text *a, const struct http_text *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (small((uint8_t)a->at[i]) != small((uint8_t)b->at[i]))
			return false;
	return true;
}

struct http_text http_trimmed(const char *at, size_t n)
{
	while (n > 0 && (at[0] == ' ' || at[0] == '\t')) {
		at++;
		n--;
	}
	while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'))
		n--;
	return (struct http_text){ .at = at, .n = n };
}

const struct http_field *http_head_find(const struct http_head *h, const char *name)
{
	for (uint32_t i = 0; i < h->n_fields; i++)
		if (http_text_is(&h->fields[i].name, name))
			return &h->fields[i];
	return NULL;
}

/* Takes the next of a list; false: there is none. */
static bool next_word(struct http_text *left, struct http_text *ret)
{
	const char *comma;

	if (left->at == NULL)
		return false;
	comma = memchr(left->at, ',', left->n);
	*ret = http_trimmed(left->at, comma == NULL ? left->n : (size_t)(comma - left->at));
	if (comma == NULL) {
		left->at = NULL;
		return true;
	}
	left->n -= (size_t)(comma + 1 - left->at);
	left->at = comma + 1;
	return true;
}

bool http_head_lists(const struct http_head *h, const char *name, const char *word)
{
	for (uint32_t i = 0; i < h->n_fields; i++) {
		struct http_text left = h->fields[i].value, one;

		while (http_text_is(&h->fields[i].name, name) && next_word(&left, &one))
			if (http_text_is(&one, word))
				return true;
	}
	return false;
}

static bool is_one_of(const struct http_text *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (http_text_is(word, *words))
			return true;
	return false;
}

bool http_head_lists_only(const struct http_head *h, const char *name, const char *const *words)
{
	for (uint32_t i = 0; i < h->n_fields; i++) {
		struct http_text left = h->fields[i].value, one;

		while (http_text_is(&h->fields[i].name, name) && next_word(&left, &one))
			if (one.n > 0 && !is_one_of(&one, words))
				return false;
	}
	return true;
}

/* ---- lines ---- */

/* The line at `from`, without its end; *ret_next: where the next begins. 0: it has no end yet, -1: it ends wrongly. */
static int next_line(const uint8_t *bytes, size_t n, size_t from, struct http_text *ret, size_t *ret_next)
{
	const uint8_t *lf = memchr(bytes + from, '\n', n - from);
	size_t end;

	if (lf == NULL)
		return 0;
	end = (size_t)(lf - bytes);
	if (end == from || bytes[end - 1] != '\r')
		return -1;
	*ret = (struct http_text){ .at = (const char *)bytes + from, .n = end - 1 - from };
	*ret_next = end + 1;
	return memchr(ret->at, '\r', ret->n) == NULL ? 1 : -1;
}

static bool take_field(const struct http_text *line, struct http_field *ret, const char **ret_why)
{
	const char *colon = memchr(line->at, ':', line->n);

	*ret_why = "a field has no name";
	if (colon == NULL || colon == line->at)
		return false;
	ret->name = (struct http_text){ .at = line->at, .n = (size_t)(colon - line->at) };
	ret->value = http_trimmed(colon + 1, line->n - ret->name.n - 1);
	*ret_why = "the name of a field is no token, or the field is folded";
	for (size_t i = 0; i < ret->name.n; i++)
		if (!http_is_token((uint8_t)ret->name.at[i]))
			return false;
	*ret_why = "a field has a control character in it";
	for (size_t i = 0; i < ret->value.n; i++)
		if (!is_value((uint8_t)ret->value.at[i]))
			return false;
	return true;
}

static bool count_once(const struct http_head *h, const char *name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->n_fields; i++)
		n += http_text_is(&h->fields[i].name, name);
	return n <= 1;
}

static bool take_length(const struct http_text *t, uint64_t *ret)
{
	uint64_t n = 0;

	if (t->n == 0 || t->n > 18)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->at[i] < '0' || t->at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(t->at[i] - '0');
	}
	*ret = n;
	return true;
}

/* What follows, by the fields. */
static bool take_framing(struct http_head *h, const char **ret_why)
{
	const struct http_field *length = http_head_find(h, "content-length"),
				*coding = http_head_find(h, "transfer-encoding");

	*ret_why = "a field that is given once at most is there twice: Host, Content-Length or Transfer-Encoding";
	if (!count_once(h, "host") || !count_once(h, "content-length") || !count_once(h, "transfer-encoding"))
		return false;
	*ret_why = "it has both Content-Length and Transfer-Encoding";
	if (length != NULL && coding != NULL)
		return false;
	*ret_why = "Transfer-Encoding is another than `chunked`, or in HTTP/1.0";
	if (coding != NULL && (h->minor == 0 || !http_text_is(&coding->value, "chunked")))
		return false;
	*ret_why = "Content-Length is no number";
	if (length != NULL && !take_length(&length->value, &h->body_length))
		return false;
	h->body = coding != NULL ? HTTP_CHUNKED : length != NULL ? HTTP_LENGTH : HTTP_NO_BODY;
	return true;
}

/* Whether the lines from `from` on are all there, or more of them than there may be. What is not whole is read for its lines alone: it is
 * read again with each piece that comes. */
static int has_all_lines(const uint8_t *bytes, size_t n, size_t from)
{
	struct http_text line = { .n = 0 };
	uint32_t count = 0;
	int r;

	do
		r = next_line(bytes, n, from, &line, &from);
	while (r > 0 && line.n > 0 && count++ < HTTP_FIELDS_MAX);
	return r;
}

/* All lines behind the first, which begins at `from`. */
static int take_fields(const uint8_t *bytes, size_t n, size_t from, struct http_head *h, const char **ret_why)
{
	struct http_text line = { .n = 0 };

	for (;;) {
		const int r = next_line(bytes, n, from, &line, &from);

		*ret_why = "a line ends otherwise than in CR LF";
		if (r <= 0)
			return r;
		if (line.n == 0)
			break;
		*ret_why = "it has too many fields";
		if (h->n_fields == HTTP_FIELDS_MAX || !take_field(&line, &h->fields[h->n_fields], ret_why))
			return -1;
		h->n_fields++;
	}
	h->length = from;
	return take_framing(h, ret_why) ? 1 : -1;
}

static bool take_version(const struct http_text *t, uint8_t *ret_minor)
{
	if (t->n != 8 || memcmp(t->at, "HTTP/1.", 7) != 0 || (t->at[7] != '0' && t->at[7] != '1'))
		return false;
	*ret_minor = (uint8_t)(t->at[7] - '0');
	return true;
}

/* Cuts off what stands before the first blank. */
static bool cut_word(struct http_text *left, struct http_text *ret)
{
	const char *blank = memchr(left->at, ' ', left->n);

	if (blank == NULL || blank == left->at)
		return false;
	*ret = (struct http_text){ .at = left->at, .n = (size_t)(blank - left->at) };
	left->n -= ret->n + 1;
	left->at = blank + 1;
	return true;
}

bool http_is_method(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if ((t->at[i] < 'A' || t->at[i] > 'Z') && t->at[i] != '-' && t->at[i] != '_')
			return false;
	return true;
}

static bool is_target(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->at[i] <= 0x20 || t->at[i] >= 0x7f || t->at[i] == '#')
			return false;
	return true;
}

static bool take_request_line(struct http_text line, struct http_head *h)
{
	return cut_word(&line, &h->method) && http_is_method(&h->method) && cut_word(&line, &h->target) &&
	       is_target(&h->target) && take_version(&line, &h->minor);
}

static bool take_status_line(struct http_text line, struct http_head *h)
{
	struct http_text version, status = { .n = 0 };

	if (line.n == 12) { /* without a blank and a reason behind it, as some send it */
		version = (struct http_text){ .at = line.at, .n = 8 };
		status = (struct http_text){ .at = line.at + 9, .n = 3 };
		line.n = 0;
		if (version.at[8] != ' ')
			return false;
	} else if (!cut_word(&line, &version) || !cut_word(&line, &status)) {
		return false;
	}
	h->reason = line;
	if (!take_version(&version, &h->minor) || status.n != 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (status.at[i] < '0' || status.at[i] > '9')
			return false;
		h->status = (uint16_t)(h->status * 10 + (status.at[i] - '0'));
	}
	for (size_t i = 0; i < line.n; i++)
		if (!is_value((uint8_t)line.at[i]))
			return false;
	return h->status >= 100 && h->status <= 599;
}

static int take(const uint8_t *bytes, size_t n, bool (*take_first)(struct http_text line, struct http_head *h),
		struct http_head *ret, const char **ret_why)
{
	const size_t seen = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;
	struct http_text line = { .n = 0 };
	size_t from = 0;
	int r;

	*ret = (struct http_head){ .length = 0 };
	r = next_line(bytes, seen, 0, &line, &from);
	*ret_why = "its first line is not well-formed";
	if (r > 0 && !take_first(line, ret))
		return -1;
	if (r > 0) {
		*ret_why = "a line ends otherwise than in CR LF";
		r = has_all_lines(bytes, seen, from);
	}
	if (r > 0)
		r = take_fields(bytes, seen, from, ret, ret_why);
	if (r != 0 || n < HTTP_HEAD_MAX)
		return r;
	*ret_why = "it is too long";
	return -1;
}

int http_head_request(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why)
{
	return take(bytes, n, take_request_line, ret, ret_why);
}

int http_head_answer(const uint8_t *bytes, size_t n, struct http_head *ret, const char **ret_why)
{
	const int r = take(bytes, n, take_status_line, ret, ret_why);

	if (r == 1 && ret->body == HTTP_NO_BODY)
		ret->body = HTTP_UNTIL_END;
	return r;
}

enum http_body http_head_answer_body(const struct http_head *answer, const struct http_text *method)
{
	if (answer->status < 200 || answer->status == 204 || answer->status == 304 ||
	    (method->n == 4 && memcmp(method->at, "HEAD", 4) == 0))
		return HTTP_NO_BODY;
	return (enum http_body)answer->body;
}
