/* reader_change - what a record says of one changed file, read.
 *
 * Owns:   the keys of an effect whose source is `proved` (doc/RECORD.md), in the types that they were made from.
 * Holds:  as reader.h: known words, numbers in range, paths normal, no NUL; a key that belongs to the kind is there.
 * Called: reader.c. */
#ifndef EXPLAIN_READER_CHANGE_H
#define EXPLAIN_READER_CHANGE_H

#include "core/change.h"
#include "explain/json_take.h"

/* A struct change with texts as long as they are: a record may have 65,536 of them. */
struct told_change {
	uint8_t kind, type, held, later, has_digest;
	uint32_t mode_old, mode_new; /* 0 where the record has none */
	uint64_t size_old, size_new;
	uint8_t digest[CHANGE_DIGEST_BYTES];
	char *path, *from, *reason; /* owned; absolute paths; from and reason NULL if there is none */
};

/* Whether the effect is one of them. */
bool change_is_told(const json_t *effect);
/* ret must be zeroed, and is the caller's to finish in any case. */
void change_take(struct take *t, const json_t *effect, struct told_change *ret);
void told_change_finish(struct told_change *c);

#endif
