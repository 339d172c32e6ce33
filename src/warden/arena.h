/* arena - where the eye leaves what it saw.
 *
 * Owns:   the layout of a shared memory area that the supervisor made: a head, then entries one after the other.
 * Holds:  written by the warden alone, each different effect once, with a count. The supervisor reads it only when the cell
 *         is dead, and as it reads any message: every length is checked. Nothing in it is input to a decision.
 *         A killed warden leaves what it had seen.
 * Called: warden (arena_note), supervisor (arena_read). */
#ifndef WARDEN_ARENA_H
#define WARDEN_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_BYTES (2u << 20) /* touched only as far as used */
#define ARENA_MAGIC 0x414d4254u

struct arena_head {
	uint32_t magic;
	uint32_t used;    /* bytes of entries */
	uint64_t dropped; /* effects that had no room */
	uint64_t seen;    /* all of them, repeated ones too */
};

/* An entry: this, then `length` bytes of object, padded to 8. */
struct arena_entry {
	uint32_t count;
	uint16_t length;
	uint8_t kind;
	uint8_t zero;
};

struct arena {
	struct arena_head *head; /* shared, borrowed */
	uint32_t *slots;         /* owned: hash table of offsets + 1 */
};

int arena_init(struct arena *a, void *shared); /* 0 or -ENOMEM */
void arena_finish(struct arena *a);
void arena_note(struct arena *a, uint8_t kind, const char *object, size_t length);

/* Calls each(user, kind, count, object, length) for every entry until one is not well-formed. */
void arena_read(const void *shared, size_t size,
		void (*each)(void *user, uint8_t kind, uint32_t count, const char *object, size_t length), void *user,
		struct arena_head *ret);

#endif
