/* again - looks once more at the real trees, before a plan that was made some time ago is carried out.
 *
 * Owns:   nothing.
 * Holds:  of an event that is over nobody writes to `upper` any more: what was found there is what was judged, and need not be looked
 *         for a second time. The real trees are everybody's: what is no longer as the plan says is held as a conflict, and a directory
 *         that would go is looked through once more, which running the deed does not do. What changes still later, run.c finds.
 * Called: commit.c. */
#ifndef STAGE_AGAIN_H
#define STAGE_AGAIN_H

#include "stage/walk.h"

/* The calls are those with which the plan was made. */
int again_look(const struct stage *s, const struct stage_meta *m, const struct trees *t, const struct walk_calls *calls,
	       struct plan *p, struct err *e);

#endif
