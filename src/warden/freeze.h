/* freeze - everything in the cell stands still, and goes on as if nothing had been.
 *
 * Owns:   struct freeze: that the threads of the cell are held, and which processes had to be stopped by a signal.
 * Holds:  a held thread runs nothing of its own until it is let go: it is traced, which no signal ends but SIGKILL. Nobody in the cell is told: no
 *         process gets a signal, no parent a stop, and what was stopped before stays so. What cannot be traced is stopped by SIGSTOP.
 * Called: the warden, which is process 1; so its end is that of everything held. */
#ifndef WARDEN_FREEZE_H
#define WARDEN_FREEZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FREEZE_SIGNALLED_MAX 1024

struct freeze {
	bool holds; /* everything, or is about to */
	bool once;  /* something may be traced */
	uint32_t n_signalled;
	uint32_t signalled[FREEZE_SIGNALLED_MAX]; /* processes that were stopped by a signal */
};

/* Holds whatever is not held. What it found is no proof: threads stop when they come to it, and whoever wants to know looks (supervisor/freeze.h). */
void freeze_hold(struct freeze *f, int proc_fd);
void freeze_let_go(struct freeze *f, int proc_fd);
/* A child or a held thread has stopped, as waitpid says. True: for us, and not for whoever started it. */
bool freeze_stopped(const struct freeze *f, pid_t pid);

#endif
