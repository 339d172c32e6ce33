/* said - what a program says to `ambit cells`.
 *
 * Owns:   the table of words (said.def) and the taking apart of one message.
 * Holds:  what is taken is whole and within its bounds, or is refused with what is wrong in it; nothing is passed over. It is the program's own word, which runs as the person: what it asks for is
 *         what it could ask `ambit run` for.
 * Called: keep.c; pure. */
#ifndef CELLS_SAID_H
#define CELLS_SAID_H

#include <stdint.h>

#include "base/err.h"

#define SAID_BYTES_MAX                                                                                                 \
	(128u << 10) /* one message: an argument of a program is not longer (MAX_ARG_STRLEN, execve(2)) */

enum said_word {
#define SAID(name, word, numbers, text, what) SAID_##name,
#include "cells/said.def"
#undef SAID
	SAID_WORDS
};

struct said {
	enum said_word word;
	uint32_t number[2];
	const char *text; /* within the message; "" where the word has none */
};

/* message: ended by NUL, of less than SAID_BYTES_MAX. -MALFORMED, -UNKNOWN. */
int said_take(const char *message, struct said *ret, struct err *e);

#endif
