/* names - a directory's names in order, page after page.
 *
 * Owns:   the page that is held.
 * Holds:  pages follow each other bytewise, without a gap, whatever order the kernel gives the names in, and a page takes no more room than it was given (and
 *         a few names): so a directory of a million entries is gone through in order, in little memory. It is read once for each page.
 * Called: walk. */
#ifndef FILES_NAMES_H
#define FILES_NAMES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct names {
	char **name; /* owned, and each of them; in order */
	size_t n, cap;
	size_t bytes;            /* of memory, about */
	bool more;               /* others come behind the last */
	char last[NAME_MAX + 1]; /* of this page; "" before the first */
};

/* The names behind p->last. 0 or -errno; with a part of the names if the directory stopped telling them. */
int names_next(struct names *p, DIR *d, size_t room);
void names_finish(struct names *p);

#endif
