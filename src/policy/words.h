/* words - the words of the policy language.
 *
 * Owns:   the table of qualifiers.
 * Holds:  one message for one mistake: flags and files refuse an unknown word with the same text.
 * Called: from src/policy only; pure. */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include <stdbool.h>

#include "base/err.h"
#include "core/conditions.h"
#include "core/grant.h"
#include "policy/policy.h"

/* True if word is a qualifier, available or not. */
bool qualifier_find(const char *word);
/* A key that is not a verb. -UNAVAILABLE: a qualifier that this build lacks. -UNKNOWN, with the verb or qualifier meant. */
int qualifier_parse(const char *word, struct err *e);
/* Whether the verb takes it; -MALFORMED says to which it belongs. */
int qualifier_check_verb(const char *word, enum grant_verb verb, struct err *e);

const char *budget_word(enum policy_budget which);
/* -UNKNOWN with the word meant. */
int budget_parse(const char *word, enum policy_budget *ret, struct err *e);
/* A word in one. -UNKNOWN with the word meant; -MALFORMED: it belongs to grants alone. */
int budget_check_word(const char *word, enum qualifier *ret, struct err *e);

/* The verb of a word. -UNKNOWN with the verb meant; -UNAVAILABLE. */
int verb_parse(const char *word, enum grant_verb *ret, struct err *e);

/* limits_set, with the word meant. */
struct limits;
int limit_parse(struct limits *l, const char *word, const char *value, struct err *e);

#endif
