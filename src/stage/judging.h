/* judging - which changes are held since other programs obey the name, and which of those are harmless all the same.
 *
 * Owns:   struct judging: what was judged of the stage at hand.
 * Holds:  names are compared here, as bytes; contents are read by nobody but the role ambit-judge, in a cell with an empty root.
 *         What could not be judged is held.
 * Called: role ambit-stage. */
#ifndef STAGE_JUDGING_H
#define STAGE_JUDGING_H

#include "stage/role.h"

struct judging;

int judging_create(struct role *role, const struct trees *trees, struct judging **ret, struct err *e);
void judging_destroy(struct judging *j);

/* struct walk_calls, with the judging as user. */
bool judging_is_hidden(void *user, uint16_t tree, const char *path);
void judging_count(void *user, const struct change *c);
bool judging_is_named(void *user, uint16_t tree, const char *path);
void judging_name(void *user, const struct change *c, struct verdict *ret);

/* Has the contents judged of those changes that are held until then; later calls of judging_name know the answers. */
int judging_contents(struct judging *j, struct change *const *changes, size_t n, struct err *e);

/* Whether judging_name may say something else by now than it said of the first changes. */
bool judging_knows_more(const struct judging *j);

#endif
