/* conditions - what stands behind the object of a grant: its qualifiers, its terms, what it wants of arguments, and its flow, by their words.
 *
 * Owns:   struct conditions: pure data. Zeroed memory has none.
 * Holds:  what qualifiers.h, terms.h, where.h and flow.h say of each. `ask` is a qualifier, but for its value `labelled`.
 * Called: whoever reads grants that were written down: policies, records, the ledger; pure. */
#ifndef CORE_CONDITIONS_H
#define CORE_CONDITIONS_H

#include "core/flow.h"
#include "core/qualifiers.h"
#include "core/terms.h"
#include "core/where.h"

struct conditions {
	struct qualifiers qualifiers;
	struct terms terms;
	struct where where;
	struct flow flow;
};

#define CONDITION_MAX TERMS_TEXT_MAX /* of a value that may be good, with its NUL */

/* Whether it is the word of a qualifier, a term, or of the flow, or `where`. */
bool condition_is(const char *word);
bool conditions_have(const struct conditions *b, const char *word);
/* As qualifiers_set, terms_set, where_set and those of flow.h. -UNKNOWN: there is no such word. */
int conditions_set(struct conditions *b, const char *word, const char *value, struct err *e);
bool conditions_are_none(const struct conditions *b);
/* The terms of the grant, as terms_format or where_format has them. -MALFORMED: there are both, which no verb takes. */
int conditions_terms(const struct conditions *b, char ret[TERMS_TEXT_MAX], struct err *e);

#endif
