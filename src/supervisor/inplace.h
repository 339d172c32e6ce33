/* inplace - the names that a program which writes in place cannot change: those that others execute or obey.
 *
 * Owns:   nothing: it says which names those are; holding.h holds them.
 * Holds:  what of judge/protected.h is obeyed whatever it says is held wherever it lies in the tree, if it is there when this
 *         looks; all of it, or the event is refused. A link is held with what it leads to in what can be written. Not held are what a grant
 *         names, what git keeps while it is in the middle of something, and what lies on other file systems beneath the tree, but
 *         at the tree's top. Nothing is held that is made later.
 * Called: staging.c, for each directory that is granted for writing: without looking through it, then with its index. */
#ifndef SUPERVISOR_INPLACE_H
#define SUPERVISOR_INPLACE_H

#include "cell/spec.h"
#include "core/grant.h"
#include "stage/mask.h"

/* A tree that may be written. */
struct inplace_tree {
	const struct grant_set *set;
	const char *path;       /* of the tree, absolute and real */
	const char *outer;      /* the tree around it that is granted as well, or itself */
	const char *const *all; /* every one: what lies in another is looked at for itself */
	size_t n_all;
};

/* What stands at the top of the tree. -LIMIT: more paths than may be. */
int inplace_hold_top(const struct inplace_tree *tree, struct cell_spec *spec, struct err *e);
/* Whatever the index knows of, but in what m hides. -CONFLICT: the tree changes meanwhile. -DENIED: a directory cannot be listed. */
int inplace_hold(const struct inplace_tree *tree, int tree_fd, const struct scan *s, const struct mask *m,
		 struct cell_spec *spec, struct err *e);

#endif
