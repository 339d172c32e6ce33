/* steps - in which order the eye saw what it saw.
 *
 * Owns:   the layout of the second part of the shared area: a head, then a step for each call, four bytes. What it needs to know of calls before
 *         lies in memory of its own, touched as far as used.
 * Holds:  the first TRACE_WHOLE_MAX steps are all there. Behind them one is kept only if its thread made these three calls, in this order, not
 *         before in this event: so a program that pads what it does hides nothing by it, and one that makes up calls without end fills the
 *         TRACE_TAIL_MAX that are left, and is counted (arena_head.seen). Where steps of a thread were left out, TRACE_GAP stands before its next.
 * Called: warden (arena.c), supervisor (steps_read). */
#ifndef WARDEN_STEPS_H
#define WARDEN_STEPS_H

#include <stddef.h>
#include <stdint.h>

#include "profile/trace.h"

struct steps_head {
	uint32_t n;
	uint32_t threads; /* that were seen, up to TRACE_THREADS_MAX */
};

#define STEPS_BYTES (sizeof(struct steps_head) + TRACE_STEPS_MAX * sizeof(struct trace_step))

struct steps {
	struct steps_head *head;  /* shared, borrowed */
	struct steps_before *own; /* owned */
};

int steps_init(struct steps *s, void *shared); /* 0 or -ENOMEM */
void steps_finish(struct steps *s);
/* thread: as the kernel numbers it; what: the number of an entry, or TRACE_UNKEPT and a kind. */
void steps_note(struct steps *s, uint32_t thread, uint16_t what);

/* A copy of what is there, that the caller frees; NULL if there is nothing, or no memory. */
struct trace_step *steps_read(const void *shared, struct steps_head *ret);

#endif
