/* letter - what a byte of a text is, whatever the locale.
 *
 * Owns:   nothing.
 * Holds:  ASCII; a byte that is not counts as one of a letter.
 * Called: from profile/ only. */
#ifndef PROFILE_LETTER_H
#define PROFILE_LETTER_H

#include <stdbool.h>

static inline bool letter_is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

static inline char letter_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool letter_is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool letter_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool letter_is_wordly(char c)
{
	return letter_is_digit(c) || (letter_small(c) >= 'a' && letter_small(c) <= 'z') || (unsigned char)c >= 0x80;
}

#endif
