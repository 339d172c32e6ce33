#include "approve/key.h"

#include <sodium.h>
#include <string.h>

#define MAGIC "ambit approver 1\n" /* with the version */
#define MAGIC_BYTES (sizeof MAGIC - 1)

_Static_assert(KEY_SALT_BYTES == crypto_pwhash_SALTBYTES &&
		       KEY_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
		       KEY_SEED_BYTES == crypto_sign_SEEDBYTES &&
		       KEY_SEALED_BYTES == KEY_SEED_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES &&
		       sizeof((struct key_secret *)0)->wrap == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	       "sizes are libsodium's");
_Static_assert(SSHSIG_FINGERPRINT_MAX == APPROVE_FINGERPRINT_MAX && SSHSIG_KEY_BYTES == APPROVE_KEY_BYTES &&
		       SSHSIG_MAX == APPROVE_SIGNATURE_MAX,
	       "what the library is told fits");

/* ---- making ---- */

void key_put_head(struct buf *out, const struct approve_key *head)
{
	buf_put(out, MAGIC, MAGIC_BYTES);
	buf_put_u8(out, head->kind);
	buf_put_u64(out, head->made_ms);
	buf_put_str(out, head->name);
	buf_put(out, head->key, sizeof head->key);
}

void key_put_proof(struct buf *out, const uint8_t raw[SSHSIG_RAW_BYTES])
{
	buf_put(out, raw, SSHSIG_RAW_BYTES);
}

static int derive(struct span password, const void *salt, uint32_t passes, uint32_t kib, struct key_secret *room,
		  struct err *e)
{
	const int r = crypto_pwhash(room->wrap, sizeof room->wrap, password.at, password.len, salt, passes,
				    (size_t)kib << 10, crypto_pwhash_ALG_ARGON2ID13);

	return r == 0 ? 0
		      : err_set(e, AMBIT_MEMORY, NULL, "no memory for what a password is made into (%u MiB)",
				kib >> 10);
}

static void put_sealed(struct buf *out, const uint8_t salt[KEY_SALT_BYTES], const struct key_secret *room)
{
	uint8_t nonce[KEY_NONCE_BYTES], sealed[KEY_SEALED_BYTES];

	buf_put(out, salt, KEY_SALT_BYTES);
	buf_put_u32(out, KEY_PASSES);
	buf_put_u32(out, KEY_KIB);
	if (out->failed)
		return;
	randombytes_buf(nonce, sizeof nonce);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, room->seed, sizeof room->seed, out->data,
							 out->len, NULL, nonce, room->wrap);
	buf_put(out, nonce, sizeof nonce);
	buf_put(out, sealed, sizeof sealed);
}

int key_make(struct buf *out, const struct approve_key *head, struct span password, struct key_secret *room,
	     struct err *e)
{
	struct approve_key k = *head;
	uint8_t salt[KEY_SALT_BYTES];
	struct sshsig proof;
	int r;

	k.kind = APPROVE_BY_PASSWORD;
	randombytes_buf(salt, sizeof salt);
	randombytes_buf(room->seed, sizeof room->seed);
	(void)crypto_sign_seed_keypair(k.key, room->secret, room->seed); /* it cannot fail */
	r = derive(password, salt, KEY_PASSES, KEY_KIB, room, e);
	if (r < 0)
		return r;
	key_put_head(out, &k);
	put_sealed(out, salt, room);
	if (out->failed)
		return err_set(e, AMBIT_INTERNAL, NULL, "the key does not fit into a file");
	r = sshsig_make(room->secret, SSHSIG_APPROVER, span_bytes(out->data, out->len), &proof, e);
	if (r == 0)
		key_put_proof(out, proof.raw);
	return r;
}

/* ---- taking ---- */

static int bad(struct err *e, const char *why)
{
	return err_why(e,
		       err_set(e, AMBIT_MALFORMED,
			       "restore it from a backup; or forget it and enroll another: ambit approve --forget NAME",
			       "the file of the key is damaged"),
		       "%s", why);
}

static bool take_head(struct rbuf *in, struct approve_key *ret)
{
	const uint8_t *key;

	*ret = (struct approve_key){ .kind = rbuf_u8(in) };
	ret->made_ms = rbuf_u64(in);
	rbuf_str(in, ret->name, sizeof ret->name);
	key = rbuf_bytes(in, sizeof ret->key);
	if (key == NULL || (ret->kind != APPROVE_BY_PASSWORD && ret->kind != APPROVE_BY_AGENT) ||
	    !approve_name_is_good(ret->name))
		return false;
	memcpy(ret->key, key, sizeof ret->key);
	sshsig_fingerprint(ret->key, ret->fingerprint);
	return true;
}

static struct span take_span(struct rbuf *in, size_t n)
{
	const uint8_t *at = rbuf_bytes(in, n);

	return at == NULL ? (struct span){ .at = NULL } : span_bytes(at, n);
}

static bool take_sealed(struct rbuf *in, struct key_file *ret)
{
	ret->salt = take_span(in, KEY_SALT_BYTES);
	ret->passes = rbuf_u32(in);
	ret->kib = rbuf_u32(in);
	ret->before = span_bytes(in->data, in->at);
	ret->nonce = take_span(in, KEY_NONCE_BYTES);
	ret->sealed = take_span(in, KEY_SEALED_BYTES);
	return !in->failed && ret->passes >= KEY_PASSES_MIN && ret->passes <= KEY_PASSES_MAX &&
	       ret->kib >= KEY_KIB_MIN && ret->kib <= KEY_KIB_MAX;
}

int key_take(const void *bytes, size_t n, struct key_file *ret, struct err *e)
{
	struct key_file f = { .passes = 0 };
	struct sshsig proof;
	struct rbuf in;
	const uint8_t *at;
	size_t signed_n;

	rbuf_init(&in, bytes, n);
	at = rbuf_bytes(&in, MAGIC_BYTES);
	if (n > KEY_FILE_MAX || at == NULL || memcmp(at, MAGIC, MAGIC_BYTES) != 0)
		return bad(e, "it does not begin as one of this version does");
	if (!take_head(&in, &f.head))
		return bad(e, "its head is not one");
	if (f.head.kind == APPROVE_BY_PASSWORD && !take_sealed(&in, &f))
		return bad(e, in.failed ? "it is cut" : "what its password costs is not within the bounds");
	signed_n = in.at;
	at = rbuf_bytes(&in, sizeof proof.raw);
	if (at == NULL || rbuf_left(&in) > 0)
		return bad(e, at == NULL ? "it is cut" : "it is too long");
	memcpy(proof.raw, at, sizeof proof.raw);
	memcpy(proof.key, f.head.key, sizeof proof.key);
	if (sshsig_check(&proof, SSHSIG_APPROVER, span_bytes(bytes, signed_n), NULL) < 0)
		return bad(e, "it was changed: its own signature does not fit");
	*ret = f;
	return 0;
}

int key_open(const struct key_file *f, struct span password, struct key_secret *room, struct err *e)
{
	uint8_t key[SSHSIG_KEY_BYTES];
	int r = derive(password, f->salt.at, f->passes, f->kib, room, e);

	if (r < 0)
		return r;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(room->seed, NULL, NULL, (const uint8_t *)f->sealed.at,
						       f->sealed.len, (const uint8_t *)f->before.at, f->before.len,
						       (const uint8_t *)f->nonce.at, room->wrap) != 0)
		return err_set(e, AMBIT_DENIED, NULL, "this password does not open the key '%s'", f->head.name);
	(void)crypto_sign_seed_keypair(key, room->secret, room->seed); /* it cannot fail */
	if (sodium_memcmp(key, f->head.key, sizeof key) == 0)
		return 0;
	sodium_memzero(room, sizeof *room);
	return bad(e, "what it holds is another key");
}
