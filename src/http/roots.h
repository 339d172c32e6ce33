/* roots - the authorities that certify hosts, each read when a host names it.
 *
 * Owns:   struct roots: the certificates of a bundle as they are encoded.
 * Holds:  to decode one costs a third of a millisecond (OpenSSL 3.0), and a system has 140 of them: only those are that bear the name which a chain leads to. Where none has that name byte by byte
 *         all are decoded, once: OpenSSL compares names, and knows which writings are one name.
 * Called: http/session.c, before files can no longer be opened and after. X509_LOOKUP_meth_new(3), of OpenSSL 1.1.1. */
#ifndef HTTP_ROOTS_H
#define HTTP_ROOTS_H

#include <openssl/ssl.h>

#include "base/buf.h"

#define ROOTS_MAX 4096
#define ROOTS_BYTES_MAX (4u << 20)

struct root {
	uint32_t at, n; /* in der; n 0: it is in the store */
};

struct roots {
	struct buf der;     /* owned: all of them, one after the other */
	struct root *roots; /* owned */
	uint32_t n;
	X509_LOOKUP_METHOD *method; /* owned, borrowed by the store */
};

/* Takes what is a certificate in a file of PEM. What lies beyond the bounds is not taken. False: there is none, or memory is gone. */
bool roots_read(struct roots *r, const void *pem, size_t n);
/* The context believes them from then on, which must not live longer. */
bool roots_serve(struct roots *r, SSL_CTX *context);
void roots_finish(struct roots *r);

#endif
