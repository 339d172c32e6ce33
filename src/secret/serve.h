/* serve - what the role ambit-secret does for the library.
 *
 * Owns:   one connection, its first message, and what follows from it: one secret set, listed or removed, or several given.
 * Holds:  a value that is given was bound to that host, or to none. What was asked in any other way than wire/messages.def says ends the connection.
 *         All memory that has a value or a key is locked, and wiped before the process ends.
 * Called: main.c, once. */
#ifndef SECRET_SERVE_H
#define SECRET_SERVE_H

#include "base/err.h"

/* sock: the library's. 0, or a code; what failed was told to the library. */
int serve_run(int sock, struct err *e);

#endif
