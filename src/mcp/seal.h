/* seal - what a client carries for us, from a question to its answer.
 *
 * Owns:   the form "ambit1.QUESTION.SECONDS.DIGEST.SEAL": of one question, about one call with just these arguments (its digest), within a scope, until then.
 * Holds:  the client may read it, and can make none: SEAL is HMAC-SHA-256 (RFC 2104) of scope and all before it, by a key of this process alone.
 * Called: the roles ambit-mcp and ambit-guard. */
#ifndef MCP_SEAL_H
#define MCP_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"

#define SEAL_KEY_BYTES 32
#define SEAL_DIGEST_MAX (2 * SHA256_BYTES + 1) /* in hex, with its NUL */
#define SEAL_MAX 384
#define SEAL_PREFIX "ambit1."

/* digest: hex. */
void seal_make(const uint8_t key[SEAL_KEY_BYTES], const char *scope, const char *question, const char *digest,
	       char ret[SEAL_MAX]);
/* False: it was not given for that, or is too old. */
bool seal_take(const uint8_t key[SEAL_KEY_BYTES], const char *scope, const char *state, const char *digest);

#endif
