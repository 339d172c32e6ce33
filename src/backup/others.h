/* others - what witnesses cosigned of a log, copied with it.
 *
 * Holds:  only what is good of this state of the log (audit/cosigned.h) is copied, once its checkpoint is in place: so nothing in a copy says that it
 *         was cut. What is there of a larger state stays.
 * Called: backup/main.c. */
#ifndef BACKUP_OTHERS_H
#define BACKUP_OTHERS_H

#include "audit/ask.h"
#include "audit/snapshot.h"

/* ask->cosigned: where they lie; empty: there are none. *ret: how many the copy has of them. */
int others_copy(struct snapshot *s, const struct audit_ask *ask, int to_fd, uint64_t *ret, struct err *e);

#endif
