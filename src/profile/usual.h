/* usual - whether a sequence of calls is like those that were learned.
 *
 * Owns:   struct usual: the words, in how many sessions each was and of which program, which follows which, and what traces of its own usually come to.
 * Holds:  two numbers, both in natural units (-ln). *firsts*: how unlikely it was that a session has a call as rare as one of its, by sort (sorts.h): what no session had, or few; and what sessions had, but not of the program that made it. Of each sort the least likely counts. Sessions of other profiles (`base`) make nothing known, and only say how unlikely something is. *order*: each of the numbers of losses.h is held against what it was for traces of new sessions when they were scored before they were learned; the most unusual one counts.
 *         A trace's order is scored by what was frozen; what it has that was not there, by what is known.
 * Called: profile; pure. */
#ifndef PROFILE_USUAL_H
#define PROFILE_USUAL_H

#include "profile/costs.h"
#include "profile/habits.h"
#include "profile/losses.h"
#include "profile/sequence.h"
#include "profile/sorts.h"
#include "profile/tail.h"
#include "profile/words.h"

#define USUAL_YOUNG 20  /* traces: below that no order is scored */
#define USUAL_FIRSTS 12 /* sorts of a trace that count */

struct usual {
	struct words words;
	struct habits habits;
	struct grammar grammar;
	struct costs costs;
	struct sorts sorts; /* as of habits when it was frozen */
	bool is_frozen;
	uint64_t traces, calls; /* that were learned */
	struct sketch refers[LOSSES_KINDS];
	struct tail tails[LOSSES_KINDS];
	float below[LOSSES_KINDS][SKETCH_BINS]; /* surprise of what does not lie in the tail */
};

struct usual_first {
	double surprise;
	uint64_t sort;
	size_t n;                 /* of that sort that no session had, or one more that is rare */
	bool by_program;          /* it is rare of that program, and not else */
	uint16_t symbol, program; /* of the sequence; program: SEQUENCE_END where no program was executed before it */
	uint32_t sessions, of;    /* that had the call, whatever program made it */
};

struct usual_score {
	double firsts, order; /* 0: nothing is unusual */
	size_t n_firsts;      /* the least likely first */
	struct usual_first first[USUAL_FIRSTS];
	size_t n_new; /* symbols that less sessions had than make something known */
	enum losses_of of;
	double bits[LOSSES_KINDS];
	uint64_t window_at, burst_at; /* of words; as in losses.h */
};

/* key: 24 secret bytes. -AMBIT_MEMORY. */
#define USUAL_KEY (WORDS_KEY + sizeof(uint64_t))
int usual_init(struct usual *u, const uint8_t key[USUAL_KEY]);
void usual_finish(struct usual *u);

/* A trace of that session, which is not 0. -AMBIT_MEMORY: not all of it is learned. */
int usual_learn(struct usual *u, const struct sequence *s, uint32_t session);
/* Its calls are known from here on, as if so many sessions had had them. -AMBIT_MEMORY. */
int usual_accept(struct usual *u, const struct sequence *s, uint32_t sessions);
/* What was learned is what scores from now on. -AMBIT_MEMORY: that stays what it was. */
int usual_freeze(struct usual *u);
/* base: what is known of other programs; may be NULL. support: sessions that make a call known. False: no memory, and nothing is scored. */
bool usual_score(const struct usual *u, const struct usual *base, unsigned support, const struct sequence *s,
		 struct usual_score *ret);
/* Both together. */
double usual_whole(const struct usual_score *score);
const char *losses_word(enum losses_of of);

#endif
