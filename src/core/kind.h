/* kind - what an event is: a command, or a piece of code in a language.
 *
 * Owns:   the kinds and their words, in records, in the ledger and for clients, and how one is told in lists.
 * Called: everybody; pure. */
#ifndef CORE_KIND_H
#define CORE_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum event_kind { KIND_RUN, KIND_PYTHON, KIND_NODE, KIND_SHELL, KIND_COUNT };

/* NULL for what is none. */
const char *kind_word(unsigned kind);
/* KIND_COUNT for what is no word. */
enum event_kind kind_of_word(const char *word);
/* A command, or a language and its source, for a list: cut to n bytes with their NUL, source on one line. */
void kind_describe(enum event_kind kind, char *const *argv, char *ret, size_t n);

/* The same of a kernel, by its name. */
void kernel_describe(enum event_kind kind, const char *name, char *ret, size_t n);
/* Whether a kernel may be called so: letters, digits, '.', '_' and '-', KERNEL_NAME_MAX at most, or "": it has no name. */
#define KERNEL_NAME_MAX 64
bool kernel_name_is(const char *name);

#endif
