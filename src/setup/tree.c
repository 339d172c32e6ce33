#include "setup/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "setup/making.h"

#define CHUNK (256u << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char room[];
};

struct spot spot_of(const char *bytes, size_t n, size_t at)
{
	struct spot s = { 1, 1 };

	for (size_t i = 0; i < at && i < n; i++) {
		const unsigned char c = (unsigned char)bytes[i];

		if (c == '\n')
			s = (struct spot){ s.line + 1, 1 };
		else if ((c & 0xc0) != 0x80)
			s.column++;
	}
	return s;
}

int making_refuse(struct making *m, size_t at, const char *hint, const char *fmt, ...)
{
	const struct spot s = spot_of(m->bytes, m->len, at);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap); /* cut is fine */
	va_end(ap);
	return err_set(m->e, AMBIT_MALFORMED, hint, "line %zu, column %zu: %s", s.line, s.column, text);
}

char *making_room(struct making *m, size_t n)
{
	struct chunk *c = m->tree->pool;
	const size_t needs = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	char *at;

	if (c == NULL || c->size - c->used < needs) {
		const size_t size = needs > CHUNK ? needs : CHUNK;

		c = malloc(sizeof *c + size);
		if (c == NULL) {
			(void)err_set(m->e, AMBIT_MEMORY, NULL, "no memory to read it");
			return NULL;
		}
		*c = (struct chunk){ .next = m->tree->pool, .size = size };
		m->tree->pool = c;
	}
	at = c->room + c->used;
	c->used += needs;
	return at;
}

struct node *making_node(struct making *m, enum node_kind kind, struct node *parent)
{
	struct node *n;

	if (m->tree->n_nodes >= SETUP_NODES_MAX) {
		(void)err_set(m->e, AMBIT_LIMIT, "is the file what it should be?", "it has more than %u values",
			      SETUP_NODES_MAX);
		return NULL;
	}
	n = (struct node *)(void *)making_room(m, sizeof *n);
	if (n == NULL)
		return NULL;
	*n = (struct node){ .kind = kind, .parent = parent, .start = m->at };
	m->tree->n_nodes++;
	if (parent == NULL)
		return n;
	if (parent->last != NULL)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
	parent->n_members++;
	return n;
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	const size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	const int r = n > 0 ? memcmp(x->key, y->key, n) : 0;

	return r != 0                        ? r
	       : x->key_len != y->key_len    ? (x->key_len < y->key_len ? -1 : 1)
	       : x->key_start < y->key_start ? -1
					     : 1;
}

int making_check_members(struct making *m, const struct node *of)
{
	auto_free struct node **list = NULL;
	size_t n = 0;

	if (of->n_members < 2)
		return 0;
	list = calloc(of->n_members, sizeof(struct node *));
	if (list == NULL)
		return err_set(m->e, AMBIT_MEMORY, NULL, "no memory to read it");
	for (struct node *at = of->first; at != NULL; at = at->next)
		list[n++] = at;
	qsort(list, n, sizeof(struct node *), by_key);
	for (size_t i = 1; i < n; i++)
		if (list[i]->key_len == list[i - 1]->key_len &&
		    memcmp(list[i]->key, list[i - 1]->key, list[i]->key_len) == 0)
			return making_refuse(m, list[i]->key_start,
					     "one of them counts, and nobody says which: take one out",
					     "'%.60s' is there twice, first in line %zu", list[i]->key,
					     spot_of(m->bytes, m->len, list[i - 1]->key_start).line);
	return 0;
}

size_t making_utf8(uint32_t c, char *to)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool making_hex(const struct making *m, size_t at, size_t n, uint32_t *ret)
{
	uint32_t v = 0;

	if (m->len - at < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char c = m->bytes[at + i];
		const uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
				   : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
				   : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
							  : 16;

		if (d == 16)
			return false;
		v = v << 4 | d;
	}
	*ret = v;
	return true;
}

int tree_read(struct tree *t, enum setup_form form, const char *bytes, size_t n, struct err *e)
{
	struct making m = { .tree = t, .bytes = bytes, .len = n, .e = e };
	const char *nul = n > 0 ? memchr(bytes, 0, n) : NULL;
	size_t at;

	*t = (struct tree){ .bytes = bytes, .len = n, .form = form };
	if (n > SETUP_TEXT_MAX)
		return err_set(e, AMBIT_LIMIT, "is the file what it should be?", "it has more than %u MB",
			       SETUP_TEXT_MAX >> 20);
	if (nul != NULL)
		return making_refuse(&m, (size_t)(nul - bytes), NULL, "a NUL");
	if (!text_is_utf8(bytes, n, &at))
		return making_refuse(&m, at, "save it as UTF-8", "this is not UTF-8");
	if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		making_step(&m, 3); /* it stays */
	return form == FORM_TOML ? toml_read(&m) : json_read(&m);
}

void tree_finish(struct tree *t)
{
	for (struct chunk *c = t->pool; c != NULL;) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
	t->pool = NULL;
	t->root = NULL;
}

struct node *node_member_of(const struct node *of, const char *key, size_t n)
{
	for (struct node *at = of != NULL && of->kind == NODE_OBJECT ? of->first : NULL; at != NULL; at = at->next)
		if (at->key_len == n && memcmp(at->key, key, n) == 0)
			return at;
	return NULL;
}

struct node *node_member(const struct node *of, const char *key)
{
	return node_member_of(of, key, strlen(key));
}

bool node_is_text(const struct node *of, const char *text)
{
	return of != NULL && of->kind == NODE_STRING && of->text_len == strlen(text) &&
	       memcmp(of->text, text, of->text_len) == 0;
}

struct node *node_before(const struct node *of)
{
	struct node *at = of->parent != NULL ? of->parent->first : NULL;

	if (at == of)
		return NULL;
	while (at != NULL && at->next != of)
		at = at->next;
	return at;
}
