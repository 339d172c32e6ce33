/* kept - one cell that waits for an event outside of sessions.
 *
 * Owns:   struct kept: its supervisor's connection (of code with the interpreter's pipes), and all that it was made from.
 * Holds:  it is made as who asked would have made it, or not at all: only while this process would give its supervisor what that one would have (ground), of open files the same number. No event has run
 *         in it, and one does at most.
 * Called: main.c. */
#ifndef POOL_KEPT_H
#define POOL_KEPT_H

#include "lib/pool.h"

#define UNWANTED_MS                                                                                                    \
	60000 /* then it costs more than it saves: a cell; the whole of this, without any; and what could not be made is tried again */

struct kept {
	struct ambit_event *ev; /* owned; NULL: a free place */
	struct buf ask; /* as it came; its ground stands for the supervisor's, and its program for the interpreter's */
	size_t program_at; /* where in there what starts the interpreter begins */
	uint64_t made_ms;  /* by clock_boot_ms */
	bool barren; /* it could not be made, or could not wait: its place is free, and it is not tried again for a while */
	bool waited_for; /* somebody has asked for it, and it does not stand yet */
};

void kept_init(struct kept *k);
void kept_finish(struct kept *k);
/* Whether this process is now as who asks. */
bool kept_is_same_ground(const struct pool_ask *a);
/* Begins to make one; bytes: as pool_ask_take takes them. Nothing is said of what cannot be. */
void kept_make(struct kept *k, const struct buf *bytes);
/* Whether it is what is asked for: by all bytes. */
bool kept_fits(const struct kept *k, const struct pool_ask *a);
/* Whether that was tried, and cannot be. */
bool kept_is_barren(const struct kept *k, const struct pool_ask *a);
/* false: it has gone, and its place is free. */
bool kept_step(struct kept *k);

#endif
