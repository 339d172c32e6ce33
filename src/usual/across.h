/* across - what all agents of a person do together: many that do little each are in no profile of theirs.
 *
 * Owns:   the files a_*.window: what was done in the window that goes on, for the person and for each workspace.
 * Holds:  a window is what an event is elsewhere: ten minutes, whose sums (bytes out, names deleted, denials, ...) and destinations and programs are held against earlier windows', each of which counts once. A sum only grows, so
 *         one that is flagged is flagged at the window's end, too: at most as many windows are flagged as is promised. An event is flagged with its window if it added to what is unusual there.
 *         What is held is in no window until a person releases it; then it is in none either.
 * Called: book.c. */
#ifndef USUAL_ACROSS_H
#define USUAL_ACROSS_H

#include "usual/book.h"

#define ACROSS_WINDOW_S 600

/* What it makes unusual, of all that was done in its window: *ret, where that is flagged, else as it was. */
int across_look(struct book *b, const struct deeds *d, uint64_t time_s, struct usual_found *ret, struct err *e);
/* All that is in memory. */
int across_save(struct book *b, struct err *e);
void across_close(struct book *b);
/* It was done. */
int across_add(struct book *b, const struct deeds *d, uint64_t time_s, struct err *e);

#endif
