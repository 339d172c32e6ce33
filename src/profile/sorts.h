/* sorts - of what sort a call is, and in how many sessions there was one of its sort that hardly any other session had.
 *
 * Owns:   struct sorts, which is made out of habits: nothing of it is kept.
 * Holds:  a sort is what is done, where in the large (a tree of work, the home, /etc, a granted destination), and whether it was denied or not there. A call that is new is as unlikely as it was that a session had one of its sort that was its alone (Good and Turing's estimate): a shell that runs another program each time has a new one next time, too. So is one that only few sessions had.
 *         Before anything is known of a sort its place says how unlikely it is, in orders of magnitude. Hashes are keyed (SipHash).
 * Called: profile/usual.c; pure. */
#ifndef PROFILE_SORTS_H
#define PROFILE_SORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/habits.h"
#include "profile/words.h"

#define SORTS_RARE HABITS_LAST /* sessions of which a call that had no more is rare */

struct sort {
	uint64_t hash;
	double likely; /* that a session has one that none had, before anything is known */
};

struct sorts_row {
	uint64_t hash;
	uint32_t sessions[SORTS_RARE]; /* that had one which at most so many others had, from none on */
};

struct sorts {
	struct sorts_row *rows; /* owned; by their hash */
	size_t n;
	uint32_t of; /* sessions */
};

/* by_program: of what is known, made by a program that did not do it before. */
struct sort sort_of(const uint8_t key[WORDS_KEY], const char *symbol, size_t n, bool by_program);

/* -AMBIT_MEMORY. */
int sorts_make(struct sorts *ret, const struct words *w, const struct habits *h);
void sorts_finish(struct sorts *s);
/* How likely a session has one of that sort that `had` sessions had. before: how likely that is for all that is known beside these sessions. */
double sorts_likely(const struct sorts *s, const struct sort *sort, uint32_t had, double before);

#endif
