/* scan_file - a scan in a file, for the next event: the index of a tree.
 *
 * Owns:   the format, which is this build's own: another version or another table of hidden or protected names is as
 *         good as none.
 * Holds:  nothing is believed that does not add up: sum, counts, names. A file that was cut or is foreign is no error, the
 *         tree is just scanned afresh. A new one takes the old one's place by renaming.
 * Called: mask.c, with the cache's lock held to save.
 *
 * magic, the version of both tables and the device; then for each directory, in the scan's order: state, flags, inode, ctime, how
 * many directories, hidden names, links and files it has; then the names in the same order; at last a sum of all that. */
#ifndef STAGE_SCAN_FILE_H
#define STAGE_SCAN_FILE_H

#include <stdbool.h>

#include "stage/scan.h"

/* ret is initialised by the call; false: there is none that is of use, and ret is empty. */
bool scan_load(int dir_fd, const char *name, size_t text_max, struct scan *ret);
/* 0 or -errno; on failure the old one stays. */
int scan_save(int dir_fd, const char *name, const struct scan *s);

/* The bytes without the sum. As with loading, ret is initialised, and empty if it is false. */
void scan_encode(struct buf *out, const struct scan *s);
bool scan_decode(const void *bytes, size_t n, size_t text_max, struct scan *ret);

#endif
