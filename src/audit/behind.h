/* behind - what there is in a log that its checkpoint does not cover.
 *
 * Owns:   nothing.
 * Holds:  nothing of it was signed, so nothing of it fails the verification: it is counted, and what is strange about it is told.
 * Called: audit/verify.c. */
#ifndef AUDIT_BEHIND_H
#define AUDIT_BEHIND_H

#include "audit/report.h"
#include "audit/snapshot.h"

/* The journal, and files of tiles that the checkpoint's size does not have. */
void behind_check(const struct snapshot *s, struct report *report);

#endif
