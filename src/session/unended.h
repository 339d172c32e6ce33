/* unended - what became of an event whose end nobody wrote down.
 *
 * Holds:  what the event changed is committed by a role of its own, which goes on when whoever asked for that is gone. So the stage is asked: an event whose
 *         changes are committed succeeded, and is not told as interrupted. (One that was interrupted, and that the person committed by hand before the session
 *         was opened again, is told as having succeeded.)
 * Called: keep.c, when a session is opened. */
#ifndef SESSION_UNENDED_H
#define SESSION_UNENDED_H

#include "session/link.h"

/* row is as it was taken: its state and end are set. Waits, a quarter of a minute at most, for a commit that goes on. */
void unended_tell(struct event_row *row);

#endif
