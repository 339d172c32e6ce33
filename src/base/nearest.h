/* nearest - what somebody may have meant by a word that is none.
 *
 * Owns:   nothing.
 * Holds:  it only guesses: whoever calls refuses the word all the same, and says what was meant as a hint.
 * Called: from everywhere; pure. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_HINT_MAX 48 /* any hint below */

/* The word of the list that is nearest to `word`: at most two slips of the keyboard away, and fewer than half of its
 * letters; else the only one that begins with it. NULL if there is none, and for words of 16 letters and more. */
const char *word_nearest(const char *word, const char *const *words, size_t n);

/* "did you mean '--read'?" in room, with dashes ("--" or "") before the word meant; otherwise, if it is NULL. */
const char *nearest_hint(char room[NEAREST_HINT_MAX], const char *dashes, const char *meant, const char *otherwise);

/* The nearest of many texts of any length (ids, paths), one after the other: at most two slips away, and fewer than half of the letters
 * behind the last slash; of several that are as near the first. */
#define NEAREST_TEXT_MAX 4352
struct nearest {
	const char *word; /* borrowed */
	size_t slips;     /* of the one below */
	char meant[NEAREST_TEXT_MAX];
};

void nearest_begin(struct nearest *n, const char *word);
void nearest_try(struct nearest *n, const char *text);
/* What is meant for another reason: no later one is nearer. */
void nearest_set(struct nearest *n, const char *text);
const char *nearest_found(const struct nearest *n); /* NULL: none is near */

#endif
