/* tally - what was asked for, and how often: by host, method, rule and status.
 *
 * Owns:   struct http_used (http/link.h), as it grows.
 * Holds:  a request that was sent is told by the pattern of its rule, so that there are few rows, or, for who learns, by its own kind (core/http_shape.h) and each field of
 *         GraphQL that it asked for, as long as that leaves room for the rules; one that was refused by what it asked for. What has no
 *         row is counted alone: of what was sent that is first what hosts did not do, by their status.
 * Called: http/serve.c; pure. */
#ifndef HTTP_TALLY_H
#define HTTP_TALLY_H

#include "http/judge.h"
#include "http/link.h"

/* one_host: the grant is of one, which is not named each time. */
void tally_add(struct http_used *u, const struct terms *t, const struct http_host *host, bool one_host, bool learns,
	       const struct http_asked *asked, unsigned status);

#endif
