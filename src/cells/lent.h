/* lent - one cell that a program has, or will have: its event, and the pipes between the two.
 *
 * Owns:   struct lent: the event; our ends of the two pipes until the program has opened them anew, by our descriptors' names in /proc; the pipe by which the cell rings.
 * Holds:  nothing that passes between program and cell is read here: of what comes by the bell it counts that something came. The time at which a cell has to end is kept here, whatever its
 *         program does. A pipe has one cell at its other end, so who opens its own end the other way round reads itself.
 * Called: keep.c. */
#ifndef CELLS_LENT_H
#define CELLS_LENT_H

#include "cells/form.h"

#define LENT_QUIET_MS 1 /* a bell is heard once in that time */

enum lent_state { LENT_NONE, LENT_WAITS, LENT_TAKEN, LENT_OVER };

struct lent {
	enum lent_state state;
	uint32_t number;
	struct form *form;           /* borrowed */
	struct ambit_event *ev;      /* owned, until it is over */
	int to_fd, from_fd, bell_fd; /* owned: what the program writes by and reads by; what the cell rings by; -1 */
	bool warm;                   /* it rang: its program has begun */
	bool late;                   /* it ended since its time was over */
	bool dropped;                /* nobody asks any more how it ended */
	bool asked;                  /* how it ended, and is told when it has */
	uint64_t until_ms;           /* clock_ms: it has to end then; 0: not */
	uint64_t quiet_ms;           /* clock_ms: before that its bell is not heard */
	struct lent_end {
		char cause[16];   /* cause_word, or `timeout` */
		char how[24];     /* an exit status, a signal's number or a limit's word */
		struct err error; /* code AMBIT_OK: it ended by itself */
	} end;
};

/* Begins one. */
int lent_begin(struct lent *l, struct form *f, uint32_t number, struct err *e);
/* Ends what runs, and forgets it. */
void lent_finish(struct lent *l);
/* The program has its own ends. */
void lent_opened(struct lent *l);
void lent_kill(struct lent *l);
/* Does what there is to do; true: it is over now. */
bool lent_step(struct lent *l);
/* Whether it rang. */
bool lent_hear(struct lent *l);
/* poll(2)'s timeout. */
int lent_patience(const struct lent *l, int timeout);

#endif
