/* form - a profile as text, which a person can read, compare and sign.
 *
 * Owns:   the form (doc/PROFILES.md): one line for each thing, in one order, so that the same profile gives the same bytes.
 * Holds:  a text that is taken has that form to the byte, with all numbers in their ranges; so it can be had back from the profile. What is not is refused with its line.
 * Called: usual, profile's role; pure, but for memory; reads bytes that anybody may have written. */
#ifndef PROFILE_FORM_H
#define PROFILE_FORM_H

#include "profile/profile.h"

#define FORM_MAX (8u << 20) /* bytes: all that a profile may have, with the longest numbers, is less */

/* out fails where there is no room for it. */
void form_write(const struct profile *p, struct buf *out);
/* secret: of its tables here; a file has none. -MALFORMED, with the line; -LIMIT, -MEMORY. On failure ret holds nothing. */
int form_read(const char *text, size_t n, const uint8_t secret[PROFILE_KEY], struct profile *ret, struct err *e);

/* What stands at its beginning, in the first FORM_HEAD_MAX bytes: for a list. */
#define FORM_HEAD_MAX 1024
struct form_head {
	char key[PROFILE_NAME_MAX];
	uint32_t epoch, events;
	uint64_t scored, flagged; /* by PROMISED_LOG */
};
bool form_head(const char *text, size_t n, struct form_head *ret);

#endif
