/* commit - brings the changes of a stage into the real trees, all of them or none.
 *
 * Owns:   the order of a commit: what it is, data durable, journal durable, operations, what was done, journal gone.
 * Holds:  after a crash at any point, stage_recover() leaves the trees wholly as before or wholly as after; after a failure they are
 *         as before. It is atomic towards crashes, not towards other programs, which may see some files new and others old.
 *         A program that has a replaced file open goes on with the old one, which is in the stage by then.
 * Called: role ambit-stage, with the locks of the stage and, exclusively, of the trees held. */
#ifndef STAGE_COMMIT_H
#define STAGE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stage/selection.h"
#include "stage/stop.h"
#include "stage/store.h"
#include "stage/walk.h"

struct commit_options {
	const struct selection *selection; /* NULL: everything */
	enum conflict_policy conflicts;
	uint32_t
		accept; /* 1 << HELD_PROTECTED, 1 << HELD_JUDGED, 1 << HELD_ASKED: the person saw them, and wants them */
	bool copy;      /* the event lives, and its overlay is mounted: upper stays as it is */
	const struct walk_calls *calls;
	/* What walk_plan() found with the same calls, of an event that is over; it is used up. NULL: it is looked for now. */
	struct plan *plan;
	void (*told)(void *user, const struct change *c); /* each change that stands in the way; may be NULL */
	void *user;
	stop_fn *stopped; /* may be NULL */
	void *stopped_user;
};

struct commit_result {
	enum stage_state
		state; /* what the meta has to say now: STAGE_COMMITTED, or STAGE_KEPT where changes are left; of a living
				 * event, nothing */
	uint64_t done;     /* changes that were committed */
	uint64_t left;     /* that were not chosen, and stay in the stage */
	uint64_t dropped;  /* that gave way to the real tree's (CONFLICT_THEIRS), and stay in the stage too */
	uint64_t held;     /* that stood in the way */
	int64_t unmatched; /* the number of a word in selection that fits no change; -1: none */
	uint32_t disk;     /* enum stage_disk: how the sync before it went; on failure, too */
};

/* 0 with nothing done: everything was dropped, or nothing was there. -NOT_FOUND: a word fits no change.
 * -CONFLICT: changes are held (told), or somebody changed the tree in between, or the stage has a journal. Nothing was changed, as
 * with every other error, unless the message says that the journal is kept: then stage_recover(). */
int stage_commit(const struct stage *s, const struct stage_meta *m, const struct commit_options *o,
		 struct commit_result *ret, struct err *e);

#endif
