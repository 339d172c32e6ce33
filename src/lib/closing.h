/* closing - which labels close what an event wants to do, and where its stream has them from.
 *
 * Owns:   nothing: the list is the caller's.
 * Holds:  what it tells decides nothing. Where the authority cannot be had, or does not know it any more, a label is told by its name alone.
 * Called: lib, when something was refused by labels (judged.c, event.c). Waits for the keeper, which answers in milliseconds, and 15 s at most. */
#ifndef LIB_CLOSING_H
#define LIB_CLOSING_H

#include "lib/authority.h"
#include "lib/result.h"

struct closing {
	const struct grant_set *grants; /* of the event; borrowed */
	uint64_t labels, more;          /* of its stream, by the authority's bits; and those that would come with it */
	struct keeper_labels names;
	struct result_closing *found; /* owned; RESULT_LABELS_MAX of them */
	size_t n;
};

/* The names are asked for. False: they, or memory, are not to be had. */
bool closing_init(struct closing *c, struct keeper *k);
void closing_finish(struct closing *c);
/* Adds the labels that close this grant for whoever has all of these. */
void closing_add(struct closing *c, uint32_t grant);
/* Fills in what brought them: to this badge, or those that would come. */
void closing_find(struct closing *c, struct keeper *k, authority_ref badge);

/* Of an event that is over: those that closed a connection, for r->closing. store: as standing_open has it. */
void closing_of(const char *store, authority_ref badge, struct event_result *r);

#endif
