/* remove - takes away a directory tree that somebody hostile may have made.
 *
 * Owns:   nothing.
 * Holds:  works by descriptor, through no link and into no other mount; modes do not stop it (000 is what an overlay leaves
 *         in `work`), depth costs neither stack nor descriptors: what lies too deep is moved up first.
 * Called: from stage/ only, with the lock of the stage held: the engine, and the store for what waited. */
#ifndef STAGE_REMOVE_H
#define STAGE_REMOVE_H

/* Whatever name is in dir_fd, with all in it. 0 (also if there is nothing), or -errno: -EXDEV at a mount. */
int remove_tree(int dir_fd, const char *name);

#endif
