/* walk - all entries of a log, in order, those that are not signed yet last.
 *
 * Owns:   the reading of bundles, one at a time.
 * Holds:  memory is bounded by one bundle. Nothing is verified: an entry may be anything (verify.h); what cannot be read is counted,
 *         and not passed over in silence.
 * Called: audit. */
#ifndef AUDIT_WALK_H
#define AUDIT_WALK_H

#include "audit/numbers.h"
#include "audit/snapshot.h"

/* A bundle that was read, and its entries. Zero at first; finished by walk_room_finish. */
struct walk_room {
	struct buf bytes; /* owned */
	bool holds;       /* the bundle with this index */
	uint64_t bundle;
	size_t count;
	const uint8_t *at[TILE_WIDTH]; /* in bytes */
	size_t n[TILE_WIDTH];
};
void walk_room_finish(struct walk_room *room);

/* is_signed: it is under the checkpoint. Not 0: enough; walk_log gives it back. */
typedef int walk_fn(void *arg, uint64_t index, bool is_signed, const uint8_t *bytes, size_t n);

struct walk_result {
	uint64_t unread;    /* entries under the checkpoint that are not there */
	uint64_t unread_at; /* the first of them */
	bool torn;          /* the journal ends with something that is no group */
};

int walk_log(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret);
/* Those that are numbered, and all behind what the numbers speak of; without an index all. */
int walk_numbers(const struct snapshot *s, const struct numbers *numbers, walk_fn *take, void *arg,
		 struct walk_result *ret);
/* Those that are not signed yet. */
int walk_unsigned(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret);
/* All from the end to the beginning, so that those that are not signed yet come first. */
int walk_back(const struct snapshot *s, walk_fn *take, void *arg, struct walk_result *ret);
/* Those that are signed, from this index on. */
int walk_from(const struct snapshot *s, uint64_t index, walk_fn *take, void *arg, struct walk_result *ret);
/* The entry with this index, in place; NULL: there is none under the checkpoint, or it cannot be read. Its bundle is read once while the room
 * holds it. */
const uint8_t *walk_to(const struct snapshot *s, uint64_t index, struct walk_room *room, size_t *ret_n);

#endif
