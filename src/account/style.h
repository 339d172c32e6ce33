/* style - how the page looks: on a screen, light or dark, and on paper.
 *
 * Owns:   the one style of the page.
 * Holds:  nothing in it is fetched. Contrast of texts is 7 to 1 or more, of what is beside the point 4.5.
 * Called: account/paper.c. */
#ifndef ACCOUNT_STYLE_H
#define ACCOUNT_STYLE_H

extern const char account_style[];

#endif
