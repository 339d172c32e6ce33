/* grow - proving to a witness that a log goes on from what it saw.
 *
 * Owns:   nothing.
 * Holds:  as growth.h says.
 * Called: audit/main.c. */
#ifndef AUDIT_GROW_H
#define AUDIT_GROW_H

#include "audit/growth.h"
#include "audit/snapshot.h"

/* From ask->given, or ask->seq with AUDIT_BY_SEQ. -MALFORMED: the log is not as it was signed, or what was given is not of it. */
int grow_prove(struct snapshot *s, const struct audit_ask *ask, struct buf *out, struct err *e);

#endif
