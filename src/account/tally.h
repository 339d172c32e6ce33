/* tally - a table of what was counted, by names that came from somewhere.
 *
 * Owns:   its rows and the texts of their names, of both no more than it was made for.
 * Holds:  names are compared as a whole, and never cut. What finds no room is counted as that, so that nothing is left out in silence.
 * Called: account; pure, but for memory. */
#ifndef ACCOUNT_TALLY_H
#define ACCOUNT_TALLY_H

#include "base/buf.h"
#include "base/err.h"
#include "core/id.h"

#define TALLY_COUNTS 4
#define TALLY_PARTS 4
#define TALLY_NAMES_MAX (16u << 10) /* of one row */

struct tally_row {
	uint64_t n[TALLY_COUNTS]; /* what they mean is the caller's */
	uint64_t first, last;     /* entries */
	char event[ID_TEXT_MAX];  /* the last one, for the caller to tell another by */
	uint32_t at;              /* of its names in text, each terminated */
	uint32_t len;
	uint32_t next; /* of the same hash; 1 + its index, 0: none */
};

struct tally {
	struct tally_row *rows; /* owned */
	uint32_t *heads;        /* owned; by hash: 1 + the index of a row */
	size_t n, max;
	struct buf text; /* owned; behind text_max only what is looked for */
	size_t text_max;
	uint64_t over; /* how often there was no room */
};

/* -ENOMEM. Zeroed memory may be finished, too. */
int tally_init(struct tally *t, size_t max, size_t text_max);
void tally_finish(struct tally *t);

/* The row with these names, a new one if there was none; NULL: there is no room, which is counted. Until the next call. */
struct tally_row *tally_at(struct tally *t, const char *const names[], size_t n_names);
/* One of its names; "" beyond them. */
const char *tally_name(const struct tally *t, const struct tally_row *row, size_t i);
/* The most of n[by] first, then in the order in which they came. No row is found by name after that. */
void tally_sort(struct tally *t, size_t by);

#endif
