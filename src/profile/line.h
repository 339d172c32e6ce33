/* line - one trace as text: what `ambit trace --line --facts` writes and `ambit profile eval` reads.
 *
 * Owns:   nothing: what it gives lies in the text.
 * Holds:  a line is symbols with blanks between; before them may stand a label, a tab, a key, and a tab, and behind those facts and a tab: `NAME=NUMBER` with blanks between, of the amounts of amounts.def, `session=NAME`, and `KIND=TEXT` for each thing that it named (deeds.h), in which `%` and two digits are a byte. The symbol | ends a thread. A label is usual if it is empty, -, 0, benign, good, normal or usual; any other is the name of an attack.
 * Called: profile; pure; bytes that somebody else wrote. */
#ifndef PROFILE_LINE_H
#define PROFILE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "profile/deeds.h"

#define LINE_NAME_MAX 128 /* of a label and of a key */

struct trace_line {
	const char *label, *key; /* not ended by NUL; key: "" where there is none */
	size_t label_length, key_length;
	bool is_labelled, is_attack;
	const char *session; /* "": its own */
	size_t session_length;
	bool has_amounts;
	uint64_t amounts[AMOUNTS];
	const char *facts; /* what is left of them; line_item */
	size_t facts_length;
	const char *symbols; /* up to the line's end */
	size_t length;
	size_t column; /* of its first symbol, from 1 */
};

/* Takes the next line of *text apart; number: of the line, for what is wrong with it. 1; 0: there is none; -MALFORMED. */
int line_next(const char **text, size_t *n, size_t number, struct trace_line *ret, struct err *e);
/* The next thing that it named. False: there is no more. */
bool line_item(struct trace_line *line, struct deeds_item *ret);
/* Its next symbol. 1; 0: there is none; -MALFORMED: one that is none, or too long. */
int line_symbol(struct trace_line *line, size_t number, const char **ret, size_t *ret_length, struct err *e);

#endif
