/* minicell - a pid namespace with a /proc and a scratch of its own, and no wall: for tests of what watches a cell.
 *
 * Owns:   struct minicell: the processes in it.
 * Holds:  process 1 reaps and does nothing else, as the warden does, and ends when there is nothing left to reap; it is
 *         not reaped itself before minicell_end. The work runs as process 2 and later ones.
 * Called: tests and benchmarks. */
#ifndef TESTS_MINICELL_H
#define TESTS_MINICELL_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct minicell {
	pid_t pid;      /* our child; its own child is process 1 */
	int proc_fd;    /* owned */
	int scratch_fd; /* owned */
	int go;         /* owned: minicell_go writes to it */
};

/* The cell becomes uid first if that is not the caller's. The scratch lies on /tmp of the cell. False: this host does not
 * let us, *ret_errno says why. */
bool minicell_start(struct minicell *c, uid_t uid, void (*work)(void *), void *arg, int *ret_errno);
void minicell_go(struct minicell *c);
/* Kills everything and waits for its end; ret_usage may be NULL. */
void minicell_end(struct minicell *c, struct rusage *ret_usage);

#endif
