/* arena - where the eye leaves what it saw.
 *
 * Owns:   the layout of a shared memory area that the supervisor made: a head, then entries one after the other; behind them the order of them all
 *         (steps.h).
 * Holds:  written by the warden alone, each different effect once, with a count. The supervisor reads it only when the cell
 *         is dead, and as it reads any message: every length is checked. Nothing in it is input to a decision.
 *         A killed warden leaves what it had seen.
 * Called: warden (arena_note), supervisor (arena_read). */
#ifndef WARDEN_ARENA_H
#define WARDEN_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "warden/steps.h"

#define ARENA_ENTRIES_BYTES (2u << 20) /* touched only as far as used, as the rest */
#define ARENA_BYTES (ARENA_ENTRIES_BYTES + STEPS_BYTES)
#define ARENA_MAGIC 0x414d4254u

struct arena_head {
	uint32_t magic;
	uint32_t used;    /* bytes of entries */
	uint64_t dropped; /* effects that had no room */
	uint64_t seen;    /* all of them, repeated ones too */
	uint64_t taken;   /* records of the ring (ring.h) */
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
	struct arena_slots *own; /* owned: which entry is where */
	struct steps steps;
};

int arena_init(struct arena *a, void *shared); /* 0 or -ENOMEM */
void arena_finish(struct arena *a);
/* Of that thread, as the kernel numbers it. */
void arena_note(struct arena *a, uint32_t thread, uint8_t kind, const char *object, size_t length);

/* Calls each(user, kind, count, object, length) for every entry until one is not well-formed. Their order is that of their numbers in steps. */
void arena_read(const void *shared,
		void (*each)(void *user, uint8_t kind, uint32_t count, const char *object, size_t length), void *user,
		struct arena_head *ret);

#endif
