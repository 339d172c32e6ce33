/* across - what all agents of a person do together: many that do little each are in no profile of theirs.
 *
 * Owns:   the files a_*.window: what was done in the window that goes on, for the person, for each workspace, and for the destinations, each of which is one of 256 by a keyed hash.
 * Holds:  a window is what an event is elsewhere: ten minutes, whose sums (bytes out, names deleted, denials, ...) and destinations and programs are held against earlier windows', each of which counts once. A sum only grows, so
 *         one that is flagged is flagged at the window's end, too: at most as many windows are flagged as is promised. An event is flagged with its window if it added to what is unusual there.
 *         A window that is flagged is a lesson only while those are half of what was promised at most, or a person released an event of it: whoever is loud for long does not end the flagging. Of events that reached one destination all they sent is counted there.
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
/* A person says that it was right: what is like the windows that it was in is usual, too. */
int across_released(struct book *b, const struct deeds *d, struct err *e);
/* It was done. */
int across_add(struct book *b, const struct deeds *d, uint64_t time_s, struct err *e);

#endif
