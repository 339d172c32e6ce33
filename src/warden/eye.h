/* eye - reads what the workload asks the kernel for, reports it, and lets every call go on.
 *
 * Owns:   the seccomp notification descriptor of the cell's processes and the arena of what was seen.
 * Holds:  it decides nothing: each notification is answered with "continue", whatever was read, because a racing thread can
 *         change an argument after it was read; the wall stands behind it. But one that meets a decoy (decoys.h) gets no answer where the cell is
 *         to end by that. Arguments that cannot be read are noted as
 *         opaque, never left out. (seccomp_unotify(2); Linux 5.5, WAIT_KILLABLE_RECV 5.19, SYNC_WAKE_UP 6.6.)
 * Called: warden only. */
#ifndef WARDEN_EYE_H
#define WARDEN_EYE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/effect.h"
#include "warden/arena.h"
#include "warden/decoys.h"

#define EYE_PLACES 1024 /* threads whose place is remembered; two may share one, at a cost in time only */

struct eye_place {
	uint32_t thread;
	int cpu; /* where it waits when it asks; -1: not known yet */
};

struct eye {
	int listener_fd; /* owned, -1 if none */
	int proc_fd;     /* borrowed: root of the cell's /proc */
	bool steers;     /* the kernel lets us say where who is answered goes on (Linux 6.6) */
	uint32_t asked;  /* first questions of threads so far; may wrap */
	struct eye_place places[EYE_PLACES];
	struct arena arena;
	struct decoys decoys;
	char object[EFFECT_OBJECT_MAX]; /* what is being read */
	char given[EFFECT_OBJECT_MAX];  /* a relative path before it is put together. Both are here, since clearing
					   8 KiB of stack (auto-var-init) for each call takes longer than noting it */
};

/* Takes the listener. Two processes that wait for each other are best on one processor: waking an idle one costs several times
 * what the eye does. Before Linux 6.6 the scheduler does as it likes. */
void eye_open(struct eye *eye, int listener_fd);

/* Answers what is waiting; 0, or -errno when the listener is of no further use. */
int eye_serve(struct eye *eye);

#endif
