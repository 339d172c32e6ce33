/* show - entries of a log, those that somebody wants to see.
 *
 * Owns:   the form in which they are written to descriptor 1.
 * Holds:  memory is bounded, whatever the log has. Nothing is verified; what is no entry is shown as that. With an index only the entries that
 *         it names are read, and each is looked at again: it can hide one, and add or change none.
 * Called: index. */
#ifndef INDEX_SHOW_H
#define INDEX_SHOW_H

#include "audit/ask.h"
#include "audit/snapshot.h"
#include "index/database.h"

/* d: NULL: none, all is read. *ret_broken: not all could be shown, and *e says what. */
int show_log(const struct snapshot *s, const struct audit_ask *ask, struct database *d, bool *ret_broken,
	     struct err *e);

#endif
