/* resume - sessions of TLS towards hosts, so that a later connection to the same one needs no certificate read and no signature checked.
 *
 * Owns:   struct resume: sessions that a host gave, each with the host that had proved itself in it.
 * Holds:  one serves that very host alone (name or address, and port); one of TLS 1.3 once (RFC 8446, C.4). Nothing is sent before a handshake is over. It lives as long as the process, which is one event's grant.
 * Called: http/session.c. OpenSSL 3.0. */
#ifndef HTTP_RESUME_H
#define HTTP_RESUME_H

#include <openssl/ssl.h>

#include "http/judge.h"

#define RESUME_MAX 64

struct resume {
	struct {
		struct http_host host;
		SSL_SESSION *session; /* owned; NULL: free */
	} at[RESUME_MAX];
	unsigned next; /* is given up for a new one */
};

/* Takes over the session. */
void resume_keep(struct resume *r, const struct http_host *host, SSL_SESSION *session);
/* The caller's to free; the latest of that host. NULL: there is none. */
SSL_SESSION *resume_take(struct resume *r, const struct http_host *host);

#endif
