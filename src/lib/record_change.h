/* record_change - what an event changed, in its record: effects that are proved.
 *
 * Called: record.c; stage/account.c (its parts); pure. */
#ifndef LIB_RECORD_CHANGE_H
#define LIB_RECORD_CHANGE_H

#include "base/json.h"
#include "lib/stage_answer.h"

/* Members of the array that is open. *room: bytes that they may take, and what is left of it afterwards; *dropped counts those
 * without room. looked: what the changes are of was looked at, so their sizes and modes are known. */
void record_changes_put(struct json *j, const struct stage_answer *a, bool looked, size_t *room, uint64_t *dropped);
/* Parts of one: a mode under that key, the digest under "sha256". */
void record_mode_put(struct json *j, const char *key, uint32_t mode);
void record_digest_put(struct json *j, const struct change *c);

#endif
