/* copy - a log that is signed, copied so that what is there is a log at any moment.
 *
 * Owns:   the order. Records, tiles and entries first, all of them on disk; then the checkpoint, which takes the place of the old one at once; then what
 *         only the old one wanted is removed. Full tiles never change, so those under the old checkpoint are not looked at.
 *         Whatever is copied is checked against the tree that is signed, before: a ledger that was changed spoils no copy. Nothing under the old
 *         checkpoint is written again.
 * Holds:  a copy is continued only where the old one is the beginning of this log (the root of as many entries, by the tiles of this one). What
 *         is behind the checkpoint is not copied: the ledger signs it within a second, and only who has the key can tell that it is its own.
 * Called: backup/main.c. */
#ifndef BACKUP_COPY_H
#define BACKUP_COPY_H

#include "audit/snapshot.h"
#include "audit/verify.h"
#include "ledger/disk.h"

struct copied {
	uint64_t size, added; /* entries under the new checkpoint, and of them those that were not there before */
	uint64_t records, records_added, records_bad;
	uint64_t cosigned; /* checkpoints of witnesses that it has, too */
};

/* to_fd: the directory of the copy. records: that of those beside the log, empty: they are not copied; each is as its name says, or it is counted as bad.
 * -CONFLICT: there is something else, or a copy of another log, or of one that was longer; nothing was changed. -SYSTEM, -LIMIT: it could not be
 * written; what was there before is there. */
int copy_log(const struct snapshot *s, const char *records, int to_fd, verify_progress_fn *progress, struct copied *ret,
	     struct err *e);

#endif
