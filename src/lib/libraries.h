/* libraries - what a program needs to start in a cell that shows nothing by itself.
 *
 * Owns:   the question, asked of the system's own loader in a cell (`ld.so --list`), and of the first line of a script.
 * Holds:  a program's file is foreign and may name any path as its library or interpreter; only what lies in the
 *         system's own directories is taken. The program itself is not run.
 * Called: launch, with --base minimal. */
#ifndef LIB_LIBRARIES_H
#define LIB_LIBRARIES_H

#include "supervisor/request.h"

/* Adds to q a `run` grant (and the names of links) for each library, the loader, and the interpreter of a script with what it needs. program: absolute,
 * links resolved. */
int libraries_grant(const char *program, struct event_request *q, struct err *e);

#endif
