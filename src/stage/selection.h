/* selection - which of the changes are committed.
 *
 * Owns:   how names are chosen, and what is done about changes that are held.
 * Holds:  what is chosen can be committed: nothing in it is held but what was accepted, all directories it needs are with it, and
 *         no two names of one file are parted.
 * Called: role ambit-stage fills it in; the engine reads it. */
#ifndef STAGE_SELECTION_H
#define STAGE_SELECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stage/plan.h"

/* A path relative to the tree, or a pattern (pattern.h). */
struct selection_item {
	int tree; /* -1: each */
	const char *pattern;
};

struct selection {
	const struct selection_item *take; /* none: everything */
	size_t n_take;
	const uint32_t
		*word; /* of each of take, which of the person's words it stands for: from 0, rising; NULL: nobody's */
	const struct selection_item *leave; /* stronger than take */
	size_t n_leave;
};

enum conflict_policy {
	CONFLICT_FAIL,   /* nothing is committed */
	CONFLICT_OURS,   /* the event's changes win; undoing brings back what was there */
	CONFLICT_THEIRS, /* the real tree's win: such changes are left in the stage */
};

struct choice {
	uint64_t taken, left, dropped, blocked; /* changes, as listed; left: wanted by nobody; dropped: for theirs */
	int partial;                            /* something stays in the stage */
	int64_t unmatched;                      /* a word that no change fits, -1: none */
};

/* Sets `chosen` of each entry. accept: 1 << HELD_PROTECTED, 1 << HELD_JUDGED. told: each change that stands in the way.
 * -CONFLICT: some do. -NOT_FOUND: a word of take fits no change (unmatched): a slip must not look like a success. */
int selection_choose(struct plan *p, const struct selection *s, enum conflict_policy policy, uint32_t accept,
		     void (*told)(void *user, const struct change *c), void *user, struct choice *ret, struct err *e);

#endif
