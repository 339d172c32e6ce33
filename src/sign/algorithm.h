/* algorithm - the keys and signatures of SSH that are known here.
 *
 * Owns:   the one table (RFC 4253, 5656, 8332, 8709; OpenSSH's PROTOCOL.u2f).
 * Holds:  what is not in it is neither shown nor signed with: SHA-1, DSA, certificates.
 * Called: the roles ambit-ssh and ambit-sign; pure. */
#ifndef SIGN_ALGORITHM_H
#define SIGN_ALGORITHM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum algorithm {
	ALGORITHM_NONE,
	ALGORITHM_ED25519,
	ALGORITHM_P256,
	ALGORITHM_P384,
	ALGORITHM_P521,
	ALGORITHM_RSA_SHA256,
	ALGORITHM_RSA_SHA512,
	ALGORITHM_SK_ED25519,
	ALGORITHM_SK_P256,
	ALGORITHM_COUNT
};

const char *algorithm_name(enum algorithm a);
/* The type of the keys that sign so: the name, but for RSA. */
const char *algorithm_key(enum algorithm a);
/* What asks an agent for it. */
uint32_t algorithm_flags(enum algorithm a);
/* Whether a host proves with it who it is; then of how many bytes each of the two numbers of its signature is, 0: it is no pair. */
bool algorithm_proves(enum algorithm a);
size_t algorithm_half(enum algorithm a);

/* NONE: not known. */
enum algorithm algorithm_find(struct span name);
/* The first that signs with this key, by the type in its blob. */
enum algorithm algorithm_of_key(struct span blob);

#endif
