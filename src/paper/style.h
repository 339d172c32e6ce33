/* style - how the page looks: on a screen, light or dark, and on paper.
 *
 * Owns:   the style of all pages.
 * Holds:  nothing in it is fetched. Contrast of texts is 7 to 1 or more, of what is beside the point 4.5.
 * Called: paper/paper.c. */
#ifndef PAPER_STYLE_H
#define PAPER_STYLE_H

extern const char paper_style[];

#endif
