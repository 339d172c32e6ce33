/* agent - a key for ssh: the cell's agent, and who lets it sign.
 *
 * Owns:   struct agent_roles: the connections to the roles ambit-ssh and ambit-sign, which the library started.
 * Holds:  who may be signed for, and at which host, is said here, from the grants, before anything runs, and later only who may
 *         not any more. The keys of hosts that come back are the person's own; the cell gets them as a file.
 * Called: supervisor/network.c. */
#ifndef SUPERVISOR_AGENT_H
#define SUPERVISOR_AGENT_H

#include "cell/spec.h"
#include "supervisor/request.h"

struct agent_roles {
	int role, signer;  /* owned, -1: no key is granted */
	uint32_t endpoint; /* of the cell, at which the role answers; CELL_ENDPOINTS_MAX: none */
};

void agent_roles_init(struct agent_roles *a);
void agent_roles_finish(struct agent_roles *a);

/* Tells the roles what is allowed, and adds to spec the keys of hosts that are known. -PROTOCOL: there are grants and no roles. -GONE; what the signer
 * says: -NOT_FOUND, no key of the host is known, or the agent has none. */
int agent_begin(struct agent_roles *a, const struct event_request *q, struct cell_spec *spec, struct err *e);
/* What listens in the cell, borrowed. 0 or -errno. */
int agent_listen(struct agent_roles *a, int fd);
/* From now on nothing is signed for the grants of this connection (network_connection). Never waits: a signer that does not take it ends. */
void agent_withdraw(struct agent_roles *a, const struct grant_set *set, const char *connection);

#endif
