/* channel - bytes to and from a witness: over a socket that was connected by somebody else, plain or through TLS.
 *
 * Owns:   the TLS session. The socket and the certificates are the caller's.
 * Holds:  all of it ends by a deadline. With TLS a certificate must be for the host that was named, by an authority of those given; TLS
 *         1.2 at least. No name is looked up, nothing is connected, no file is opened: there is none.
 * Called: witness/main.c, ask, bridge. TLS is OpenSSL's. */
#ifndef WITNESS_CHANNEL_H
#define WITNESS_CHANNEL_H

#include <openssl/ssl.h>

#include "witness/ask.h"

struct channel {
	int fd; /* borrowed; does not block */
	uint64_t deadline_ms;
	SSL_CTX *context; /* owned, NULL: plain */
	SSL *tls;         /* owned */
};

/* For who waits by himself: what believes these authorities (PEM) and nobody else; NULL: there are none. And whom a session of it expects, by address or by name. */
SSL_CTX *channel_trust(struct span authorities);
bool channel_expect(SSL *tls, const char *host);

/* What must be done before the role is locked down. */
void channel_prepare(void);
/* authorities: PEM, for TLS. COSIGNED: it is open; else why not. */
enum witness_outcome channel_open(struct channel *c, int fd, const struct witness_url *url, struct span authorities);
void channel_close(struct channel *c);
/* All of it. COSIGNED, or why not. */
enum witness_outcome channel_write(struct channel *c, const void *bytes, size_t n);
/* What is there, at least one byte; *ret_n 0: the end. COSIGNED, or why not. */
enum witness_outcome channel_read(struct channel *c, void *bytes, size_t n, size_t *ret_n);

#endif
