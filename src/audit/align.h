/* align - which entries of a bundle are not in their place, by their hashes alone.
 *
 * Owns:   nothing.
 * Holds:  what was changed, left out, put in, moved or doubled once is told as that, and not as a difference of all that follows.
 * Called: audit/verify.c; pure. */
#ifndef AUDIT_ALIGN_H
#define AUDIT_ALIGN_H

#include "ledger/merkle.h"

#define ALIGN_MAX (2 * TILE_WIDTH) /* hashes of a file that are looked at */

enum align_step {
	ALIGN_CHANGED, /* another entry that is none of these stands in the place of `index` */
	ALIGN_MISSING, /* those from `index` to `other` */
	ALIGN_MOVED,   /* in the place of `index` stands `other` */
	ALIGN_AGAIN,   /* before `index` stands `other`, which was there already */
	ALIGN_ADDED,   /* before `index` stands one that is none of these */
};

typedef void align_fn(void *arg, enum align_step step, uint64_t index, uint64_t other);

/* row: what should be there, n hashes from 1 to TILE_WIDTH, of entries from `first` on; leaf: what is, at most ALIGN_MAX. Gives the number of
 * steps that were told; -1, and tells nothing: none of the hashes is any of those. */
int align(const struct hash *row, size_t n, const struct hash *leaf, size_t n_leaves, uint64_t first, align_fn *tell,
	  void *arg);

#endif
