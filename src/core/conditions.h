/* conditions - what stands behind the object of a grant: its qualifiers and its terms, by their words.
 *
 * Owns:   struct conditions: pure data. Zeroed memory has none.
 * Holds:  what qualifiers.h and terms.h say of each.
 * Called: whoever reads grants that were written down: policies, records, the ledger; pure. */
#ifndef CORE_CONDITIONS_H
#define CORE_CONDITIONS_H

#include "core/qualifiers.h"
#include "core/terms.h"

struct conditions {
	struct qualifiers qualifiers;
	struct terms terms;
};

#define CONDITION_MAX TERMS_TEXT_MAX /* of a value that may be good, with its NUL */

/* Whether it is the word of a qualifier or a term. */
bool condition_is(const char *word);
bool conditions_have(const struct conditions *b, const char *word);
/* As qualifiers_set and terms_set. -UNKNOWN: there is no such word. */
int conditions_set(struct conditions *b, const char *word, const char *value, struct err *e);
bool conditions_are_none(const struct conditions *b);

#endif
