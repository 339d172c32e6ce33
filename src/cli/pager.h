/* pager - long output, shown by the person's pager where standard output is a terminal.
 *
 * Owns:   struct pager: the process and the pipe to it.
 * Called: cli. */
#ifndef CLI_PAGER_H
#define CLI_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

struct pager {
	pid_t pid; /* 0: none, output goes to standard output itself */
	int fd;    /* where to write; owned if there is a pager */
};

/* $AMBIT_PAGER, else $PAGER, else less, if it is there; `cat` or an empty word is none. wanted: false for none at all. */
void pager_open(struct pager *p, bool wanted);
/* Waits until the person has read. False: it could not be started, and nothing was shown. */
bool pager_close(struct pager *p);

#endif
