/* shapes - how near a call that was never there is to those that were: by the parts of its symbol.
 *
 * Owns:   struct shapes: a set of the parts of what is known.
 * Holds:  a symbol is `what:place.class` and a mark. That a known thing is done to another class of file in a known place is nearer than another thing that is done to what is known, and that is nearer than a known thing at a place that is not.
 *         Nothing is known by a shape alone; it says how unlikely what is new is before anything else is known of it. Hashes are keyed (SipHash).
 * Called: profile/usual.c; pure. */
#ifndef PROFILE_SHAPES_H
#define PROFILE_SHAPES_H

#include <stddef.h>
#include <stdint.h>

#include "profile/words.h"

#define SHAPES_KNOWN 0.2 /* how likely a session has what is known, before it is counted */

struct shapes {
	uint8_t key[WORDS_KEY];
	uint64_t *slots; /* owned; 0: empty */
	size_t n, room;  /* room: a power of two, and at least twice as many */
};

/* -AMBIT_MEMORY. */
int shapes_init(struct shapes *s, const uint8_t key[WORDS_KEY]);
void shapes_finish(struct shapes *s);

/* That symbol is known. -AMBIT_MEMORY. */
int shapes_add(struct shapes *s, const char *symbol, size_t n);
/* How likely one that is not known would be in a session, for all that its parts say. */
double shapes_of(const struct shapes *s, const char *symbol, size_t n);

#endif
