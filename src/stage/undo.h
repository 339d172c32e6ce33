/* undo - takes a committed event back.
 *
 * Owns:   the comparison of the real trees with what the commits left there.
 * Holds:  all of it or nothing, journaled as a commit is. Afterwards the stage is a kept one, with its changes in `upper` again.
 * Called: role ambit-stage, with the locks of the stage and, exclusively, of the trees held. */
#ifndef STAGE_UNDO_H
#define STAGE_UNDO_H

#include <stdint.h>

#include "base/err.h"
#include "stage/stop.h"
#include "stage/store.h"

struct undo_options {
	/* Each path that is not as the commit left it; may be NULL. */
	void (*told)(void *user, uint16_t tree, const char *path);
	void *user;
	stop_fn *stopped; /* may be NULL */
	void *stopped_user;
};

struct undo_result {
	uint64_t done;      /* objects put back or taken away */
	uint64_t conflicts; /* paths told */
};

/* Of a stage that was committed in parts, all of them. -CONFLICT: somebody changed something since (told). -NOT_FOUND: nothing was
 * committed. Nothing was changed, unless the message says that the journal is kept: then stage_recover(). */
int stage_undo(const struct stage *s, const struct stage_meta *m, const struct undo_options *o, struct undo_result *ret,
	       struct err *e);

#endif
