/* tree - a configuration that was read, with the place in the text of all that is in it.
 *
 * Owns:   the nodes and the decoded texts. The text that was read is the caller's, and must live as long.
 * Holds:  it is well-formed, no object has a member twice, no text has a NUL, nothing is deeper than SETUP_DEPTH_MAX. What it does not
 *         understand is refused with line and column; it guesses nothing.
 * Called: the role ambit-setup, its tests. Pure, but for memory. */
#ifndef SETUP_TREE_H
#define SETUP_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SETUP_TEXT_MAX (16u << 20) /* of a file: some clients keep their history in it */
#define SETUP_DEPTH_MAX 128        /* of values in one another: ten times what clients have */
#define SETUP_NODES_MAX 1000000u   /* of a file of 16 MB */

enum setup_form {
	FORM_JSON,  /* RFC 8259 */
	FORM_JSONC, /* with comments, and commas behind the last */
	FORM_TOML,
};

enum node_kind { NODE_OBJECT, NODE_ARRAY, NODE_STRING, NODE_BARE /* a number, true, false, null, a date */ };

/* How a table of TOML is written; of JSON all are in brackets. */
enum node_shape {
	SHAPE_BRACKETS,
	SHAPE_IMPLICIT, /* by the header of another below it */
	SHAPE_HEADER,   /* [name], or the file itself */
	SHAPE_DOTTED,   /* by a dotted key */
	SHAPE_LIST,     /* an array of tables: [[name]] */
};

struct node {
	enum node_kind kind;
	enum node_shape shape;
	size_t start, end;         /* of the value; of SHAPE_HEADER its header and lines */
	size_t key_start, key_end; /* of a member's key, with its quotes; of a dotted one the last part */
	size_t comma;              /* behind it, where has_comma */
	size_t tail; /* of brackets: behind the last thing in them, be it a comment, a comma or the bracket that opens */
	bool has_comma;
	bool is_dotted; /* its key stands behind others and dots */
	const char *key, *text;
	size_t key_len, text_len; /* decoded; text: of NODE_STRING, and of NODE_BARE as it stands */
	struct node *parent, *first, *last, *next;
	size_t n_members; /* or elements */
};

struct tree {
	struct node *root; /* NODE_OBJECT; NULL: nothing was read */
	const char *bytes; /* borrowed */
	size_t len;
	enum setup_form form;
	void *pool; /* owned: nodes and texts */
	size_t n_nodes;
};

/* The caller finishes the tree in any case. -MALFORMED: with line and column; -LIMIT, -MEMORY. */
int tree_read(struct tree *t, enum setup_form form, const char *bytes, size_t n, struct err *e);
void tree_finish(struct tree *t);

/* The member of an object; NULL: there is none, or it is no object (or is NULL). */
struct node *node_member(const struct node *of, const char *key);
struct node *node_member_of(const struct node *of, const char *key, size_t n);
bool node_is_text(const struct node *of, const char *text);
struct node *node_before(const struct node *of); /* NULL: it is the first */

/* Where a byte of the text is, both from 1; columns are characters. */
struct spot {
	size_t line, column;
};
struct spot spot_of(const char *bytes, size_t n, size_t at);

#endif
