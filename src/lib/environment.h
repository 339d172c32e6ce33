/* environment - the few variables that a cell has.
 *
 * Owns:   the vector: the base's own variables, then what `env` grants name.
 * Holds:  nothing of the caller's environment goes in but what a grant names, and TERM for a terminal.
 * Called: lib only. */
#ifndef LIB_ENVIRONMENT_H
#define LIB_ENVIRONMENT_H

#include "supervisor/request.h"

#define CELL_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
	char *entries[CELL_ARGS_MAX]; /* owned texts, ends with NULL */
	size_t n;
};

/* from: what grants pass on, "NAME=value" up to NULL; NULL: the process's own. trusting: the cell will have authorities of its own, and programs are told where they are. What is granted goes over it. */
int environment_make(const struct event_request *q, char *const *from, bool terminal, bool trusting,
		     struct environment *ret, struct err *e);
void environment_finish(struct environment *env);
const char *environment_get(const struct environment *env, const char *name);

#endif
