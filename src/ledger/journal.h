/* journal - groups of entries that came after the checkpoint, as bytes.
 *
 * Owns:   the form of a group: u32 magic, u32 entries, u64 index of the first, u32 bytes; the entries as in a bundle; the root of the log
 *         with them. The root is what says that a group is whole, and that it follows what stands before it.
 * Holds:  what is taken lies within the bytes that were given, and has the form; whether its entries are as many as it says, and lead to
 *         its root, is for who knows the log to see (journal_follows).
 * Called: ledger/log.c, readers; pure. */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "ledger/merkle.h"

#define JOURNAL_GROUP_MAX (4u << 20) /* bytes of the entries of a group, so that one lies in memory */
#define JOURNAL_HEAD_BYTES 20

struct journal_group {
	uint32_t n;
	uint64_t first;
	const uint8_t *entries; /* borrowed */
	uint32_t bytes;
	struct hash root;
};

/* What stands before the entries and the root of a group; bytes <= JOURNAL_GROUP_MAX. */
void journal_put_head(struct buf *out, uint32_t n, uint64_t first, uint32_t bytes);
/* The next group. False: there is none, or it is cut; then *r is of no more use. */
bool journal_next(struct rbuf *r, struct journal_group *ret);
/* Whether the group is the next of the log with this edge: as many entries as it says, and its root that of the log with them. The edge is
 * grown by it, or is of no more use. */
bool journal_follows(const struct journal_group *g, struct edge *edge);

#endif
