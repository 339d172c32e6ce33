/* mask_list - what one mask hides, and what it has to be made of.
 *
 * Owns:   struct mask_list: entries sorted by path, each a directory on the way to what is hidden, a name that is hidden, or
 *         a directory that is shown empty.
 * Holds:  a directory on the way comes before what lies in it. Two settled lists of the same bytes make the same mask: each
 *         directory is there with inode and ctime, on which everything depends that the mask copies from it.
 * Called: mask.c, mask_tree.c; lookups by whoever holds a mask. */
#ifndef STAGE_MASK_LIST_H
#define STAGE_MASK_LIST_H

#include "stage/scan.h"

#define MASK_LIST_MAX (64u << 20)

enum mask_kind {
	MASK_NOTHING,
	MASK_ON_THE_WAY, /* a directory that holds something hidden, however deep */
	MASK_HIDDEN,     /* a name that is not there for the cell */
	MASK_UNLISTED,   /* shown empty, as SCAN_UNLISTED */
	MASK_FOREIGN,    /* shown empty, as SCAN_FOREIGN */
	MASK_DEEP,       /* shown empty, as SCAN_DEEP */
	MASK_CROWDED,    /* a directory that is not there for the cell, as SCAN_CROWDED */
};

struct mask_entry {
	enum mask_kind kind;
	const char *path; /* relative to the tree, "" for itself */
};

/* Neither the name nor what lies beneath is there. */
static inline bool mask_kind_is_absent(enum mask_kind kind)
{
	return kind == MASK_HIDDEN || kind == MASK_CROWDED;
}

struct mask_list {
	struct buf bytes; /* as compared, and kept on disk */
	uint32_t *at;     /* owned: where each entry begins in bytes */
	uint32_t n;
	bool settled; /* else a directory could have changed since with the same ctime */
};

/* Paths that a grant names, relative and normal: what is hidden there or beneath is shown. */
struct exempt {
	const char *const *paths;
	size_t n;
	bool all; /* the tree itself is what a grant names */
	/* Other directories that a grant names, likewise: what is hidden in them is hidden, but none is hidden for how much that is. */
	const char *const *directories;
	size_t n_directories;
};

/* With `layer` the list has at least the tree itself, so that a mask is made of it also where nothing is hidden.
 *
 * What is hidden of the scanned tree. A hidden directory that holds an exempt path is entered: all in it is hidden but what
 * leads there. ret is initialised by the call and empty if nothing is hidden. -LIMIT, -SYSTEM, -MEMORY. */
int mask_list_make(const struct scan_ask *ask, const struct scan *s, const struct exempt *exempt, bool layer,
		   struct mask_list *ret, struct err *e);
void mask_list_init(struct mask_list *l);
void mask_list_finish(struct mask_list *l);

/* Copies a list that was written as its bytes; l is initialised. -MALFORMED, -MEMORY. */
int mask_list_take(struct mask_list *l, const void *bytes, size_t n);

struct mask_entry mask_list_entry(const struct mask_list *l, uint32_t i);
/* What is said of exactly this path. */
enum mask_kind mask_list_find(const struct mask_list *l, const char *path);

#endif
