/* build - turns what was chosen of a plan into a deed, and makes ready what the deed needs.
 *
 * Owns:   the choice of operations: a new directory that is taken with all in it moves as one, else it is made and filled; what
 *         must stay in `upper` (a living event's) or cannot be renamed to the tree is copied into slots first.
 * Holds:  the real tree is not touched, but for the directory of slots in a tree that renaming cannot reach. Slots that were made
 *         in vain are removed by build_drop().
 * Called: from stage/ only. */
#ifndef STAGE_BUILD_H
#define STAGE_BUILD_H

#include "stage/journal.h"
#include "stage/moved.h"
#include "stage/plan.h"
#include "stage/stop.h"
#include "stage/walk.h"

struct build {
	const struct stage_meta *meta;
	const struct trees *trees;
	struct plan *plan;
	bool copy;           /* the event lives: leave upper as it is */
	bool partial;        /* what is not chosen must stay a stage that can be committed */
	struct moved *moved; /* where it is recorded what is a copy of what; may be NULL */
	struct deed *deed;   /* way, batch and event are set */
	stop_fn *stopped;    /* asked before each copy; may be NULL */
	void *stopped_user;
};

int build_deed(const struct build *b, struct err *e);
/* Makes a directory of slots if it is not there; keeps the time of the tree that it is in. Its descriptor, or -errno. */
int build_slots(const struct deed *d, const struct trees *t, uint16_t tree, bool far, uint32_t batch);
/* What a tree out of reach has in it for a while must not show in its time: the first keeps it, the second puts it right, also where a
 * crash came in between. */
int build_keep_time(const struct trees *t, uint32_t tree);
int build_settle_time(const struct trees *t, uint32_t tree);
/* Removes the directories of slots of a batch: those in the stage, those in trees, or both. 0 or the first -errno. */
int build_drop(const struct deed *d, const struct trees *t, uint32_t batch, bool near, bool far);

#endif
