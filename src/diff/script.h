/* script - which lines of one text are not in another, and the reverse.
 *
 * Owns:   struct script: the blocks that differ, in order; script_finish frees them.
 * Holds:  without the blocks both texts have the same lines. Of texts with few differences the blocks are as few lines as can be; work is
 *         counted, and beyond SCRIPT_WORK_FILE (or what is left of the caller's) what is not yet compared is one block, so
 *         no text takes more than a second or so. Blocks lie where they read best
 *         (slide.c).
 * Called: role ambit-diff; pure but for memory. */
#ifndef DIFF_SCRIPT_H
#define DIFF_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_WORK_FILE (UINT64_C(1) << 26) /* steps of a few ns */
#define SCRIPT_WORK_LINE 64                  /* beside it: for each line that is looked at, which the cache has not */
#define SCRIPT_LINES_MAX (2u << 20)          /* of the part that differs; more are one block */

struct text {
	const uint8_t *data; /* borrowed */
	size_t len;
};

/* Where a line ends that starts at `at`: behind its newline, or at the end of the text. */
size_t text_line_end(const struct text *t, size_t at);
/* How many lines begin in from..to-1, both the starts of lines or the end. */
uint32_t text_lines(const struct text *t, size_t from, size_t to);

/* Lines, counted from 0; the last one may lack its newline. */
struct block {
	uint32_t old_at, old_n, new_at, new_n;
};

struct script {
	struct block *blocks; /* owned */
	size_t n;
	uint32_t deleted, added; /* lines */
	bool coarse;             /* the work was cut short */
};

/* *work: steps that may still be taken; those that were are taken off. -AMBIT_MEMORY. */
int script_make(const struct text *old, const struct text *new, uint64_t *work, struct script *ret);
void script_finish(struct script *s);

#endif
