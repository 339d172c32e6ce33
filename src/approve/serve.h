/* serve - what the role ambit-approver does.
 *
 * Owns:   the order: a password is typed, then the role shuts itself in, and then the first file is read or the agent heard.
 * Holds:  it signs the statement of an approval (statement.h), which it has taken apart and written again, or what describes a new key; and nothing
 *         else, whoever asks. One question for each connection.
 * Called: main.c. */
#ifndef APPROVE_SERVE_H
#define APPROVE_SERVE_H

#include "base/err.h"

/* sock: the library's. */
int serve_run(int sock, struct err *e);

#endif
