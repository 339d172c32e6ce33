/* copy - objects copied with what belongs to them: content with its holes, mode, times, attributes; not the overlay's attributes.
 *
 * Owns:   nothing.
 * Holds:  nothing is followed, and the new name must be free. A file that changes meanwhile is -EAGAIN.
 * Called: from stage/ only. */
#ifndef STAGE_COPY_H
#define STAGE_COPY_H

#include "stage/sys.h"

/* What is no directory; of a directory, itself without what is in it, open to its owner and with the time of now. */
int copy_one(int from_dir, const char *from, int to_dir, const char *to);
/* A directory with all in it, too; other names of one file become files of their own. */
int copy_tree(int from_dir, const char *from, int to_dir, const char *to);

#endif
