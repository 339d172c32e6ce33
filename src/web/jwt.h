/* jwt - an access token (RFC 9068), which an issuer signed.
 *
 * Owns:   nothing.
 * Holds:  good is what one of the keys signed, by the algorithm of that key and no other (`none`, and what two share a secret for, are none of ours), for us, by that issuer, and now. What is not understood and
 *         must be (`crit`) is refused. Nothing of a token is kept but a digest of whose it is.
 * Called: role ambit-web; pure. */
#ifndef WEB_JWT_H
#define WEB_JWT_H

#include <stdint.h>

#include "base/sha256.h"
#include "web/keys.h"

#define JWT_MAX 8192u
#define JWT_LEEWAY_S 60u /* two clocks differ by so much */

struct jwt_rules {
	const char *issuer, *audience; /* borrowed */
	const char *scope;             /* words, all of which it must have; "": none */
	const struct keys *keys;
	uint64_t now_s;
};

enum jwt_verdict { JWT_GOOD, JWT_BAD, JWT_NARROW /* good, and not for that */ };

struct jwt {
	uint8_t who[SHA256_BYTES]; /* a digest of issuer, subject and client */
	uint64_t until_s;
};

/* *ret_why: as the end of a sentence, unless it is GOOD; *ret is filled if it is. */
enum jwt_verdict jwt_check(const char *token, size_t n, const struct jwt_rules *rules, struct jwt *ret,
			   const char **ret_why);

#endif
