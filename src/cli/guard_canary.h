/* guard_canary - what a gate knows of the person's canaries: words of their text, which nothing that passes may have.
 *
 * Owns:   nothing.
 * Holds:  the role that reads what passes knows words and numbers, and no path.
 * Called: guard.c. */
#ifndef CLI_GUARD_CANARY_H
#define CLI_GUARD_CANARY_H

#include "guard/link.h"

/* Puts them, as guard_canary_put does. *ret: which there are, for the caller to free; NULL: none. */
int guard_canary_words(struct canaries **ret, struct buf *out, uint32_t *ret_n, struct err *e);
/* Tells the person. name: what was called with it; NULL: the server said it. */
void guard_canary_tell(const struct canaries *c, uint32_t canary, const char *server, const char *name);

#endif
