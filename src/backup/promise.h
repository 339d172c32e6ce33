/* promise - what the role that copies a log gives up for itself, inside its cell.
 *
 * Called: backup/main.c, tests. */
#ifndef BACKUP_PROMISE_H
#define BACKUP_PROMISE_H

#include "base/err.h"

/* Once, before the first foreign byte is read. -SYSTEM. */
int promise_keep(struct err *e);

#endif
