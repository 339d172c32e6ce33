/* usual_event - an event that has ended is held against what is usual, before what it changed is settled.
 *
 * Owns:   ev->result.usual.
 * Holds:  a verdict allows nothing that grants do not: it holds changes that would have been committed, and freezes. Who cannot be scored, and was to be, is held where the policy says ask or hold.
 * Called: lib/event.c. Waits for the keeper of profiles, which answers in a millisecond, and 15 s at most. */
#ifndef LIB_USUAL_EVENT_H
#define LIB_USUAL_EVENT_H

struct ambit_event;

void usual_event(struct ambit_event *ev);
/* A sub-agent of it has ended: what that did in its caller's tree is in its caller's verdict. */
void usual_beside(struct ambit_event *ev, const struct ambit_event *sub);

#endif
