/* span - bytes of somebody else's, taken apart in place.
 *
 * Owns:   nothing; a span is as good as the bytes that it lies in.
 * Holds:  nothing is copied but numbers, nothing is read outside of a span, and what is refused changes nothing.
 * Called: from everywhere; pure. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *at; /* not terminated; NULL is an empty one */
	size_t len;
};

struct span span_of(const char *s);
struct span span_bytes(const void *bytes, size_t n);
bool span_equal(struct span a, struct span b);

/* Takes the prefix off; false if the span does not begin with it. */
bool span_skip(struct span *s, const char *prefix);
/* Takes off what stands before the first `end`, and that too; false if there is none. */
bool span_until(struct span *s, char end, struct span *ret);

/* All of it is one decimal number of at most max: digits alone, and no zero before others. */
bool span_decimal(struct span s, uint64_t max, uint64_t *ret);
/* All of it is base64 (base/base64.h) of exactly n bytes. */
bool span_base64(struct span s, void *ret, size_t n);

/* Lines, each with its number. */
struct lines {
	struct span left;
	size_t number; /* of the line taken last; the first is 1 */
};

/* The next line without its newline; false at the end, and where no newline ends what is left. */
bool lines_next(struct lines *l, struct span *ret);

#endif
