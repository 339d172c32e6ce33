/* each - everything beneath a directory, however deep, with two descriptors.
 *
 * Owns:   the names of the directories that are still to be read.
 * Holds:  a directory is told before what is in it; nothing is followed, and no other mount is entered.
 * Called: from stage/ only. */
#ifndef STAGE_EACH_H
#define STAGE_EACH_H

#include "stage/sys.h"

/* dir_fd is open for reading and holds `name`; path is relative to the root. Not 0: the end, and the result. */
typedef int each_fn(void *user, int dir_fd, const char *path, const char *name, const struct look *l);

/* 0, what fn gave, or -errno: -ENAMETOOLONG where paths do not fit CHANGE_PATH_MAX, -EXDEV at a mount. */
int each_beneath(int root_fd, each_fn *fn, void *user);
/* What it takes on disk, as far as it can be looked at. */
void each_add_bytes(int root_fd, uint64_t *sum);
/* One number for everything beneath: names, inodes, times of change, sizes. */
int each_hash(int root_fd, uint64_t *ret);
/* The same, where `as` may give it another inode and time of change. */
int each_hash_as(int root_fd, void (*as)(void *user, struct ident *id), void *user, uint64_t *ret);

#endif
