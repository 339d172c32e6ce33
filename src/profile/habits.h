/* habits - in how many sessions something was: each call, each call of each program, and each program.
 *
 * Owns:   struct habits: a bounded table of counts, by words (words.h).
 * Holds:  a session counts once, however often it repeats itself; so a count of up to HABITS_LAST + 1 is as many that are different. A table that is full learns nothing new: then more is new, never less.
 *         Its places are found by a keyed hash.
 * Called: profile/usual.c, form.c, show.c; pure. */
#ifndef PROFILE_HABITS_H
#define PROFILE_HABITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/words.h"

#define HABITS_MAX 16384 /* 256 KB */
#define HABITS_LAST 2
#define HABITS_ANY WORD_UNKNOWN /* as a program: whichever */
#define HABITS_BARE WORD_BEGIN  /* as a program: before a thread executed one */
#define HABITS_ITSELF WORD_END  /* as a word: that the program was there */

struct habit {
	uint16_t program, word;
	uint32_t sessions;
	uint32_t last[HABITS_LAST]; /* hashes of sessions, the newest first; 0: none */
};

struct habits {
	uint64_t key;       /* odd */
	struct habit *rows; /* owned; in the order in which they came */
	size_t n, room;
	uint16_t *slots;  /* owned; two for each there is room for, by number from 1 */
	struct habit all; /* of any event */
	uint64_t left_out;
};

/* key: secret. -AMBIT_MEMORY. */
int habits_init(struct habits *h, uint64_t key);
void habits_finish(struct habits *h);

/* An event of that session, which is not 0. True: it is another than the last ones. */
bool habits_event(struct habits *h, uint32_t session);
/* It had that. -AMBIT_MEMORY; what has no room is left out. */
int habits_add(struct habits *h, uint16_t program, uint16_t word, uint32_t session);
uint32_t habits_of(const struct habits *h, uint16_t program, uint16_t word); /* sessions */
/* As it was kept. False: it is there, or has no room. */
bool habits_restore(struct habits *h, const struct habit *row);

#endif
