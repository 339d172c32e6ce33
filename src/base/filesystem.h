/* filesystem - what kind of file system something lies on, and what an overlay asks of it.
 *
 * Owns:   the names of kinds, as mount(8) has them.
 * Holds:  only looks. A kind that is not in the table has no name, and is taken to be fit for anything.
 * Called: from everywhere. */
#ifndef BASE_FILESYSTEM_H
#define BASE_FILESYSTEM_H

#include <stdbool.h>

/* "ext4", also for ext2 and ext3; "a file system" if the kind is not known. fd may be one of O_PATH. */
const char *filesystem_name(int fd);
/* The same of what is at path, links followed. */
const char *filesystem_name_at(const char *path);

/* Whether an overlay may write there, as far as the kind tells. The kernel refuses kinds whose names can change behind its back
 * (another overlay, what a server or a program has) or that do not tell upper from lower case: ovl_dentry_remote and
 * ovl_dentry_weird in fs/overlayfs/util.c. */
bool filesystem_takes_overlay(int fd);

/* Whether a listing of the directory, which must not be empty, tells kinds (d_type). An overlay mounts without, and then lists
 * what was removed. */
bool filesystem_tells_kinds(int dir_fd);

#endif
