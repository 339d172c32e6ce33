/* database - the index of a log: for each entry that is signed what it can be looked up by.
 *
 * Owns:   two files in a directory of its own, LEDGER_INDEX_FILE and, while it is made, INDEX_NEW.
 * Holds:  it is made of the log and can go at any time. It says where an entry is and nothing of what is in it, so that whoever asks reads the
 *         entry in the log and looks again. It is of exactly the log whose root it has kept. What is found there may be anybody's: it is
 *         opened for reading only, with no statement in it but those of ours, and taken for none where it is anything else. A new one
 *         takes the name of the old when it is on disk, and whoever reads the old one goes on reading that.
 * Called: index. Of SQLite 3.40 (https://www.sqlite.org): one file, no locks (the caller has one), no journal. */
#ifndef INDEX_DATABASE_H
#define INDEX_DATABASE_H

#include "audit/snapshot.h"
#include "audit/verify.h"
#include "audit/wanted.h"

#define INDEX_NEW "index.new"

struct database;

/* The index of this log that is there; NULL: none, and *why says why in a few words. */
struct database *database_open(const char *dir, const struct snapshot *s, struct err *why);
void database_close(struct database *d);
/* So many entries are in it, from the first. */
uint64_t database_size(const struct database *d);

/* Makes the index of all that is signed, out of old (NULL: of nothing), which stays open; the caller is the only one. Negative: *e says
 * why, and there is what was there. */
int database_make(const char *dir, const struct snapshot *s, const struct database *old, verify_progress_fn *progress,
		  struct err *e);

/* The numbers of the first `most` entries that are wanted as far as the index can tell (last: of the last), in order; of an event the beginning of
 * its id will do. Gives how many there are. -EIO: it cannot be read, or names what it cannot know. */
int database_numbers(struct database *d, const struct wanted *w, bool last, uint32_t most, uint64_t *ret);

#endif
