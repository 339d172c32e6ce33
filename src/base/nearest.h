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

#endif
