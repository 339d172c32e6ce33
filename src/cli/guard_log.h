/* guard_log - a record in the ledger of each call that was asked of a gate.
 *
 * Owns:   the process that writes them, and the socket to it.
 * Holds:  nobody who calls waits for it: the person's authority has each use in the ledger before the server has it (guard_use.h), and what came of it follows here. Of a gate that is killed the process still tells
 *         what it was told, and of calls that were on their way that they were lost. One that cannot write says why and ends, and guard_log_asked fails: then nothing more is allowed. So does one that takes
 *         nothing for too long.
 * Called: guard.c. */
#ifndef CLI_GUARD_LOG_H
#define CLI_GUARD_LOG_H

#include <sys/types.h>

#include "lib/record_call.h"

struct guard_log {
	int sock;  /* owned; -1: nothing is recorded */
	pid_t pid; /* of the process */
};

/* ledger_dir_fd (borrowed), ledger: where the ledger lies. workspace: borrowed, as long as the process lives, which has its own copy. */
int guard_log_open(struct guard_log *l, int ledger_dir_fd, const char *ledger, const char *workspace, struct err *e);
/* What was asked, and the word on it; number: by which guard_log_over means it, of GUARD_YES. -GONE: it cannot be recorded any more. */
int guard_log_asked(struct guard_log *l, uint32_t number, const struct record_call *c, struct err *e);
void guard_log_over(struct guard_log *l, const struct guard_over *o);
/* Waits until all is written. -GONE: it is not. */
int guard_log_close(struct guard_log *l, struct err *e);

#endif
