/* template - an interpreter that was started once, and is copied for the events of a session.
 *
 * Owns:   struct template: the cell in which it runs (of an event that never begins, without the trees that events write), the connection by which copies are asked for, and for which events it is good.
 * Holds:  it serves an event only if that one's cell, interpreter, arguments and variables are what they were when it was started; else the event starts its own. It has run no code of an event, and looked at
 *         nothing that one may write. Cells of its copies go when it goes: so each event that has one holds it.
 * Called: launch.c, event.c; session/mould.c. */
#ifndef LIB_TEMPLATE_H
#define LIB_TEMPLATE_H

#include "ambit/ambit.h"
#include "lib/event.h"

struct template
{
	unsigned held;   /* by whoever made it, and by each event */
	unsigned copies; /* that were asked for, ever */
	int sock;        /* owned */
	bool has_loaded; /* what it needs, and said so: before that it would keep an event waiting, or fail with it */
	int theirs, loaded;     /* owned until it is started: its end of that, and what it loads */
	struct ambit_event *ev; /* owned */
	struct buf cell;        /* of the events that it is for: what their cells are made from */
};

/* Of which nothing is started yet; NULL: no memory, or what it loads is not installed. */
struct template *template_new(void);
struct template *template_hold(struct template *t); /* NULL: nothing */
void template_release(struct template *t);

/* Keeps what the events are that it is for, and leaves in q what it gets itself: nothing but the base. -UNAVAILABLE: its program, as the cell's PATH has it, is none of the base's. What such a
 * process loads could reach the cells of all copies, and is to be what the host's own administrator put there. */
int template_take_request(struct template *t, struct event_request *q, const char *program, struct err *e);
/* 1: it is ready; 0: not yet; -1: it is gone, or there is none. */
int template_step(struct template *t);
/* Whether it is ready and for this event, of which program is what is executed (event.h). */
bool template_serves(struct template *t, const struct event_request *q, const struct buf *program);

#endif
