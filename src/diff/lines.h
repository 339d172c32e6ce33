/* lines - two texts as numbers: equal lines have equal numbers.
 *
 * Owns:   struct lines: the part between the common start and end of both texts, with a margin, as arrays.
 * Holds:  a number stands for the same bytes on both sides, newline included.
 * Called: script.c; pure but for memory. */
#ifndef DIFF_LINES_H
#define DIFF_LINES_H

#include "diff/script.h"

#define LINES_MARGIN 100 /* equal lines kept on both ends, into which a block may be moved */

struct lines_side {
	const struct text *text;
	size_t from, to;  /* bytes of the part */
	uint32_t n;       /* its lines */
	uint32_t *start;  /* owned, n + 1: where each begins */
	uint32_t *number; /* owned, n */
	uint8_t *changed; /* owned, n, all 0 */
};

struct lines {
	uint32_t before; /* lines before the part, the same on both sides */
	struct lines_side side[2];
	uint32_t n_numbers;
	uint32_t *count[2]; /* owned: how often each number occurs on either side */
};

/* Finds the part, with margin more lines on either end, and counts its lines. */
void lines_find(struct lines *l, const struct text *old, const struct text *new, size_t margin);
/* Numbers them. 1: the work went out before, for hashes that are the same; -AMBIT_MEMORY. */
int lines_number(struct lines *l, uint64_t *work);
void lines_finish(struct lines *l);

/* Takes n off *work; false if that was all. */
static inline bool work_spend(uint64_t *work, uint64_t n)
{
	*work = n < *work ? *work - n : 0;
	return *work > 0;
}

#endif
