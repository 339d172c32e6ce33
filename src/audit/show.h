/* show - entries of a log, those that somebody wants to see.
 *
 * Owns:   the form in which they are written to descriptor 1.
 * Holds:  memory is bounded, whatever the log has. Nothing is verified; what is no entry is shown as that. By the numbers of an index only the entries
 *         that they name are read, and each is looked at again: they can hide one, and add or change none.
 * Called: audit/main.c. */
#ifndef AUDIT_SHOW_H
#define AUDIT_SHOW_H

#include "audit/ask.h"
#include "audit/snapshot.h"

/* *ret_broken: not all could be shown, and *e says what. */
int show_log(const struct snapshot *s, const struct audit_ask *ask, bool *ret_broken, struct err *e);

#endif
