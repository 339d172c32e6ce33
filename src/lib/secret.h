/* secret - asking the role ambit-secret.
 *
 * Owns:   where the person's secrets and their key are: $XDG_STATE_HOME/ambit/secrets (lib/state.h) and $XDG_CONFIG_HOME/ambit/secret-key, or
 *         ~/.config/ambit/secret-key: two places, so that a copy of one gives nothing. struct secret_role: one that gives secrets to an event.
 * Holds:  no value ever comes here, but for commands that give one, in the words in which the person named them. A role is started for each
 *         question, and ends with it.
 * Called: lib, the command line. */
#ifndef LIB_SECRET_H
#define LIB_SECRET_H

#include <stdbool.h>

#include "secret/link.h"
#include "supervisor/request.h"

/* Each -NOT_FOUND, -DENIED, -MALFORMED, -LIMIT, ... with what the person can do. */

/* input_fd: as set->source says, borrowed; -1 for a command. *ret_replaced: there was one of that name. */
int secret_set(const struct secret_set *set, int input_fd, struct secret_row *ret, bool *ret_replaced, struct err *e);
/* Calls take for each, in the order of their names; a negative answer ends it and is given back. */
int secret_list(int (*take)(void *arg, const struct secret_row *row), void *arg, struct err *e);
int secret_remove(const char *name, struct err *e);

struct secret_role {
	int pidfd, fd; /* owned, -1 if none */
};

/* For an event: starts the role, which then gives any number of secrets. Commands have the terminal of the person as their standard input,
 * if this process is in its foreground. -NOT_FOUND: the person has none. */
int secret_role_start(struct secret_role *ret, struct err *e);
/* Has it sent by HTTP_SECRET (wire/messages.def) over `to`, which is borrowed; waits for a command that gives it. host: of the endpoint for which it is
 * granted, in its normal form: a name, a pattern, an address without brackets. -NOT_FOUND, -DENIED: bound to others, or its command failed. */
int secret_give(const struct secret_role *role, const char *name, const char *host, int to, struct err *e);
/* Also of one that was not started. */
void secret_role_finish(struct secret_role *role);

/* A terminal of the person's, opened for both, if this process is in its foreground; else -1. The caller owns it. */
int secret_terminal(void);

/* Into the request: what no cell sees, with the approver's keys (lib/approve.h) and the person's authority. -USAGE: something in it is granted. What a cell might make where they are missing is made. */
int secret_keep_out(struct event_request *q, struct err *e);

#endif
