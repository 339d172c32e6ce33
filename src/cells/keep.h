/* keep - the cells of one program: those that it has, and those that wait for it.
 *
 * Owns:   struct keep: forms, cells, and the three pipes to the program: what it says, what it is told, and a bell.
 * Holds:  it lives as long as the program does (a pidfd) and has its pipe open, and no cell outlives it. What the program says is done and answered in order: nothing further is heard while an answer
 *         waits to be taken, or the end of a cell to be told. Nothing that a program or a cell does or leaves undone holds up the time of another cell. How many cells wait is stock.h's.
 * Called: cli/cells.c. */
#ifndef CELLS_KEEP_H
#define CELLS_KEEP_H

#include "cells/lent.h"

#define CELLS_MAX 256 /* that a program has, or that wait */
#define ENDING_MAX 64 /* besides: that are not wanted, and not gone yet */
#define PLACES_MAX (CELLS_MAX + ENDING_MAX)
#define FORMS_MAX 64
#define SPEAKS_MS                                                                                                      \
	60000 /* for the program to say its first word: one that ended before it could be held has said none */

struct keep {
	int program_pidfd;    /* owned: the program */
	int said_fd, told_fd; /* owned: what it says; what it is told */
	int bell_fd;          /* owned: a byte for each time that something came from a cell, or one ended */
	int program_end[3];   /* owned: of the same, until it has opened its own; -1 */
	uint32_t last;        /* number of a cell */
	bool ends;
	bool more;               /* a whole message is in `came` */
	struct buf came, goes;   /* what was said and is not done; what is to be told and is not taken */
	struct lent *awaited;    /* whose end is to be told before anything else is done; NULL */
	uint64_t begun_ms;       /* clock_ms */
	struct libraries *known; /* owned: what programs need (libraries.h) */
	bool tells_form;         /* between `form` and `done` */
	struct form *gathers;    /* with that: the form; NULL: there is no room for it */
	struct err wrong;        /* in it; code AMBIT_OK: nothing */
	struct form forms[FORMS_MAX];
	struct lent cells[PLACES_MAX];
};

/* The caller's, in memory that is cleared. */
int keep_init(struct keep *k, int program_pidfd, struct err *e);
void keep_run(struct keep *k);
void keep_finish(struct keep *k);

#endif
