/* words - the symbols that a profile knows, as numbers.
 *
 * Owns:   struct words: the texts, in the order in which they were first seen, and a table that finds them.
 * Holds:  a symbol is 1 to WORD_MAX bytes of printable ASCII without blanks. The table is keyed (SipHash, libsodium): who chooses symbols cannot make them meet. What is beyond WORDS_MAX is WORD_UNKNOWN, for ever, so
 *         that an event which makes up symbols fills nothing.
 * Called: profile; pure. */
#ifndef PROFILE_WORDS_H
#define PROFILE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_MAX 128
#define WORDS_MAX 4096 /* a kernel has some 450 calls; with classes of their arguments a busy agent has some hundreds */
#define WORDS_KEY 16

enum { WORD_UNKNOWN, WORD_BEGIN, WORD_END, WORD_FIRST };

struct words {
	uint8_t key[WORDS_KEY];
	char (*texts)[WORD_MAX + 1]; /* owned; by number, from WORD_FIRST on */
	size_t n, room;              /* with the three that have no text; a power of two */
	uint16_t *slots;             /* owned; two for each there is room for */
};

/* -AMBIT_MEMORY. */
int words_init(struct words *w, const uint8_t key[WORDS_KEY]);
void words_finish(struct words *w);

bool word_is(const char *text, size_t n);
/* Its number; WORD_UNKNOWN: it has none. */
uint16_t words_find(const struct words *w, const char *text, size_t n);
/* The same, and gives it one if there is room. The text is a word. */
uint16_t words_learn(struct words *w, const char *text, size_t n);
/* "?", "^" and "$" for the three. */
const char *words_text(const struct words *w, uint16_t word);

#endif
