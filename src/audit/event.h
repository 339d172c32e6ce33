/* event - which event somebody means who gives the beginning of its id, or "last".
 *
 * Owns:   nothing.
 * Holds:  an answer is the id of an event that has an entry in the log. An id that is whole is taken as it is.
 * Called: audit. */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include "audit/snapshot.h"
#include "core/id.h"

/* -NOT_FOUND: none has an id that begins so; -CONFLICT: more than one has. */
int event_find(const struct snapshot *s, const char *word, char ret[ID_TEXT_MAX], struct err *e);

/* Two events with such ids among the entries before `from`; empty: there is no other. */
struct event_known {
	uint64_t from;
	char ids[2][ID_TEXT_MAX];
};
/* The same, where an index knows those before; NULL: none does. */
int event_find_behind(const struct snapshot *s, const char *word, const struct event_known *known,
		      char ret[ID_TEXT_MAX], struct err *e);

#endif
