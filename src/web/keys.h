/* keys - the keys with which an issuer signs its tokens (JWK sets, RFC 7517).
 *
 * Owns:   struct keys.
 * Holds:  a key is one of the three kinds below, with which nothing but a signature can be checked: nothing that is secret, and no secret that is shared, is taken. A set of which no key is of use is refused.
 * Called: role ambit-web; jwt.c. OpenSSL does what is hard. */
#ifndef WEB_KEYS_H
#define WEB_KEYS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define KEYS_MAX 32
#define KEYS_RSA_BITS_MIN 2048
#define KEYS_RSA_BITS_MAX 8192

enum key_kind { KEY_RS256, KEY_ES256, KEY_EDDSA, KEY_KINDS };
const char *key_kind_word(enum key_kind k); /* as tokens and keys have it */

struct keys {
	size_t n;
	struct key {
		char id[128]; /* "": it has none */
		enum key_kind kind;
		EVP_PKEY *key; /* owned */
	} keys[KEYS_MAX];
};

/* On failure *ret is empty: -MALFORMED, -LIMIT. */
int keys_take(struct keys *ret, const char *text, size_t n, struct err *e);
/* The same of a file of n_max bytes at most, from where it stands. */
int keys_read(struct keys *ret, int fd, size_t n_max, struct err *e);
void keys_finish(struct keys *k);

/* Appends the bytes of a text of base64url without padding (RFC 7515, 2). False: it is none. */
struct buf;
bool base64url_take(struct buf *out, const char *text, size_t n);

#endif
