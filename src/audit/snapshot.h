/* snapshot - one state of a log that somebody may be writing to.
 *
 * Owns:   the checkpoint, what hangs at the right edge of its tree (the tiles that are not full, and their entries), and the journal:
 *         what a writer replaces. Full tiles are never written again, and are read when they are wanted.
 * Holds:  all of it was there together: it is read again while a writer publishes in between. Nothing is believed: what is missing or has
 *         another length is told by an error number, and whether the checkpoint is signed by `signature`.
 * Called: audit. */
#ifndef AUDIT_SNAPSHOT_H
#define AUDIT_SNAPSHOT_H

#include "audit/source.h"
#include "ledger/checkpoint.h"
#include "ledger/journal.h"
#include "ledger/note.h"

/* The writer folds its journal before it is twice as long, and one group may come on top. */
#define SNAPSHOT_JOURNAL_MAX (32u << 20)

struct snapshot {
	struct source source;
	/* Before the rest was read: what is behind it is in the journal, or was signed once. Empty if it was not asked for. */
	struct source_found found;
	struct buf checkpoint; /* owned; as it is on disk */
	bool any_checkpoint;   /* it has the form of one */
	struct err signature;  /* code AMBIT_OK: signed by the key */
	struct vkey key;
	bool any_key, key_was_given;
	struct span origin; /* of the checkpoint */
	uint64_t size;
	struct hash root;
	struct edge edge;
	int tile_error[TILE_LEVELS]; /* of the edge's tiles */
	struct buf bundle;           /* owned; the entries of the edge's first tile */
	int bundle_error;
	struct buf journal; /* owned */
	int journal_error;  /* -ENOENT is none */
};

#define SNAPSHOT_KEY 1u  /* without a key it is refused: -NOT_FOUND, or -MALFORMED if it is none */
#define SNAPSHOT_LIST 2u /* look through all files of tiles, too */

/* key: the text of a verifier key; empty: the one in key.pub beside the log, without which nothing counts as signed. Refuses only where
 * there is nothing to look at: -NOT_FOUND: no log. */
int snapshot_take(const char *dir, const char *key, unsigned flags, struct snapshot **ret, struct err *e);
void snapshot_free(struct snapshot *s);

/* The bundle with this index, of tile_width(size, 0, index) entries. 0 or -errno. */
int snapshot_bundle(const struct snapshot *s, uint64_t index, struct buf *room, struct rbuf *ret);

/* The hashes of a tile of the tree: from the edge, or from its file. */
int snapshot_tile(const struct snapshot *s, unsigned level, uint64_t index, struct hash ret[TILE_WIDTH]);
/* The same for proofs: s is the snapshot. */
struct tile_source snapshot_tiles(struct snapshot *s);
/* The root of the first `size` entries, by the tiles that there are; size is at most that of the log. An error of reading them. */
int snapshot_root(const struct snapshot *s, uint64_t size, struct hash *ret, struct err *e);

/* The groups behind the checkpoint, in order, each whole. */
struct snapshot_journal {
	struct rbuf left;
	struct edge edge;
	uint64_t signed_size;
	bool torn;       /* what is left is no group that follows */
	uint64_t folded; /* entries of groups that say that they are under the checkpoint */
};
/* False: the edge could not be read, so that nothing can be said of the journal. */
bool snapshot_journal_begin(const struct snapshot *s, struct snapshot_journal *ret);
/* The next group; false: there is none. */
bool snapshot_journal_next(struct snapshot_journal *j, struct journal_group *ret);

#endif
