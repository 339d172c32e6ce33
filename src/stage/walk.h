/* walk - finds in what a stage differs from the real trees.
 *
 * Owns:   the rules by which a difference becomes a change, and by which it is held back: refused, hidden, in conflict.
 * Holds:  `upper` is hostile: its names, modes, links and depth cost neither stack nor more than a few descriptors. The real tree
 *         is looked at beneath its descriptor only. Nothing is changed. Memory goes with the number of changes.
 * Called: role ambit-stage, with the stage's lock held, and the rest of stage/.
 *
 * What is in conflict, with T0 for the moment `upper` was made:
 *  1. the name is in the baseline (the engine itself left something there): anything but exactly that;
 *  2. a regular file that was copied up: it changed since T0, but for one that was only written in place, before the copy's
 *     birth, in a directory in which no name changed since T0 (the event saw what was written);
 *  3. everything else that is replaced, removed, or stands where something new should go: it changed since T0. Of a directory:
 *     it, or anything in it;
 *  4. a directory of the change is gone, or is no directory any more;
 *  5. a directory of the change is another one than when the event started (before.h): all that was changed in it.
 * What Ambit itself moved away and back since has not changed (moved.h), in 1 if it is what was left there, in 2 and 3 if it was there
 * from before T0 until the event was over.
 * A mount in the way is refused. */
#ifndef STAGE_WALK_H
#define STAGE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/change.h"
#include "stage/journal.h"
#include "stage/plan.h"
#include "stage/store.h"

/* What the table of names says of a change. */
struct verdict {
	uint8_t held; /* HELD_NOT, HELD_PROTECTED, HELD_JUDGED or HELD_ASKED */
	uint8_t later, judge;
	char reason[CHANGE_REASON_MAX];
};

/* All may be NULL. Paths are relative to the tree. */
struct walk_calls {
	void *user;
	/* Before any is judged, of each change that would be: their number may matter. First with NULL: those before do not count. */
	void (*count)(void *user, const struct change *c);
	/* Of each change that would be listed, and of the old name of a renamed file as deleted; ret is zeroed. */
	void (*judge_name)(void *user, const struct change *c, struct verdict *ret);
	/* Whether the cell could not see what is there in the real tree. */
	bool (*is_hidden)(void *user, uint16_t tree, const char *path);
	/* Whether a person named this path, so that it may go with what the cell could not see in it. */
	bool (*is_named)(void *user, uint16_t tree, const char *path);
	/* SHA-256 of what fd holds. False: there is none to be had. */
	bool (*digest)(void *user, int fd, uint8_t ret[CHANGE_DIGEST_BYTES]);
};

/* The descriptors of a stage's trees. */
struct trees {
	uint32_t n;
	int real[STAGE_TREES_MAX];    /* owned, O_PATH */
	int upper[STAGE_TREES_MAX];   /* owned */
	int part[STAGE_TREES_MAX];    /* the stage's */
	bool far[STAGE_TREES_MAX];    /* renaming does not reach from one to the other */
	bool births[STAGE_TREES_MAX]; /* what is moved in the real tree keeps its birth: not so on an overlay */
};

/* -CONFLICT: a tree is not the one that the event saw. */
int trees_open(const struct stage *s, const struct stage_meta *m, struct trees *ret, struct err *e);
void trees_finish(struct trees *t);

/* ret must be zeroed, and is the caller's to finish in any case. */
int walk_plan(const struct stage *s, const struct stage_meta *m, const struct trees *t, const struct walk_calls *calls,
	      struct plan *ret, struct err *e);

/* Asks judge_name of every change once more: it may know better by now. 0 or -ENOMEM. */
int walk_judge(const struct walk_calls *calls, struct plan *p);

struct walk_counts {
	uint64_t changes; /* all, listed or not */
	uint64_t held;    /* of them */
	uint64_t dropped; /* changes that were more than list_max */
};

/* The changes of a plan, in order: of each tree by path. Their texts are the plan's. */
void walk_list(const struct trees *t, const struct walk_calls *calls, const struct plan *p, size_t list_max,
	       void (*list)(void *user, const struct change *c), void *list_user, struct walk_counts *ret);
/* The same of a stage. */
int stage_walk(const struct stage *s, const struct stage_meta *m, const struct walk_calls *calls, size_t list_max,
	       void (*list)(void *user, const struct change *c), void *list_user, struct walk_counts *ret,
	       struct err *e);

#endif
