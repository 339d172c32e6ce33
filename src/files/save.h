/* save - a file gets new content, all of it or none.
 *
 * Owns:   where a path leads, and the change from what was there to what is new.
 * Holds:  whoever reads the path meanwhile has the old file or the new one, whole: it is written beside it and renamed. Its mode stays; owner, further names (hard
 *         links) and extended attributes are not carried over, as with most editors. Where nothing may be made beside it (only the file was granted) it is written in place, and
 *         not whole while that takes. Nothing is synced: what a cell changed is durable when it is committed.
 * Called: write, edit. */
#ifndef FILES_SAVE_H
#define FILES_SAVE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "files/answer.h"

struct save {
	const char *path;    /* as it was asked for; borrowed */
	char real[PATH_MAX]; /* where symbolic links led */
	bool exists;
	struct stat st; /* if it exists: what it was */
};

/* -CONFLICT: it is there, and no regular file; -NOT_FOUND: a symbolic link that leads nowhere. */
int save_find(struct answer *a, const char *path, struct save *ret);

/* -DENIED: it may not be written; -CONFLICT: another has changed it since it was found. Missing directories are made, and stay if it fails. */
int save_do(struct answer *a, const struct save *s, const void *bytes, size_t n);

#endif
