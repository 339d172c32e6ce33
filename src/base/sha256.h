/* sha256 - the digest by which what lies beside the ledger is known (FIPS 180-4).
 *
 * Owns:   the algorithm, written out: what starts with every event links no library (doc/ARCHITECTURE.md). Signatures and the ledger's tree
 *         have libsodium's.
 * Called: from everywhere; pure. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

struct sha256 {
	uint32_t state[8];
	uint64_t total; /* bytes */
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES]);

#endif
