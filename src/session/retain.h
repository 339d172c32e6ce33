/* retain - whose results are kept: those of the events that ended last.
 *
 * Owns:   struct retain: a queue of the events that are over and whose results lie on the shelf, in the order in which they ended.
 * Holds:  what runs is not in it, however old it is, and keeps nothing else from going.
 * Called: shelf.c. */
#ifndef SESSION_RETAIN_H
#define SESSION_RETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RETAIN_EVENTS 10000u

struct retained {
	uint64_t n, ended_ms, bytes;
};

struct retain {
	struct retained *ring; /* owned */
	size_t room, first, count;
	uint64_t bytes; /* of all of them */
};

void retain_finish(struct retain *r);
/* The last in the order. -ENOMEM: it is not in it, and its results stay until the session is opened again. */
int retain_add(struct retain *r, const struct retained *one);
/* Puts what was added in the order in which it ended. */
void retain_sort(struct retain *r);
/* Takes out the first, if there is more than may be: in bytes, in number, or in age. However much the last one has, it stays for its time: whoever waited
 * for it is to have it. */
bool retain_next(struct retain *r, uint64_t bytes_max, uint64_t age_max_ms, uint64_t now_ms, struct retained *ret);

#endif
