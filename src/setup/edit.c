#include "setup/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

/* The white space with which the line of that place begins. */
static const char *indent_at(const struct tree *t, size_t at, size_t *ret_len)
{
	size_t begin = at, n = 0;

	while (begin > 0 && t->bytes[begin - 1] != '\n')
		begin--;
	while (begin + n < at && is_blank(t->bytes[begin + n]))
		n++;
	*ret_len = n;
	return t->bytes + begin;
}

/* Where a member or an element begins. */
static size_t begin_of(const struct node *n)
{
	return n->key_end > 0 ? n->key_start : n->start;
}

/* Behind what stands before it, white space apart. */
static size_t gap_before(const struct tree *t, size_t at)
{
	while (at > 0 && is_space(t->bytes[at - 1]))
		at--;
	return at;
}

static bool has_newline(const struct tree *t, size_t from, size_t to)
{
	return to > from && memchr(t->bytes + from, '\n', to - from) != NULL;
}

static void find_unit(struct edits *d)
{
	const struct node *first = d->tree->root != NULL ? d->tree->root->first : NULL;
	const char *indent;
	size_t n = 0;

	(void)snprintf(d->unit, sizeof d->unit, "  "); /* fits */
	if (first == NULL || d->tree->form == FORM_TOML)
		return;
	indent = indent_at(d->tree, begin_of(first), &n);
	if (n > 0 && n < sizeof d->unit && has_newline(d->tree, 0, begin_of(first)))
		(void)snprintf(d->unit, sizeof d->unit, "%.*s", (int)n, indent); /* fits */
}

void edits_init(struct edits *d, const struct tree *t)
{
	const char *line = t->len > 0 ? memchr(t->bytes, '\n', t->len) : NULL;

	*d = (struct edits){ .tree = t,
			     .newline = line != NULL && line > t->bytes && line[-1] == '\r' ? "\r\n" : "\n" };
	buf_init(&d->put, SETUP_TEXT_MAX);
	find_unit(d);
}

void edits_finish(struct edits *d)
{
	free(d->list);
	buf_finish(&d->put);
}

void edits_add(struct edits *d, size_t at, size_t drop, const void *bytes, size_t n)
{
	if (d->n == d->cap) {
		const size_t cap = d->cap == 0 ? 64 : d->cap * 2;
		struct edit *list = cap > EDITS_MAX ? NULL : realloc(d->list, cap * sizeof *list);

		if (list == NULL) {
			d->failed = true;
			return;
		}
		d->list = list;
		d->cap = cap;
	}
	d->list[d->n] = (struct edit){ .at = at, .drop = drop, .put = d->put.len, .put_len = n, .number = d->n };
	d->n++;
	buf_put(&d->put, bytes, n);
}

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->number < y->number ? -1 : 1;
}

int edits_apply(struct edits *d, struct buf *out, struct err *e)
{
	size_t at = 0;

	if (d->failed || d->put.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "there is too much to be changed");
	if (d->n > 1)
		qsort(d->list, d->n, sizeof *d->list, by_place);
	for (size_t i = 0; i < d->n; i++) {
		const struct edit *c = &d->list[i];

		if (c->at < at || c->at + c->drop > d->tree->len)
			return err_set(e, AMBIT_INTERNAL, NULL, "two changes meet in one place");
		buf_put(out, d->tree->bytes + at, c->at - at);
		if (c->put_len > 0)
			buf_put(out, d->put.data + c->put, c->put_len);
		at = c->at + c->drop;
	}
	buf_put(out, d->tree->bytes + at, d->tree->len - at);
	return out->failed || out->len > SETUP_TEXT_MAX ? err_set(e, AMBIT_LIMIT, NULL, "it would become too long") : 0;
}

/* ---- values ---- */

void pen_text(struct buf *out, const char *text, size_t n)
{
	static const char from[] = "\"\\\b\f\n\r\t", is[] = "\"\\bfnrt";

	buf_put(out, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		const char *found = text[i] != 0 ? strchr(from, text[i]) : NULL;

		if (found != NULL)
			buf_printf(out, "\\%c", is[found - from]);
		else if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			buf_printf(out, "\\u%04x", (unsigned)(unsigned char)text[i]);
		else
			buf_put(out, text + i, 1);
	}
	buf_put(out, "\"", 1);
}

static void new_line(struct pen *p)
{
	buf_printf(p->out, "%s", p->of->newline);
	buf_put(p->out, p->indent, p->indent_len);
	for (int i = 0; i < p->depth; i++)
		buf_printf(p->out, "%s", p->of->unit);
}

void pen_open(struct pen *p, char bracket)
{
	buf_put(p->out, &bracket, 1);
	p->depth++;
	p->comma = false;
}

void pen_next(struct pen *p)
{
	if (p->comma)
		buf_put(p->out, p->flat ? ", " : ",", p->flat ? 2 : 1);
	if (!p->flat)
		new_line(p);
	p->comma = true;
}

void pen_close(struct pen *p, char bracket)
{
	p->depth--;
	if (!p->flat)
		new_line(p);
	buf_put(p->out, &bracket, 1);
	p->comma = true;
}

static void put_key(struct buf *out, const struct tree *t, const char *key)
{
	if (t->form == FORM_TOML) {
		buf_printf(out, "%s = ", key); /* ours are bare */
	} else {
		pen_text(out, key, strlen(key));
		buf_put(out, ": ", 2);
	}
}

void pen_key(struct pen *p, const char *key)
{
	pen_next(p);
	put_key(p->out, p->of->tree, key);
}

void edits_place(struct edits *d, const struct node *box, const char *key, pen_fn *value, const void *of)
{
	const struct tree *t = d->tree;
	const struct node *last = box->last;
	const size_t close = box->end - 1, before = last != NULL ? gap_before(t, begin_of(last)) : box->start + 1;
	const bool many = last != NULL ? has_newline(t, before, begin_of(last)) || has_newline(t, box->tail, close)
				       : t->form != FORM_TOML && (has_newline(t, 0, t->len) || t->len < 8);
	size_t n = 0;
	const char *indent = indent_at(t, last != NULL && many ? begin_of(last) : box->start, &n);
	auto_buf out = { .max = 0 };
	struct pen p = { .of = d, .out = &out, .indent = indent, .indent_len = n, .flat = !many };

	buf_init(&out, 1u << 20);
	if (last == NULL && many)
		p.depth = 1; /* it begins one step inside */
	if (last != NULL && !last->has_comma)
		edits_add(d, last->end, 0, ",", 1);
	if (many)
		new_line(&p);
	else if (last == NULL ? t->form == FORM_TOML : before < begin_of(last) || last == box->first)
		buf_put(&out, " ", 1);
	if (key != NULL)
		put_key(&out, t, key);
	value(&p, of);
	if (last != NULL && last->has_comma)
		buf_put(&out, ",", 1);
	if (many && !has_newline(t, box->tail, close)) {
		p.depth = 0;
		p.indent = indent_at(t, box->start, &p.indent_len);
		new_line(&p);
	}
	if (out.failed)
		d->failed = true;
	edits_add(d, box->tail, 0, out.data, out.len);
}

void edits_take_run(struct edits *d, const struct node *first, const struct node *n)
{
	const struct tree *t = d->tree;
	const struct node *prev = node_before(first), *box = n->parent;
	size_t from = gap_before(t, begin_of(first)), to = n->has_comma ? n->comma + 1 : n->end;

	if (n->next == NULL && from == box->start + 1 && gap_before(t, box->end - 1) <= to)
		to = box->end - 1;               /* nothing is left in it */
	if (n->has_comma && n->comma > n->end) { /* what stands between them stays */
		edits_drop(d, from, n->end);
		edits_drop(d, n->comma, to);
	} else {
		edits_drop(d, from, to);
	}
	if (n->next == NULL && !n->has_comma && prev != NULL)
		edits_drop(d, prev->comma, prev->comma + 1);
}

void edits_lead(struct edits *d, const struct node *array, const struct setup_words *words)
{
	const struct tree *t = d->tree;
	const struct node *first = array->first;
	const size_t at = first != NULL ? first->start : array->start + 1;
	const bool many = first != NULL && has_newline(t, gap_before(t, at), at);
	size_t n;
	const char *indent = indent_at(t, at, &n);
	auto_buf out = { .max = 0 };

	buf_init(&out, 1u << 20);
	for (uint32_t i = 0; i < words->n; i++) {
		pen_text(&out, words->word[i], strlen(words->word[i]));
		if (first == NULL && i + 1 == words->n)
			break;
		buf_put(&out, ",", 1);
		if (many) {
			buf_printf(&out, "%s", d->newline);
			buf_put(&out, indent, n);
		} else {
			buf_put(&out, " ", 1);
		}
	}
	if (out.failed)
		d->failed = true;
	edits_add(d, at, 0, out.data, out.len);
}
