/* written - a file that a person named, made whole or not at all.
 *
 * Owns:   nothing.
 * Holds:  it is written beside that name and renamed, so that whoever reads there finds what was or what is. What is there and no file of its own (a link, a pipe, a device, a directory) is never replaced.
 * Called: cli. */
#ifndef CLI_WRITTEN_H
#define CLI_WRITTEN_H

#include <stddef.h>

#include "base/err.h"

/* Whether it may be written there: to be told before the work is done. -CONFLICT, -NOT_FOUND. */
int written_may(const char *path, struct err *e);
int written_put(const char *path, const void *bytes, size_t n, struct err *e);

#endif
