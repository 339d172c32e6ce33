/* url - the address of a server that a person names: where it is, and what is asked for there.
 *
 * Owns:   struct url, and the one way of reading it.
 * Holds:  `https://HOST[:PORT][/PATH][?QUERY]`; or `http://` where HOST is this machine's loopback (an address of it, or `localhost`, which is 127.0.0.1). HOST is one name or one address. No user, no fragment; the
 *         path has a normal form (core/http_path.h), and a query has no byte that would have to be encoded.
 * Called: the command line, the role ambit-bridge, on what the command line was told; pure. */
#ifndef CORE_URL_H
#define CORE_URL_H

#include "core/endpoint.h"
#include "core/http_path.h"

#define URL_TARGET_MAX 1024 /* with its NUL */
#define URL_TEXT_MAX (URL_TARGET_MAX + ENDPOINT_TEXT_MAX + 16)

struct url {
	bool tls;
	struct endpoint at;               /* NAME, or a RANGE of one address */
	char host[HOST_NAME_MAX_LEN + 1]; /* of it: a name, or an address without brackets */
	char target[URL_TARGET_MAX];      /* path and query, as they stand in a request */
	char path[HTTP_PATTERN_MAX];      /* in its normal form */
};

/* -USAGE says what is wrong, and how to write it. */
int url_take(const char *text, struct url *ret, struct err *e);
/* The host as a field Host has it, and as an origin: with brackets, and with the port where it is not the scheme's own. */
void url_host(const struct url *u, char ret[ENDPOINT_TEXT_MAX]);
/* Whether both are asked for at the same host, by the same scheme, at the same port. */
bool url_is_same_origin(const struct url *a, const struct url *b);
/* All of it, in that one way. */
void url_put(const struct url *u, char ret[URL_TEXT_MAX]);

#endif
