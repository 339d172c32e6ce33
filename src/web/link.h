/* link - what the command line and the role ambit-web tell each other.
 *
 * Owns:   the bodies of the messages WEB_* (wire/messages.def).
 * Holds:  all are of fixed size, and what was put is taken again. A token is told by its digest alone.
 * Called: web, cli; pure. */
#ifndef WEB_LINK_H
#define WEB_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"

#define WEB_PATH "/mcp"
#define WEB_URL_MAX 256 /* of an issuer, an audience, an origin; with its NUL */
#define WEB_SCOPE_MAX 256
#define WEB_ORIGINS_MAX 8
#define WEB_KEYS_MAX (64u << 10) /* of a file of keys */
#define WEB_TOKEN_MIN 32u        /* of one that a file has */
#define WEB_TOKEN_MAX 512u
#define WEB_SERVERS_MAX 32 /* sessions at one time */

enum web_auth {
	WEB_AUTH_NONE,  /* whoever connects may: of whom the command line has seen whose they are */
	WEB_AUTH_TOKEN, /* who has that one token */
	WEB_AUTH_OAUTH, /* who has a token of the issuer's */
	WEB_AUTH_COUNT
};

/* WEB_BEGIN; with OAUTH one descriptor: a file of the issuer's keys (RFC 7517). WEB_KEYS is another such file, which takes its place, or is refused by WEB_FAILED, and all is as it was. */
struct web_begin {
	uint32_t auth;             /* enum web_auth */
	uint32_t depth, values;    /* what the servers take of JSON (rpc/parse.h) */
	uint32_t port;             /* where we listen */
	char address[WEB_URL_MAX]; /* likewise, as clients name it in Host: without brackets */
	uint8_t token[SHA256_BYTES];
	char issuer[WEB_URL_MAX], audience[WEB_URL_MAX], scope[WEB_SCOPE_MAX];
	char origins[WEB_ORIGINS_MAX][WEB_URL_MAX]; /* "": no more */
};
#define WEB_BEGIN_BYTES (4 * 4 + SHA256_BYTES + 3 * WEB_URL_MAX + WEB_SCOPE_MAX + WEB_ORIGINS_MAX * WEB_URL_MAX)
void web_begin_put(struct buf *out, const struct web_begin *b);
bool web_begin_take(struct rbuf *in, struct web_begin *ret);

/* WEB_OPEN asks for one more process that serves; WEB_SERVER is the stream to it, or, without a descriptor, says that there is none. A process ends with its stream. */
void web_number_put(struct buf *out, uint32_t number);
bool web_number_take(struct rbuf *in, uint32_t *ret);

#endif
