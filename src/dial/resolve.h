/* resolve - the addresses of a name, as the host knows them.
 *
 * Owns:   struct resolver: processes of its own that ask the host's resolver, since that waits, and reads what servers answer.
 * Holds:  a resolver process is never root, reads what systems keep about names, asks name servers, and is told nothing but a name; no service of
 *         the host is asked by a Unix socket. What it answers is of fixed size, and is checked by who asked.
 * Called: role ambit-dial: resolver_start before the role is confined. */
#ifndef DIAL_RESOLVE_H
#define DIAL_RESOLVE_H

#include <poll.h>

#include "base/err.h"
#include "core/address.h"
#include "core/host.h"

#define RESOLVERS 4
#define RESOLVED_MAX 16

struct resolved {
	uint32_t n; /* 0: there is no such name, or nobody could be asked */
	struct address address[RESOLVED_MAX];
};

struct resolver {
	int sock[RESOLVERS];     /* owned, -1 before the start */
	uint32_t job[RESOLVERS]; /* of the caller's */
	bool busy[RESOLVERS];
};

void resolver_init(struct resolver *r);
int resolver_start(struct resolver *r, struct err *e); /* -SYSTEM */
/* 1; 0: all are busy; none is left: -GONE. job comes back with the answer. */
int resolver_ask(struct resolver *r, const struct host_name *name, uint32_t job);
/* Entries for poll, RESOLVERS of them. */
void resolver_watch(const struct resolver *r, struct pollfd *p);
/* What the one at index i says, whose entry is ready. One that went, or says what it may not, is not asked again, and has found nothing.
 * False: it was not asked. */
bool resolver_take(struct resolver *r, unsigned i, uint32_t *ret_job, struct resolved *ret);

#endif
