/* pool - a cell that the person's daemon has made for the very event that is to come, where it keeps one.
 *
 * Owns:   what is asked of the role ambit-pool, and the taking over of what it gives: a supervisor whose cell waits, of code with its interpreter.
 * Holds:  what is asked for are all bytes that a cell is made from: the request, of code what starts its interpreter, and what this process would give to a supervisor (ground). A cell is taken
 *         only if all of them are the same, and the supervisor looks again (request_same_cell, and at what its paths led to). Nobody is waited for longer than POOL_PATIENCE_MS, nobody is
 *         started for it, and whatever goes wrong is nothing: the event has a supervisor of its own then.
 * Called: lib/event.c; the role ambit-pool takes what is asked. */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include "lib/event.h"

#define POOL_PATIENCE_MS 50

enum {
	POOL_CODE = 1,   /* with an interpreter: a program follows the request */
	POOL_RESULT = 2, /* whose result somebody takes */
	POOL_FLAGS = 3
};

struct pool_ask {
	uint32_t flags;
	uint64_t files;        /* ground_files of who asks */
	const uint8_t *ground; /* borrowed, as the next: ground_put's */
	uint32_t ground_bytes;
	const uint8_t *request; /* request_encode's, and of code program_encode's behind it */
	size_t request_bytes;
};

bool pool_ask_take(struct rbuf *in, struct pool_ask *ret);

/* true: ev has a supervisor whose cell waits, and that one's name. In any case the connection to the role is kept in ev: its end tells that the event is over, and another is made. */
bool pool_take(struct ambit_event *ev, const struct event_plan *plan);

/* The role's: gives one away, by a message to sock, and frees it. 0 or -errno. */
int pool_give(struct ambit_event *ev, int sock);

#endif
