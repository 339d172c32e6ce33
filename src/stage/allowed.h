/* allowed - whether this process may do what a deed asks for, and could take it back.
 *
 * Owns:   the rules of the kernel for moving names, setting modes and attributes, as far as they can be asked before: owners,
 *         modes, sticky directories, file systems that are read-only, and what chattr says.
 * Holds:  a deed that passes fails at none of these, in neither direction, unless they change meanwhile. Nothing is changed.
 *         A new directory that is shut to its owner is opened by the deed, in both directions; one that was there is not.
 *         Times of directories are not asked for: where they may not be set, they stay as writing leaves them.
 * Called: commit.c and undo.c, right before a journal is written. */
#ifndef STAGE_ALLOWED_H
#define STAGE_ALLOWED_H

#include "stage/journal.h"
#include "stage/walk.h"

/* 0, or -DENIED, in a person's words. */
int allowed_check(const struct deed *d, const struct trees *t, const struct stage_meta *m, struct err *e);

#endif
