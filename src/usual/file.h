/* file - the files in the directory of a person's profiles.
 *
 * Owns:   nothing.
 * Holds:  a file is whole or as it was before: it is written beside and takes its name at once. A link is followed by nobody.
 * Called: book.c, calls.c. */
#ifndef USUAL_FILE_H
#define USUAL_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Says what errno is about. */
int file_cannot(struct err *e, const char *what, const char *name);
/* Beside, and then at once. */
int file_write(int dir_fd, const char *name, const struct buf *bytes, struct err *e);
/* All of it; room for one byte more. -NOT_FOUND; -LIMIT: it has more than `most`, or is no file. */
int file_read(int dir_fd, const char *name, size_t most, struct buf *ret, struct err *e);
/* Each name there. */
int file_each(int dir_fd, void (*each)(void *of, const char *name), void *of, struct err *e);

#endif
