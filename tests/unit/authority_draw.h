/* authority_draw - requests by chance, for an authority that is at hand.
 *
 * Owns:   struct draw: the clocks, what was made so far, and the mood of one world: whether much is asked, much refused by labels, much used at once.
 * Holds:  everything comes from small pools, so that it meets. References are of live things mostly, and else of ended ones, guessed, of another kind
 *         or another badge's; values are well-formed mostly.
 * Called: from tests. */
#ifndef UNIT_AUTHORITY_DRAW_H
#define UNIT_AUTHORITY_DRAW_H

#include "base/buf.h"
#include "core/authority.h"
#include "prop.h"

#define DRAW_MADE_MAX 1024
#define DRAW_TOLD_MAX 1024

struct draw {
	struct prop *p;
	uint64_t now_ms;
	uint32_t asks, unless, bounds; /* of a hundred grants */
	uint32_t digests;
	bool family; /* many sub-agents */
	bool silent; /* nobody answers */
	bool huge;   /* amounts that no sum of twenty holds */
	authority_ref made[DRAW_MADE_MAX];
	uint32_t n_made;
	char object[AUTHORITY_TEXTS_MAX], terms[AUTHORITY_TEXTS_MAX]; /* of the request that was drawn last */
};

/* Borrowed: p, for as long. */
void draw_init(struct draw *d, struct prop *p);
/* In half of the worlds there is no room for much. */
struct authority_size draw_size(struct prop *p);
/* Its texts are in *d until the next one. */
void draw_request(struct draw *d, const struct authority *a, struct authority_request *ret);
void draw_was_made(struct draw *d, authority_ref ref);

const char *draw_op_word(unsigned op);
/* In words, for people. */
void draw_tell(struct buf *out, const struct authority_request *q, const struct authority_answer *answer);

#endif
