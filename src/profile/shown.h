/* shown - one profile out of descriptor 0, or two behind each other, as a person reads them.
 *
 * Called: profile's role, in its cell. */
#ifndef PROFILE_SHOWN_H
#define PROFILE_SHOWN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* json, page, diff; show, or show:COLUMNS:FLAGS (draw.h): 0 columns are as many as it likes, `a` is ASCII, `c` colour, in that order. */
bool shown_is_way(const char *word);
/* -MALFORMED, with the line. */
int shown_read(const char *how, struct buf *text, struct err *e);

#endif
