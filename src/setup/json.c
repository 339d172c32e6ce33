/* JSON as RFC 8259 has it, and with what several clients allow besides: comments, and a comma behind the last. */
#include <string.h>

#include "setup/making.h"

static int read_value(struct making *m, struct node *parent, struct node **ret);

static int skip_comment(struct making *m)
{
	const size_t begin = m->at;
	const char *rest = m->bytes + m->at, *end;

	if (m->tree->form != FORM_JSONC)
		return making_refuse(m, begin, "this client reads plain JSON: take it out", "a comment");
	if (m->len - m->at >= 2 && rest[1] == '/') {
		while (m->at < m->len && m->bytes[m->at] != '\n' && m->bytes[m->at] != '\r')
			m->at++;
		m->seen = m->at;
		return 0;
	}
	if (m->len - m->at < 2 || rest[1] != '*')
		return making_refuse(m, begin, NULL, "a stray '/'");
	end = memmem(rest + 2, m->len - m->at - 2, "*/", 2);
	if (end == NULL)
		return making_refuse(m, begin, NULL, "this comment has no end");
	making_step(m, (size_t)(end - rest) + 2);
	return 0;
}

static int skip(struct making *m)
{
	for (;;) {
		const char c = making_peek(m);

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			m->at++;
		} else if (c == '/') {
			const int r = skip_comment(m);

			if (r < 0)
				return r;
		} else {
			return 0;
		}
	}
}

/* ---- texts ---- */

/* Behind the backslash. Gives how many bytes it took, 0: none of JSON's. */
static size_t read_escape(struct making *m, size_t at, char *to, size_t *ret_len)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *found = at < m->len ? strchr(from, m->bytes[at]) : NULL;
	uint32_t c, low;
	size_t took = 5;

	if (found != NULL && *found != 0) {
		*to = is[found - from];
		*ret_len = 1;
		return 1;
	}
	if (at >= m->len || m->bytes[at] != 'u' || !making_hex(m, at + 1, 4, &c))
		return 0;
	if (c >= 0xd800 && c < 0xdc00 && m->len - at > 11 && m->bytes[at + 5] == '\\' && m->bytes[at + 6] == 'u' &&
	    making_hex(m, at + 7, 4, &low) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		took = 11;
	} else if (c >= 0xd800 && c < 0xe000) {
		c = 0xfffd; /* half a pair, which JavaScript allows: it is compared with nothing that we know */
	}
	*ret_len = making_utf8(c, to);
	return *ret_len == 0 ? 0 : took;
}

/* At its quote. */
static int read_text(struct making *m, const char **ret, size_t *ret_len)
{
	const size_t begin = m->at;
	size_t end = begin + 1, n = 0;
	char *to;

	while (end < m->len && m->bytes[end] != '"' && (unsigned char)m->bytes[end] >= 0x20)
		end += m->bytes[end] == '\\' ? 2 : 1;
	if (end >= m->len || m->bytes[end] != '"')
		return making_refuse(m, end < m->len ? end : begin, NULL,
				     end < m->len ? "a control character in a text" : "this text has no end");
	to = making_room(m, end - begin); /* none is longer decoded */
	if (to == NULL)
		return -(int)m->e->code;
	for (size_t at = begin + 1; at < end;) {
		size_t put = 1, took;

		if (m->bytes[at] != '\\') {
			to[n++] = m->bytes[at++];
			continue;
		}
		took = read_escape(m, at + 1, to + n, &put);
		if (took == 0 || at + 1 + took > end)
			return making_refuse(m, at, NULL, "this escape is none of JSON's, or a NUL");
		n += put;
		at += 1 + took;
	}
	to[n] = 0;
	making_step(m, end + 1 - begin);
	*ret = to;
	*ret_len = n;
	return 0;
}

/* ---- what is in brackets ---- */

static int read_member(struct making *m, struct node *of)
{
	const size_t key_start = m->at;
	size_t key_end, key_len = 0;
	const char *key = NULL;
	struct node *n = NULL;
	int r;

	if (making_peek(m) != '"')
		return making_refuse(m, m->at, NULL,
				     m->at < m->len ? "here a name in quotes should be" : "it ends too early");
	r = read_text(m, &key, &key_len);
	key_end = m->at;
	r = r < 0 ? r : skip(m);
	if (r < 0)
		return r;
	if (making_peek(m) != ':')
		return making_refuse(m, m->at, NULL, "here a ':' should be");
	making_step(m, 1);
	r = skip(m);
	r = r < 0 ? r : read_value(m, of, &n);
	if (r < 0 || n == NULL)
		return r;
	n->key = key;
	n->key_len = key_len;
	n->key_start = key_start;
	n->key_end = key_end;
	return 0;
}

static int read_brackets(struct making *m, struct node *of, char close)
{
	struct node *n;
	int r;

	making_step(m, 1);
	for (;;) {
		r = skip(m);
		if (r < 0)
			return r;
		if (making_peek(m) == close &&
		    (of->last == NULL || !of->last->has_comma || m->tree->form == FORM_JSONC))
			break;
		if (of->last != NULL && !of->last->has_comma)
			return making_refuse(m, m->at, NULL,
					     m->at < m->len ? "here a ',' or '%c' should be"
							    : "it ends too early, without '%c'",
					     close);
		if (of->last != NULL && making_peek(m) == close)
			return making_refuse(m, of->last->comma, "this client reads plain JSON: take it out",
					     "a comma behind the last");
		r = close == '}' ? read_member(m, of) : read_value(m, of, &n);
		r = r < 0 ? r : skip(m);
		if (r < 0)
			return r;
		if (of->last != NULL && making_peek(m) == ',') {
			of->last->has_comma = true;
			of->last->comma = m->at;
			making_step(m, 1);
		}
	}
	of->tail = m->seen;
	making_step(m, 1);
	of->end = m->at;
	return close == '}' ? making_check_members(m, of) : 0;
}

/* ---- words and numbers ---- */

static size_t digits(const struct making *m, size_t at)
{
	size_t n = 0;

	while (at + n < m->len && m->bytes[at + n] >= '0' && m->bytes[at + n] <= '9')
		n++;
	return n;
}

static size_t number_length(const struct making *m)
{
	size_t at = m->at + (making_peek(m) == '-' ? 1 : 0), n = digits(m, at);

	if (n == 0 || (n > 1 && m->bytes[at] == '0'))
		return 0;
	at += n;
	if (at < m->len && m->bytes[at] == '.') {
		n = digits(m, at + 1);
		if (n == 0)
			return 0;
		at += 1 + n;
	}
	if (at < m->len && (m->bytes[at] == 'e' || m->bytes[at] == 'E')) {
		at++;
		if (at < m->len && (m->bytes[at] == '+' || m->bytes[at] == '-'))
			at++;
		n = digits(m, at);
		if (n == 0)
			return 0;
		at += n;
	}
	return at - m->at;
}

static int read_bare(struct making *m, struct node *n)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t len = number_length(m);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (m->len - m->at >= strlen(words[i]) && memcmp(m->bytes + m->at, words[i], strlen(words[i])) == 0)
			len = strlen(words[i]);
	if (len == 0)
		return making_refuse(m, m->at, NULL, m->at < m->len ? "here a value should be" : "it ends too early");
	n->text = m->bytes + m->at;
	n->text_len = len;
	making_step(m, len);
	n->end = m->at;
	return 0;
}

static int read_value(struct making *m, struct node *parent, struct node **ret)
{
	const char c = making_peek(m);
	const enum node_kind kind = c == '{' ? NODE_OBJECT : c == '[' ? NODE_ARRAY : c == '"' ? NODE_STRING : NODE_BARE;
	struct node *n = making_node(m, kind, parent);
	int r;

	if (n == NULL)
		return -(int)m->e->code;
	*ret = n;
	if (kind == NODE_BARE)
		return read_bare(m, n);
	if (kind == NODE_STRING) {
		r = read_text(m, &n->text, &n->text_len);
		n->end = m->at;
		return r;
	}
	if (m->depth >= SETUP_DEPTH_MAX)
		return making_refuse(m, m->at, NULL, "it is deeper than %d", SETUP_DEPTH_MAX);
	m->depth++;
	r = read_brackets(m, n, c == '{' ? '}' : ']');
	m->depth--;
	return r;
}

int json_read(struct making *m)
{
	struct node *root = NULL;
	int r = skip(m);

	r = r < 0 ? r : read_value(m, NULL, &root);
	r = r < 0 ? r : skip(m);
	if (r < 0)
		return r;
	if (m->at < m->len)
		return making_refuse(m, m->at, NULL, "something stands behind the end");
	if (root == NULL || root->kind != NODE_OBJECT)
		return making_refuse(m, root != NULL ? root->start : 0, NULL, "this should be an object: {...}");
	m->tree->root = root;
	return 0;
}
