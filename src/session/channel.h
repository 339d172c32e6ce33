/* channel - one client's connection to a session.
 *
 * Owns:   struct channel: the connection, what it follows, what it asked to freeze, and how far its list is.
 * Holds:  nothing is queued but one answer: what is told beside answers is made when there is room for it, from how things are then. What a client says is
 *         taken for its own session only, since that is all the connection leads to.
 * Called: keep.c. */
#ifndef SESSION_CHANNEL_H
#define SESSION_CHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "session/halts.h"
#include "session/line.h"
#include "session/link.h"

#define CHANNEL_FOLLOWS_MAX 64

struct keep;

struct follow {
	uint64_t n;        /* 0: a free place */
	uint64_t out, err; /* that were told */
	bool told;         /* and not seen yet */
};

struct step_wait {
	uint64_t n, step; /* 0: a free place */
	uint32_t request; /* by which it was given; 0: it was not given here */
};

struct channel {
	struct line line; /* without a connection: a free place */
	bool ties;        /* the session ends with it */
	bool was_tied;    /* it did, and went: of a free place */
	struct buf parts; /* of what is to be run */
	struct halts halts;
	struct follow follows[CHANNEL_FOLLOWS_MAX];
	struct step_wait steps[CHANNEL_FOLLOWS_MAX]; /* whose ends it is told of */
	uint32_t list_request;
	uint64_t list_next, list_end;     /* rows that are to be told, up to that one; 0: none */
	uint64_t missed_next, missed_end; /* likewise, of those whose changes it could not be told one by one */
	bool list_live;                   /* only those that run or wait */
	bool follows_all;                 /* told of each event whose state changes, */
	struct {
		uint64_t n;
		uint32_t state, flags;
	} last;                /* change that was told: what became of an event before there was room is told once */
	uint64_t changes_seen; /* of keep's; those that it cannot keep for us any more are told as a list */
};

void channel_init(struct channel *c);
void channel_finish(struct channel *c);

/* Its first word; then what it asks, and what it is to be told, as far as neither waits. */
void channel_begin(struct channel *c, struct keep *k, const struct err *why);
void channel_hear(struct channel *c, struct keep *k);
void channel_tell(struct channel *c, struct keep *k);
/* It is told of that event's change as it is when there is room for it. */
void channel_missed(struct channel *c, uint64_t n);

#endif
