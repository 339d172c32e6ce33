/* shown - what a person is shown of an event before they say yes to its commit: one text, whose digest the answer is bound to.
 *
 * Owns:   the form: a head of lines (what, which event, who asked for it, where, what ran, which grant asks), a line for each change with the digest of its
 *         new content, and the difference.
 * Holds:  the same stage and the same choice give the same text, so what is committed is what was shown. Names and commands are escaped, and each is the end of a line; the
 *         difference is the last part, with contents as they are: who shows it makes it visible (approve/visible.h). One that is too long is left out,
 *         and that is said: the digests of all contents stand before it.
 * Called: asking.c. */
#ifndef STAGE_SHOWN_H
#define STAGE_SHOWN_H

#include "stage/role.h"

#define SHOWN_BYTES_MAX (1u << 20)

/* by: which grant asks; takes_off: the label that the changes would lose with it, NULL: none; goes: of each change that was found, whether it would be committed. -LIMIT:
 * there are too many changes to be shown, or too large ones. */
int shown_put(struct role *role, const char *by, const char *takes_off, const bool *goes, struct buf *out,
	      struct err *e);

#endif
