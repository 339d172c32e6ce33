/* form - what cells are made of that a program asks for: a program with its arguments, grants and limits.
 *
 * Owns:   struct form: the policy, the arguments and the options of its events.
 * Holds:  it is whole before a cell is made of it, and never changes then. What it grants is what the person could grant by `ambit run`; without grants its cells have a base of nothing but what its
 *         program needs to start.
 * Called: keep.c, in the order init, take as often as there are words, made. */
#ifndef CELLS_FORM_H
#define CELLS_FORM_H

#include "cells/said.h"
#include "cells/stock.h"
#include "lib/event.h"

#define FORM_ARGUMENTS_MAX 32

struct form {
	bool there, whole;
	uint32_t number;
	struct ambit_policy *policy;             /* owned */
	char *arguments[FORM_ARGUMENTS_MAX + 2]; /* owned; [0] is the program */
	unsigned n_arguments;                    /* behind the program */
	char *workspace, *ledger, *observe;      /* owned, NULL */
	bool recorded;                           /* in a ledger: that one, or the person's own */
	bool granted;                            /* something is */
	struct stock stock;
};

/* 0, or an error. The caller's is one with `there` false. */
int form_init(struct form *f, uint32_t number, struct err *e);
void form_finish(struct form *f);
/* A word of its form, up to SAID_DONE, with which it is whole. What was wrong with one is told by `done`, too, if the caller passes on: it is refused as a whole. */
int form_take(struct form *f, const struct said *s, struct err *e);
/* Starts an event of it, whose 0, 1 and 2 are these. known: what programs need, from one to the next. */
struct libraries;
int form_launch(const struct form *f, struct libraries *known, const int fd[3], struct ambit_event **ret,
		struct err *e);

#endif
