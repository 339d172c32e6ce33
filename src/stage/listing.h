/* listing - the entries of one directory, read without the heap.
 *
 * Owns:   its room. The descriptor stays the caller's.
 * Holds:  entries come in the order of the file system; . and .. do not come.
 * Called: from stage/; between two entries the directory may change, as with readdir. */
#ifndef STAGE_LISTING_H
#define STAGE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct listing {
	int fd; /* borrowed */
	size_t at, len;
	int sys_errno;      /* why there are no more; 0 at the end */
	unsigned char type; /* of the last entry: DT_REG and the like, or DT_UNKNOWN */
	_Alignas(8) char bytes[32768];
};

/* From the descriptor's own position on. */
void listing_begin(struct listing *l, int fd);
/* The next name, and whether it is a directory (a link is none); NULL at the end and on failure. It stays until the next. */
const char *listing_next(struct listing *l, bool *ret_directory);

#endif
