/* binary - contents as git's patches carry what is no text.
 *
 * Owns:   git's names of contents, and its `GIT binary patch`.
 * Holds:  what is written is whole: nothing is begun that the output has no room for. Contents are given as they are, on both sides,
 *         and not compressed: the format asks for a zlib stream, and one of stored blocks is one.
 * Called: patch.c; pure but for the sink. */
#ifndef DIFF_BINARY_H
#define DIFF_BINARY_H

#include <stdbool.h>

#include "diff/out.h"
#include "diff/script.h"

#define OBJECT_NAME_MAX 41 /* 40 digits and the NUL */

/* What git calls this content, in a repository of the usual kind; NULL is what is not there: zeros. */
void object_name(const struct text *content, char ret[OBJECT_NAME_MAX]);

/* `GIT binary patch` and both contents, to the new one and back. False: there is no room, and nothing was written. */
bool binary_write(struct out *o, const struct text *old, const struct text *new);

#endif
