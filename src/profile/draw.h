/* draw - numbers of a profile as small drawings: of characters for a terminal, or as SVG for a page.
 *
 * Owns:   the form of both, and the style that those of a page have.
 * Holds:  a drawing is made of numbers and of words of ours, and of nothing that a profile has as text; so it is never more than what it looks like. It has a bounded size, whatever the numbers are.
 * Called: profile/show.c, page.c; pure. */
#ifndef PROFILE_DRAW_H
#define PROFILE_DRAW_H

#include "profile/seen.h"

/* ---- of characters ---- */

/* What they go to. */
struct draw_face {
	uint32_t columns; /* 0: as many as one likes */
	bool ascii, colour;
};

#define DRAW_LINE_MAX 48
/* How many characters wide a drawing may be beside so much; 0: it is left out. */
uint32_t draw_room(const struct draw_face *f, uint32_t beside, uint32_t most);
/* Where its amounts lie, from the least to the most. */
void draw_line_amounts(struct buf *out, const struct draw_face *f, const struct sketch *s, uint32_t columns);
/* The last ones, the newest last; what is above the threshold of PROMISED_LOG in another colour, where there are any. */
void draw_line_scores(struct buf *out, const struct draw_face *f, const struct seen_ring *r, uint32_t columns);

/* ---- of a page ---- */

extern const char draw_style[];
/* All of them, the oldest first, with the thresholds. */
void draw_scores(struct buf *out, const struct seen_ring *r);
void draw_amounts(struct buf *out, const struct sketch *s);
/* Promised rates, and the parts that were flagged. */
void draw_promised(struct buf *out, const struct seen_ps *ps);
/* A bar: 0 to 1. */
void draw_part(struct buf *out, double part);

#endif
