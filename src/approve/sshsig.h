/* sshsig - signatures in OpenSSH's form (PROTOCOL.sshsig), which `ssh-keygen -Y verify` takes.
 *
 * Owns:   the binary form and the armored one; what is signed, which is a digest of the message behind the namespace, so that a signature of one
 *         purpose is none of another, and none of what SSH itself signs. Keys as SSH writes them: their blob, its fingerprint.
 * Holds:  keys are Ed25519, the hash is SHA-512, nothing is reserved: another version, namespace, hash or kind of key is refused, and so are trailing
 *         bytes, a key that is no point of the prime order group, and a signature that libsodium does not take. A signature and key have one binary form.
 * Called: ambit-approver, whoever looks at approvals; pure (libsodium; sodium_init is the caller's). */
#ifndef APPROVE_SSHSIG_H
#define APPROVE_SSHSIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define SSHSIG_APPROVAL "ambit-approval"   /* the namespace of approvals */
#define SSHSIG_APPROVER "ambit-approver-1" /* of what describes a key (key.h) */

#define SSHSIG_KEY_BYTES 32
#define SSHSIG_SECRET_BYTES 64 /* as libsodium has it: seed and public key */
#define SSHSIG_RAW_BYTES 64
#define SSHSIG_KEY_BLOB_BYTES 51
#define SSHSIG_MAX 256            /* of the binary form; ours have less */
#define SSHSIG_ARMORED_MAX 512    /* of the armored one, with more line ends than we write */
#define SSHSIG_SIGNED_MAX 160     /* of what is signed */
#define SSHSIG_FINGERPRINT_MAX 52 /* SHA256:..., with its NUL */

struct sshsig {
	uint8_t key[SSHSIG_KEY_BYTES];
	uint8_t raw[SSHSIG_RAW_BYTES];
};

/* What is signed for a message. */
void sshsig_put_signed(struct buf *out, const char *name_space, struct span message);
/* -INTERNAL: it does not fit. */
int sshsig_make(const uint8_t secret[SSHSIG_SECRET_BYTES], const char *name_space, struct span message,
		struct sshsig *ret, struct err *e);
/* Whether the key that is named in it signed this. -DENIED. */
int sshsig_check(const struct sshsig *s, const char *name_space, struct span message, struct err *e);

void sshsig_put(struct buf *out, const char *name_space, const struct sshsig *s);
/* All of the bytes. -MALFORMED. */
int sshsig_take(struct span bytes, const char *name_space, struct sshsig *ret, struct err *e);
/* The binary form as text between two lines, and back: lines of any length, LF or CRLF. -MALFORMED. */
void sshsig_put_armored(struct buf *out, struct span binary);
int sshsig_take_armored(struct buf *out, struct span text, struct err *e);

/* A key, as agents and authorized_keys have it. False: it is not of this kind, or no key that anybody may use. */
void sshsig_put_key(struct buf *out, const uint8_t key[SSHSIG_KEY_BYTES]);
bool sshsig_take_key(struct span blob, uint8_t ret[SSHSIG_KEY_BYTES]);
/* What an agent answers, or stands at the end of the binary form: the kind and the signature. */
bool sshsig_take_raw(struct span signature, uint8_t ret[SSHSIG_RAW_BYTES]);
void sshsig_fingerprint(const uint8_t key[SSHSIG_KEY_BYTES], char ret[SSHSIG_FINGERPRINT_MAX]);

#endif
