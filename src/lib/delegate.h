/* delegate - sub-agents of an event: events beside it, started for its supervisor.
 *
 * Owns:   what was asked for and how it ended (ambit_event.delegated), and the asking from within a cell.
 * Holds:  a sub-agent's grants, limits and trees are those that the supervisor gave; everything else is its caller's: home, base, ledger, what is given up. It
 *         ends before its caller's changes are settled, and with its caller's handle. One that is handed over is an event of its caller's session, which starts it.
 * Called: event.c, launch.c. */
#ifndef LIB_DELEGATE_H
#define LIB_DELEGATE_H

#include "lib/event.h"

bool delegate_is_granted(const struct grant_set *grants);

/* ---- outside ---- */

/* ev, as who asked for a sub-agent; borrows both. What nobody judged yet of ev (its grants, its badge) is filled in there. */
struct judged_caller delegate_caller(struct ambit_event *ev, const struct sibling_from *from);

/* EVENT_DELEGATE, EVENT_DELEGATE_END. */
void delegate_begin(struct ambit_event *ev, struct wire_message *m);
void delegate_kill(struct ambit_event *ev, uint32_t number);
/* Goes on with all of them, and tells of those that have ended. When ev has, they are ended. */
void delegate_step(struct ambit_event *ev);
bool delegate_is_over(const struct ambit_event *ev);
/* The supervisor had no room for what was to be told. */
bool delegate_is_untold(const struct ambit_event *ev);
void delegate_interests(const struct ambit_event *ev, void (*add)(void *user, int fd, uint32_t events), void *user);
void delegate_finish(struct ambit_event *ev);

/* One that is to be handed over, and that its caller's session has not begun yet. */
struct handed {
	uint32_t number;
	struct sibling_ask ask;
	struct sibling_from from;
	struct cell_program program; /* owned */
};
/* The event is one of a session, which takes what is handed over. */
void delegate_hands_over(struct ambit_event *ev);
/* The next of them, until it is done; NULL: there is none. */
const struct handed *delegate_handed(const struct ambit_event *ev);
/* The event that it became; or, if that is NULL, why it did not. */
void delegate_handed_done(struct ambit_event *ev, uint32_t number, const char *event, const struct err *why);

/* ---- in a cell ---- */

bool delegate_is_cell(void);
bool delegate_is_there(void);
/* What is said where there is no such grant. */
int delegate_refused(struct err *e);
/* Asks for one. a: all but its program, which is the plan's. What comes by the socket is DELEGATE_DONE alone; closed for writing, it says that the sub-agent is to end. Never waits. */
int delegate_ask(const struct event_plan *plan, struct sibling_ask *a, const int streams[3], int *ret_sock,
		 struct err *e);
void delegate_done(struct wire_message *m, struct event_result *r);

#endif
