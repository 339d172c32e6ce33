/* journal - groups of entries that came after the checkpoint, as bytes.
 *
 * Owns:   the form of a group: u32 magic, u32 entries, u64 index of the first, u32 bytes; the entries as in a bundle; a MAC, and a seal.
 *         The MAC is of the head and of the root of the log with the group, under a key made of the seed of who signs: it says who wrote
 *         it. The root stands for the entries and for all before them, so that no group of another place or log has this MAC. The seal is
 *         the hash of root and MAC, which anybody can make: it says that the group is whole, and follows what stands before it. A MAC
 *         of which part was lost with the power breaks the seal, so a whole group with a wrong MAC is no accident.
 * Holds:  what is taken lies within the bytes that were given, and has the form; whether its entries are as many as it says, and lead to
 *         its seal, is for who knows the log to see (journal_follows), and who wrote it for who has the key (journal_is_ours).
 * Called: ledger/log.c, readers; pure. */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "ledger/merkle.h"

#define JOURNAL_GROUP_MAX (4u << 20) /* bytes of the entries of a group, so that one lies in memory */
#define JOURNAL_HEAD_BYTES 20
#define JOURNAL_TAIL_BYTES (2 * HASH_BYTES)
#define JOURNAL_SEED_BYTES 32

struct journal_group {
	uint32_t n;
	uint64_t first;
	const uint8_t *entries; /* borrowed */
	uint32_t bytes;
	struct hash mac, seal;
};

/* Says of a group who wrote it; root: of the log with it. The seed is the secret of an Ed25519 key (RFC 8032). */
void journal_seal(struct journal_group *g, const struct hash *root, const uint8_t seed[JOURNAL_SEED_BYTES]);
/* What stands before the entries, and behind them; bytes <= JOURNAL_GROUP_MAX. */
void journal_put_head(struct buf *out, const struct journal_group *g);
void journal_put_tail(struct buf *out, const struct journal_group *g);

/* Whether the bytes begin as journals did whose groups had no MAC. */
bool journal_is_older(const void *bytes, size_t n);
/* The next group. False: there is none, or it is cut; then *r is of no more use. */
bool journal_next(struct rbuf *r, struct journal_group *ret);
/* Whether the group is the next of the log with this edge: as many entries as it says, and its seal that of the log with them. The edge is
 * grown by it, or is of no more use. */
bool journal_follows(const struct journal_group *g, struct edge *edge);
/* Whether who has the seed wrote the group by which the edge was grown. */
bool journal_is_ours(const struct journal_group *g, const struct edge *edge, const uint8_t seed[JOURNAL_SEED_BYTES]);

#endif
