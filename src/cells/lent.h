/* lent - one cell that a program has, or will have: its event, and the pipes between the two.
 *
 * Owns:   struct lent: the event; our ends of the two pipes until the program has opened them anew, by our descriptors' names in /proc; the pipe by which the cell rings.
 * Holds:  nothing that passes between program and cell is read here: of what comes by the bell it counts that something came. The time at which a cell has to end is kept here, whatever its
 *         program does. A pipe has one cell at its other end, so who opens its own end the other way round reads itself. Nothing here waits for a cell: one that ends is there until all of it is gone.
 * Called: keep.c. */
#ifndef CELLS_LENT_H
#define CELLS_LENT_H

#include "cells/form.h"

#define LENT_QUIET_MS 1    /* a bell is heard once in that time, */
#define LENT_FLOODED_MS 20 /* or in that, if it rang more often than */
#define LENT_RINGS 64
#define LENT_LEAVE_MS                                                                                                  \
	5000 /* for a supervisor to end its event, and then to end: one that somebody stopped is killed then, and its cell ends with it */

/* ENDS: nobody wants it, and it is not gone yet. */
enum lent_state { LENT_NONE, LENT_WAITS, LENT_ENDS, LENT_TAKEN, LENT_OVER };
#define LENT_LINGERS_MS                                                                                                \
	500 /* for one whose end is asked for to end by itself: its pipes may have ended before it, and then the end is its own */
#define LENT_RECORDED_MS                                                                                               \
	40000 /* likewise, of one that is recorded: its record may wait for the disk and for the ledger, as long as those may take (ambit.h) */
#define LENT_FDS 2 /* that are polled for it */

struct lent {
	enum lent_state state;
	uint32_t number;
	struct form *form;      /* borrowed, while it waits */
	struct ambit_event *ev; /* owned, until all of it is gone */
	bool told;              /* how it ended is known */
	uint32_t leave_ms;      /* LENT_LEAVE_MS, LENT_RECORDED_MS */
	uint64_t
		leaves_ms; /* clock_ms: since it was told to end, or has told its end, it has to be gone then; 0: neither */
	int to_fd, from_fd, bell_fd; /* owned: what the program writes by and reads by; what the cell rings by; -1 */
	bool warm;                   /* it rang: its program has begun */
	bool late;                   /* it ended since its time was over */
	bool asked;                  /* how it ended, and is told when it has */
	uint64_t until_ms;           /* clock_ms: it has to end then; 0: not */
	uint64_t lingers_ms;         /* clock_ms: its end was asked for, and it is ended then; 0: not */
	uint64_t quiet_ms;           /* clock_ms: before that its bell is not heard */
	struct lent_end {
		char cause[16];   /* cause_word, or `timeout` */
		char how[24];     /* an exit status, a signal's number or a limit's word */
		struct err error; /* code AMBIT_OK: it ended by itself */
	} end;
};

/* Begins one. */
int lent_begin(struct lent *l, struct form *f, struct libraries *known, uint32_t number, struct err *e);
/* Ends what runs, and forgets it: waits, if it is not gone, leave_ms at most. */
void lent_finish(struct lent *l);
/* The program has its own ends. */
void lent_opened(struct lent *l);
void lent_kill(struct lent *l);
/* How it ended is not known yet. */
bool lent_goes_on(const struct lent *l);
/* Somebody waits for its end. */
void lent_ask(struct lent *l);
/* It is to end, and is not wanted. */
void lent_drop(struct lent *l);
/* What is looked at for it, LENT_FDS of them. */
struct pollfd;
void lent_look_at(const struct lent *l, struct pollfd *ret, uint64_t now_ms);
/* Does what there is to do, by what was seen. LENT_ENDED: just now. LENT_GONE: nothing of it is left, and lent_finish waits for nothing. */
enum lent_news { LENT_NOTHING, LENT_RANG, LENT_ENDED, LENT_GONE };
enum lent_news lent_step(struct lent *l, const struct pollfd *seen, uint64_t now_ms);
/* poll(2)'s timeout. */
int lent_patience(const struct lent *l, int timeout, uint64_t now_ms);

#endif
