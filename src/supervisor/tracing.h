/* tracing - the trace of an event, from its effects and the eye's steps.
 *
 * Owns:   a symbol for each entry of the arena, until they are made into a trace.
 * Holds:  the arena is read as hostile (warden/arena.h): whatever it says becomes a trace that its reader takes, or none. Nothing decides by it.
 * Called: supervisor, when the cell is dead. */
#ifndef SUPERVISOR_TRACING_H
#define SUPERVISOR_TRACING_H

#include "profile/trace.h"

struct tracing {
	struct symbol_place place;
	char (*symbols)[SYMBOL_MAX]; /* owned */
	size_t n, room;
	bool failed; /* there was no memory */
};

/* What it tells of a trace beside its bytes. */
struct tracing_counts {
	uint32_t threads;
	uint64_t calls, dropped;
};

/* The next entry of the arena, in their order; f: as it was judged, NULL: it is none. */
void tracing_add(struct tracing *t, const struct effect *f);
/* arena: all of it; seen: calls, by its head. Ends t. Where there is no memory, or nothing was seen, nothing is put. */
void tracing_end(struct tracing *t, const void *arena, uint32_t observed, uint64_t seen, struct buf *out,
		 struct tracing_counts *ret);

#endif
