/* web - a server of standard input and output for whoever comes by HTTP.
 *
 * Owns:   where it listens, the role ambit-web, and a process for each session, whose standard input and output are a stream to the role.
 * Holds:  nothing that a client says is read here. Without authorization only processes of the same user are let in, by the kernel's word, and only on this machine's own loopback. The role knows of a token its digest,
 *         and of an issuer the public keys. A session is served by itself: what happens to one is no other's. They end with us.
 * Called: mcp.c, guard.c. */
#ifndef CLI_WEB_H
#define CLI_WEB_H

#include <stdint.h>

#include "base/err.h"
#include "web/link.h"

/* Of the flags, for the help of both commands. */
#define WEB_HELP                                                                                                                        \
	"  --http [ADDRESS:]PORT   listens there by HTTP, at the path /mcp: 32 sessions at once; 0 is a port that is free, and told.\n" \
	"                      On 127.0.0.1, if no address is named; another than loopback wants authorization\n"                       \
	"  --token-file FILE   who comes by HTTP shows the token that is in it (made, if it is not there)\n"                            \
	"  --issuer URL        who comes by HTTP shows a token that this issuer signed,\n"                                              \
	"  --audience URL      for us, as it calls us there,\n"                                                                         \
	"  --jwks FILE         with one of these keys,\n"                                                                               \
	"  --scope WORDS       and with all of these scopes\n"                                                                          \
	"  --origin ORIGIN     pages of it may ask, and our host may be called so (https://app.example.com; more than once)\n"

struct web_options {
	const char *where; /* [ADDRESS:]PORT; NULL: not at all */
	const char *token_file, *issuer, *audience, *keys, *scope;
	const char *origins[WEB_ORIGINS_MAX];
	unsigned n_origins;
};

/* What is wrong with them: -USAGE. */
int web_check(const struct web_options *o, struct err *e);
/* Until a signal ends it: 0. In the process of each session it gives 1 at once, and that process serves descriptors 0 and 1, has no others but the standard ones, and the signals that there were. depth, values: what it
 * takes of JSON. -CONFLICT, -SYSTEM, -UNTRUSTED, -GONE, -USAGE. */
int web_serve(const struct web_options *o, uint32_t depth, uint32_t values, struct err *e);

/* web_auth.c: of the issuer's keys a copy, which the caller owns; *changed: what the file is like, by which it is seen that it is another (0: it was not read yet). 0: it is as it was. 1. */
struct stat;
int web_keys_renew(const char *path, struct stat *changed, int *ret, struct err *e);
/* What the role is told of who may ask, but for keys. */
int web_auth_take(const struct web_options *o, struct web_begin *b, struct err *e);

#endif
