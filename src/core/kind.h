/* kind - what an event is: a command, or a piece of code in a language.
 *
 * Owns:   the kinds and their words, in records, in the ledger and for clients, and how one is told in lists.
 * Called: everybody; pure. */
#ifndef CORE_KIND_H
#define CORE_KIND_H

#include <stddef.h>

enum event_kind { KIND_RUN, KIND_PYTHON, KIND_NODE, KIND_SHELL, KIND_COUNT };

/* NULL for what is none. */
const char *kind_word(unsigned kind);
/* KIND_COUNT for what is no word. */
enum event_kind kind_of_word(const char *word);
/* A command, or a language and its source, for a list: cut to n bytes with their NUL, source on one line. */
void kind_describe(enum event_kind kind, char *const *argv, char *ret, size_t n);

#endif
