/* costs - a grammar as it is scored with: what each word costs behind what came before, in one table of 8 bytes an entry.
 *
 * Owns:   struct costs: the table.
 * Holds:  the same surprise as grammar_loss, to a part in COSTS_BIT (and but for one entry in 2^31, which another run has by chance). A word that the profile has seen in its place costs one look into the table. Runs are found by a keyed hash of their words, the last one first.
 * Called: profile, when it scores; pure. */
#ifndef PROFILE_COSTS_H
#define PROFILE_COSTS_H

#include "profile/grammar.h"

#define COSTS_BIT 2048u /* so many units are a bit of surprise; 32 bits are the most */
#define COSTS_MAX UINT16_MAX

struct costs {
	uint64_t key;
	uint64_t *
		slots; /* owned: 32 bits of the hash, 16 of what its last word costs there, 16 of what it costs that a word does not come behind it; 0: empty */
	unsigned bits; /* of the table's size */
	uint16_t back; /* of the empty run */
	uint16_t unknown; /* what a word costs of which nothing is known */
};

/* Where a thread is. */
struct costs_place {
	uint16_t words[GRAMMAR_ORDER - 1];  /* the last ones, the newest first */
	uint64_t hashes[GRAMMAR_ORDER - 1]; /* of the runs of 1, 2, ... of them */
	unsigned n;                         /* of them there are */
	unsigned known;                     /* the longest run of them that is in the table */
	uint16_t back;                      /* of that */
};

/* words: how many there are. -AMBIT_MEMORY. */
int costs_make(struct costs *f, const struct grammar *g, size_t words);
void costs_finish(struct costs *f);

struct costs_place costs_begin(const struct costs *f);
/* What this word costs there; and goes on. */
uint16_t costs_of(const struct costs *f, struct costs_place *place, uint16_t word);

#endif
