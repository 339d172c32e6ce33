/* two_memory - how much memory libnghttp2 holds for one side of a connection: what waits there is nowhere else.
 *
 * Owns:   nothing; the number is the caller's, and outlives the session.
 * Called: http/two.c; libnghttp2 1.52, by nghttp2_mem. */
#ifndef HTTP_TWO_MEMORY_H
#define HTTP_TWO_MEMORY_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"

struct two_memory {
	size_t held;             /* bytes that are in use */
	const struct memory *of; /* borrowed; NULL: malloc's */
};

/* Allocates there, and keeps count. */
nghttp2_mem two_memory(struct two_memory *m);

#endif
