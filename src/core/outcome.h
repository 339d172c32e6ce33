/* outcome - how an event ended and what it used.
 *
 * Owns:   struct event_outcome and its wire form.
 * Called: supervisor (fills it), lib (the record); pure. */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include <stdint.h>

#include "base/buf.h"
#include "core/limits.h"

enum event_cause {                   /* why it ended */
		   CAUSE_EXITED = 1, /* by itself, or by a signal of its own making */
		   CAUSE_LIMIT,      /* a limit: `limit` says which */
		   CAUSE_KILLED,     /* asked by the caller */
		   CAUSE_LOST,       /* the warden or the supervisor ended or stopped */
		   CAUSE_REFUSED,    /* never started: `error` says why */
		   CAUSE_CANARY,     /* it touched a decoy */
		   CAUSE_LAST = CAUSE_CANARY,
};

enum event_workspace {                      /* what became of what it wrote */
		       WORKSPACE_NONE,      /* it could write none of the person's files */
		       WORKSPACE_DIRECT,    /* written in place */
		       WORKSPACE_UNTOUCHED, /* staged, and nothing was written */
		       WORKSPACE_STAGED,    /* lies in the stage, and nothing is decided yet */
		       WORKSPACE_COMMITTED,
		       WORKSPACE_KEPT, /* lies in the stage, for a person to look at */
		       WORKSPACE_DISCARDED,
};

struct event_usage {
	uint64_t wall_ms, cpu_user_ms, cpu_system_ms;
	uint64_t memory_peak_bytes;
	uint64_t tasks_peak;
	uint64_t written_bytes;
	uint8_t memory_exact, tasks_exact, disk_exact; /* 1: exact, 0: sampled */
};

struct event_outcome {
	enum event_cause cause;
	enum limit limit; /* with CAUSE_LIMIT */
	int status;       /* as waitpid gives it; 0 unless CAUSE_EXITED */
	enum event_workspace workspace;
	struct event_usage usage;
	uint64_t effects_seen, effects_dropped;
	uint64_t base_effects; /* seen and allowed by the base: counted, not listed */
	uint64_t canaries;     /* that it touched, by their bits; not in the wire form, as the next */
	uint64_t
		labels; /* of its stream, by the authority's bits, when it was over; not in the wire form, behind which they stand */
};

#define OUTCOME_BYTES 96

/* In the record and the ledger; NULL for what is none. */
const char *cause_word(enum event_cause cause);
const char *workspace_word(enum event_workspace w);

/* The signal that ended the program, or by a shell's exit status one that it ran; 0: none did. */
int outcome_signal(int signal_number, int exit_status);
/* Likewise, but of a crash alone: what processors and runtimes do, not what a person sends. */
int outcome_crash(int signal_number, int exit_status);

void outcome_encode(const struct event_outcome *o, struct buf *out);
/* Fails the cursor on anything out of range. */
void outcome_decode(struct rbuf *in, struct event_outcome *ret);

#endif
