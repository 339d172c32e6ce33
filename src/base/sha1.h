/* sha1 - the digest by which Java's keystores are known to be whole (FIPS 180-4).
 *
 * Owns:   the algorithm, written out as in sha256.h. Nothing of ours relies on it: it is broken, and that format has no other.
 * Called: from cell/keystore.c; pure. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

struct sha1 {
	uint32_t state[5];
	uint64_t total; /* bytes */
	uint8_t block[64];
};

void sha1_init(struct sha1 *s);
void sha1_add(struct sha1 *s, const void *bytes, size_t n);
void sha1_end(struct sha1 *s, uint8_t ret[SHA1_BYTES]);

#endif
