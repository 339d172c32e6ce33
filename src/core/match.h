/* match - a regular expression that all of a text has to match.
 *
 * Owns:   struct match: pure data, an expression as the states that a text leads through. 5 KB: it is made where it is used, and not kept.
 * Holds:  a text is looked at once, from its first character to its last, in no more than MATCH_STEPS for each, whatever the expression.
 * Called: core/where*.c, and tests; pure, allocates nothing, does not call itself.
 *
 * Both are UTF-8, and a character is a code point. An expression is
 *
 *     a  \.               a character that means itself, and any of punctuation with a \ before; of punctuation these need it: \ . [ ] ( ) { } | * + ? ^ $
 *     .                   any but a line feed
 *     \d \w \s            0-9; A-Z a-z 0-9 _; blank, tab, LF, VT, FF, CR
 *     \D \W \S            any other
 *     [a-z_\d]  [^a-z]    one of these; any other, also a line feed. In it ] [ \ need a \, and - where it is neither first nor last
 *     (..)                a group
 *     * + ? {n} {n,} {n,m}   of what stands before: any number, one or more, one or none; n; n or more; n to m (no more than MATCH_REPEAT_MAX). Once
 *     x|y                 either
 *
 * and nothing else: all of the text has to match, so there is neither ^ nor $; nothing is caught, so nothing is lazy; no branch and no group is empty. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MATCH_TEXT_MAX 255   /* bytes of an expression: what counts its parts is a uint8_t */
#define MATCH_STATES_MAX 512 /* with what is repeated, as often as it is: they are visited for each character */
#define MATCH_REPEAT_MAX 255

/* A state is left through its set of characters to the next one; or, without a character, to another, or to either. Behind the last one is the end. */
struct match_state {
	uint8_t kind; /* enum match_kind */
	uint8_t set;
	int16_t to; /* from here */
};

enum match_kind { MATCH_SET, MATCH_FORK, MATCH_JUMP };

struct match_set {
	uint8_t first, n; /* of ranges */
	uint8_t classes;  /* 1 << \d, \w, \s, \D, \W, \S, from 0 on */
	bool is_not;
};

struct match {
	uint16_t n_states;
	uint8_t n_sets, n_ranges; /* each is a byte of the expression at least */
	struct match_state states[MATCH_STATES_MAX];
	struct match_set sets[MATCH_TEXT_MAX];
	struct match_range {
		uint32_t from, to;
	} ranges[MATCH_TEXT_MAX];
};

/* -MALFORMED: it is none, with the byte where. -LIMIT: more than MATCH_TEXT_MAX bytes or MATCH_STATES_MAX states. Then *ret is as it was. */
int match_compile(const char *text, size_t n, struct match *ret, struct err *e);
/* Whether all of the text matches. One that is not UTF-8 does not. */
bool match_is(const struct match *m, const char *text, size_t n);

/* Whether some part of it does: an empty one, too, so an expression that matches no character is found everywhere. Of a text that is not UTF-8 what stands before that is looked at. */
bool match_is_in(const struct match *m, const char *text, size_t n);

/* Steps for one character, and once more for the end: each state is reached once and left once, and each set looked at once. */
#define MATCH_STEPS(m) (2 * ((uint64_t)(m)->n_states + 1) + (m)->n_sets + (m)->n_ranges)
/* The same, for who wants to know how many it took. */
bool match_counted(const struct match *m, const char *text, size_t n, uint64_t *ret_steps);

#endif
