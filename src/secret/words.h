/* words - how the text of a command becomes its words, without a shell.
 *
 * Owns:   the rule: blanks separate words; '...' stands for itself, "..." likewise but for a backslash, which makes the next byte stand for itself,
 *         there and outside of quotes. Nothing is expanded. What a shell would obey (| & ; < > $ ` ( )) is refused outside of quotes and without a
 *         backslash: who writes it means a shell.
 * Holds:  1 to WORDS_MAX words; the first is a name to be found in PATH, or an absolute path.
 * Called: ambit-secret; pure. */
#ifndef SECRET_WORDS_H
#define SECRET_WORDS_H

#include <stddef.h>

#include "base/err.h"

#define WORDS_MAX 64
#define WORDS_BYTES_MAX 4096 /* of the text */

/* Each word with its NUL, one after the other, in ret of WORDS_BYTES_MAX + 1 bytes; gives how many bytes these are. -MALFORMED, -LIMIT. */
int words_split(const char *text, size_t n, char *ret, struct err *e);

#endif
