/* accounts - the report on a ledger.
 *
 * Owns:   what is written to descriptor 1.
 * Holds:  nothing is written before the log was verified, so that the verdict stands on top.
 * Called: audit/main.c. */
#ifndef ACCOUNT_ACCOUNTS_H
#define ACCOUNT_ACCOUNTS_H

#include "audit/ask.h"
#include "audit/verify.h"

/* *ret_failed: a log is not what was signed, as the report says. */
int accounts_write(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e);

#endif
