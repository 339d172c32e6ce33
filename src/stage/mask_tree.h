/* mask_tree - the directory tree that lies over a real one and hides names of it.
 *
 * Owns:   nothing; the tree lies where the caller says.
 * Holds:  it holds directories and whiteouts alone. A directory has mode, owner, times, access lists and user attributes of the
 *         real one; one that is shown empty is opaque instead. Where the owner cannot be given (it is somebody else's), the
 *         owner's part of the mode says what the person may do with the real one, so that a cell may no more.
 * Called: mask.c, with the cache's lock held. */
#ifndef STAGE_MASK_TREE_H
#define STAGE_MASK_TREE_H

#include "stage/mask_list.h"

/* Makes `name` in dir_fd from a list that is not empty. What it made stays on failure.
 * -HOST: the file system takes no whiteouts or no user attributes. */
int mask_tree_make(int tree_fd, const struct mask_list *l, int dir_fd, const char *name, struct err *e);
/* Removes `name` and all in it, if it is there. 0 or -errno. */
int mask_tree_remove(int dir_fd, const char *name);

#endif
