#include "profile/grammar.h"

#include <math.h>
#include <stdlib.h>

#include "ambit/ambit.h"
#include "profile/words.h"

#define ROOM_FIRST 1024u
#define NONE UINT32_MAX
#define BEGUN 1u /* the run of WORD_BEGIN alone, which nothing comes before and which is never counted */

/* Of small numbers, by a secret multiplier: who chooses words does not choose where they meet. */
static uint32_t *slot_of(const struct grammar *g, uint32_t parent, uint16_t word)
{
	uint64_t hash = ((uint64_t)parent << 16 | word) * g->key;
	const size_t mask = 2 * g->room - 1;

	hash = (hash ^ hash >> 29) * g->key;
	for (size_t at = (hash >> 32) & mask;; at = (at + 1) & mask) {
		const struct grammar_node *there = &g->nodes[g->slots[at]];

		if (g->slots[at] == 0 || (there->parent == parent && there->word == word))
			return &g->slots[at];
	}
}

/* Doubles it. */
static bool make_room(struct grammar *g)
{
	const size_t room = g->room == 0 ? ROOM_FIRST : 2 * g->room;
	struct grammar_node *nodes = realloc(g->nodes, room * sizeof *nodes);
	uint32_t *slots = nodes != NULL ? calloc(2 * room, sizeof *slots) : NULL;

	if (nodes != NULL)
		g->nodes = nodes;
	if (slots == NULL)
		return false;
	free(g->slots);
	g->slots = slots;
	g->room = room;
	for (uint32_t i = 1; i < g->n; i++)
		*slot_of(g, g->nodes[i].parent, g->nodes[i].word) = i;
	return true;
}

/* Odd, and with bits everywhere, whatever the key is (the end of splitmix64). */
static uint64_t multiplier(uint64_t key)
{
	key = (key ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return (key ^ key >> 31) | 1;
}

int grammar_init(struct grammar *g, uint64_t key)
{
	*g = (struct grammar){ .key = multiplier(key), .most = GRAMMAR_NODES_MAX };
	if (!make_room(g)) {
		grammar_finish(g);
		return -AMBIT_MEMORY;
	}
	g->nodes[0] = (struct grammar_node){ .parent = 0 };
	g->nodes[BEGUN] = (struct grammar_node){ .parent = 0, .word = WORD_BEGIN };
	g->n = BEGUN + 1;
	*slot_of(g, 0, WORD_BEGIN) = BEGUN;
	return 0;
}

void grammar_finish(struct grammar *g)
{
	free(g->nodes);
	free(g->slots);
	*g = (struct grammar){ .n = 0 };
}

uint32_t grammar_child(const struct grammar *g, uint32_t parent, uint16_t word)
{
	const uint32_t found = parent == NONE ? 0 : *slot_of(g, parent, word);

	return found == 0 ? NONE : found;
}

/* suffix: of the child; that there is one is why it is asked for. */
static uint32_t child_for(struct grammar *g, uint32_t parent, uint16_t word, uint32_t suffix)
{
	uint32_t *slot = slot_of(g, parent, word);

	if (*slot != 0)
		return *slot;
	if (suffix == NONE || g->n == g->most || (g->n == g->room && !make_room(g))) {
		g->left_out++;
		return NONE;
	}
	slot = slot_of(g, parent, word); /* it may lie elsewhere now */
	g->nodes[g->n] = (struct grammar_node){ .parent = parent, .word = word, .suffix = suffix };
	g->nodes[parent].types++;
	*slot = (uint32_t)g->n++;
	return *slot;
}

uint32_t grammar_restore(struct grammar *g, uint32_t parent, uint16_t word, uint32_t count)
{
	const uint32_t suffix = parent == 0 ? 0 : grammar_child(g, g->nodes[parent].suffix, word);
	const size_t n = g->n;
	const uint32_t child = child_for(g, parent, word, suffix);

	if (g->n == n || g->nodes[parent].total > UINT32_MAX - count)
		return NONE;
	g->nodes[child].count = count;
	g->nodes[parent].total += count;
	return child;
}

struct grammar_place grammar_begin(void)
{
	struct grammar_place place = { .at = { 0, BEGUN } };

	for (size_t i = 2; i < GRAMMAR_ORDER; i++)
		place.at[i] = NONE;
	return place;
}

/* From the shortest run to the longest. */
double grammar_loss(const struct grammar *g, struct grammar_place *place, uint16_t word, size_t words)
{
	double p = 1.0 / (double)(words > 0 ? words : 1);
	struct grammar_place next = { .at = { 0 } };

	for (size_t i = 0; i < GRAMMAR_ORDER; i++) {
		const uint32_t at = place->at[i], child = word == WORD_UNKNOWN ? NONE : grammar_child(g, at, word);
		const struct grammar_node *h = at == NONE ? NULL : &g->nodes[at];

		if (h != NULL && h->total > 0)
			p = ((child != NONE ? g->nodes[child].count : 0) + h->types * p) /
			    ((double)h->total + h->types);
		if (i + 1 < GRAMMAR_ORDER)
			next.at[i + 1] = child;
	}
	*place = next;
	return -log2(p);
}

void grammar_learn(struct grammar *g, struct grammar_place *place, uint16_t word)
{
	struct grammar_place next = { .at = { 0 } };
	uint32_t suffix = 0;

	for (size_t i = 0; i < GRAMMAR_ORDER; i++) {
		const uint32_t at = place->at[i];
		const uint32_t child = at == NONE || word == WORD_UNKNOWN ? NONE : child_for(g, at, word, suffix);

		if (child != NONE && g->nodes[child].count < UINT32_MAX && g->nodes[at].total < UINT32_MAX) {
			g->nodes[child].count++;
			g->nodes[at].total++;
		}
		suffix = child;
		if (i + 1 < GRAMMAR_ORDER)
			next.at[i + 1] = child;
	}
	*place = next;
}
