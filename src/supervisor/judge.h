/* judge - what the person's authority says of each connection of an event.
 *
 * Owns:   struct judge: two connections to the keeper (src/authority), bound to who acts, that the library made and gave, of which the second watches; which grants of
 *         the event are whose there.
 * Holds:  nothing is connected by such a grant without a yes for just that: what is to be shown says where to, by whom, and what runs. What cannot be
 *         asked is refused. It waits for no answer, and asks of one connection after the other. A connection that is not asked of any more is never made.
 *         What the authority closes is withdrawn, with the connections that there are, before it is told that it is so. Where it goes, all of these grants are.
 *         The keeper reaches no ledger by itself: it is given the event's, each time it says that it has none.
 * Called: supervisor/main.c; network.c calls it back. */
#ifndef SUPERVISOR_JUDGE_H
#define SUPERVISOR_JUDGE_H

#include <poll.h>

#include "core/authority.h"
#include "supervisor/judge_told.h"
#include "supervisor/network.h"
#include "supervisor/request.h"
#include "wire/wire.h"

#define JUDGE_ASKED_MAX LINK_HELD_MAX
#define JUDGE_GIVEN_MAX 4

struct judge_asked {
	uint64_t number; /* the connection's */
	uint32_t grant;
	uint64_t bytes; /* that are asked for; 0: they are not counted */
	char to[ENDPOINT_TEXT_MAX];
};

/* A connection that was allowed, of a grant whose bytes are counted. */
struct judge_open {
	uint64_t number; /* 0: this place is free */
	uint32_t grant;
	uint64_t lent, piece; /* bytes that were charged; the last piece of them */
	uint64_t back, above; /* when it is over: what it did not need, or passed above that, before it was held */
	bool wants, over;     /* a piece more; to be settled */
};

struct judge {
	int sock;  /* owned, -1: nothing is judged */
	int watch; /* owned: likewise */
	int ledger; /* owned: a connection to the ledger, for the keeper; -1: what it does is recorded nowhere, which it was told */
	authority_ref badge;
	struct judge_told_grant grants[GRANTS_MAX]; /* by the event's own; ref 0: it is not judged */
	uint64_t keep_ms;                           /* how long a question waits */
	const struct event_request *q;              /* borrowed, like the next two */
	const struct rbuf *program;                 /* what runs, as it is recorded (program_encode) */
	struct network *network;
	/* Ends the connections of a grant of the event, and there are no more: how many answers of the dialer's come, which is not waited for (judge_withdrawn). */
	int (*withdraw)(void *user, uint32_t grant);
	void *user;
	bool closed[GRANTS_MAX]; /* by the authority, which says so */
	uint64_t labels;         /* of the stream, as far as they are known */
	uint32_t withdrawing;    /* answers of the dialer's that are to come */
	uint64_t done;           /* the step of which it is told when they have; 0: none */
	struct judge_asked asked[JUDGE_ASKED_MAX];
	uint32_t first, n;
	struct judge_open open[LINK_CONNECTIONS_MAX];
	uint32_t n_open; /* places behind the last that was taken */
	uint32_t n_wait; /* of these, want something */
	enum judge_doing {
		JUDGE_NOTHING,
		JUDGE_MAY,
		JUDGE_MORE,
		JUDGE_RETURN
	} doing; /* what is being decided: of the first one, or of `at` */
	uint32_t at;
	uint32_t given; /* how often the ledger was, for that */
	bool waits;     /* a question was put to the person, or is there */
	uint8_t room[WIRE_HEAD + 2048];
};

#define JUDGE_POLLED 2

extern const struct network_judge judge_of_connections; /* user: a struct judge */

void judge_init(struct judge *j);
void judge_finish(struct judge *j);
/* EVENT_AUTHORITY. -PROTOCOL. */
int judge_take(struct judge *j, struct wire_message *m, struct err *e);
void judge_watch(const struct judge *j, struct pollfd p[JUDGE_POLLED]);
/* Hears the keeper, if there is something to hear. */
void judge_serve(struct judge *j, const struct pollfd p[JUDGE_POLLED]);
/* When nothing passes any more, and all is told of it: what was not needed is given back. Waits for the keeper, a second at most. */
void judge_end(struct judge *j);
/* One of the answers that `withdraw` promised. */
void judge_withdrawn(struct judge *j);
/* When the cell is dead: the labels of its stream. Waits for the keeper, two seconds at most; without it: all that the event may have by its request. */
uint64_t judge_labels(struct judge *j);
/* After that: why a grant was closed, as a bit of METER_BY; 0: it was not. */
uint32_t judge_closed(const struct judge *j, uint32_t grant);

#endif
