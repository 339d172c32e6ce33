/* roles - sessions in use: the processes that keep them.
 *
 * Owns:   struct roles: for each the connection to its process, held by a pidfd.
 * Holds:  a session has one process at most; whoever wants it gets a connection to that. It goes when nobody is connected and nothing runs, and nobody is on
 *         the way to it. What it says counts, and decides nothing.
 * Called: serve. */
#ifndef SERVE_ROLES_H
#define SERVE_ROLES_H

#include <poll.h>
#include <stdbool.h>

#include "session/link.h"

#define ROLES_MAX 1024

struct session_role {
	char session[ID_TEXT_MAX]; /* "": a free place */
	int sock, pidfd;           /* owned */
	uint64_t sent;             /* clients */
	struct role_state now;
};

struct roles {
	int sessions_fd;    /* borrowed */
	char **environment; /* borrowed: what a role is to know of the person's */
	struct session_role role[ROLES_MAX];
	unsigned n;             /* in use */
	struct role_state gone; /* the sums of those that went */
	uint64_t made;          /* sessions */
};

void roles_init(struct roles *r, int sessions_fd, char **environment);
void roles_finish(struct roles *r);

/* A connection to the session, owned: its role is started if it has none. description_fd (borrowed) is of a new session, or of one that is to be the same
 * as the one that is there; -1: it is there. -LIMIT, -NOT_FOUND. */
int roles_connect(struct roles *r, const char *session, bool is_new, int description_fd, int *ret_fd, struct err *e);
/* One for each role; step takes them back, before any other is started. */
unsigned roles_wants(const struct roles *r, struct pollfd *ret);
void roles_step(struct roles *r, const struct pollfd *polled, unsigned n);
/* Of one session that is in use. ret may be NULL. */
bool roles_state(const struct roles *r, const char *session, struct role_state *ret);
void roles_sum(const struct roles *r, struct role_state *ret);

#endif
