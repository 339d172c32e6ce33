/* making - what the readers of JSON and TOML share: a cursor, nodes, texts, and errors that say where.
 *
 * Called: tree, json, toml. */
#ifndef SETUP_MAKING_H
#define SETUP_MAKING_H

#include <stdint.h>

#include "setup/tree.h"

struct making {
	struct tree *tree;
	const char *bytes; /* borrowed, UTF-8 without NUL */
	size_t len, at;
	size_t seen; /* behind the last thing that is no white space */
	int depth;
	struct err *e;
};

/* Fills the error, with the place; gives -MALFORMED. */
int making_refuse(struct making *m, size_t at, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* -LIMIT, -MEMORY: NULL, and the error is filled. */
struct node *making_node(struct making *m, enum node_kind kind, struct node *parent);
/* Room of the tree's own. NULL: the error is filled. */
char *making_room(struct making *m, size_t n);
/* The next byte, or 0 at the end: there is no NUL in it. */
static inline char making_peek(const struct making *m)
{
	return m->at < m->len ? m->bytes[m->at] : 0;
}
/* One step over what was looked at. */
static inline void making_step(struct making *m, size_t n)
{
	m->at += n;
	m->seen = m->at;
}
/* No two members have one key. Sorts what is many. */
int making_check_members(struct making *m, const struct node *of);
/* Puts a code point as UTF-8; gives how many bytes, 0: it is none, or NUL. */
size_t making_utf8(uint32_t c, char *to);
/* n hexadecimal digits at at. */
bool making_hex(const struct making *m, size_t at, size_t n, uint32_t *ret);

int json_read(struct making *m);
int toml_read(struct making *m);

#endif
