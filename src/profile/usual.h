/* usual - whether a sequence of calls is like those that were learned: one score of a trace.
 *
 * Owns:   struct usual: the words, what was learned, the table that scores, and what traces of its own usually come to.
 * Holds:  its order is scored, and the words in it that were never there, each once: in bits, how rarely a trace has a new one of that kind. A trace is scored by what was frozen, so nothing that is learned meanwhile changes a score. Each of the numbers of losses.h is held against what it was for usual traces when they were scored before they were learned,
 *         and the most unusual one is the score: one number, which is calibrated as such (calibrate.h), so that no correction for several is due.
 * Called: profile; pure. */
#ifndef PROFILE_USUAL_H
#define PROFILE_USUAL_H

#include "profile/costs.h"
#include "profile/losses.h"
#include "profile/sketch.h"
#include "profile/words.h"

/* Different words of a trace that the profile has never seen, by what they are of: what stands before a colon, and a mark at the end. Words of one kind come rarely in one profile and always in another. */
#define NEWS_KINDS 32
struct news {
	uint32_t n[NEWS_KINDS];
};
void news_add(struct news *news, const char *word, size_t n);

#define USUAL_YOUNG 20 /* traces: below that there is no score */

struct usual {
	struct words words;
	struct grammar grammar;
	struct costs costs;
	bool is_frozen;
	uint64_t traces, calls;     /* that were learned */
	uint32_t fresh[NEWS_KINDS]; /* traces that had a new word of that kind when they were learned */
	struct sketch refers[LOSSES_KINDS];
};

struct usual_score {
	double score; /* 0: nothing is unusual */
	enum losses_of of;
	double bits[LOSSES_KINDS];
	uint64_t calls, window_at, burst_at; /* of the words; as in losses.h */
};

/* key: 24 secret bytes. -AMBIT_MEMORY. */
#define USUAL_KEY (WORDS_KEY + sizeof(uint64_t))
int usual_init(struct usual *u, const uint8_t key[USUAL_KEY]);
void usual_finish(struct usual *u);

/* A trace: words, each thread's ended by WORD_END. refers: it is scored first, and what it comes to is what is usual from now on. */
void usual_learn(struct usual *u, const uint16_t *words, size_t n, const struct news *news, bool refers);
/* What was learned is what scores from now on. -AMBIT_MEMORY: that stays what it was. */
int usual_freeze(struct usual *u);
void usual_score(const struct usual *u, const uint16_t *words, size_t n, const struct news *news,
		 struct usual_score *ret);
const char *losses_word(enum losses_of of);

#endif
