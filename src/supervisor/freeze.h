/* freeze - the event stands still: asked of the warden, and believed when /proc says so.
 *
 * Owns:   struct freeze: whether it is to stand still, since when, and a timer to look again.
 * Holds:  "it stands still" is said when each thread of the cell was seen to, twice in a row: one that was made behind the first look is seen by the
 *         second. Nothing that a warden says counts for it. While it stands, it is looked at again each second.
 * Called: supervisor, from its only thread. */
#ifndef SUPERVISOR_FREEZE_H
#define SUPERVISOR_FREEZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/frozen.h"

#define FREEZE_PATIENCE_MS 5000 /* after which is told what does not stand still; it is tried on */

struct freeze {
	struct frozen why; /* who wanted it, and since when, by the clock of the wall */
	bool is_wanted, is_true;
	bool is_asked;             /* the warden, and it has not answered */
	bool is_late;              /* it was told that it takes long */
	bool is_told;              /* the library and the ledger were told that it stands */
	uint32_t threads, running; /* of the last look */
	uint32_t looks;            /* in a row in which some ran */
	uint32_t clean;            /* looks in a row in which none ran */
	uint32_t times;            /* that it was frozen */
	uint64_t since_ns;         /* CLOCK_MONOTONIC */
	uint64_t total_ns;         /* of those that are over */
	int timer_fd;              /* owned, -1 until it is needed */
};

void freeze_init(struct freeze *f);
void freeze_finish(struct freeze *f);

/* Begins: asks the warden. The event runs. */
void freeze_begin(struct freeze *f, int cell, uint64_t now_ns);
/* The warden has done what it could, or it is time to look. True: it came to be true, or late, which is to be told. */
bool freeze_look(struct freeze *f, int cell, int proc_fd, uint64_t now_ns);
/* It goes on: gives for how long it stood, and tells the warden. */
uint64_t freeze_end(struct freeze *f, int cell, uint64_t now_ns);
/* Of all its time, with what is not over. */
uint64_t freeze_total_ms(const struct freeze *f, uint64_t now_ns);

#endif
