/* authority - who certifies, in one cell only, that ambit-http is the host that a grant names.
 *
 * Owns:   struct authority: a key that was made for this process and goes with it, and the certificates that it signed.
 * Holds:  neither key leaves the process. The authority's own certificate says that it may speak for the hosts of its grant alone (name constraints, RFC 5280, 4.2.1.10), critically;
 *         of `*:PORT` it may for any. Nothing outside of the cell trusts it.
 * Called: role ambit-http. OpenSSL 3.0. */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include <openssl/ssl.h>

#include "core/endpoint.h"

#define AUTHORITY_DER_MAX 1024

struct authority;

/* NULL: the library has no memory or no randomness. */
struct authority *authority_create(const struct endpoint *of);
void authority_free(struct authority *a);
/* Its certificate (X.509, DER); 0: it does not fit. */
size_t authority_put(const struct authority *a, uint8_t room[AUTHORITY_DER_MAX]);
/* Has the server of a connection show a certificate for this host, by its name or its address. False: it cannot. */
bool authority_certify(struct authority *a, const struct host_name *name, const struct address *address, SSL *tls);

#endif
