/* Tokens, keys, and what is in a token that was signed. The input: 'r' and a token; 'k' and a set of keys; 's' and header, newline, claims, which are signed here.
 *
 * Promised: nobody makes a token that is good but who has the key; what is good has an end, and says whose it is. */
#include <openssl/err.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "fuzz.h"
#include "web/jwt.h"

static const uint8_t secret[32] = "0123456789abcdef0123456789abcdef";

static void put_part(struct buf *out, const void *bytes, size_t n)
{
	auto_buf text = { .max = BASE64_LEN(n) };

	base64_put(&text, bytes, n);
	for (size_t i = 0; i < text.len && text.data[i] != '='; i++)
		buf_put_u8(out, (uint8_t)(text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]));
}

static void put_token(struct buf *out, EVP_PKEY *key, const uint8_t *text, size_t n)
{
	const uint8_t *line = n > 0 ? memchr(text, '\n', n) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[64];
	size_t size = sizeof signature;

	if (line != NULL) {
		put_part(out, text, (size_t)(line - text));
		buf_put_u8(out, '.');
		put_part(out, line + 1, (size_t)(text + n - line - 1));
		promise(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
			EVP_DigestSign(ctx, signature, &size, out->data, out->len) == 1);
		buf_put_u8(out, '.');
		put_part(out, signature, size);
	}
	EVP_MD_CTX_free(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keys keys = { .n = 1, .keys = { { .id = "k", .kind = KEY_EDDSA } } }, taken;
	const struct jwt_rules rules = { .issuer = "https://i.example",
					 .audience = "https://a.example/mcp",
					 .scope = "one two",
					 .keys = &keys,
					 .now_s = 1800000000 };
	auto_buf token = { .max = 1u << 20 };
	struct jwt jwt = { .until_s = 0 };
	const char *why = NULL;
	struct err e;

	if (size == 0)
		return 0;
	if (data[0] == 'k') {
		const int r = keys_take(&taken, (const char *)data + 1, size - 1, &e);

		promise((r == 0) == (taken.n > 0) && taken.n <= KEYS_MAX);
		keys_finish(&taken);
		return 0;
	}
	keys.keys[0].key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
	if (data[0] == 's')
		put_token(&token, keys.keys[0].key, data + 1, size - 1);
	else
		buf_put(&token, data + 1, size - 1);
	switch (jwt_check((const char *)token.data, token.len, &rules, &jwt, &why)) {
	case JWT_GOOD: promise(data[0] == 's' && jwt.until_s > rules.now_s); break;
	case JWT_NARROW: promise(data[0] == 's'); break;
	case JWT_BAD: promise(why != NULL); break;
	}
	keys_finish(&keys);
	return 0;
}
