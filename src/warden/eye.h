/* eye - reads what the workload asks the kernel for, reports it, and lets every call go on.
 *
 * Owns:   the seccomp notification descriptor of the cell's processes and the arena of what was seen.
 * Holds:  it decides nothing: each notification is answered with "continue", whatever was read, because a racing thread can
 *         change an argument after it was read; the wall stands behind it. Arguments that cannot be read are noted as
 *         opaque, never left out. (seccomp_unotify(2); Linux 5.5, WAIT_KILLABLE_RECV 5.19, SYNC_WAKE_UP 6.6.)
 * Called: warden only. */
#ifndef WARDEN_EYE_H
#define WARDEN_EYE_H

#include "warden/arena.h"

struct eye {
	int listener_fd; /* owned, -1 if none */
	int proc_fd;     /* borrowed: root of the cell's /proc */
	struct arena arena;
};

/* Answers what is waiting; 0, or -errno when the listener is of no further use. */
int eye_serve(struct eye *eye);

#endif
