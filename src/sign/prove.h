/* prove - whether a session is one with the holder of a host's key.
 *
 * Owns:   struct prover, the host's key as libcrypto has it.
 * Holds:  a key exchange ends with the host's signature of its hash, which is what the session is called by (RFC 4253, sections 7.2 and 8): only
 *         who has the key can have made it, and for this exchange alone. What is signed with a host's key for other purposes is longer than any hash
 *         (hostkeys-prove-00@openssh.com), and begins with a length.
 * Called: role ambit-sign. The key's blob is the person's own; the rest is of fixed sizes. */
#ifndef SIGN_PROVE_H
#define SIGN_PROVE_H

#include "sign/link.h"

#define PROVE_RSA_BITS_MIN 1024 /* as ssh has it (RequiredRSASize) */

struct prover {
	void *key; /* owned, EVP_PKEY; NULL */
};

void prove_prepare(void); /* libcrypto, while its files may still be looked for: none is */
/* False: no key of a known kind, or too short. */
bool prover_init(struct prover *p, struct span blob);
void prover_finish(struct prover *p);
bool prover_checks(const struct prover *p, struct span blob, enum algorithm a, struct span session, struct span proof);

#endif
