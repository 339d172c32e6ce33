#include "approve/sshsig.h"

#include <sodium.h>
#include <string.h>

#include "base/base64.h"
#include "base/sha256.h"
#include "sign/algorithm.h"
#include "sign/sshtext.h"

#define MAGIC "SSHSIG"
#define VERSION 1
#define HASH "sha512"
#define BEGIN "-----BEGIN SSH SIGNATURE-----"
#define END "-----END SSH SIGNATURE-----"
#define LINE 70 /* as ssh-keygen writes them */

_Static_assert(SSHSIG_KEY_BYTES == crypto_sign_PUBLICKEYBYTES && SSHSIG_SECRET_BYTES == crypto_sign_SECRETKEYBYTES &&
		       SSHSIG_RAW_BYTES == crypto_sign_BYTES,
	       "keys and signatures are libsodium's");

static const char *kind(void)
{
	return algorithm_name(ALGORITHM_ED25519);
}

static int bad(struct err *e, const char *why)
{
	return err_why(e, err_set(e, AMBIT_MALFORMED, NULL, "it is no signature of an approver"), "%s", why);
}

/* ---- keys ---- */

void sshsig_put_key(struct buf *out, const uint8_t key[SSHSIG_KEY_BYTES])
{
	ssh_put_string(out, span_of(kind()));
	ssh_put_string(out, span_bytes(key, SSHSIG_KEY_BYTES));
}

/* The kind, and so many bytes. */
static bool take_pair(struct span s, uint8_t *ret, size_t n)
{
	struct rbuf in = ssh_within(s);
	const struct span is = ssh_string(&in), bytes = ssh_string(&in);

	if (!rbuf_done(&in) || !span_equal(is, span_of(kind())) || bytes.len != n)
		return false;
	memcpy(ret, bytes.at, n);
	return true;
}

bool sshsig_take_key(struct span blob, uint8_t ret[SSHSIG_KEY_BYTES])
{
	return take_pair(blob, ret, SSHSIG_KEY_BYTES) && crypto_core_ed25519_is_valid_point(ret) == 1;
}

bool sshsig_take_raw(struct span signature, uint8_t ret[SSHSIG_RAW_BYTES])
{
	return take_pair(signature, ret, SSHSIG_RAW_BYTES);
}

void sshsig_fingerprint(const uint8_t key[SSHSIG_KEY_BYTES], char ret[SSHSIG_FINGERPRINT_MAX])
{
	uint8_t blob[SSHSIG_KEY_BLOB_BYTES], digest[SHA256_BYTES], text[BASE64_LEN(SHA256_BYTES)];
	struct sha256 sum;
	struct buf out;

	buf_init_in(&out, blob, sizeof blob);
	sshsig_put_key(&out, key);
	sha256_init(&sum);
	sha256_add(&sum, blob, sizeof blob);
	sha256_end(&sum, digest);
	buf_init_in(&out, text, sizeof text);
	base64_put(&out, digest, sizeof digest);
	buf_init_in(&out, ret, SSHSIG_FINGERPRINT_MAX);
	buf_printf(&out, "SHA256:%.*s", (int)sizeof text - 1, (const char *)text); /* without its one `=`, as OpenSSH */
}

/* ---- signing ---- */

static void put_words(struct buf *out, const char *name_space)
{
	ssh_put_string(out, span_of(name_space));
	ssh_put_string(out, span_of("")); /* reserved */
	ssh_put_string(out, span_of(HASH));
}

void sshsig_put_signed(struct buf *out, const char *name_space, struct span message)
{
	uint8_t digest[crypto_hash_sha512_BYTES];

	(void)crypto_hash_sha512(digest, (const unsigned char *)message.at, message.len); /* it cannot fail */
	buf_put(out, MAGIC, sizeof MAGIC - 1);
	put_words(out, name_space);
	ssh_put_string(out, span_bytes(digest, sizeof digest));
}

int sshsig_make(const uint8_t secret[SSHSIG_SECRET_BYTES], const char *name_space, struct span message,
		struct sshsig *ret, struct err *e)
{
	uint8_t room[SSHSIG_SIGNED_MAX];
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	sshsig_put_signed(&out, name_space, message);
	if (out.failed || crypto_sign_detached(ret->raw, NULL, out.data, out.len, secret) != 0)
		return err_set(e, AMBIT_INTERNAL, NULL, "cannot sign");
	memcpy(ret->key, secret + SSHSIG_SECRET_BYTES - SSHSIG_KEY_BYTES, SSHSIG_KEY_BYTES);
	return 0;
}

int sshsig_check(const struct sshsig *s, const char *name_space, struct span message, struct err *e)
{
	uint8_t room[SSHSIG_SIGNED_MAX];
	struct buf out;

	buf_init_in(&out, room, sizeof room);
	sshsig_put_signed(&out, name_space, message);
	if (out.failed || crypto_core_ed25519_is_valid_point(s->key) != 1 ||
	    crypto_sign_verify_detached(s->raw, out.data, out.len, s->key) != 0)
		return err_set(e, AMBIT_DENIED, NULL, "the signature is not of this");
	return 0;
}

/* ---- the binary form ---- */

void sshsig_put(struct buf *out, const char *name_space, const struct sshsig *s)
{
	buf_put(out, MAGIC, sizeof MAGIC - 1);
	buf_put_be32(out, VERSION);
	buf_put_be32(out, SSHSIG_KEY_BLOB_BYTES);
	sshsig_put_key(out, s->key);
	put_words(out, name_space);
	buf_put_be32(out, (uint32_t)(4 + strlen(kind()) + 4 + sizeof s->raw)); /* short */
	ssh_put_string(out, span_of(kind()));
	ssh_put_string(out, span_bytes(s->raw, sizeof s->raw));
}

int sshsig_take(struct span bytes, const char *name_space, struct sshsig *ret, struct err *e)
{
	struct rbuf in = ssh_within(bytes);
	struct span key, is_space, reserved, hash, signature;
	const uint8_t *magic;
	struct sshsig s;

	if (bytes.len > SSHSIG_MAX)
		return bad(e, "it is too long");
	magic = rbuf_bytes(&in, sizeof MAGIC - 1);
	if (magic == NULL || memcmp(magic, MAGIC, sizeof MAGIC - 1) != 0)
		return bad(e, "it does not begin as one of SSH does");
	if (ssh_u32(&in) != VERSION)
		return bad(e, "its version is another");
	key = ssh_string(&in);
	is_space = ssh_string(&in);
	reserved = ssh_string(&in);
	hash = ssh_string(&in);
	signature = ssh_string(&in);
	if (in.failed || rbuf_left(&in) > 0)
		return bad(e, in.failed ? "it is cut" : "something is behind its end");
	if (!sshsig_take_key(key, s.key))
		return bad(e, "its key is none of Ed25519");
	if (!span_equal(is_space, span_of(name_space)))
		return bad(e, "it is for another purpose: its namespace is not this");
	if (reserved.len > 0 || !span_equal(hash, span_of(HASH)))
		return bad(e, "its hash is not " HASH);
	if (!sshsig_take_raw(signature, s.raw))
		return bad(e, "what signs in it is not Ed25519");
	*ret = s;
	return 0;
}

/* ---- the armored form ---- */

void sshsig_put_armored(struct buf *out, struct span binary)
{
	uint8_t room[BASE64_LEN(SSHSIG_MAX)];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	base64_put(&text, binary.at, binary.len);
	out->failed = out->failed || text.failed;
	buf_printf(out, BEGIN "\n");
	for (size_t at = 0; at < text.len; at += LINE) {
		buf_put(out, text.data + at, text.len - at < LINE ? text.len - at : LINE);
		buf_put_u8(out, '\n');
	}
	buf_printf(out, END "\n");
}

static bool next(struct lines *l, struct span *ret)
{
	if (!lines_next(l, ret))
		return false;
	ret->len -= ret->len > 0 && ret->at[ret->len - 1] == '\r';
	return true;
}

int sshsig_take_armored(struct buf *out, struct span text, struct err *e)
{
	uint8_t room[SSHSIG_ARMORED_MAX];
	struct lines l = { .left = text };
	struct span line;
	struct buf joined;

	if (text.len > SSHSIG_ARMORED_MAX)
		return bad(e, "it is too long");
	if (!next(&l, &line) || !span_equal(line, span_of(BEGIN)))
		return bad(e, "its first line is not " BEGIN);
	buf_init_in(&joined, room, sizeof room);
	for (;;) {
		if (!next(&l, &line))
			return bad(e, "its last line is not " END);
		if (span_equal(line, span_of(END)))
			break;
		buf_put(&joined, line.at, line.len);
	}
	if (l.left.len > 0)
		return bad(e, "something is behind its last line");
	if (joined.failed || joined.len == 0 || !base64_take(out, (const char *)joined.data, joined.len))
		return bad(e, "what is between its lines is not base64");
	return 0;
}
