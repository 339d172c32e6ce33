#include "web/jwt.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "rpc/parse.h"

#define SIGNATURE_MAX (KEYS_RSA_BITS_MAX / 8)
#define ES256_BYTES 64

/* ---- its parts ---- */

struct parts {
	const char *at[3]; /* header, claims, signature */
	size_t n[3], signed_n;
};

static bool split(const char *token, size_t n, struct parts *ret)
{
	const char *end = token + n;

	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(token, '.', (size_t)(end - token));

		if ((dot == NULL) != (i == 2))
			return false;
		ret->at[i] = token;
		ret->n[i] = (size_t)((dot != NULL ? dot : end) - token);
		if (ret->n[i] == 0)
			return false;
		token = dot != NULL ? dot + 1 : end;
	}
	ret->signed_n = ret->n[0] + 1 + ret->n[1];
	return true;
}

static json_t *take_json(const char *text, size_t n)
{
	auto_buf bytes = { .max = JWT_MAX };
	struct mistake m;
	json_t *j = base64url_take(&bytes, text, n) ? parse_json((const char *)bytes.data, bytes.len, &m) : NULL;

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* ---- who signed it ---- */

static bool is_type(const char *type)
{
	return type == NULL || strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0 ||
	       strcasecmp(type, "application/at+jwt") == 0;
}

/* Of the kind that the token says, by the name that it says; without one where there is no choice. */
static const struct key *find_key(const struct keys *keys, const json_t *header)
{
	const char *alg = text_of(header, "alg"), *id = text_of(header, "kid");
	const struct key *found = NULL;

	if (alg == NULL || (id == NULL && json_object_get(header, "kid") != NULL))
		return NULL;
	for (size_t i = 0; i < keys->n; i++) {
		const struct key *k = &keys->keys[i];

		if (strcmp(alg, key_kind_word(k->kind)) != 0 || (id != NULL && strcmp(id, k->id) != 0))
			continue;
		if (found != NULL)
			return NULL; /* two are meant */
		found = k;
	}
	return found;
}

/* Two numbers of 32 bytes, as the library wants them. */
static int es256_to_der(const struct buf *raw, unsigned char **ret)
{
	ECDSA_SIG *sig = raw->len == ES256_BYTES ? ECDSA_SIG_new() : NULL;
	BIGNUM *r = sig == NULL ? NULL : BN_bin2bn(raw->data, ES256_BYTES / 2, NULL);
	BIGNUM *s = sig == NULL ? NULL : BN_bin2bn(raw->data + ES256_BYTES / 2, ES256_BYTES / 2, NULL);
	int n = -1;

	if (r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* sig has them */
		n = i2d_ECDSA_SIG(sig, ret);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n;
}

static bool verify(const struct key *k, const struct buf *signature, const char *bytes, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	const int der_n = k->kind == KEY_ES256 ? es256_to_der(signature, &der) : 0;
	const unsigned char *sig = der != NULL ? der : signature->data;
	const size_t sig_n = der != NULL ? (size_t)der_n : signature->len;
	bool good = ctx != NULL && der_n >= 0 &&
		    EVP_DigestVerifyInit(ctx, NULL, k->kind == KEY_EDDSA ? NULL : EVP_sha256(), NULL, k->key) == 1;

	good = good && EVP_DigestVerify(ctx, sig, sig_n, (const unsigned char *)bytes, n) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ERR_clear_error();
	return good;
}

static bool is_signed(const struct parts *p, const struct keys *keys, const char **ret_why)
{
	auto_buf signature = { .max = SIGNATURE_MAX };
	json_t *header = take_json(p->at[0], p->n[0]);
	const struct key *k = header == NULL ? NULL : find_key(keys, header);
	const bool plain = header != NULL && json_object_get(header, "crit") == NULL &&
			   (json_object_get(header, "typ") == NULL || text_of(header, "typ") != NULL) &&
			   is_type(text_of(header, "typ"));

	json_decref(header);
	*ret_why = "its header is none of an access token's";
	if (!plain)
		return false;
	*ret_why = "none of the issuer's keys is meant by it";
	if (k == NULL)
		return false;
	*ret_why = "its signature is not the issuer's";
	return base64url_take(&signature, p->at[2], p->n[2]) && verify(k, &signature, p->at[0], p->signed_n);
}

/* ---- what it says ---- */

/* Seconds, which may have a fraction. */
static bool take_time(const json_t *claims, const char *name, uint64_t *ret)
{
	const json_t *v = json_object_get(claims, name);
	const double s = json_number_value(v);

	if (!json_is_number(v) || !(s >= 0 && s < 1e15))
		return false;
	*ret = (uint64_t)s;
	return true;
}

static bool is_for(const json_t *aud, const char *audience)
{
	const json_t *one;
	size_t i;

	if (json_is_string(aud))
		return strcmp(json_string_value(aud), audience) == 0;
	json_array_foreach(aud, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0)
			return true;
	}
	return false;
}

static bool has_scope(const char *has, const char *word, size_t n)
{
	while (has != NULL && *has != 0) {
		const size_t m = strcspn(has, " ");

		if (m == n && memcmp(has, word, n) == 0)
			return true;
		has += m + (has[m] == ' ');
	}
	return false;
}

static bool has_scopes(const json_t *claims, const char *wanted)
{
	while (*wanted != 0) {
		const size_t n = strcspn(wanted, " ");

		if (n > 0 && !has_scope(text_of(claims, "scope"), wanted, n))
			return false;
		wanted += n + (wanted[n] == ' ');
	}
	return true;
}

static void add_text(struct sha256 *s, const char *text)
{
	sha256_add(s, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

static void take_who(const json_t *claims, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	add_text(&s, text_of(claims, "iss"));
	add_text(&s, text_of(claims, "sub"));
	add_text(&s, text_of(claims, "client_id"));
	sha256_end(&s, ret);
}

static enum jwt_verdict judge(const json_t *claims, const struct jwt_rules *r, struct jwt *ret, const char **ret_why)
{
	const char *iss = text_of(claims, "iss");
	uint64_t until, from;

	*ret_why = "it has another issuer";
	if (iss == NULL || strcmp(iss, r->issuer) != 0)
		return JWT_BAD;
	*ret_why = "it is for somebody else";
	if (!is_for(json_object_get(claims, "aud"), r->audience))
		return JWT_BAD;
	*ret_why = "it does not say until when it is good";
	if (!take_time(claims, "exp", &until))
		return JWT_BAD;
	*ret_why = "it is no longer good";
	if (r->now_s >= until + JWT_LEEWAY_S)
		return JWT_BAD;
	*ret_why = "it is not good yet";
	if (json_object_get(claims, "nbf") != NULL &&
	    (!take_time(claims, "nbf", &from) || r->now_s + JWT_LEEWAY_S < from))
		return JWT_BAD;
	*ret_why = "it does not say whose it is";
	if (text_of(claims, "sub") == NULL)
		return JWT_BAD;
	take_who(claims, ret->who);
	ret->until_s = until + JWT_LEEWAY_S;
	*ret_why = "it has not the scope that is wanted";
	return has_scopes(claims, r->scope) ? JWT_GOOD : JWT_NARROW;
}

enum jwt_verdict jwt_check(const char *token, size_t n, const struct jwt_rules *rules, struct jwt *ret,
			   const char **ret_why)
{
	enum jwt_verdict v;
	struct parts p;
	json_t *claims;

	*ret_why = "it is no signed token, or too long";
	if (n == 0 || n > JWT_MAX || !split(token, n, &p) || !is_signed(&p, rules->keys, ret_why))
		return JWT_BAD;
	claims = take_json(p.at[1], p.n[1]);
	*ret_why = "its claims are none";
	v = claims == NULL ? JWT_BAD : judge(claims, rules, ret, ret_why);
	json_decref(claims);
	return v;
}
