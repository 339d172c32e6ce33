/* disk - every file operation by which a log is written, and what is on disk after which of them.
 *
 * Owns:   the descriptor of the log's directory and of its journal; the list of files that are not on disk yet.
 * Holds:  names are relative to the directory, no link is followed, and no pipe waited for. What disk_replace writes is a file that nobody
 *         else has open or by another name. Nothing is durable before a call that says so: disk_replace,
 *         disk_settle, disk_journal_sync. A call that failed leaves a log that is to be opened again.
 * Called: ledger/log.c; the tests put a disk in its place that forgets what was not synced. Results are 0 or -errno. */
#ifndef LEDGER_DISK_H
#define LEDGER_DISK_H

#include <stddef.h>

#include "base/buf.h"

struct disk;

/* dir_fd is borrowed, and must live as long. */
int disk_create(int dir_fd, struct disk **ret);
void disk_destroy(struct disk *d);

/* The whole file, at most ret->max bytes (-EFBIG). -ENOENT. */
int disk_read(struct disk *d, const char *name, struct buf *ret);

/* The permission bits of a regular file. -ENOENT; -EINVAL: it is none. */
int disk_mode(struct disk *d, const char *name, unsigned *ret);

/* Makes the directories of the name. A file of this name is overwritten in place: a power cut leaves any part of it. */
int disk_write(struct disk *d, const char *name, const void *bytes, size_t n);
/* All that disk_write wrote so far is on disk, with its name. */
int disk_settle(struct disk *d);
/* All that anybody wrote to this file system so far is on disk: for what others wrote before a death, which nobody knows. */
int disk_sync_all(struct disk *d);
/* The file is on disk with the new content, or with the old. */
int disk_replace(struct disk *d, const char *name, const void *bytes, size_t n);
/* What is not there is no error. */
int disk_remove(struct disk *d, const char *name);
/* With the files in it. */
int disk_remove_directory(struct disk *d, const char *name);

/* A new, empty journal in place of what was there, on disk; it is open for appending. The name is borrowed. */
int disk_journal_begin(struct disk *d, const char *name);
/* Both -ESTALE: its name is gone, or stands for another file: nobody would find what is written. */
int disk_journal_append(struct disk *d, const void *bytes, size_t n);
int disk_journal_sync(struct disk *d);

#endif
