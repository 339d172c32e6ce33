/* inplace - the names that a program which writes in place cannot change: those that others execute or obey.
 *
 * Owns:   nothing: it adds paths to the description of a cell, read-only ones and those on the way to them, which are mounted on
 *         themselves so that they cannot be moved aside.
 * Holds:  what of judge/protected.h is obeyed whatever it says is held wherever it lies in the tree, if it is there when this
 *         looks; all of it, or the event is refused. A link is held with what it leads to in the tree. Not held are what a grant
 *         names, what git keeps while it is in the middle of something, and what lies on other file systems beneath the tree, but
 *         at the tree's top. Nothing is held that is made later.
 * Called: plan.c, without looking through the tree; then staging.c, with the index of the tree. */
#ifndef SUPERVISOR_INPLACE_H
#define SUPERVISOR_INPLACE_H

#include "cell/spec.h"
#include "core/grant.h"
#include "stage/scan.h"

/* Paths of the cell for all this: CELL_PATHS_MAX less those of grants, of the base and of hidden names. */
#define INPLACE_PATHS_MAX 300

/* A tree that may be written, and the grant that it comes from. */
struct inplace_tree {
	const struct grant_set *set;
	const char *path; /* of the tree, absolute and normal */
	uint32_t grant;
};

/* What stands at the top of the tree. -LIMIT: more paths than may be. */
int inplace_hold_top(const struct inplace_tree *tree, struct cell_spec *spec, struct err *e);
/* Whatever the index knows of. */
int inplace_hold(const struct inplace_tree *tree, int tree_fd, const struct scan *s, struct cell_spec *spec,
		 struct err *e);

#endif
