/* show - a profile as a person reads it.
 *
 * Owns:   the words and drawings of it.
 * Holds:  texts of a profile are somebody's: what they may be is profile/form.h's, and no more than that is shown.
 * Called: profile's role, in a cell; pure. */
#ifndef PROFILE_SHOW_H
#define PROFILE_SHOW_H

#include "profile/draw.h"

/* Agent, tool, program. */
void show_key(struct buf *out, const char *key);
void show_text(const struct profile *p, const struct draw_face *f, struct buf *out);
void show_json(const struct profile *p, struct buf *out);
/* What the second knows and the first does not, and what is otherwise: for who promotes it. */
/* Both, with the scores of the one that scores. */
int show_tripwires(const struct profile *from, const struct profile *to, struct buf *out, struct err *e);
void show_difference(const struct profile *from, const struct profile *to, struct buf *out);

#endif
