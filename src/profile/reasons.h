/* reasons - why an event is unusual, in words: what it was, and how often that was before.
 *
 * Owns:   the texts, and their order.
 * Holds:  what is a reason to ask by itself (a program or destination that nobody had) stands first, whatever is more unusual; then the strongest. At most REASONS_MAX are kept.
 * Called: profile; pure. */
#ifndef PROFILE_REASONS_H
#define PROFILE_REASONS_H

#include "profile/profile.h"

#define REASON_FROM 3.0 /* surprise from which on it is one: one in twenty */

/* n new ones of a kind, the first of which that is. */
void reason_of_first(const struct profile *p, const struct deeds_item *first, size_t n, struct unusual *ret);
void reason_of_amount(const struct profile *p, enum amount a, uint64_t amount, double surprise, struct unusual *ret);
/* Symbols of the sequence are ended by NUL. */
void reasons_of_calls(const struct profile *p, const struct usual_score *score, const struct sequence *s,
		      struct unusual *ret);

#endif
