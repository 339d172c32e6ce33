#include "sign/prove.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "sign/sshtext.h"

#define ED25519_BYTES 32
#define NUMBER_MAX 1024 /* RSA of 8192 bits */
#define DER_MAX 160     /* two numbers of 66 bytes, with what stands before them */

void prove_prepare(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); /* its failure shows when it is used */
}

/* ---- keys ---- */

static EVP_PKEY *make(const char *kind, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (c == NULL || EVP_PKEY_fromdata_init(c) != 1 || EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

static EVP_PKEY *make_ed25519(struct rbuf *in)
{
	const struct span bytes = ssh_string(in);

	return bytes.len == ED25519_BYTES && rbuf_done(in)
		       ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)bytes.at, bytes.len)
		       : NULL;
}

/* A point as it is, not compressed; that it lies on the curve is looked at when it is made. */
static EVP_PKEY *make_ecdsa(struct rbuf *in, const char *curve, const char *group, size_t half)
{
	const struct span name = ssh_string(in), point = ssh_string(in);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (char *)(uintptr_t)point.at, point.len),
		OSSL_PARAM_construct_end(),
	};

	if (!rbuf_done(in) || !span_equal(name, span_of(curve)) || point.len != 1 + 2 * half || point.at[0] != 4)
		return NULL;
	return make("EC", params);
}

static EVP_PKEY *make_rsa(struct rbuf *in)
{
	uint8_t e[8], n[NUMBER_MAX]; /* OpenSSL wants numbers in the machine's order: BN_bin2bn turns them */
	BIGNUM *exponent = NULL, *modulus = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (b != NULL && ssh_number(in, e, sizeof e) && ssh_number(in, n, sizeof n) && rbuf_done(in)) {
		exponent = BN_bin2bn(e, sizeof e, NULL);
		modulus = BN_bin2bn(n, sizeof n, NULL);
	}
	if (exponent != NULL && modulus != NULL && BN_num_bits(modulus) >= PROVE_RSA_BITS_MIN &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	if (params != NULL)
		key = make("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

bool prover_init(struct prover *p, struct span blob)
{
	struct rbuf in = ssh_within(blob);

	p->key = NULL;
	(void)ssh_string(&in); /* the type, by which it is told */
	switch (algorithm_of_key(blob)) {
	case ALGORITHM_ED25519: p->key = make_ed25519(&in); break;
	case ALGORITHM_P256: p->key = make_ecdsa(&in, "nistp256", "prime256v1", 32); break;
	case ALGORITHM_P384: p->key = make_ecdsa(&in, "nistp384", "secp384r1", 48); break;
	case ALGORITHM_P521: p->key = make_ecdsa(&in, "nistp521", "secp521r1", 66); break;
	case ALGORITHM_RSA_SHA256:
	case ALGORITHM_RSA_SHA512: p->key = make_rsa(&in); break;
	case ALGORITHM_NONE:
	case ALGORITHM_SK_ED25519:
	case ALGORITHM_SK_P256:
	case ALGORITHM_COUNT: break;
	}
	return p->key != NULL;
}

void prover_finish(struct prover *p)
{
	EVP_PKEY_free(p->key);
	p->key = NULL;
}

/* ---- signatures ---- */

static const EVP_MD *hash_of(enum algorithm a)
{
	switch (a) {
	case ALGORITHM_P256:
	case ALGORITHM_RSA_SHA256: return EVP_sha256();
	case ALGORITHM_P384: return EVP_sha384();
	case ALGORITHM_P521:
	case ALGORITHM_RSA_SHA512: return EVP_sha512();
	case ALGORITHM_NONE:
	case ALGORITHM_ED25519: /* hashes by itself */
	case ALGORITHM_SK_ED25519:
	case ALGORITHM_SK_P256:
	case ALGORITHM_COUNT: break;
	}
	return NULL;
}

static bool verify(EVP_PKEY *key, const EVP_MD *hash, struct span session, const uint8_t *proof, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const bool good = c != NULL && EVP_DigestVerifyInit(c, NULL, hash, NULL, key) == 1 &&
			  EVP_DigestVerify(c, proof, n, (const unsigned char *)session.at, session.len) == 1;

	EVP_MD_CTX_free(c);
	return good;
}

/* Two halves, as libcrypto wants them. 0: they are no pair. */
static size_t pair_to_der(struct span proof, size_t half, uint8_t ret[DER_MAX])
{
	const unsigned char *at = (const unsigned char *)proof.at;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r, *s;
	uint8_t *to = ret;
	int n = 0;

	if (pair == NULL || proof.len != 2 * half) {
		ECDSA_SIG_free(pair);
		return 0;
	}
	r = BN_bin2bn(at, (int)half, NULL); /* at most 66 */
	s = BN_bin2bn(at + half, (int)half, NULL);
	if (r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
		n = i2d_ECDSA_SIG(pair, NULL);
		n = n > 0 && n <= DER_MAX ? i2d_ECDSA_SIG(pair, &to) : 0;
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return n > 0 ? (size_t)n : 0;
}

bool prover_checks(const struct prover *p, struct span blob, enum algorithm a, struct span session, struct span proof)
{
	const size_t half = algorithm_half(a);
	const enum algorithm of_key = algorithm_of_key(blob);
	uint8_t der[DER_MAX];
	size_t n;

	if (p->key == NULL || !algorithm_proves(a) || of_key == ALGORITHM_NONE ||
	    strcmp(algorithm_key(a), algorithm_key(of_key)) != 0 || !sign_is_session(session.len))
		return false;
	if (half == 0)
		return verify(p->key, hash_of(a), session, (const uint8_t *)proof.at, proof.len);
	n = pair_to_der(proof, half, der);
	return n > 0 && verify(p->key, hash_of(a), session, der, n);
}
