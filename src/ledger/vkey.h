/* vkey - the public half of a key that signs notes ("verifier key", C2SP signed-note).
 *
 * Owns:   nothing on the heap.
 * Holds:  the name is one that a signature line can have; the id is the hash of name, type and public key that the specification
 *         recommends, so that one name may have several keys. The text is `name+id+base64 of type and public key`, the id in
 *         eight small hexadecimal digits: what is taken is written again as it came.
 * Called: from src/ledger; pure. SHA-256 is libsodium's, which needs no sodium_init for it. */
#ifndef LEDGER_VKEY_H
#define LEDGER_VKEY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define VKEY_NAME_MAX 255 /* bytes; as in the cosignatures of type 0x06, which have its length in one byte */
#define VKEY_PUBLIC_BYTES 32
#define VKEY_TEXT_MAX (VKEY_NAME_MAX + 54) /* + id + 44 characters */

/* The first byte of what the text has in base64. */
enum vkey_type {
	VKEY_ED25519 = 0x01,     /* signs the text */
	VKEY_COSIGNATURE = 0x04, /* signs the text and the time (C2SP tlog-cosignature, v1): a witness */
};

struct vkey {
	enum vkey_type type;
	uint32_t id;
	uint8_t public[VKEY_PUBLIC_BYTES]; /* as RFC 8032 encodes it */
	char name[VKEY_NAME_MAX + 1];
};

/* Whether a key can have this name in a note: UTF-8, not empty, no white space of Unicode, no plus, no control character. */
bool vkey_name_is_good(struct span name);

/* -MALFORMED: no such name, or one over VKEY_NAME_MAX. On failure *k is untouched, here and below. */
int vkey_init(struct vkey *k, enum vkey_type type, struct span name, const uint8_t public[VKEY_PUBLIC_BYTES],
	      struct err *e);
/* The whole text of one key, without a newline. -MALFORMED: what is wrong, and the byte, counted from 0. */
int vkey_parse(struct span text, struct vkey *ret, struct err *e);
/* Appends the text. */
void vkey_put(struct buf *out, const struct vkey *k);

#endif
