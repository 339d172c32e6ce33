/* merkle - the hash tree over the ledger's entries.
 *
 * Owns:   how leaves and nodes are hashed (RFC 6962, section 2.1, SHA-256), the right edge of a growing tree, and proofs.
 * Holds:  an edge of size n gives the root of the first n entries. What is read from tiles is believed by nobody here: a proof or a
 *         root made of them is worth what it is compared with. A check says yes only to what the specification's algorithm accepts
 *         (RFC 9162, sections 2.1.3.2 and 2.1.4.2).
 * Called: ledger (writer, readers); no system call but those of the caller's tile_source. */
#ifndef LEDGER_MERKLE_H
#define LEDGER_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HASH_BYTES 32
#define TILE_HEIGHT 8 /* levels of the tree in a tile, by tlog-tiles */
#define TILE_WIDTH 256
#define TILE_LEVELS 8                   /* levels of tiles of the largest tree */
#define TREE_SIZE_MAX (UINT64_MAX >> 1) /* entries; a checkpoint's size fits a signed number everywhere */
#define MERKLE_PROOF_MAX 64             /* hashes of a proof in such a tree, one more for safety of the bound */

struct hash {
	uint8_t bytes[HASH_BYTES];
};

bool hash_is(const struct hash *a, const struct hash *b);
void merkle_leaf(const void *entry, size_t n, struct hash *ret);
void merkle_node(const struct hash *left, const struct hash *right, struct hash *ret);
/* Of a tree without entries. */
void merkle_nothing(struct hash *ret);
/* The root over n hashes of one level that stand for complete subtrees of equal size, n from 1 to TILE_WIDTH. */
void merkle_row(const struct hash *row, size_t n, struct hash *ret);

/* How many hashes the tile has in a tree of this size: 0 none, TILE_WIDTH full. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t index);
/* The index of the tile of this level that is not full. */
uint64_t tile_at_edge(uint64_t size, unsigned level);

/* ---- the right edge ---- */

/* The tile of each level that is not full yet. */
struct edge {
	uint64_t size;
	struct hash row[TILE_LEVELS][TILE_WIDTH];
};

void edge_init(struct edge *e);
/* How many hashes stand in row[level]. */
unsigned edge_width(const struct edge *e, unsigned level);
/* Is told of each tile that is full now, lower levels first; its hashes are gone from the edge after the call. Negative: it failed, and
 * the edge is of no more use. edge_add gives that, or -EOVERFLOW. */
typedef int edge_full_fn(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH]);
int edge_add(struct edge *e, const struct hash *leaf, edge_full_fn *full, void *arg);
void edge_root(const struct edge *e, struct hash *ret);

/* ---- proofs ---- */

/* Gives the first `width` hashes of a tile. Negative: an error, passed on. */
struct tile_source {
	int (*read)(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e);
	void *arg;
};

/* The edge of a tree of this size, from its tiles. */
int edge_load(struct edge *ret, uint64_t size, const struct tile_source *s, struct err *e);
/* The hashes by which entry `index` < size and the root of size hang together, from the leaf's sibling up. */
int merkle_prove(uint64_t index, uint64_t size, const struct tile_source *s, struct hash ret[MERKLE_PROOF_MAX],
		 size_t *ret_n, struct err *e);
bool merkle_check(const struct hash *leaf, uint64_t index, uint64_t size, const struct hash *proof, size_t n,
		  const struct hash *root);
/* That the tree of size `old` is the beginning of that of size `size`; 0 < old <= size. Equal sizes need no hashes. */
int merkle_prove_growth(uint64_t old, uint64_t size, const struct tile_source *s, struct hash ret[MERKLE_PROOF_MAX],
			size_t *ret_n, struct err *e);
bool merkle_check_growth(uint64_t old, const struct hash *old_root, uint64_t size, const struct hash *root,
			 const struct hash *proof, size_t n);

#endif
