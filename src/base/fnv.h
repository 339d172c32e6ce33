/* fnv - a checksum against what a crash does, and not against anybody.
 *
 * Owns:   nothing.
 * Holds:  FNV-1a with 64 bits; on disk it is the same for ever.
 * Called: from everywhere; pure. */
#ifndef BASE_FNV_H
#define BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

/* Goes on from h: FNV_BASIS, or what the bytes before gave. */
uint64_t fnv(uint64_t h, const void *bytes, size_t n);

#endif
