/* symbol - one effect as one short text, the same for the same work elsewhere.
 *
 * Owns:   the words: a kind, `:`, the class of its object, and a mark: `!` denied, `?` not there. doc/TRACE.md lists them.
 * Holds:  a symbol is 1 to SYMBOL_MAX - 1 bytes of printable ASCII without blanks, whatever the object was. Nothing in it names what a person
 *         named: of trees and homes only names that begin with a dot are told. Numbers in names are `#`.
 * Called: supervisor, when an event has ended; pure. */
#ifndef PROFILE_SYMBOL_H
#define PROFILE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/effect.h"
#include "core/grant.h"

#define SYMBOL_MAX 48 /* with its NUL */

/* What the same path means in another cell. */
struct symbol_place {
	const char *home;               /* borrowed; absolute and normalised */
	const struct grant_set *grants; /* borrowed */
};

/* Of an effect that was judged. */
void symbol_of(const struct symbol_place *place, const struct effect *f, char ret[SYMBOL_MAX]);
/* Of one whose object was not kept. */
void symbol_unkept(uint8_t kind, char ret[SYMBOL_MAX]);
/* The n bytes are what a symbol may be. */
bool symbol_is(const char *text, size_t n);

#define SYMBOL_GAP "..." /* here the thread made calls that were left out */

#endif
