/* known - what was asked for in the events that entries are about.
 *
 * Owns:   the last KNOWN_MAX requests.
 * Holds:  what is given is of that event, and of its first request: what comes once more, and may be anybody's, describes none of its
 *         entries. Of one that was forgotten, or whose request is not there, nothing is given.
 * Called: export/ocsf.c; pure. Zeroed memory knows nothing. */
#ifndef EXPORT_KNOWN_H
#define EXPORT_KNOWN_H

#include "core/grant.h"
#include "core/id.h"
#include "ledger/entry.h"

#define KNOWN_MAX 128
#define KNOWN_COMMAND_MAX 512

struct known_event {
	char event[ID_TEXT_MAX]; /* empty: free */
	char command[KNOWN_COMMAND_MAX];
	char program[GRANT_OBJECT_MAX], agent[128], workdir[GRANT_OBJECT_MAX];
};

struct known {
	struct known_event events[KNOWN_MAX];
	size_t next; /* the one that goes next */
};

void known_take(struct known *k, const struct entry *request);
/* NULL: it is not known. */
const struct known_event *known_find(const struct known *k, const char *event);

#endif
