/* sealed - bytes in memory files that nobody can change any more.
 *
 * Owns:   nothing.
 * Holds:  what is read has its seals, so it is a memory file, which neither blocks nor changes while it is looked at.
 * Called: serve, session: a new session's description. Linux 3.17. */
#ifndef SESSION_SEALED_H
#define SESSION_SEALED_H

#include "base/buf.h"

/* Owned, or -errno. */
int sealed_make(const char *name, const struct buf *bytes);
/* Appended to ret. -EINVAL: it is no sealed memory file; -EFBIG: more than the buffer may hold; -errno. */
int sealed_read(int fd, struct buf *ret);

#endif
