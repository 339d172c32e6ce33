/* channel - one client's connection to a session.
 *
 * Owns:   struct channel: the connection, an answer that waits for room, what it follows, and how far its list is.
 * Holds:  nothing is queued but one answer: what is told beside answers is made when there is room for it, from how things are then. What a client says is
 *         taken for its own session only, since that is all the connection leads to.
 * Called: keep.c. */
#ifndef SESSION_CHANNEL_H
#define SESSION_CHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "session/link.h"
#include "wire/wire.h"

#define CHANNEL_FOLLOWS_MAX 64
#define CHANNEL_ANSWER_MAX 2048

struct keep;

struct follow {
	uint64_t n;        /* 0: a free place */
	uint64_t out, err; /* that were told */
	bool told;         /* and not seen yet */
};

struct channel {
	int sock; /* owned; -1: a free place */
	struct follow follows[CHANNEL_FOLLOWS_MAX];
	uint32_t list_request;
	uint64_t list_next, list_end; /* rows that are to be told, up to that one; 0: none */
	bool follows_all;             /* told of each event whose state changes, */
	uint64_t changes_seen;        /* of keep's; those that it cannot keep for us any more are told as a list */
	enum wire_number answer;      /* that waits for room; 0: none */
	uint8_t answer_room[CHANNEL_ANSWER_MAX];
	size_t answer_n;
	int answer_fds[3]; /* owned */
	unsigned answer_n_fds;
	bool blocked; /* something could not be told for want of room */
};

void channel_init(struct channel *c);
void channel_finish(struct channel *c);

/* Its first word; then whatever can be done without waiting. */
void channel_begin(struct channel *c, struct keep *k, const struct err *why);
void channel_step(struct channel *c, struct keep *k);
/* It is to be told of these, from first to last, as they are when there is room for it. */
void channel_relist(struct channel *c, uint64_t first, uint64_t last);
short channel_wants(const struct channel *c);

#endif
