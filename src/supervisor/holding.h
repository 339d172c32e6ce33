/* holding - a path that a cell can write, held as it is: mounted on itself read-only, with everything on the way to it.
 *
 * Owns:   nothing but the list of directories still to be looked through; what it holds are paths of a cell's description.
 * Holds:  the way is gone as the kernel goes, part by part: each link on it is held as well, and each directory is mounted on itself,
 *         so that it cannot be moved aside. What was held once stays so, whoever leads there again. Only what a grant lets the cell
 *         write is held, in whichever tree it lies; a grant of the very path wins.
 * Called: inplace.c, which knows what is to be held. As the person, before the cell starts. A mount
 *         goes when somebody outside of the cell renames over it or removes it (vfs_rename and others, Linux 3.18): see stage/claim.h. */
#ifndef SUPERVISOR_HOLDING_H
#define SUPERVISOR_HOLDING_H

#include <stdbool.h>

#include "base/buf.h"
#include "cell/spec.h"
#include "core/grant.h"

/* Paths of the cell for all this: CELL_PATHS_MAX less those of grants, of the base and of hidden names. */
#define HOLDING_PATHS_MAX 300

struct holding {
	const struct grant_set *set;
	struct cell_spec *spec;
	const char *tree;  /* at hand, for what is said to the person */
	bool file_only;    /* of the name at hand: a directory there is nothing to hold */
	struct buf within; /* owned: directories that a link led to, absolute, each with its NUL */
};

void holding_begin(struct holding *h, const struct grant_set *set, const char *tree, struct cell_spec *spec);
/* Looks through the directories that links led to, if r is no failure, and frees what h owns. r, or why that failed. */
int holding_finish(struct holding *h, int r, struct err *e);

/* Holds what the name, absolute, stands for. 1, or 0: there is nothing to hold. -LIMIT: more paths than may be, or too long ones. */
int holding_take(struct holding *h, const char *name, struct err *e);
/* Holds a path through no link against being moved, and if read_only against being written. 1: it is read-only from now on. */
int holding_pin(const struct holding *h, const char *path, bool read_only, struct err *e);
int holding_too_long(const struct holding *h, struct err *e);

#endif
