/* show - entries of a log, those that somebody wants to see.
 *
 * Owns:   the filters.
 * Holds:  memory is bounded, whatever the log has. Nothing is verified; what is no entry is shown as that.
 * Called: audit. */
#ifndef AUDIT_SHOW_H
#define AUDIT_SHOW_H

#include "audit/ask.h"
#include "audit/snapshot.h"

/* Writes to descriptor 1. *ret_broken: not all could be shown, and *e says what. */
int show_log(const struct snapshot *s, const struct audit_ask *ask, bool *ret_broken, struct err *e);

#endif
