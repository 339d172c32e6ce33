/* two - HTTP/2 between a program and a host: stream by stream, each request read, judged and written anew.
 *
 * Owns:   struct two: a session with the program, one with the host, and which stream of one is the twin of which of the other.
 * Holds:  no frame passes: each side is spoken to by a session of its own. A request that is refused is answered on its own stream, and the others go on; what breaks the protocol ends
 *         the connection. A window is given back to a sender only as its bytes leave on the other side, so that what waits here is bounded:
 *         of each stream by its window (twice that in memory), of all by the connection's, beside what is gathered to be judged, a trailer of each stream, and what both streams of bytes hold.
 *         Nothing is read while what it would cause could not be written. A trailer of an answer passes behind its body, but for fields that have no place there (two_trailer.c); one of a
 *         request is dropped: nobody who sends a credential or a length so gets it to where it would be taken for more of the head. Hints, pushes and other protocols are not passed on.
 * Called: http/session.c. libnghttp2 1.52. */
#ifndef HTTP_TWO_H
#define HTTP_TWO_H

#include "http/one.h"
#include "http/two_fields.h"
#include "http/two_frames.h"
#include "http/two_memory.h"

#define TWO_STREAMS_MAX 100         /* at one time */
#define TWO_TWINS_MAX 128           /* with those that are over on one side, and not yet on the other */
#define TWO_UP_STREAM 65535         /* windows: of what programs send, who are near, */
#define TWO_UP_ALL (1 << 20)        /* and may have sixteen that wait */
#define TWO_DOWN_STREAM (512 << 10) /* of what hosts send, who may be far */
#define TWO_DOWN_ALL (2 << 20)
#define TWO_GATHERED_MAX (4u << 20) /* documents of all streams that are judged whole, with their heads */
#define TWO_WAITS_MAX (64u << 10)   /* in a stream of bytes, before more is put there */
#define TWO_PIECE 4096              /* that is read before what it caused is written */
#define TWO_QUEUE_MAX 256           /* frames that wait to be written, before more is read */
#define TWO_CONTINUATIONS_MAX 16    /* of one block: each has 16 KiB, and a block 64 at most; the library counts them */
#define TWO_SETTINGS_MAX 64         /* of a host, in all: each may change what the program is told */

enum two_state {
	TWO_NEW,
	TWO_RUNS,
	TWO_LAST, /* what waits is written, and nothing is read but to be dropped */
	TWO_DONE,
};

struct twin;

struct two {
	uint8_t state; /* enum two_state */
	bool greeted;  /* the host has said how many streams it takes: the program is met after that */
	bool leaves;   /* the program is told that this connection takes nothing new */
	nghttp2_session *client, *server; /* owned; NULL: not met, or gone */
	struct two_frames from_client, from_server;
	struct two_fields asked, answered; /* the blocks that are read; made is what is sent of one */
	struct two_fields made;
	struct twin *collects_asked, *collects_answered; /* whose they are; NULL: of none that matters */
	struct twin *twins;                              /* owned, a list */
	uint32_t n_twins, n_settings;
	uint32_t streams_max; /* that the program was told */
	size_t gathered;
	uint64_t flows_ms; /* since then the host says nothing, and nothing that it said waits for the program */
	struct two_memory for_client,
		for_server; /* what the two sessions hold: of the host's the fields that are sent, which the library copies, and what it makes of them */
	uint32_t dropped;   /* in LAST */
	const struct memory *memory; /* borrowed, or NULL */
	struct one_parts *parts;     /* borrowed, in two_step; else NULL */
};

/* memory: of what has a secret in it; NULL: nothing has. */
void two_init(struct two *o, const struct memory *memory);
void two_finish(struct two *o);
/* As one_tell. */
void two_tell(struct two *o, const struct one_parts *p);
/* One turn; the caller fills and flushes the streams, and sets p->now_ms. p->broken is NULL: without a host nothing is agreed on. True: something happened. */
bool two_step(struct two *o, struct one_parts *p);
/* As one_wakes. */
uint64_t two_wakes(const struct two *o);
/* Bytes of memory that it holds. */
size_t two_held(const struct two *o);
/* What the program has begun and has to end: 0, nothing; else a number that is another for another. */
uint64_t two_unfinished(const struct two *o);

#endif
