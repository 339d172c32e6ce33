#include "secret/sealed.h"

#include <sodium.h>
#include <string.h>

#include "base/text.h"

#define MAGIC "ambit secret 1\n" /* with the version */
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_BYTES (SECRET_VALUE_MAX + TAG_BYTES)
#define HOSTS_BYTES (4 + SECRET_HOSTS_MAX * (4 + SECRET_HOST_MAX))

_Static_assert(SEALED_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key is one of the cipher");
_Static_assert(MAGIC_BYTES + 1 + 8 + 4 + SECRET_NAME_MAX + HOSTS_BYTES + NONCE_BYTES + SEALED_BYTES <= SEALED_FILE_MAX,
	       "the longest file fits");

void sealed_put(struct buf *out, const struct sealed_head *h, const struct secret_value *v,
		const uint8_t key[SEALED_KEY_BYTES])
{
	uint8_t nonce[NONCE_BYTES], sealed[SEALED_BYTES];

	buf_put(out, MAGIC, MAGIC_BYTES);
	buf_put_u8(out, h->kind);
	buf_put_u64(out, h->set_ms);
	buf_put_str(out, h->name);
	secret_hosts_put(out, &h->hosts);
	randombytes_buf(nonce, sizeof nonce);
	buf_put(out, nonce, sizeof nonce);
	if (out->failed)
		return;
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, v->bytes, sizeof v->bytes, out->data, out->len,
							 NULL, nonce, key);
	buf_put(out, sealed, sizeof sealed);
}

static int bad(struct err *e, const char *why)
{
	return err_why(e,
		       err_set(e, AMBIT_MALFORMED,
			       "remove it and set it again: ambit secret remove NAME; or restore it from a backup",
			       "the file of the secret is damaged"),
		       "%s", why);
}

int sealed_take_head(const void *bytes, size_t n, struct sealed_head *ret, struct rbuf *ret_sealed, struct err *e)
{
	struct rbuf in;
	const uint8_t *magic;

	rbuf_init(&in, bytes, n);
	magic = rbuf_bytes(&in, MAGIC_BYTES);
	if (magic == NULL || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
		return bad(e, "it does not begin as one of this version does");
	ret->kind = rbuf_u8(&in);
	ret->set_ms = rbuf_u64(&in);
	rbuf_str(&in, ret->name, sizeof ret->name);
	if (in.failed || ret->kind < SECRET_IS_VALUE || ret->kind > SECRET_IS_LOGIN ||
	    !secret_name_is_good(ret->name) || !secret_hosts_take(&in, &ret->hosts))
		return bad(e, "its head is not one");
	if (rbuf_left(&in) != NONCE_BYTES + SEALED_BYTES)
		return bad(e, rbuf_left(&in) < NONCE_BYTES + SEALED_BYTES ? "it is cut" : "it is too long");
	*ret_sealed = in;
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	return sodium_is_zero(bytes, n) == 1;
}

int sealed_take(const void *bytes, size_t n, const uint8_t key[SEALED_KEY_BYTES], struct sealed_head *ret_head,
		struct secret_value *ret_value, struct err *e)
{
	struct rbuf in;
	const uint8_t *nonce, *sealed;
	int r;

	sodium_memzero(ret_value, sizeof *ret_value);
	r = sealed_take_head(bytes, n, ret_head, &in, e);
	if (r < 0)
		return r;
	nonce = rbuf_bytes(&in, NONCE_BYTES);
	sealed = rbuf_bytes(&in, SEALED_BYTES);
	if (nonce == NULL || sealed == NULL ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(ret_value->bytes, NULL, NULL, sealed, SEALED_BYTES, bytes,
						       n - SEALED_BYTES, nonce, key) != 0) {
		sodium_memzero(ret_value, sizeof *ret_value);
		return bad(e, "it was changed, or sealed by another key than this store's");
	}
	ret_value->n = strnlen((const char *)ret_value->bytes, sizeof ret_value->bytes);
	if (ret_value->n > 0 && is_zero(ret_value->bytes + ret_value->n, sizeof ret_value->bytes - ret_value->n))
		return 0;
	sodium_memzero(ret_value, sizeof *ret_value);
	return bad(e, "what it holds is no value");
}

/* ---- values ---- */

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* What is wrong is said, and nothing of what it is. */
int secret_value_check(const struct secret_value *v, const char *what, struct err *e)
{
	size_t at = 0;

	if (v->n == 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "%s is empty", what);
	while (at < v->n) {
		uint32_t c = 0;
		const size_t took = text_decode(v->bytes + at, v->n - at, &c);

		if (took == 0)
			return err_set(e, AMBIT_MALFORMED,
				       "bytes that are no text cannot be sent in a header: encode them, as base64 does",
				       "%s is not UTF-8", what);
		if (is_control(c))
			return err_set(e, AMBIT_MALFORMED,
				       c == '\n' ? "one newline at the end is taken off; a secret is a single line"
						 : "a header cannot have one",
				       "%s has a %s in it", what, c == '\n' ? "newline" : "control character");
		at += took;
	}
	return 0;
}
