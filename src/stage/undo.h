/* undo - takes a committed event back.
 *
 * Owns:   the comparison of the real trees with what the commits left there, but for what Ambit itself moved since (moved.h).
 * Holds:  all of it or nothing, journaled as a commit is. Afterwards the stage is a kept one, with its changes in `upper` again.
 * Called: role ambit-stage, with the locks of the stage and, exclusively, of the trees held. */
#ifndef STAGE_UNDO_H
#define STAGE_UNDO_H

#include <stdint.h>

#include "base/err.h"
#include "stage/selection.h"
#include "stage/stop.h"
#include "stage/store.h"

/* A name that is not as the commit left it. */
struct undo_conflict {
	uint16_t tree;
	const char *path;
	uint8_t kind;    /* enum change_kind: what the commit did there */
	uint32_t mode;   /* of what it did that to */
	const char *how; /* what happened since; constant */
};

struct undo_options {
	/* FAIL: nothing is undone. THEIRS: such a name stays as it is, with the new directory in which it lies. OURS: it is taken back all
	 * the same; what was there goes into the stage, or nowhere. */
	enum conflict_policy conflicts;
	/* May be NULL. */
	void (*told)(void *user, const struct undo_conflict *c);
	void *user;
	stop_fn *stopped; /* may be NULL */
	void *stopped_user;
};

struct undo_result {
	uint64_t done;      /* objects put back or taken away */
	uint64_t conflicts; /* names that stand in the way */
	uint64_t left;      /* that stay as they are, for THEIRS */
};

/* Of a stage that was committed in parts, all of them. -CONFLICT: somebody changed something since (told). -NOT_FOUND: nothing was
 * committed. Nothing was changed, unless the message says that the journal is kept: then stage_recover(). */
int stage_undo(const struct stage *s, const struct stage_meta *m, const struct undo_options *o, struct undo_result *ret,
	       struct err *e);

#endif
