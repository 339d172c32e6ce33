/* slide - a block that could lie in several places, where it reads best.
 *
 * Owns:   the taste: a block starts and ends between things, not inside one.
 * Holds:  both sides keep the same lines unchanged as before, in number and content; each block is as long as before.
 * Called: script.c; pure. */
#ifndef DIFF_SLIDE_H
#define DIFF_SLIDE_H

#include "diff/lines.h"

void slide(struct lines *l);

#endif
