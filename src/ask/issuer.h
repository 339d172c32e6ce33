/* issuer - who can be asked what a credential may do, and how.
 *
 * Owns:   the table of issuers: the one request that is made to each, and what their answers tell.
 * Holds:  pure data, of which both who makes the grant and who makes the request read: they ask for the same.
 * Called: the command line, ambit-ask; pure. */
#ifndef ASK_ISSUER_H
#define ASK_ISSUER_H

#include <stdbool.h>

enum issuer {
	ISSUER_GITHUB,
	ISSUER_GITLAB,
	ISSUER_NPM,
	ISSUER_SLACK,
	ISSUER_OAUTH, /* whoever has an endpoint for introspection (RFC 7662): its address is the person's word */
	ISSUER_COUNT
};

struct issuer_row {
	const char *word; /* as a person names it */
	const char *name; /* for messages */
	const char *host; /* its own; it may be run elsewhere; "": it has none */
	const char *method;
	const char *path; /* there; "": as it is named */
	const char *path_elsewhere;
	bool tells_scopes;
	bool tells_expiry;
};

const struct issuer_row *issuer_row(enum issuer which);
bool issuer_find(const char *word, enum issuer *ret);
/* What is asked for at this host. */
const char *issuer_path(enum issuer which, const char *host);

#endif
