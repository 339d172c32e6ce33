/* usual - whether a sequence of calls is like those that were learned.
 *
 * Owns:   struct usual: the words, in how many sessions each was and of which program, which follows which, and what traces of its own usually come to.
 * Holds:  two numbers, both in natural units (-ln), so that they can be added. *firsts*: how unlikely it was that a session has each of the calls, of the program that made it. What few sessions had, or none, is judged by what is behind it: this profile's sessions of whatever program, sessions of other
 *         profiles (`base`: it makes nothing known, and only says how unlikely something is), and the parts of the call (shapes.h). *order*: each of the numbers of losses.h is held against what it was for traces of new sessions when they were scored before they were learned; the most unusual one counts.
 *         A trace's order is scored by what was frozen; what it has that was not there, by what is known.
 * Called: profile; pure. */
#ifndef PROFILE_USUAL_H
#define PROFILE_USUAL_H

#include "profile/costs.h"
#include "profile/habits.h"
#include "profile/losses.h"
#include "profile/sequence.h"
#include "profile/shapes.h"
#include "profile/tail.h"
#include "profile/words.h"

#define USUAL_YOUNG 20  /* traces: below that no order is scored */
#define USUAL_FIRSTS 12 /* of a trace that count: each half as much as the one before it */

struct usual {
	struct words words;
	struct shapes shapes;
	struct habits habits;
	struct grammar grammar;
	struct costs costs;
	bool is_frozen;
	uint64_t traces, calls; /* that were learned */
	struct sketch refers[LOSSES_KINDS];
	struct tail tails[LOSSES_KINDS];
	float below[LOSSES_KINDS][SKETCH_BINS]; /* surprise of what does not lie in the tail */
};

struct usual_first {
	double surprise;
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
const char *losses_word(enum losses_of of);

#endif
