/* edit - changes of a text at the places that change: what is not named stays to the byte.
 *
 * Owns:   the list of changes, and what they put in. The tree is the caller's.
 * Holds:  no two changes overlap; what is put in looks like what is around it: line ends, indentation, one line or many.
 * Called: change, undo. Pure, but for memory. */
#ifndef SETUP_EDIT_H
#define SETUP_EDIT_H

#include "base/buf.h"
#include "setup/ask.h"
#include "setup/tree.h"

#define EDITS_MAX 16384u

struct edit {
	size_t at, drop;     /* so many bytes are taken out there */
	size_t put, put_len; /* of edits->put */
	size_t number;
};

struct edits {
	const struct tree *tree; /* borrowed */
	struct edit *list;       /* owned */
	size_t n, cap;
	struct buf put;
	const char *newline; /* "\n", or "\r\n" */
	char unit[16];       /* one step of indentation */
	bool failed;
};

void edits_init(struct edits *d, const struct tree *t);
void edits_finish(struct edits *d);

/* At that place: so many bytes go, these come. Several at one place come in the order of the calls. */
void edits_add(struct edits *d, size_t at, size_t drop, const void *bytes, size_t n);
static inline void edits_drop(struct edits *d, size_t from, size_t to)
{
	edits_add(d, from, to - from, NULL, 0);
}
/* The whole text. -LIMIT: it is too long now; -MEMORY. */
int edits_apply(struct edits *d, struct buf *out, struct err *e);

/* ---- values, as they are written into a text ---- */

struct pen {
	struct buf *out;
	const struct edits *of;
	const char *indent; /* of the line in which the value begins */
	size_t indent_len;
	int depth;
	bool flat; /* all of it in one line */
	bool comma;
};

/* A text in quotes, for JSON and TOML alike. */
void pen_text(struct buf *out, const char *text, size_t n);
void pen_open(struct pen *p, char bracket);
void pen_close(struct pen *p, char bracket);
void pen_key(struct pen *p, const char *key); /* of a member; in TOML's braces `key = ` */
void pen_next(struct pen *p);                 /* before an element */

/* Puts a member into an object in brackets, or an element (key NULL) into an array, behind all that is there. */
typedef void pen_fn(struct pen *p, const void *of);
void edits_place(struct edits *d, const struct node *box, const char *key, pen_fn *value, const void *of);
/* Takes a member or an element out of brackets, or all from one to another. */
void edits_take_run(struct edits *d, const struct node *first, const struct node *last);
static inline void edits_take(struct edits *d, const struct node *n)
{
	edits_take_run(d, n, n);
}
/* Texts before all that is in an array in brackets. */
void edits_lead(struct edits *d, const struct node *array, const struct setup_words *words);

#endif
