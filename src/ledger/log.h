/* log - the growing log of one directory.
 *
 *   checkpoint            signed: what lies in tiles (C2SP tlog-checkpoint)
 *   tile/...              hashes and entries (C2SP tlog-tiles)
 *   journal               groups of entries that came after the checkpoint (journal.h)
 *
 * Owns:   what is in these files. One process at a time has the log open: the caller holds the lock.
 * Holds:  entries are numbered without a gap. What log_write took survives the process, what log_sync took survives a loss of power,
 *         at any moment; whatever of a group is torn was in no answer yet. A checkpoint is signed only when all that it covers is on disk,
 *         so no other state of that size is ever signed; and a tile is written only of entries whose journal is on disk, so none of
 *         lost ones is ever left behind the checkpoint. After a call that failed the log is of no more use and must be opened again.
 * Called: the role ambit-ledger, tests. */
#ifndef LEDGER_LOG_H
#define LEDGER_LOG_H

#include "base/err.h"
#include "ledger/disk.h"
#include "ledger/head.h"
#include "ledger/journal.h"
#include "ledger/merkle.h"

#define LOG_GROUP_MAX JOURNAL_GROUP_MAX
#define LOG_JOURNAL_MAX                                                                                                \
	(8u << 20) /* bytes after which the journal is folded into tiles, so that opening a log reads no more */
#define LOG_JOURNAL_ENTRIES 16384u /* likewise; and at most so many are in a group */

struct log;

/* What was found when the log was opened. */
struct log_found {
	uint64_t signed_size; /* entries under the checkpoint */
	uint64_t replayed;    /* entries of the journal after it */
	uint64_t torn_bytes;  /* behind the last whole group, gone */
};

/* Makes a log where there is none, repairs what was torn, and publishes what it found. disk and key are borrowed.
 * -MALFORMED: the files say something else than was signed; -UNTRUSTED: the journal has a group that nobody with the key wrote; -UNAVAILABLE: it
 * is of an older form. Nothing was changed then. */
int log_open(struct disk *disk, const struct log_key *key, struct log **ret, struct log_found *ret_found,
	     struct err *e);
void log_close(struct log *l); /* publishes nothing */

uint64_t log_size(const struct log *l); /* the index of the next entry */
void log_root(const struct log *l, struct hash *ret);
/* The last entry that was found on opening; borrowed, NULL: there was none. */
const void *log_last(const struct log *l, size_t *ret_n);
/* Adds to the group that is not written yet. -LIMIT: the entry is too long, the group is full (log_write) or the journal is (log_publish);
 * the log goes on. */
int log_add(struct log *l, const void *entry, size_t n, struct err *e);
int log_write(struct log *l, struct err *e);
int log_sync(struct log *l, struct err *e);
/* Tiles, then a checkpoint of everything that was written, then an empty journal. */
int log_publish(struct log *l, struct err *e);
/* Whether the group takes so many entries more, of so many bytes in all with the two of each length. */
bool log_group_room(const struct log *l, size_t entries, size_t bytes);
/* Whether the journal is long enough to be folded. */
bool log_is_full(const struct log *l);

#endif
