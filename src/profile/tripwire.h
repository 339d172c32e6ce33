/* tripwire - attacks that a profile has to go on noticing, whatever it has learned.
 *
 * Owns:   the suite (tripwires.def): what attacks of each kind do, within an event that is else as most of that profile are.
 * Holds:  a suite proves nothing of an attack that is not in it; what it shows is that learning went where it should not have.
 * Called: usual (before a shadow takes the place of what scores), profile's role (to tell a person); pure. */
#ifndef PROFILE_TRIPWIRE_H
#define PROFILE_TRIPWIRE_H

#include "profile/profile.h"

#define TRIPWIRES_MAX 32

size_t tripwires(void);
const char *tripwire_name(size_t i);
/* Which of them it would flag at PROMISED_LOG: a bit for each; none where it promises nothing yet. -MEMORY. */
int tripwires_flagged(const struct profile *p, uint32_t *ret, struct err *e);
/* As a person reads it: those of `before` that are not in `after`, with commas between. */
void tripwires_lost(uint32_t before, uint32_t after, struct buf *out);

#endif
