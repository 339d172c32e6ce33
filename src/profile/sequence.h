/* sequence - the calls of one event, as they are learned and scored: its symbols, each once, and the steps of its threads, one thread after the other.
 *
 * Owns:   nothing: symbols lie in a trace, or in a text.
 * Holds:  a step is the number of a symbol, SEQUENCE_END (behind each thread) or SEQUENCE_GAP (here calls were left out).
 * Called: profile; pure. */
#ifndef PROFILE_SEQUENCE_H
#define PROFILE_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SEQUENCE_END 0xffffu
#define SEQUENCE_GAP 0xfffeu
#define SEQUENCE_SYMBOLS_MAX 0xfffdu

struct sequence_symbol {
	const char *text; /* not ended by NUL */
	size_t n;
};

struct sequence {
	const struct sequence_symbol *symbols;
	size_t n_symbols;
	const uint16_t *steps;
	size_t n_steps;
};

/* From here on the thread is another program. */
static inline bool sequence_is_program(const struct sequence_symbol *s)
{
	return s->n > 5 && memcmp(s->text, "exec:", 5) == 0 && s->text[s->n - 1] != '!' && s->text[s->n - 1] != '?';
}

#endif
