/* labelled - the file that says that there are labels, or were, for who asks before each event (lib/authority.h).
 *
 * Owns:   nothing.
 * Holds:  it is on disk before a step is answered after which a badge or a mark has labels, or a grant brings some. What would be closed by some is not, as long as there are none. It is never removed:
 *         that it is not there says that nobody has to ask; that it is says nothing.
 * Called: the role ambit-authority. Results are 0 or -errno. */
#ifndef AUTHORITY_LABELLED_H
#define AUTHORITY_LABELLED_H

#include "core/authority.h"

struct labelled {
	int dir_fd;    /* borrowed */
	bool is_there; /* for certain */
};

/* Made, if the state has labels and it is missing: a backup came without it, or it was taken away. */
int labelled_open(struct labelled *l, int dir_fd, const struct authority *a);
/* By a step that is kept, before it counts. */
int labelled_keep(struct labelled *l, const struct authority_request *q, const struct authority_answer *answer);

#endif
