/* sha256 - the digest of FIPS 180-4.
 *
 * Owns:   nothing.
 * Holds:  what the standard says; tests/unit/test_sha256.c has its examples and lengths around every boundary. It names what
 *         was seen before, and keeps no secret: it need not hide its time.
 * Called: anywhere; pure. Here and not from a library: the command line links none, so that an event starts quickly. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

void sha256(const void *bytes, size_t n, uint8_t ret[SHA256_BYTES]);

#endif
