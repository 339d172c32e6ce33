/* sealed - the file of one secret.
 *
 * Owns:   its form: a head that anybody may read (what it is called, bound to, of which kind, when it was set), and what is sealed, by
 *         XChaCha20-Poly1305 with a nonce of its own; the whole head is its associated data. What is sealed has one length, whatever the value's.
 * Holds:  a file that was changed in any byte, cut, made longer, or sealed by another key, is refused, and nothing of its value comes out. The name
 *         in it is compared with the file's by whoever reads it (store.h).
 * Called: ambit-secret. Pure, but for the nonce, which is libsodium's randomness. */
#ifndef SECRET_SEALED_H
#define SECRET_SEALED_H

#include "secret/link.h"

#define SEALED_KEY_BYTES 32
/* The longest head (16 hosts of 253 bytes, each with its length), and what is sealed. */
#define SEALED_FILE_MAX (8192 + SECRET_VALUE_MAX)

struct sealed_head {
	uint8_t kind; /* enum secret_kind */
	uint64_t set_ms;
	char name[SECRET_NAME_MAX];
	struct secret_hosts hosts;
};

/* A value or a command. In memory that is locked and wiped, which is the caller's. */
struct secret_value {
	size_t n;
	uint8_t bytes[SECRET_VALUE_MAX]; /* what is behind n is zeroes: this is what is sealed */
};

/* Appends the file. The value was checked. */
void sealed_put(struct buf *out, const struct sealed_head *h, const struct secret_value *v,
		const uint8_t key[SEALED_KEY_BYTES]);
/* The head of a file, and what is sealed; it may be anybody's. -MALFORMED, with why. */
int sealed_take_head(const void *bytes, size_t n, struct sealed_head *ret, struct rbuf *ret_sealed, struct err *e);
/* All of it; a value that was checked before it was sealed. On failure *ret_value is zeroes. */
int sealed_take(const void *bytes, size_t n, const uint8_t key[SEALED_KEY_BYTES], struct sealed_head *ret_head,
		struct secret_value *ret_value, struct err *e);

/* Whether it can be sent in a header: not empty, UTF-8, no control characters. what: "the value", "the command". -MALFORMED, -LIMIT. */
int secret_value_check(const struct secret_value *v, const char *what, struct err *e);

#endif
