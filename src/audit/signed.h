/* signed - who signed the checkpoint of a log, and whether it goes on from one that was saved.
 *
 * Owns:   nothing.
 * Holds:  what is wrong is a fault of the report.
 * Called: audit/verify.c. */
#ifndef AUDIT_SIGNED_H
#define AUDIT_SIGNED_H

#include "audit/report.h"
#include "audit/snapshot.h"
#include "base/span.h"

/* The signature; and, where the key was given, that the one beside the log is the same. */
void signed_check(const struct snapshot *s, struct report *report);
/* saved: a checkpoint, empty: none. To be called when all else was looked at: of a log that was changed it cannot be told. */
void signed_check_growth(struct snapshot *s, struct span saved, struct report *report);

#endif
