/* account - what the ledger is told of a stage, if its event is recorded in one.
 *
 * Owns:   the words of the entries `commit` and `discard` (doc/LEDGER.md).
 * Holds:  before real files change, or staged ones go, the ledger has it durably that they are about to; if it cannot, nothing is
 *         changed. What came of it follows. An end that the ledger did not take leaves a beginning without one, which says as much.
 *         Opened before the rest of the files is shut out (promise.h): the ledger may have to be started.
 * Called: settle.c. */
#ifndef STAGE_ACCOUNT_H
#define STAGE_ACCOUNT_H

#include "stage/role.h"

/* Of the stage that is taken. Nothing, if its event is not recorded. */
int account_open(struct role *role, struct err *e);
void account_close(struct role *role);

/* What is about to be done: "commit", "undo" or "discard"; to so many changes, as far as that is known (else 0). */
int account_begin(struct role *role, const char *what, uint64_t changes, struct err *e);
/* How that ended: "done", "refused" (nothing was changed) or "failed"; with the changes in role, those that were found. */
void account_end(struct role *role, const char *how);
/* What was broken off is whole again: what was begun is done, or was turned back. A ledger that cannot be had stops no recovery. */
void account_recovered(struct role *role, bool is_committed);

#endif
