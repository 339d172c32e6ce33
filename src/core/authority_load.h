/* authority_load - what states and requests have in common as bytes.
 *
 * Owns:   the version of a state, and the forms of bounds and of `unless`.
 * Holds:  what is taken is well-formed, or the cursor has failed.
 * Called: core/authority_keep.c and authority_load.c. */
#ifndef CORE_AUTHORITY_LOAD_H
#define CORE_AUTHORITY_LOAD_H

#include "core/authority.h"

#define AUTHORITY_STATE_VERSION 2 /* 1 has no origins */

void unless_take(struct rbuf *in, uint8_t *ret_n, uint64_t unless[AUTHORITY_UNLESS_MAX]);

#endif
