/* session - the events of a session, as their requests name it.
 *
 * Owns:   struct session_events: their ids, sorted.
 * Holds:  only a request says to which session an event belongs, and it comes after the event's policies and grants: so all of the log is read
 *         before the first entry can be told to be of it. A request from before ledgers named sessions is of none.
 * Called: audit. */
#ifndef AUDIT_SESSION_H
#define AUDIT_SESSION_H

#include "audit/snapshot.h"
#include "base/buf.h"
#include "core/id.h"

#define SESSION_EVENTS_MAX (1u << 20)

struct session_events {
	struct buf ids; /* owned: ID_TEXT_MAX bytes each */
};

/* word: an id, or the beginning of one, of which there may be several. -NOT_FOUND: nothing begins so; a whole id may be of no event here. -LIMIT. */
int session_find(const struct snapshot *s, const char *word, struct session_events *ret, struct err *e);
void session_finish(struct session_events *s); /* accepts a zeroed one */
bool session_has(const struct session_events *s, const char *event);

#endif
