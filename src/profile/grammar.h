/* grammar - how often which call came behind which others: the counts from which a frozen table is made.
 *
 * Owns:   struct grammar: a tree of runs of words, each node with how often it was seen.
 * Holds:  a probability is interpolated Witten-Bell over the last GRAMMAR_ORDER - 1 words: P(w|h) = (c(hw) + T(h) P(w|h')) / (c(h) + T(h)), where T(h) is how many different words came behind h, and h' is h without its
 *         first. Below that all words are alike. What no node has room for is not learned, and counted: what is usual is seen early, so that is little.
 * Called: profile, when it learns; pure. Reads no clock and no randomness but its key. */
#ifndef PROFILE_GRAMMAR_H
#define PROFILE_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAMMAR_ORDER 5
#define GRAMMAR_NODES_MAX (128u << 10) /* of which a frozen table has 2 MiB, and is half full */

struct grammar_node {
	uint32_t parent; /* the run without its last word; the root's is itself */
	uint32_t suffix; /* the run without its first */
	uint32_t count;
	uint32_t total; /* of its children's counts */
	uint16_t types; /* how many they are */
	uint16_t word;
};

struct grammar {
	uint64_t key;               /* of the table of children, which are found by parent and word */
	struct grammar_node *nodes; /* owned; 0: the root. A child stands behind its parent, and behind its suffix */
	size_t n, room;             /* a power of two */
	uint32_t *slots;            /* owned; two for each there is room for */
	size_t most;                /* nodes; GRAMMAR_NODES_MAX, or less */
	uint64_t left_out;
};

/* What came before, as nodes: of runs of 0, 1, ... words. UINT32_MAX: that run was never seen. */
struct grammar_place {
	uint32_t at[GRAMMAR_ORDER];
};

/* -AMBIT_MEMORY. key: secret, 64 random bits. */
int grammar_init(struct grammar *g, uint64_t key);
void grammar_finish(struct grammar *g);

/* Where a thread begins. */
struct grammar_place grammar_begin(void);
/* Bits of surprise at this word there, out of `words` that there are; and goes on. */
double grammar_loss(const struct grammar *g, struct grammar_place *place, uint16_t word, size_t words);
/* Counts it there, and goes on. */
void grammar_learn(struct grammar *g, struct grammar_place *place, uint16_t word);

/* As it was kept: that child, which was not there, and how often it was seen. UINT32_MAX: its suffix is missing, it is there, or there is no room. */
uint32_t grammar_restore(struct grammar *g, uint32_t parent, uint16_t word, uint32_t count);
/* The node of that child; UINT32_MAX: there is none. */
uint32_t grammar_child(const struct grammar *g, uint32_t parent, uint16_t word);

#endif
