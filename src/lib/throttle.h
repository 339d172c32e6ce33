/* throttle - a stream of events that did much is slowed down: its next ones begin later.
 *
 * Owns:   a file for each such stream (lib/standing.h) in the directory of what is frozen (supervisor/frozen.h), which no cell sees: how far apart its events begin, and from when on the next may.
 * Holds:  it only narrows. Each event that did much doubles the pause, up to THROTTLE_MOST_MS; those that come at once take turns. It is over when a person says so, or when nothing did much for THROTTLE_LASTS_MS. What cannot
 *         be read counts as the longest pause. Those that are over go when another begins. Times are of the clock on the wall: where that is set back, nobody waits longer than one pause.
 * Called: lib (an event that ends, or begins), session (one whose turn it is), cli; one who reads waits for one who writes, which nobody does for long. */
#ifndef LIB_THROTTLE_H
#define LIB_THROTTLE_H

#include "base/err.h"
#include "core/id.h"

#define THROTTLE_FIRST_MS 1000
#define THROTTLE_MOST_MS 64000
#define THROTTLE_LASTS_MS 3600000

struct throttle {
	char stream[ID_TEXT_MAX];
	char event[ID_TEXT_MAX]; /* which did much last; "": nobody knows */
	uint64_t since_ms;       /* then, since 1970 */
	uint64_t next_ms;        /* none begins before */
	uint32_t pause_ms;
};

/* That event of the stream did much. dir: frozen_place. -SYSTEM, -HOST. */
int throttle_more(const char *dir, const char *stream, const char *event, uint64_t now_ms, uint32_t *ret_pause_ms,
		  struct err *e);
/* 0: an event of the stream may begin, and has had its turn; else how long it is to wait, in milliseconds. One system call where the stream is not slowed. */
uint64_t throttle_turn(const char *dir, const char *stream, uint64_t now_ms);

/* A person says that it is over: of a stream, of the one that this event slowed, or (both NULL) of all. How many there were; -SYSTEM. */
int throttle_lift(const char *dir, const char *stream, const char *event, struct err *e);
/* Those that are slowed now. -SYSTEM. */
int throttle_list(const char *dir, uint64_t now_ms, void (*each)(void *of, const struct throttle *t), void *of,
		  struct err *e);

#endif
