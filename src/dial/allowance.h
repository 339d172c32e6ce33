/* allowance - how many bytes may pass over one connection of a grant that is held, until there is a word on more of them.
 *
 * Owns:   struct allowance: pure data. Zeroed memory bounds nothing.
 * Holds:  more is asked for when half of the last piece is used, so that who is quick seldom waits, and once more when all is; then nothing
 *         passes until there is a word. What is refused before that ends nothing yet. No word for HELD_PATIENCE_MS is a no.
 * Called: dial.c; pure, told the time. */
#ifndef DIAL_ALLOWANCE_H
#define DIAL_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#define HELD_PATIENCE_MS 10000
#define UNPAUSED_MS 500

struct allowance {
	uint64_t most, piece; /* bytes: that may pass, and what was added last; 0: there is no bound */
	uint64_t due_ms;      /* when an answer is given up */
	bool asks, asked;     /* more; and for half of this piece before */
	bool paused;
	bool runs_on; /* it cannot be */
};

enum allowance_act {
	ALLOWANCE_PAUSE = 1, /* nothing may pass */
	ALLOWANCE_ASK = 2,
	ALLOWANCE_END = 4, /* of the connection */
};

/* What is to be done, as bits of enum allowance_act, when so much has passed. */
unsigned allowance_look(struct allowance *a, uint64_t passed, uint64_t now_ms);
/* What was to be paused cannot be: it goes on, for a moment in which there is a word, or it ends. */
void allowance_unpaused(struct allowance *a, uint64_t now_ms);
/* A yes; bytes 0: without a bound. True: what was paused goes on. */
bool allowance_add(struct allowance *a, uint64_t bytes, uint64_t passed);
/* A no. True: the connection ends. */
bool allowance_refuse(struct allowance *a, uint64_t passed);

#endif
