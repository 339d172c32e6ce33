/* items - what a call is made of, for the profile of calls (doc/PROFILE-CALLS.md), and what was in the answers before it.
 *
 * Owns:   struct items: the call that is being looked at, and a table of what answers had: words, addresses and short texts, as keyed hashes.
 * Holds:  all is bounded; a table that is full takes nothing more, and says so of each item that is not in it. It judges nothing.
 * Called: client.c, server.c. */
#ifndef GUARD_ITEMS_H
#define GUARD_ITEMS_H

#include <jansson.h>

#include "profile/call.h"

#define ITEMS_HEARD (1u << 15) /* of which three quarters are used; a power of two */

struct items {
	uint8_t key[CALL_KEY_SIZE];
	struct call call;
	uint32_t n_heard;
	uint64_t heard[ITEMS_HEARD]; /* 0: free */
};

struct items *items_new(const uint8_t key[CALL_KEY_SIZE]); /* NULL: no memory */
/* calm: its server calls it read-only, as it was approved; a name that says that it acts has the word. */
void items_begin(struct items *it, const char *tool, bool calm);
/* Once its arguments are there (flat.c): which of them an answer had before. */
void items_end(struct items *it);
/* The client gets it. */
void items_hear(struct items *it, const json_t *answer);

#endif
