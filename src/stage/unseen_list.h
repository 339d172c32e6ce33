/* unseen_list - the paths of all trees that an event could not see and that lie there still.
 *
 * Owns:   nothing.
 * Holds:  absolute paths, each with its NUL, in the order in which the judge of an index takes them. A path is of
 *         all beneath it. Places of Ambit's own are not among them: no repository has those.
 * Called: judging.c, in role ambit-stage. */
#ifndef STAGE_UNSEEN_LIST_H
#define STAGE_UNSEEN_LIST_H

#include "base/buf.h"
#include "stage/role.h"

/* ret is initialised by the call; it is empty if the event saw everything. -LIMIT: more than JUDGE_HIDDEN_MAX; -MEMORY. */
int unseen_list(const struct role *role, struct buf *ret);

#endif
