/* network - the roles that connect an event: ambit-net in a cell of its own and ambit-dial on the host; with a key for ssh also ambit-ssh in a
 * cell and ambit-sign on the host; for each grant with terms an ambit-http in a cell, and where one has a secret, ambit-secret on the host, for the start.
 *
 * Owns:   struct network_roles: all of them, and until the supervisor has them, the connections to them.
 * Holds:  one set for each event that was granted `connect` or `listen`, never shared. All end when the supervisor has gone.
 * Called: lib/event.c. */
#ifndef LIB_NETWORK_H
#define LIB_NETWORK_H

#include <stdbool.h>

#include "ambit/ambit.h"
#include "base/err.h"
#include "core/grant.h"
#include "net/link.h"

struct network_roles {
	struct ambit_event *relay; /* owned: its cell; NULL: there is none */
	int dialer_pidfd;          /* owned */
	int relay_fd, dialer_fd;   /* owned: the supervisor's ends */
	struct ambit_event *agent; /* owned: the cell of ambit-ssh; NULL: there is none */
	int signer_pidfd;          /* owned */
	int agent_fd, signer_fd;   /* owned: the supervisor's ends */
	uint32_t n_http;           /* roles ambit-http, in the order of the grants */
	struct {
		struct ambit_event *cell; /* owned */
		int fd;                   /* owned: the supervisor's end */
		int vault_fd;             /* owned: by which its secret is given once more, where that may be; -1 */
	} http[LINK_HTTP_MAX];
};

void network_roles_init(struct network_roles *n);
bool network_roles_are_needed(const struct grant_set *grants);
/* What an ordinary cell needs, and no less: else -HOST, with what is missing. */
int network_roles_start(struct network_roles *n, struct err *e);
/* Whether one of the grants has a key in it. */
bool network_wants_agent(const struct grant_set *grants);
/* A connection to the person's ssh agent, which is asked nothing here; the caller owns it. wanted: what for, as "a key for ssh is granted". -NOT_FOUND. */
int network_call_agent(const char *wanted, int *ret_fd, struct err *e);
/* The roles for it. home: where the person's known_hosts are. -NOT_FOUND: no agent answers. */
int network_agent_start(struct network_roles *n, const char *home, struct err *e);
/* Whether one of the grants has terms, so that the cell has authorities of its own. */
bool network_wants_judges(const struct grant_set *grants);
/* For each grant that has terms a role that judges its requests, with the authorities that the person's own programs trust, and its secret, which
 * this process never has; renews: a later one can be given. -LIMIT; -NOT_FOUND: no authorities; what ambit-secret says. */
int network_http_start(struct network_roles *n, const struct grant_set *grants, bool renews, struct err *e);
/* The secret of that grant with terms, the first of them is 0, once more: it was renewed meanwhile. What is under way goes on with what it has. As secret_give; -USAGE: it has none, or two. */
int network_renew(struct network_roles *n, uint32_t i, const char *name, const char *host, struct err *e);
/* The supervisor has gone: ends all of them. */
void network_roles_finish(struct network_roles *n);

#endif
