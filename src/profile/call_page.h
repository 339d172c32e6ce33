/* call_page - what is usual of a server's calls, as one page of HTML.
 *
 * Owns:   the order of the page and its words; how many rows a table has.
 * Holds:  as page.h: names and values are a client's and a server's, and nothing of them is markup.
 * Called: profile/shown.c, in a cell; pure. */
#ifndef PROFILE_CALL_PAGE_H
#define PROFILE_CALL_PAGE_H

#include "profile/call_form.h"

/* out fails where there is no room for it, or no memory. */
void page_of_calls(const struct call_profile *p, struct buf *out);

#endif
