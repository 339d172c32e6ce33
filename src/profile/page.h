/* page - a profile as one page of HTML, with drawings.
 *
 * Owns:   the order of the page and its words; how many rows a table has.
 * Holds:  names of a profile are of whatever programs ran: nothing of them is markup (paper/paper.h). The page has no script and fetches nothing. What is left out is counted. The same profile gives the same page.
 * Called: profile/shown.c, in a cell; pure. */
#ifndef PROFILE_PAGE_H
#define PROFILE_PAGE_H

#include "profile/profile.h"

#define PAGE_ITEMS 40 /* of a kind */
#define PAGE_RUNS 25

/* out fails where there is no room for it, or no memory. */
void page_of_profile(const struct profile *p, struct buf *out);

#endif
