/* payload - what an entry of the ledger is of and does not hold: a file beside the log, known by its digest.
 *
 * Owns:   the form. The file is a salt of 32 random bytes, then the payload. Its name is the SHA-256 of all that in lower-case hexadecimal, and
 *         the entry has the same digest: who has the file can check it (sha256sum), and who has the entry alone can try no guess,
 *         since the salt is nowhere else. So a payload can go, and the entry still proves what it was for whoever has a copy.
 *         The file is without links, in LEDGER_PAYLOAD. It is whole before an entry names it; what no entry names is of a death in between.
 * Called: lib (writes), cli (removes), audit (checks), explain; pure. */
#ifndef LEDGER_PAYLOAD_H
#define LEDGER_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define PAYLOAD_SALT 32
#define PAYLOAD_MAX (128u << 20)                /* without the salt; a record's most */
#define PAYLOAD_NAME_MAX (2 * SHA256_BYTES + 1) /* with its NUL */

struct payload {
	uint8_t digest[SHA256_BYTES];
	uint64_t size;    /* without the salt */
	uint32_t version; /* of the record */
};

void payload_name(const uint8_t digest[SHA256_BYTES], char ret[PAYLOAD_NAME_MAX]);
/* The n bytes are such a name. */
bool payload_name_take(const void *name, size_t n, uint8_t ret[SHA256_BYTES]);

#endif
