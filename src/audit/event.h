/* event - which event somebody means who gives the beginning of its id, or "last".
 *
 * Owns:   nothing.
 * Holds:  an answer is the id of an event that has an entry in the log. An id that is whole is taken as it is.
 * Called: audit. */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include "audit/numbers.h"
#include "audit/snapshot.h"
#include "core/id.h"

/* -NOT_FOUND: none has an id that begins so; -CONFLICT: more than one has. */
int event_find(const struct snapshot *s, const char *word, char ret[ID_TEXT_MAX], struct err *e);

/* 1: the log has an entry of this event under its checkpoint. 0; -MEMORY. */
int event_is_signed(const struct snapshot *s, const char *event, struct err *e);

/* Whether it is neither "last" nor an id that is whole. */
bool event_is_beginning(const char *word);
/* The same of one that is, where the numbers are those of all entries of events that begin so. */
int event_find_by(const struct snapshot *s, const char *word, const struct numbers *numbers, char ret[ID_TEXT_MAX],
		  struct err *e);

#endif
