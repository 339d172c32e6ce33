/* freeze - what a person's word freezes: the word on disk, and the events that run.
 *
 * Owns:   struct held_events: connections to the supervisors of those events.
 * Holds:  the word is written first, and who runs is looked for then: an event that is not found meanwhile finds the word before its program starts
 *         (supervisor/main.c). All are asked before any is waited for. Events whose words lie in another place are not ours (another
 *         XDG_STATE_HOME).
 * Called: halt.c; cli finds by it which is meant. */
#ifndef LIB_FREEZE_H
#define LIB_FREEZE_H

#include "lib/running.h"
#include "supervisor/frozen.h"

struct held_event {
	struct running run;
	struct reach_event told;
	struct reach_held held;
	struct err why; /* AMBIT_OK: it answered */
	bool is_meant;
};

struct held_events {
	struct held_event *list; /* owned */
	size_t n;
};

/* Where the words lie, and what is frozen of our own. -HOST: there is no place. */
int freeze_place(char ret[GRANT_OBJECT_MAX], struct err *e);
/* What a person calls a session or an event: an id, the beginning of one; "last" is the latest event that runs. -NOT_FOUND, -CONFLICT. */
int freeze_find(const char *word, char ret[ID_TEXT_MAX], struct err *e);

/* Those that run of it: FROZEN_ALL, a session's, or one event, which is the last, and its sub-agents. -SYSTEM, -MEMORY. */
int freeze_gather(const char *what, struct held_events *ret, struct err *e);
void freeze_part(struct held_events *h);

/* Asks all, then waits for each. What one did not do stands at it (why). */
void freeze_events(struct held_events *h, const char *reason);
void thaw_events(struct held_events *h);
void kill_events(struct held_events *h);

/* The commits that began before the word was written have ended. -LIMIT: one goes on after ten seconds. */
int freeze_commits(struct err *e);
/* What waits in the queue of a session, or of all, never begins. Gives how many; no daemon: nothing waits. */
int freeze_cancel(const char *what, struct err *e);

#endif
