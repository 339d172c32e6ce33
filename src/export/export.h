/* export - the entries of a ledger as events of others' formats, one JSON object in a line.
 *
 * Owns:   what is written to descriptor 1, as it goes: a log of any length needs the memory of a few open events.
 * Holds:  nothing is given out as signed that was not found under the checkpoint. Each line is written whole. doc/EXPORT.md has what becomes what.
 * Called: audit/main.c. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "audit/ask.h"
#include "audit/verify.h"

/* *ret_failed: a log is not what was signed, as e then says. */
int export_logs(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e);

#endif
