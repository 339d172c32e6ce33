/* marking - the labels that an event's changes bring with them, on the paths that they are committed to.
 *
 * Owns:   how they are put on those paths in the person's authority (doc/AUTHORITY.md, MARK).
 * Holds:  a path is labelled before what the event wrote is there; whoever may look at it then has the labels, too, also if it runs already. Where the authority cannot be had,
 *         nothing is committed. What was labelled stays so, whatever becomes of the commit. Of more than MARKING_PATHS_MAX changes, of more than are
 *         listed, and of an event that still runs, the trees are labelled as a whole.
 * Called: settle.c, before the rest of the files is shut out. */
#ifndef STAGE_MARKING_H
#define STAGE_MARKING_H

#include "stage/role.h"

#define MARKING_PATHS_MAX 64

/* An event that just ended, that still runs, or of which nobody saw the end: what labelled its stream meanwhile may have reached what it wrote. */
int marking_join(struct role *role, struct err *e);
/* What grants declassify take off of what is to be committed: role->taken_off. 1; 0: it waits for a person: role->end says for what. */
int marking_declassify(struct role *role, struct err *e);
/* Before its changes are committed. */
int marking_put(const struct role *role, struct err *e);

#endif
