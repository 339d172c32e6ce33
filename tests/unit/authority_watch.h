/* authority_watch - what must be true of an authority whoever made it: looked at in its answers and lists alone.
 *
 * Owns:   struct watch: what was seen so far, from the first step on.
 * Holds:  knows no rule of which answer is right, only what no sequence of answers may do: a derived grant that is wider, a use of what was revoked, frozen,
 *         expired or another's, an approval used twice, more used than there is, labels that shrink.
 * Called: from tests and fuzz targets. Gives up (aborts) when memory is gone. */
#ifndef UNIT_AUTHORITY_WATCH_H
#define UNIT_AUTHORITY_WATCH_H

#include <stdbool.h>

#include "core/authority.h"

#define WATCH_SAID_MAX 200

struct watch;

struct watch *watch_create(void);
void watch_destroy(struct watch *w);

/* After each step. False: *said is what was broken. */
bool watch_sees(struct watch *w, const struct authority_request *q, const struct authority_answer *answer,
		const struct authority *a, char said[WATCH_SAID_MAX]);

/* Whether what is there makes sense, whatever went before: of a state that came as bytes. */
bool watch_allows(const struct authority *a, char said[WATCH_SAID_MAX]);

#endif
