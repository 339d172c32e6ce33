/* TOML as its version 1.0 has it (and 1.1, of what is in braces). What of tables may be defined where is held, since a client would refuse the file else. */
#include <string.h>

#include "setup/making.h"

#define KEY_PARTS_MAX 16 /* of a dotted key: clients have four */

static int read_value(struct making *m, struct node *n);

/* ---- white space ---- */

static void skip_blank(struct making *m)
{
	while (making_peek(m) == ' ' || making_peek(m) == '\t')
		m->at++;
}

static int skip_comment(struct making *m)
{
	while (m->at < m->len && m->bytes[m->at] != '\n' &&
	       !(m->bytes[m->at] == '\r' && m->len - m->at > 1 && m->bytes[m->at + 1] == '\n')) {
		const unsigned char c = (unsigned char)m->bytes[m->at];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return making_refuse(m, m->at, NULL, "a control character in a comment");
		m->at++;
	}
	m->seen = m->at;
	return 0;
}

static bool take_newline(struct making *m)
{
	const size_t n = making_peek(m) == '\n'                                           ? 1
			 : m->len - m->at > 1 && memcmp(m->bytes + m->at, "\r\n", 2) == 0 ? 2
											  : 0;

	m->at += n;
	return n > 0;
}

/* All of it, over lines: between lines, and in brackets. */
static int skip(struct making *m)
{
	int r = 0;

	do {
		skip_blank(m);
		if (making_peek(m) == '#')
			r = skip_comment(m);
	} while (r == 0 && take_newline(m));
	return r;
}

/* Nothing but a comment stands behind it in its line. */
static int end_line(struct making *m)
{
	int r = 0;

	skip_blank(m);
	if (making_peek(m) == '#')
		r = skip_comment(m);
	if (r == 0 && m->at < m->len && !take_newline(m))
		r = making_refuse(m, m->at, NULL, "here the line should end");
	return r;
}

/* ---- texts ---- */

/* Behind the backslash. */
static size_t read_escape(struct making *m, size_t at, char *to, size_t *ret_len)
{
	static const char from[] = "\"\\bfnrte", is[] = "\"\\\b\f\n\r\t\x1b";
	const char *found = at < m->len ? strchr(from, m->bytes[at]) : NULL;
	uint32_t c;
	size_t n;

	if (found != NULL && *found != 0) {
		*to = is[found - from];
		*ret_len = 1;
		return 1;
	}
	n = at >= m->len ? 0 : m->bytes[at] == 'x' ? 2 : m->bytes[at] == 'u' ? 4 : m->bytes[at] == 'U' ? 8 : 0;
	if (n == 0 || !making_hex(m, at + 1, n, &c))
		return 0;
	*ret_len = making_utf8(c, to);
	return *ret_len == 0 ? 0 : n + 1;
}

/* A backslash at the end of a line takes it away, and the white space behind. Gives how many bytes, 0: it is none. */
static size_t line_end_escape(const struct making *m, size_t at)
{
	size_t n = at;
	bool line = false;

	for (; n < m->len && strchr(" \t\r\n", m->bytes[n]) != NULL; n++)
		line = line || m->bytes[n] == '\n';
	return line ? n - at : 0;
}

struct quoted {
	char quote;
	bool raw, lines;
	size_t begin;
};

static bool is_at_end(const struct making *m, const struct quoted *q, size_t at)
{
	if (at >= m->len || m->bytes[at] != q->quote)
		return false;
	return !q->lines || (m->len - at >= 3 && m->bytes[at + 1] == q->quote && m->bytes[at + 2] == q->quote);
}

/* At the first byte behind the quotes. */
static int read_quoted(struct making *m, const struct quoted *q, const char **ret, size_t *ret_len)
{
	const char *stop = memchr(m->bytes + m->at, q->quote, m->len - m->at);
	size_t at = m->at, n = 0;
	char *to;

	if (stop == NULL)
		return making_refuse(m, q->begin, NULL, "this text has no end");
	/* how long it may be is looked for first: none is longer decoded */
	for (size_t i = at; !is_at_end(m, q, i); i += !q->raw && m->bytes[i] == '\\' ? 2 : 1)
		if (i >= m->len || (!q->lines && m->bytes[i] == '\n'))
			return making_refuse(m, q->begin, NULL, "this text has no end");
		else
			n = i + 2 - at;
	to = making_room(m, n + 8);
	n = 0;
	if (to == NULL)
		return -(int)m->e->code;
	while (!is_at_end(m, q, at)) {
		const unsigned char c = (unsigned char)m->bytes[at];
		size_t put = 0, took;

		if ((c < 0x20 && c != '\t' && !(q->lines && (c == '\n' || (c == '\r' && m->bytes[at + 1] == '\n')))) ||
		    c == 0x7f)
			return making_refuse(m, at, NULL, "a control character in a text");
		if (q->raw || c != '\\') {
			to[n++] = m->bytes[at++];
			continue;
		}
		took = q->lines ? line_end_escape(m, at + 1) : 0;
		took = took > 0 ? took : read_escape(m, at + 1, to + n, &put);
		if (took == 0)
			return making_refuse(m, at, NULL, "this escape is none of TOML's, or a NUL");
		n += put;
		at += 1 + took;
		if (at > m->len)
			return making_refuse(m, q->begin, NULL, "this text has no end");
	}
	if (q->lines) /* up to two quotes more belong to the text */
		for (int i = 0; i < 2 && m->len - at > 3 && m->bytes[at + 3] == q->quote; i++)
			to[n++] = m->bytes[at++];
	to[n] = 0;
	making_step(m, at + (q->lines ? 3 : 1) - m->at);
	*ret = to;
	*ret_len = n;
	return 0;
}

/* At its quote. lines: may it have three of them? */
static int read_text(struct making *m, bool lines, const char **ret, size_t *ret_len)
{
	struct quoted q = { .quote = making_peek(m), .begin = m->at };
	const char *at = m->bytes + m->at;

	q.raw = q.quote == '\'';
	q.lines = lines && m->len - m->at >= 3 && at[1] == q.quote && at[2] == q.quote;
	making_step(m, q.lines ? 3 : 1);
	if (q.lines)
		(void)take_newline(m);
	return read_quoted(m, &q, ret, ret_len);
}

/* ---- keys ---- */

struct part {
	const char *text;
	size_t len, start, end;
};

struct name { /* a dotted key */
	struct part part[KEY_PARTS_MAX];
	size_t n;
};

static bool is_bare_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int read_part(struct making *m, struct part *p)
{
	const char c = making_peek(m);
	size_t n = 0;
	char *to;
	int r = 0;

	p->start = m->at;
	if (c == '"' || c == '\'') {
		r = read_text(m, false, &p->text, &p->len);
	} else {
		while (m->at + n < m->len && is_bare_letter(m->bytes[m->at + n]))
			n++;
		if (n == 0)
			return making_refuse(m, m->at, NULL, "here a key should be");
		to = making_room(m, n + 1);
		if (to == NULL)
			return -(int)m->e->code;
		memcpy(to, m->bytes + m->at, n);
		to[n] = 0;
		p->text = to;
		p->len = n;
		making_step(m, n);
	}
	p->end = m->at;
	return r;
}

static int read_name(struct making *m, struct name *name)
{
	for (name->n = 0;;) {
		int r = 0;

		if (name->n == KEY_PARTS_MAX)
			return making_refuse(m, m->at, NULL, "a key of more than %d parts", KEY_PARTS_MAX);
		r = read_part(m, &name->part[name->n]);
		if (r < 0)
			return r;
		name->n++;
		skip_blank(m);
		if (making_peek(m) != '.')
			return 0;
		making_step(m, 1);
		skip_blank(m);
	}
}

static struct node *make_member(struct making *m, struct node *of, const struct part *p, enum node_kind kind,
				enum node_shape shape)
{
	struct node *n = making_node(m, kind, of);

	if (n == NULL)
		return NULL;
	n->shape = shape;
	n->key = p->text;
	n->key_len = p->len;
	n->key_start = p->start;
	n->key_end = p->end;
	return n;
}

static int is_twice(struct making *m, const struct part *p, const struct node *first)
{
	return making_refuse(m, p->start, "one of them counts, and nobody says which: take one out",
			     "'%.60s' is there twice, first in line %zu", p->text,
			     spot_of(m->bytes, m->len, first->key_start).line);
}

/* ---- key = value ---- */

static int read_pair(struct making *m, struct node *of)
{
	struct name name = { .n = 0 };
	struct node *n;
	int r = read_name(m, &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < name.n; i++) {
		struct node *next = node_member_of(of, name.part[i].text, name.part[i].len);

		if (next != NULL && next->shape != SHAPE_DOTTED)
			return is_twice(m, &name.part[i], next);
		if (next == NULL)
			next = make_member(m, of, &name.part[i], NODE_OBJECT, SHAPE_DOTTED);
		if (next == NULL)
			return -(int)m->e->code;
		of = next;
	}
	n = node_member_of(of, name.part[name.n - 1].text, name.part[name.n - 1].len);
	if (n != NULL)
		return is_twice(m, &name.part[name.n - 1], n);
	n = make_member(m, of, &name.part[name.n - 1], NODE_BARE, SHAPE_BRACKETS);
	if (n == NULL)
		return -(int)m->e->code;
	n->is_dotted = name.n > 1;
	if (making_peek(m) != '=')
		return making_refuse(m, m->at, NULL, "here a '=' should be");
	making_step(m, 1);
	skip_blank(m);
	return read_value(m, n);
}

/* ---- values ---- */

static int read_brackets(struct making *m, struct node *of, char close)
{
	struct node *last = NULL;
	size_t comma = 0;
	bool has_comma = true;
	int r;

	making_step(m, 1);
	for (;;) {
		r = skip(m);
		if (r < 0)
			return r;
		if (making_peek(m) == close)
			break;
		if (m->at >= m->len || !has_comma)
			return making_refuse(m, m->at, NULL,
					     m->at < m->len ? "here a ',' or '%c' should be"
							    : "it ends too early, without '%c'",
					     close);
		if (close == '}') {
			r = read_pair(m, of);
		} else {
			last = making_node(m, NODE_BARE, of);
			r = last == NULL ? -(int)m->e->code : read_value(m, last);
		}
		r = r < 0 ? r : skip(m);
		if (r < 0)
			return r;
		last = of->last;
		has_comma = making_peek(m) == ',';
		if (has_comma) {
			comma = m->at;
			making_step(m, 1);
			last->has_comma = true;
			last->comma = comma;
		}
	}
	of->tail = m->seen;
	making_step(m, 1);
	of->end = m->at;
	return 0;
}

static int read_bare(struct making *m, struct node *n)
{
	static const char *const words[] = { "true", "false", "inf", "nan", "+inf", "-inf", "+nan", "-nan" };
	const char *at = m->bytes + m->at;
	size_t len = 0;
	bool ok = false;

	while (m->at + len < m->len && (is_bare_letter(at[len]) || at[len] == '+' || at[len] == '.' || at[len] == ':'))
		len++;
	if (len == 10 && m->len - m->at > 13 && at[4] == '-' && at[10] == ' ' && at[11] >= '0' && at[11] <= '9' &&
	    at[13] == ':') /* a date, and the time of day */
		for (len = 11; m->at + len < m->len &&
			       (is_bare_letter(at[len]) || at[len] == '+' || at[len] == '.' || at[len] == ':');)
			len++;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		ok = ok || (len == strlen(words[i]) && memcmp(at, words[i], len) == 0);
	ok = ok || (len > 0 && at[0] >= '0' && at[0] <= '9') ||
	     (len > 1 && (at[0] == '+' || at[0] == '-') && at[1] >= '0' && at[1] <= '9');
	if (!ok)
		return making_refuse(m, m->at, NULL, "here a value should be");
	n->text = at;
	n->text_len = len;
	making_step(m, len);
	n->end = m->at;
	return 0;
}

static int read_value(struct making *m, struct node *n)
{
	const char c = making_peek(m);
	int r;

	n->start = m->at;
	n->kind = c == '{' ? NODE_OBJECT : c == '[' ? NODE_ARRAY : c == '"' || c == '\'' ? NODE_STRING : NODE_BARE;
	if (n->kind == NODE_BARE)
		return read_bare(m, n);
	if (n->kind == NODE_STRING) {
		r = read_text(m, true, &n->text, &n->text_len);
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

/* ---- [tables] ---- */

static int step_down(struct making *m, struct node *of, const struct part *p, struct node **ret)
{
	struct node *n = node_member_of(of, p->text, p->len);

	if (n == NULL)
		n = make_member(m, of, p, NODE_OBJECT, SHAPE_IMPLICIT);
	if (n == NULL)
		return -(int)m->e->code;
	if (n->kind == NODE_ARRAY && n->shape == SHAPE_LIST)
		n = n->last;
	if (n->kind != NODE_OBJECT || n->shape == SHAPE_BRACKETS)
		return is_twice(m, p, n);
	*ret = n;
	return 0;
}

static int open_list(struct making *m, struct node *of, const struct part *p, struct node **ret)
{
	struct node *list = node_member_of(of, p->text, p->len);

	if (list != NULL && list->shape != SHAPE_LIST)
		return is_twice(m, p, list);
	if (list == NULL)
		list = make_member(m, of, p, NODE_ARRAY, SHAPE_LIST);
	*ret = list == NULL ? NULL : making_node(m, NODE_OBJECT, list);
	if (*ret == NULL)
		return -(int)m->e->code;
	(*ret)->shape = SHAPE_HEADER;
	(*ret)->key_start = p->start;
	return 0;
}

static int open_table(struct making *m, struct node *of, const struct part *p, struct node **ret)
{
	struct node *n = node_member_of(of, p->text, p->len);

	if (n != NULL && n->shape != SHAPE_IMPLICIT)
		return is_twice(m, p, n);
	if (n == NULL)
		n = make_member(m, of, p, NODE_OBJECT, SHAPE_HEADER);
	if (n == NULL)
		return -(int)m->e->code;
	n->shape = SHAPE_HEADER;
	*ret = n;
	return 0;
}

static int read_header(struct making *m, struct node **ret)
{
	const size_t begin = m->at;
	const bool is_list = m->len - m->at > 1 && m->bytes[m->at + 1] == '[';
	const size_t brackets = is_list ? 2 : 1;
	struct node *of = m->tree->root;
	struct name name = { .n = 0 };
	int r;

	making_step(m, brackets);
	skip_blank(m);
	r = read_name(m, &name);
	if (r == 0 && (m->len - m->at < brackets || memcmp(m->bytes + m->at, "]]", brackets) != 0))
		r = making_refuse(m, m->at, NULL, "here a ']' should be");
	for (size_t i = 0; r == 0 && i + 1 < name.n; i++)
		r = step_down(m, of, &name.part[i], &of);
	if (r == 0)
		r = is_list ? open_list(m, of, &name.part[name.n - 1], ret)
			    : open_table(m, of, &name.part[name.n - 1], ret);
	if (r < 0 || *ret == NULL)
		return r;
	(*ret)->start = begin;
	making_step(m, brackets);
	r = end_line(m);
	(*ret)->end = m->at;
	return r;
}

int toml_read(struct making *m)
{
	struct node *at = making_node(m, NODE_OBJECT, NULL);
	int r = 0;

	if (at == NULL)
		return -(int)m->e->code;
	at->shape = SHAPE_HEADER;
	at->start = at->end = m->at;
	m->tree->root = at;
	for (;;) {
		r = r < 0 ? r : skip(m);
		if (r < 0 || m->at >= m->len)
			break;
		if (making_peek(m) == '[') {
			r = read_header(m, &at);
		} else {
			r = read_pair(m, at);
			r = r < 0 ? r : end_line(m);
			at->end = m->at;
		}
	}
	if (r < 0)
		m->tree->root = NULL;
	return r;
}
