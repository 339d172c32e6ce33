/* listing - the entries of one directory, read without the heap.
 *
 * Owns:   its room. The descriptor stays the caller's.
 * Holds:  entries come in the order of the file system; . and .. do not come.
 * Called: from stage/; between two entries the directory may change, as with readdir. */
#ifndef STAGE_LISTING_H
#define STAGE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

enum listing_kind { LISTING_OTHER, LISTING_DIRECTORY, LISTING_LINK };

struct listing {
	int fd; /* borrowed */
	size_t at, len;
	bool is_pipe;  /* of the name that came last, which is LISTING_OTHER: a FIFO */
	int sys_errno; /* why there are no more; 0 at the end */
	_Alignas(8) char bytes[32768];
};

/* From the descriptor's own position on. */
void listing_begin(struct listing *l, int fd);
/* The next name, and what it is of; NULL at the end and on failure. It stays until the next. */
const char *listing_next(struct listing *l, enum listing_kind *ret_kind);

#endif
