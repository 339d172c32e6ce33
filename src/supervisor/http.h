/* http - who judges the requests of grants that have terms: a role ambit-http for each.
 *
 * Owns:   struct http_roles: the connections to them, which the library started.
 * Holds:  a role is told its grant's terms and where it leads before anything runs, and nothing of any other grant; it gets its connections from
 *         the dialer. What it says is the certificate of its authority, which the cell trusts, and what was asked for.
 * Called: supervisor/network.c. */
#ifndef SUPERVISOR_HTTP_H
#define SUPERVISOR_HTTP_H

#include "cell/spec.h"
#include "http/link.h"
#include "net/link.h"
#include "supervisor/request.h"

struct http_roles {
	uint32_t n;
	struct {
		int fd;            /* owned; -1: it has gone */
		uint32_t endpoint; /* of the cell */
	} role[LINK_HTTP_MAX];
};

void http_roles_init(struct http_roles *h);
void http_roles_finish(struct http_roles *h);
/* One more came from the library, in the order of the grants; taken. False: there is no room. */
bool http_roles_add(struct http_roles *h, int *fd);

/* Introduces each to the dialer, which knows the endpoints, tells it its terms, and puts the certificates of their authorities into spec. -PROTOCOL: there are terms and no
 * roles. -GONE; what a role says: its secret did not come. */
int http_begin(struct http_roles *h, const struct event_request *q, struct cell_spec *spec, int dialer, struct err *e);
/* The cell is dead: what was asked for of the k-th role, by its word. False: it does not say. */
bool http_used(struct http_roles *h, uint32_t k, struct http_used *ret);

#endif
