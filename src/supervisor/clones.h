/* clones - trees of a cell that runs, for another one.
 *
 * Owns:   the look into the cell's mount namespace, from a process that exists for that alone.
 * Holds:  what is given is what the cell sees there, with what it has staged and without what is hidden from it: a detached copy of its own mounts, all that lie
 *         on one another. No link is followed, and nothing outside of the cell's root is reached. A file system that does not answer (NFS, FUSE) is waited for two
 *         seconds; a process that it holds up, which even SIGKILL may not end, is left.
 * Called: supervisor/delegate.c. setns(2), open_tree(2); Linux 5.2. */
#ifndef SUPERVISOR_CLONES_H
#define SUPERVISOR_CLONES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "supervisor/sibling.h"

struct clones {
	size_t n;
	const char *path[SIBLING_TREES_MAX]; /* borrowed; absolute, normal */
	int fd[SIBLING_TREES_MAX];           /* owned; -1: there is nothing of that name */
	pid_t left;                          /* owned: a process that has not ended yet; 0: none */
};

/* proc_fd: the cell's /proc; mounts_fd: its mount namespace. Fills fd. */
int clones_make(struct clones *c, int proc_fd, int mounts_fd, struct err *e);
void clones_finish(struct clones *c);

#endif
