#include "profile/costs.h"

#include <math.h>
#include <stdlib.h>

#include "ambit/ambit.h"
#include "profile/words.h"

#define LOAD 3u /* quarters of the table that may be full */

/* A run that is one word longer at its beginning. */
static uint64_t hash_on(const struct costs *f, uint64_t hash, uint16_t word)
{
	hash = (hash + word + 1) * f->key;
	return hash ^ hash >> 32;
}

static uint64_t entry(uint64_t hash, uint16_t loss, uint16_t back)
{
	return (hash << 32) | (uint64_t)loss << 16 | back;
}

/* Its entry, or the empty one where it would be. */
static uint64_t *slot_of(const struct costs *f, uint64_t hash)
{
	const size_t mask = ((size_t)1 << f->bits) - 1;

	for (size_t at = (hash >> 32) & mask;; at = (at + 1) & mask)
		if (f->slots[at] == 0 || f->slots[at] >> 32 == (hash & UINT32_MAX))
			return &f->slots[at];
}

static uint16_t units(double bits)
{
	const double units = bits * COSTS_BIT + 0.5;

	return units >= COSTS_MAX ? COSTS_MAX : units < 1 ? 1 : (uint16_t)units;
}

/* What it costs that a word was never seen behind this run. */
static uint16_t back_of(const struct grammar_node *h)
{
	return h->total == 0 ? 0 : units(-log2((double)h->types / ((double)h->total + h->types)));
}

static uint64_t hash_of(const struct costs *f, const struct grammar *g, uint32_t node, unsigned *ret_length)
{
	uint64_t hash = 0;

	for (*ret_length = 0; node != 0; node = g->nodes[node].parent, ++*ret_length)
		hash = hash_on(f, hash, g->nodes[node].word);
	return hash;
}

/* Each child stands behind its parent and its suffix, so what it is made of is there. Behind the longest runs nothing comes: what follows them follows their suffix. */
static void put_all(struct costs *f, const struct grammar *g, double *p)
{
	for (uint32_t i = 1; i < g->n; i++) {
		const struct grammar_node *node = &g->nodes[i], *h = &g->nodes[node->parent];
		unsigned length;
		const uint64_t hash = hash_of(f, g, i, &length);

		p[i] = (node->count + h->types * p[node->suffix]) / ((double)h->total + h->types);
		if (node->parent == 0 && node->count == 0)
			p[i] = p[0]; /* the word that threads begin with */
		*slot_of(f, hash) = entry(hash, units(-log2(p[i])),
					  back_of(length == GRAMMAR_ORDER ? &g->nodes[node->suffix] : node));
	}
}

int costs_make(struct costs *f, const struct grammar *g, size_t words)
{
	double *p = calloc(g->n, sizeof *p);

	*f = (struct costs){ .key = g->key, .bits = 4 };
	while (((size_t)LOAD << f->bits) < 4 * g->n)
		f->bits++;
	f->slots = calloc((size_t)1 << f->bits, sizeof *f->slots);
	if (p == NULL || f->slots == NULL) {
		free(p);
		costs_finish(f);
		return -AMBIT_MEMORY;
	}
	p[0] = 1.0 / (double)(words > 0 ? words : 1);
	f->back = back_of(&g->nodes[0]);
	f->unknown = units(-log2(p[0]));
	put_all(f, g, p);
	free(p);
	return 0;
}

void costs_finish(struct costs *f)
{
	free(f->slots);
	*f = (struct costs){ .slots = NULL };
}

static void go_on(const struct costs *f, struct costs_place *place, uint16_t word, unsigned known, uint16_t back)
{
	for (unsigned i = GRAMMAR_ORDER - 2; i > 0; i--)
		place->words[i] = place->words[i - 1];
	place->words[0] = word;
	place->n += place->n < GRAMMAR_ORDER - 1;
	for (unsigned i = 0; i < place->n; i++)
		place->hashes[i] = hash_on(f, i == 0 ? 0 : place->hashes[i - 1], place->words[i]);
	place->known = known < place->n ? known : place->n;
	place->back = back;
}

struct costs_place costs_begin(const struct costs *f)
{
	struct costs_place place = { .n = 0 };
	const uint64_t begun = *slot_of(f, hash_on(f, 0, WORD_BEGIN));

	go_on(f, &place, WORD_BEGIN, begun != 0, (uint16_t)begun);
	return place;
}

/* Of the run of the last n words. */
static uint16_t back_at(const struct costs *f, const struct costs_place *place, unsigned n)
{
	if (n == place->known)
		return n == 0 ? f->back : place->back;
	return n == 0 ? f->back : (uint16_t)*slot_of(f, place->hashes[n - 1]);
}

/* From the longest run that can be there to the shortest; each that is not costs what was kept of what came before it. */
uint16_t costs_of(const struct costs *f, struct costs_place *place, uint16_t word)
{
	uint64_t hashes[GRAMMAR_ORDER];
	uint32_t loss = 0;
	unsigned n = place->known;

	if (word != WORD_UNKNOWN) {
		hashes[0] = hash_on(f, 0, word);
		for (unsigned i = 0; i < n; i++)
			hashes[i + 1] = hash_on(f, hashes[i], place->words[i]);
		for (unsigned i = n + 1; i-- > 0;) {
			const uint64_t there = *slot_of(f, hashes[i]);

			if (there != 0) {
				loss += (uint16_t)(there >> 16);
				go_on(f, place, word, i + 1, (uint16_t)there);
				return loss > COSTS_MAX ? COSTS_MAX : (uint16_t)loss;
			}
			loss += back_at(f, place, i);
		}
	} else {
		for (unsigned i = n + 1; i-- > 0;)
			loss += back_at(f, place, i);
	}
	go_on(f, place, word, 0, 0);
	loss += f->unknown;
	return loss > COSTS_MAX ? COSTS_MAX : (uint16_t)loss;
}
