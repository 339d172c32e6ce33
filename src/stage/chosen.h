/* chosen - which changes a person named, by path or pattern.
 *
 * Holds:  the same rule as the engine's selection (pattern.h).
 * Called: role ambit-stage; pure. */
#ifndef STAGE_CHOSEN_H
#define STAGE_CHOSEN_H

#include "core/change.h"
#include "stage/ask.h"
#include "stage/store.h"

/* Whether the change, or with RENAMED its old name, is among what was asked for; nothing asked for is everything. */
bool chosen(const struct stage_ask *ask, const struct stage_meta *meta, const struct change *c);
/* Of n changes, in their order: which of them a commit takes: also directories that are new themselves and hold what was named. */
void chosen_go(const struct stage_ask *ask, const struct stage_meta *meta, struct change *const *changes, size_t n,
	       bool *ret);
/* The same of one of the paths or patterns. */
bool chosen_by(const char *pattern, const struct stage_meta *meta, const struct change *c);
/* The part of `pattern` (absolute) that is left beneath the tree: "" where the tree itself lies beneath it; NULL if it can fit
 * nothing in the tree. */
const char *chosen_beneath(const char *tree, const char *pattern);

#endif
