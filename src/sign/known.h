/* known - which keys the person knows a host by: known_hosts, as sshd(8) describes it.
 *
 * Owns:   struct known, the keys of one host.
 * Holds:  a key is known if a line has the host's name, written or hashed, and no line of any file revokes it for that host. Keys of authorities
 *         are not looked at, nor what is of no algorithm here.
 * Called: role ambit-sign. Files are the person's own. HMAC is libcrypto's. */
#ifndef SIGN_KNOWN_H
#define SIGN_KNOWN_H

#include "sign/link.h"

#define KNOWN_MAX 16 /* of one host: it has a handful */

struct known {
	uint32_t n, n_revoked;
	struct sign_key key[KNOWN_MAX], revoked[KNOWN_MAX];
};

/* Adds what a file says of the host (sign_grant's text). False: there are more than fit, and none of them may be used. */
bool known_read(struct known *k, struct span text, const char *host);
/* When all files were read: takes out what is revoked. */
void known_settle(struct known *k);

/* Whether a list of names (one field of a line) has the host. */
bool known_matches(struct span names, const char *host);

#endif
