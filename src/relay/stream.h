/* stream - bytes from one descriptor to another.
 *
 * Owns:   its buffers, allocated once by stream_init, there until the process ends; the two descriptors if `closes`.
 * Holds:  memory is bounded: it stops reading while what it read is not yet written. Never blocks (both descriptors
 *         have O_NONBLOCK). A closed reader ends the stream and drops what is left, as a broken pipe does.
 * Called: by ambit-relay. After stream_init only read, write and close are called. */
#ifndef RELAY_STREAM_H
#define RELAY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "relay/termfilter.h"

#define STREAM_CHUNK 4096      /* what a pty gives at once */
#define STREAM_OUT (16u << 10) /* what may wait for a slow terminal: Ctrl-C should not have to outrun more */

enum stream_kind { STREAM_RAW, STREAM_PTY, STREAM_PLAIN };

struct stream {
	enum stream_kind kind;
	bool closes; /* closes its descriptors as soon as it is done with each */
	bool failed; /* what is written to is gone */
	int from;    /* -1: nothing more comes */
	int to;      /* -1: closed */
	struct termfilter filter;
	struct buf out; /* owned; from `sent` on it waits to be written */
	size_t sent;
	size_t in_at, in_len; /* read and not yet filtered */
	uint8_t in[STREAM_CHUNK];
};

/* options: of the filter. 0 or -AMBIT_MEMORY. */
int stream_init(struct stream *s, enum stream_kind kind, int from, int to, bool closes, unsigned options);

bool stream_wants_input(const struct stream *s);
bool stream_wants_output(const struct stream *s);
void stream_read(struct stream *s);
void stream_write(struct stream *s);
/* Nothing more comes and nothing waits, or nobody is there to take it. */
bool stream_done(const struct stream *s);
/* Bytes of the relay's own, after everything else; only when stream_done. */
void stream_put(struct stream *s, const char *text);
/* What takes back the changes that the filter let through. Only when stream_done. */
void stream_put_reset(struct stream *s);

#endif
