/* keep - the cells of one program: those that it has, and those that wait for it.
 *
 * Owns:   struct keep: forms, cells, and the three pipes to the program: what it says, what it is told, and a bell.
 * Holds:  it lives as long as the program does (a pidfd), and no cell outlives it. What the program says is answered in order. Cells wait for a form by what was taken of it: one more where one was
 *         asked for that was not there, one fewer where none was wanted for a while.
 * Called: cli/cells.c. */
#ifndef CELLS_KEEP_H
#define CELLS_KEEP_H

#include "cells/lent.h"

#define CELLS_MAX 256
#define FORMS_MAX 64

struct keep {
	int program_pidfd;    /* owned: the program */
	int said_fd, told_fd; /* owned: what it says; what it is told */
	int bell_fd;          /* owned: a byte for each time that something came from a cell, or one ended */
	int program_end[3];   /* owned: of the same, until it has opened its own; -1 */
	uint32_t last;        /* number of a cell */
	bool ends;
	struct buf came;
	struct form *gathers; /* the form that is being told; NULL */
	struct err wrong;     /* in it; code AMBIT_OK: nothing */
	struct form forms[FORMS_MAX];
	struct lent cells[CELLS_MAX];
};

/* The caller's, in memory that is cleared. */
int keep_init(struct keep *k, int program_pidfd, struct err *e);
void keep_run(struct keep *k);
void keep_finish(struct keep *k);

#endif
