/* verify - whether a log is what was signed, and else which part of it is not.
 *
 * Owns:   the order of what is believed: the key; what it signed (size and root); the tiles that lead to this root, from the top
 *         down; the entries whose hashes are in the lowest of them; of the entries their form and their numbers.
 * Holds:  each byte of checkpoint, tiles and entries is looked at once. A fault is told where it is: what lies above it is
 *         right, or it is said that more than one of the files were changed. A tile that was changed is put right from what is beneath it,
 *         where that leads to the root, and so hides nothing else.
 * Called: audit. Reads files; decides nothing else. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/report.h"
#include "ledger/entry.h"

/* Is told how far it is, now and then. */
typedef void verify_progress_fn(void *arg, uint64_t done, uint64_t all);
/* Is given each entry that was found to be in its place and what was signed, in order, and its hash; borrowed. Whether all of them are is
 * known at the end. */
typedef void verify_entry_fn(void *arg, const struct entry *entry, const struct hash *leaf);

struct verify_watch { /* each may be NULL */
	verify_progress_fn *progress;
	verify_entry_fn *entry;
	void *arg;
};

/* saved: a checkpoint of before, empty if there is none. watch may be NULL. Everything that was found is in *ret. -MEMORY. */
int verify_log(struct snapshot *s, struct span saved, const struct verify_watch *watch, struct report *ret,
	       struct err *e);

#endif
