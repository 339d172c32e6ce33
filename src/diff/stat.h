/* stat - how much of each file a change touches, as `git diff --stat`.
 *
 * Owns:   struct stat_table: a row for each change, what is held back, and what is executed later.
 * Holds:  a row is as wide as it was asked for; of a long name the end is kept. What is held is named below the total, and so is what
 *         another program executes later.
 * Called: show.c. Memory: a row and its name, cut to the width. */
#ifndef DIFF_STAT_H
#define DIFF_STAT_H

#include "diff/input.h"
#include "diff/out.h"

struct stat_row {
	size_t name_at;          /* in names, ended by a NUL */
	uint64_t added, deleted; /* lines; bytes of a binary file: new and old ones */
	bool binary;
};

struct stat_table {
	uint32_t width;
	struct stat_row *rows; /* owned */
	size_t n, room;
	struct buf names, held, later;
};

void stat_init(struct stat_table *t, uint32_t width);
void stat_finish(struct stat_table *t);

/* -AMBIT_MEMORY. */
int stat_add(struct stat_table *t, const char *tree, const struct diff_change *c, uint64_t *work);
/* All of it. */
void stat_write(const struct stat_table *t, struct out *o);

#endif
