/* key - the file of one key of an approver.
 *
 * Owns:   its form: a head that anybody may read (its kind, when it was made, its name, the public key); of one that a password opens, the seed of the
 *         private key, sealed by XChaCha20-Poly1305 with a key that Argon2id makes of the password, all before it being associated data; and behind
 *         all of that its own signature of it, by which who enrolled it showed to have it.
 * Holds:  a file that was changed in any byte, cut or made longer is refused, without its password. What the password costs is bounded both ways: a
 *         file cannot ask for less than is safe, nor for more than this machine has.
 * Called: ambit-approver. Pure, but for libsodium's randomness. Secrets are in memory of the caller's, who locks and wipes it; Argon2's own 64 MiB are
 *         wiped by libsodium and not locked, which a person's limit does not allow. */
#ifndef APPROVE_KEY_H
#define APPROVE_KEY_H

#include "approve/link.h"
#include "approve/sshsig.h"

#define KEY_FILE_MAX 512
#define KEY_SALT_BYTES 16
#define KEY_NONCE_BYTES 24
#define KEY_SEED_BYTES 32
#define KEY_SEALED_BYTES (KEY_SEED_BYTES + 16)

#define KEY_PASSES 3 /* of Argon2id: RFC 9106's second choice, with one lane */
#define KEY_PASSES_MIN 2
#define KEY_PASSES_MAX 8
#define KEY_KIB (64u << 10)
#define KEY_KIB_MIN (32u << 10)
#define KEY_KIB_MAX (256u << 10)

/* What of it must not be seen. */
struct key_secret {
	uint8_t secret[SSHSIG_SECRET_BYTES], seed[KEY_SEED_BYTES], wrap[32];
};

struct key_file {
	struct approve_key head; /* with its fingerprint; `why` is empty */
	uint32_t passes, kib;    /* what follows is of one that a password opens, and lies in the bytes */
	struct span before, salt, nonce, sealed;
};

/* Appends a new key's file; head says its name and when. -MEMORY, -INTERNAL. */
int key_make(struct buf *out, const struct approve_key *head, struct span password, struct key_secret *room,
	     struct err *e);
/* The same in two steps, of a key that an agent has: what is to be signed under SSHSIG_APPROVER, and that signature. */
void key_put_head(struct buf *out, const struct approve_key *head);
void key_put_proof(struct buf *out, const uint8_t raw[SSHSIG_RAW_BYTES]);

/* All of the bytes. -MALFORMED, with why. */
int key_take(const void *bytes, size_t n, struct key_file *ret, struct err *e);
/* The private key, into room->secret. -DENIED: another password; -MEMORY. */
int key_open(const struct key_file *f, struct span password, struct key_secret *room, struct err *e);

#endif
