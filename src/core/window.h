/* window - a time of day: of a grant that holds between two of them.
 *
 * Owns:   struct window and the one way of writing it: "09:00-18:00 Europe/Berlin".
 * Holds:  from the first minute to before the second; over midnight if the second is smaller. Two that are equal are no window. Which minute it is in
 *         a zone is told by whoever has the clock and the table of zones.
 * Called: from any process; pure. */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define WINDOW_ZONE_MAX 48 /* of tz names, with its NUL; the longest have 32 characters */
#define WINDOW_TEXT_MAX (WINDOW_ZONE_MAX + 16)
#define WINDOW_DAY 1440 /* minutes */

struct window {
	uint16_t from, to; /* minutes of the day, from 0 to 1439; both 0: there is none, and every minute is in it */
	char zone
		[WINDOW_ZONE_MAX]; /* letters, digits, and _ + - with / between: a name below the table of zones, never a path out of it; "" if there is none */
};

bool window_is_none(const struct window *w);
/* -MALFORMED; then *ret is as it was. */
int window_take(const char *text, struct window *ret, struct err *e);
/* "" of none. */
void window_put(const struct window *w, char ret[WINDOW_TEXT_MAX]);
bool window_has(const struct window *w, uint32_t minute);
/* Whether each minute of inner is one of outer. Of two zones nobody says. */
bool window_is_within(const struct window *inner, const struct window *outer);
bool window_is_well_formed(const struct window *w);

void window_encode(const struct window *w, struct buf *out);
/* Fails the cursor on what window_take could not have given. */
void window_decode(struct rbuf *in, struct window *ret);

#endif
