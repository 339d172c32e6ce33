/* stage_answer - what is known of a stage: its changes, or a list of stages, and what became of them.
 *
 * Owns:   struct stage_answer: its lists are on the heap.
 * Called: lib (fills it), the record, the summary, cli; pure. */
#ifndef LIB_STAGE_ANSWER_H
#define LIB_STAGE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/change.h"
#include "stage/ask.h"

#define STAGE_CHANGES_MAX 65536 /* listed of one stage; the rest is counted */

struct stage_answer {
	struct change **changes; /* owned, each too */
	size_t n_changes;
	struct stage_entry *entries; /* owned */
	size_t n_entries;
	struct stage_end end;
	uint64_t done, total;          /* how far a long one is; 0 of 0 before the first word */
	bool waits;                    /* for another event */
	char waits_for[STAGE_ID_MAX];  /* or has waited; "": nobody knows */
	char (*trees)[STAGE_PATH_MAX]; /* owned: where the trees of the changes are */
	size_t n_trees;
};

void stage_answer_finish(struct stage_answer *a);
/* The absolute path of a change's path in its tree. Cut where it does not fit. */
void stage_answer_path(const struct stage_answer *a, const struct change *c, const char *path, char *ret, size_t size);
/* How many of the changes that are listed, and are not held, another program executes later; the first of them, if there is one. */
uint64_t stage_answer_later(const struct stage_answer *a, const struct change **ret_first);

#endif
