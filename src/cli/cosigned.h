/* cosigned - the files beside a log that have to do with witnesses.
 *
 * Owns:   their directory and its lock, and how each file is read and replaced.
 * Holds:  nothing is followed; a file is new and on disk before it takes its name.
 * Called: cli/witness.c. */
#ifndef CLI_COSIGNED_H
#define CLI_COSIGNED_H

#include "base/buf.h"
#include "base/err.h"
#include "witness/list.h"

struct cosigned_dir {
	int ledger_fd, dir_fd; /* owned, -1 if none */
};

/* With the lock, until it is closed. -CONFLICT: somebody has it, and keeps it. */
int cosigned_open(const char *ledger, struct cosigned_dir *ret, struct err *e);
void cosigned_close(struct cosigned_dir *d);

/* Empty: there is none. */
int cosigned_load(const struct cosigned_dir *d, const char *file, struct buf *ret, struct err *e);
int cosigned_store(const struct cosigned_dir *d, const char *file, struct span bytes, struct err *e);

int cosigned_load_list(const struct cosigned_dir *d, struct witness_list *ret, struct err *e);
int cosigned_store_list(const struct cosigned_dir *d, const struct witness_list *l, struct err *e);

#endif
