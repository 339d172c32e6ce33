#include "web/keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/text.h"
#include "rpc/parse.h"

#define NUMBER_MAX (KEYS_RSA_BITS_MAX / 8)
#define POINT_BYTES 32 /* a coordinate of P-256, a key of Ed25519 */

const char *key_kind_word(enum key_kind k)
{
	static const char *const words[] = { [KEY_RS256] = "RS256", [KEY_ES256] = "ES256", [KEY_EDDSA] = "EdDSA" };

	return words[k];
}

bool base64url_take(struct buf *out, const char *text, size_t n)
{
	auto_buf usual = { .max = n + 4 };

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '+' || text[i] == '/' || text[i] == '=')
			return false;
		buf_put_u8(&usual, (uint8_t)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]));
	}
	while (usual.len % 4 != 0)
		buf_put_u8(&usual, '=');
	return !usual.failed && base64_take(out, (const char *)usual.data, usual.len) && !out->failed;
}

static bool take_number(const json_t *key, const char *name, struct buf *ret)
{
	const json_t *v = json_object_get(key, name);

	return json_is_string(v) && base64url_take(ret, json_string_value(v), json_string_length(v)) && ret->len > 0;
}

/* Takes the builder's parameters. */
static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* A point that is none on its curve, a modulus that is even: refused where the library looks. */
static EVP_PKEY *checked(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	const bool good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (good)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *take_rsa(const json_t *jwk)
{
	auto_buf n = { .max = NUMBER_MAX }, e = { .max = 8 };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *modulus = NULL, *exponent = NULL;
	EVP_PKEY *key = NULL;

	if (bld != NULL && take_number(jwk, "n", &n) && take_number(jwk, "e", &e)) {
		modulus = BN_bin2bn(n.data, (int)n.len, NULL); /* bounded above */
		exponent = BN_bin2bn(e.data, (int)e.len, NULL);
		if (modulus != NULL && exponent != NULL && BN_num_bits(modulus) >= KEYS_RSA_BITS_MIN &&
		    BN_is_odd(exponent) && !BN_is_one(exponent) &&
		    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
		    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
			key = make("RSA", bld);
	}
	OSSL_PARAM_BLD_free(bld);
	BN_free(modulus);
	BN_free(exponent);
	return key;
}

static bool has_word(const json_t *jwk, const char *name, const char *word)
{
	const char *v = json_string_value(json_object_get(jwk, name));

	return v != NULL && strcmp(v, word) == 0;
}

static EVP_PKEY *take_ec(const json_t *jwk)
{
	auto_buf x = { .max = POINT_BYTES }, y = { .max = POINT_BYTES };
	uint8_t point[1 + 2 * POINT_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (bld != NULL && has_word(jwk, "crv", "P-256") && take_number(jwk, "x", &x) && x.len == POINT_BYTES &&
	    take_number(jwk, "y", &y) && y.len == POINT_BYTES) {
		memcpy(point + 1, x.data, POINT_BYTES);
		memcpy(point + 1 + POINT_BYTES, y.data, POINT_BYTES);
		if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
		    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
			key = checked(make("EC", bld));
	}
	OSSL_PARAM_BLD_free(bld);
	return key;
}

static EVP_PKEY *take_okp(const json_t *jwk)
{
	auto_buf x = { .max = POINT_BYTES };

	return has_word(jwk, "crv", "Ed25519") && take_number(jwk, "x", &x) && x.len == POINT_BYTES
		       ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len)
		       : NULL;
}

/* What it says beside the key itself. A secret that both sides have (kty oct) is of no kind of ours. */
static bool take_kind(const json_t *jwk, struct key *ret)
{
	static const char *const types[] = { [KEY_RS256] = "RSA", [KEY_ES256] = "EC", [KEY_EDDSA] = "OKP" };
	const json_t *id = json_object_get(jwk, "kid"), *use = json_object_get(jwk, "use"),
		     *alg = json_object_get(jwk, "alg");

	while (ret->kind < KEY_KINDS && !has_word(jwk, "kty", types[ret->kind]))
		ret->kind++;
	if (ret->kind == KEY_KINDS || (use != NULL && !has_word(jwk, "use", "sig")) ||
	    (alg != NULL && !has_word(jwk, "alg", key_kind_word(ret->kind))))
		return false;
	return id == NULL || (json_is_string(id) && text_copy(ret->id, sizeof ret->id, json_string_value(id)));
}

static bool take_key(const json_t *jwk, struct key *ret)
{
	*ret = (struct key){ .kind = KEY_RS256 };
	if (!json_is_object(jwk) || !take_kind(jwk, ret))
		return false;
	ret->key = ret->kind == KEY_RS256 ? take_rsa(jwk) : ret->kind == KEY_ES256 ? take_ec(jwk) : take_okp(jwk);
	ERR_clear_error();
	return ret->key != NULL;
}

int keys_take(struct keys *ret, const char *text, size_t n, struct err *e)
{
	struct mistake m;
	json_t *set = parse_json(text, n, &m), *all = json_object_get(set, "keys"), *one;
	size_t i;

	*ret = (struct keys){ .n = 0 };
	json_array_foreach(all, i, one)
	{
		if (ret->n < KEYS_MAX && take_key(one, &ret->keys[ret->n]))
			ret->n++;
	}
	json_decref(set);
	if (i > KEYS_MAX) {
		keys_finish(ret);
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d keys of the issuer", KEYS_MAX);
	}
	if (ret->n > 0)
		return 0;
	return err_set(e, AMBIT_MALFORMED,
		       "{\"keys\": [...]}, of which one is for RS256 (2048 bits or more), ES256 or EdDSA (Ed25519)",
		       "the issuer's file has no key that is of use");
}

int keys_read(struct keys *ret, int fd, size_t n_max, struct err *e)
{
	auto_buf text = { .max = n_max };

	*ret = (struct keys){ .n = 0 };
	if (fd_read_into(fd, &text) < 0)
		return err_set(e, AMBIT_LIMIT, NULL, "the issuer's file of keys is longer than %zu bytes", n_max);
	return keys_take(ret, (const char *)text.data, text.len, e);
}

void keys_finish(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		EVP_PKEY_free(k->keys[i].key);
	k->n = 0;
}
