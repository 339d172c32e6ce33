/* libraries - what a program needs to start in a cell that shows nothing by itself.
 *
 * Owns:   the question, asked of the system's own loader in a cell (`ld.so --list`), and of the first line of a script.
 * Holds:  a program's file is foreign and may name any path as its library or interpreter; only what lies in the
 *         system's own directories is taken. The program itself is not run.
 *         What was found of a program is found again without asking while the program, the loader, its cache and each of what was found are the files that they were.
 * Called: launch, with --base minimal. */
#ifndef LIB_LIBRARIES_H
#define LIB_LIBRARIES_H

#include "supervisor/request.h"

/* What was found of a few programs, for whoever starts the same ones again and again. NULL: no memory. */
struct libraries;
struct libraries *libraries_new(void);
void libraries_free(struct libraries *l);

/* Adds to q a `run` grant (and the names of links) for each library, the loader, and the interpreter of a script with what it needs. program: absolute,
 * links resolved. known: NULL, or what was found before, to which this is added. */
int libraries_grant(struct libraries *known, const char *program, struct event_request *q, struct err *e);

#endif
