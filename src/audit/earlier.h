/* earlier - looking for an event in the present log, and then in those that were closed, the latest first.
 *
 * Owns:   nothing.
 * Holds:  each log is believed as the present one is: by the key that was given, or the one beside it. Of an answer it is known from which log
 *         it is, since a proof has the name of its key.
 * Called: audit. */
#ifndef AUDIT_EARLIER_H
#define AUDIT_EARLIER_H

#include "audit/ask.h"
#include "audit/snapshot.h"

/* -NOT_FOUND: the log has nothing of it, and another one may. */
typedef int earlier_fn(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e);

int earlier_find(const struct audit_ask *ask, earlier_fn *find, struct buf *out, struct err *e);

/* ask of the log past/N: what was cosigned of it lies beside it. */
void earlier_witness(struct audit_ask *ask, unsigned number);

#endif
