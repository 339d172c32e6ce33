/* change - what becomes of a client's configuration: as it is to be, and as it was.
 *
 * Holds:  what is not Ambit's stays to the byte. The same change made twice is made once. What undoing leaves is what was there before, for a file
 *         in which nothing else was changed; in another one Ambit's own goes, and only that.
 * Called: main of the role, its tests. Pure, but for memory. */
#ifndef SETUP_CHANGE_H
#define SETUP_CHANGE_H

#include "setup/ask.h"

/* Puts the new text into out, and what there is to be said into ret, whose text is borrowed of it. */
int change_make(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e);
int change_undo(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e);

/* Whether the new text can be read. -CONFLICT: it would be broken, and is not to be written. */
int change_check(enum setup_form form, const struct buf *text, struct err *e);

#endif
