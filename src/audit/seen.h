/* seen - a bounded set of names.
 *
 * Owns:   their hashes, and not the names: two of 2^64 may be taken for one.
 * Holds:  it never forgets one that it took; when it is full it takes no more, and says so.
 * Called: audit; pure. Zeroed memory is an empty set. */
#ifndef AUDIT_SEEN_H
#define AUDIT_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_MAX 4096u

struct seen {
	uint64_t slot[2 * SEEN_MAX]; /* 0: free */
	uint32_t n;
};

static inline bool seen_is_full(const struct seen *s)
{
	return s->n == SEEN_MAX;
}

void seen_add(struct seen *s, const char *name, size_t n);
bool seen_has(const struct seen *s, const char *name, size_t n);

#endif
