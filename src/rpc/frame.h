/* frame - the lines of a stream, one message each.
 *
 * Owns:   struct frame: what came and was not taken yet, at most one line and what is behind it in the same read.
 * Holds:  a line that is too long is told once and left out, up to its end, without being kept: what comes after it is read as usual. What a stream
 *         ends with is a line, also without its end.
 * Called: the role ambit-rpc, for what a client sends; pure but for memory. */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define FRAME_LINE_MAX (4u << 20) /* a run of two megabytes with each byte escaped */
#define FRAME_READ (64u << 10)    /* more than a line is never kept, but for this */

struct frame {
	struct buf bytes; /* owned */
	size_t from;      /* where the next line begins */
	size_t looked;    /* so far there is no end of it */
	bool skipping;    /* to the end of a line that was too long */
};

enum frame_state {
	FRAME_NONE, /* no whole line is there */
	FRAME_LINE,
	FRAME_LONG, /* one that is too long */
};

void frame_init(struct frame *f);
void frame_finish(struct frame *f);
/* Adds at most FRAME_READ bytes. False: there is no memory for them. Only when no line is there. */
bool frame_add(struct frame *f, const void *bytes, size_t n);
/* The next line, without its end: lies in the frame, until frame_add. ended: nothing comes after what is there. */
enum frame_state frame_next(struct frame *f, bool ended, const char **ret_line, size_t *ret_n);

#endif
