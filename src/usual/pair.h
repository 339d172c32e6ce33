/* pair - what book.c has for those who judge by its profiles.
 *
 * Called: across.c. */
#ifndef USUAL_PAIR_H
#define USUAL_PAIR_H

#include "usual/book.h"

/* The file of a key. */
void pair_name(const struct book *b, const char *key, const char *ending, char ret[NAME_MAX + 1]);
/* With what is on disk, or new. Borrowed, until another is asked for. */
int pair_of(struct book *b, const char *key, struct pair **ret, bool *ret_new, struct err *e);
/* What scores is calibrated with it, and the shadow learns; it may take its place by that. */
int pair_teach(const struct book *b, struct pair *p, const struct deeds *d, const struct unusual *f, struct err *e);

#endif
