/* sha1 - the digest by which git names contents.
 *
 * Owns:   the algorithm (RFC 3174), written out: no library of the role has it.
 * Holds:  nothing is decided by it. Two contents with one name would cost a patch that git takes for the wrong one.
 * Called: binary.c; pure. */
#ifndef DIFF_SHA1_H
#define DIFF_SHA1_H

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
