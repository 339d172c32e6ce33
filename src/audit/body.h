/* body - values of an entry's body, by their keys.
 *
 * Owns:   nothing.
 * Holds:  what is given fits, and is terminated; what is not there, or of another form, gives false and an empty text or zero.
 * Called: audit, export, account; pure. */
#ifndef AUDIT_BODY_H
#define AUDIT_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "ledger/canonical.h"

/* A name: text, or {"b64"} of bytes without a NUL. */
bool body_take_name(struct canonical_value v, char *ret, size_t size);
bool body_find_name(struct canonical_value body, const char *key, char *ret, size_t size);
bool body_find_bool(struct canonical_value body, const char *key, bool *ret);
/* Text alone. */
bool body_find_word(struct canonical_value body, const char *key, char *ret, size_t size);
bool body_find_count(struct canonical_value body, const char *key, uint64_t *ret);
/* Whether the value of the key is this text. */
bool body_is(struct canonical_value body, const char *key, const char *word);
/* The command of a request, its words escaped, cut where there is no room for more. */
void body_command(struct canonical_value body, char *ret, size_t size);

#endif
