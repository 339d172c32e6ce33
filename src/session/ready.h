/* ready - the cell of a session's next event of a kind, made before anybody asks; of code its interpreter is started in it.
 *
 * Owns:   struct ready: one that waits (launch_waiting), and which event was promised it.
 * Holds:  no event has run in it, and one does at most. There is none before a session's first event has ended, nor when nobody asked for long. Whether it is what an event
 *         needs is for the library and the supervisor to see: if not, the event gets one of its own.
 * Called: keep.c. */
#ifndef SESSION_READY_H
#define SESSION_READY_H

#include <stdbool.h>

#include "core/id.h"
#include "session/job.h"

struct ready {
	struct ambit_event *ev; /* owned, NULL */
	enum event_kind kind;
	char event[ID_TEXT_MAX];
	bool promised;
	bool wanted;      /* an event of the kind ended not long ago: who had one asks for another, mostly */
	bool barren;      /* the last could not be made, or could not wait: it is not tried again for a while */
	uint64_t made_ms; /* by clock_boot_ms */
};

void ready_finish(struct ready *r);
/* Begins to make one, if it is wanted and there is none. */
void ready_make(struct ready *r, const struct job_terms *t);
/* Looks after it: one that failed, or that nobody wanted for too long, goes, and none is made until an event of the kind has ended. */
void ready_step(struct ready *r);
/* The name that its event has to have, which is promised to whoever asks; NULL: it does not stand, or was promised. */
const char *ready_promise(struct ready *r);
/* The one that was promised to this event; NULL: there is none. Owned by the caller. */
struct ambit_event *ready_take(struct ready *r, const char *event);
/* poll(2)'s: -1 if there is none; and its timeout. */
int ready_fd(const struct ready *r);
int ready_timeout(const struct ready *r, int timeout);

#endif
