#include "http/authority.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600L
#define DAY (24 * HOUR)
#define AUTHORITY_DAYS 400 /* a session may be long; it ends with the process in any case */
#define LEAF_DAYS 90
#define LEAVES 64 /* that are remembered: hosts of a pattern, or of any name, that are used at a time */
#define ALT_NAME_MAX (HOST_NAME_MAX_LEN + 8)

struct leaf {
	char alt_name[ALT_NAME_MAX];
	X509 *certificate; /* owned; NULL: free */
};

struct authority {
	EVP_PKEY *key, *leaf_key; /* owned */
	X509 *certificate;        /* owned */
	struct leaf leaves[LEAVES];
	unsigned next; /* the leaf that gives way */
};

static bool add_extension(X509 *x, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
	const bool ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return ok;
}

struct extension {
	int nid;
	const char *value;
};

/* Signed last, by the issuer's key. An extension that has nothing to say is left out. */
static bool complete(X509 *x, X509 *issuer, const struct extension *extensions, size_t n, EVP_PKEY *key)
{
	X509V3_CTX context;
	bool ok = true;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	for (size_t i = 0; i < n && ok; i++)
		ok = extensions[i].value[0] == 0 || add_extension(x, &context, extensions[i].nid, extensions[i].value);
	return ok && X509_sign(x, key, EVP_sha256()) > 0;
}

static bool set_serial(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n = NULL;
	bool ok = RAND_bytes(bytes, sizeof bytes) == 1;

	bytes[0] &= 0x7f; /* positive, and RFC 5280 wants no more than 20 bytes */
	n = ok ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
	ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

/* All but the extensions. An hour back, for clients whose clock is behind. */
static X509 *begin(const char *kind, const char *name_of_it, EVP_PKEY *key, const X509_NAME *issuer, long days)
{
	X509 *x = X509_new();
	X509_NAME *name = x == NULL ? NULL : X509_get_subject_name(x);

	if (name != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -HOUR) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), days * DAY) != NULL && X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(name, kind, MBSTRING_ASC, (const unsigned char *)name_of_it, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, issuer != NULL ? issuer : name) == 1)
		return x;
	X509_free(x);
	return NULL;
}

/* ---- the authority ---- */

static void put_mask(uint8_t family, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s",
		       family == ADDRESS_IPV4 ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

#define NO_ADDRESS "excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::"
#define NO_NAME "permitted;DNS:invalid" /* nobody has one in there (RFC 6761) */

/* "": it may speak for any. What is below a name it may, too; its leaves are for the granted name. A constraint is of its own kind alone: one of names
 * says nothing of addresses. */
static void put_constraint(const struct endpoint *of, char *ret, size_t size)
{
	char address[ADDRESS_TEXT_MAX], mask[ADDRESS_TEXT_MAX];

	ret[0] = 0;
	if (of->kind == ENDPOINT_NAME)
		(void)snprintf(ret, size, "critical,permitted;DNS:%s," NO_ADDRESS, of->name.text);
	if (of->kind == ENDPOINT_PATTERN)
		(void)snprintf(ret, size, "critical,permitted;DNS:%s," NO_ADDRESS, of->name.text + 2);
	if (of->kind != ENDPOINT_RANGE)
		return;
	address_put(&of->range.base, address);
	put_mask(of->range.base.family, mask, sizeof mask);
	(void)snprintf(ret, size, "critical,permitted;IP:%s/%s," NO_NAME, address, mask);
}

static bool sign_itself(struct authority *a, const struct endpoint *of)
{
	char constraint[HOST_NAME_MAX_LEN + 128] = "";
	const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_name_constraints, constraint },
	};

	put_constraint(of, constraint, sizeof constraint);
	a->certificate = begin("CN", "Ambit, for this event only", a->key, NULL, AUTHORITY_DAYS);
	return a->certificate != NULL && complete(a->certificate, a->certificate, extensions, 4, a->key);
}

struct authority *authority_create(const struct endpoint *of)
{
	struct authority *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->key = EVP_EC_gen("P-256");
	a->leaf_key = EVP_EC_gen("P-256");
	if (a->key != NULL && a->leaf_key != NULL && sign_itself(a, of))
		return a;
	authority_free(a);
	return NULL;
}

void authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; i < LEAVES; i++)
		X509_free(a->leaves[i].certificate);
	X509_free(a->certificate);
	EVP_PKEY_free(a->leaf_key);
	EVP_PKEY_free(a->key);
	free(a);
}

size_t authority_put(const struct authority *a, uint8_t room[AUTHORITY_DER_MAX])
{
	const int n = i2d_X509(a->certificate, NULL);
	unsigned char *at = room;

	if (n <= 0 || n > AUTHORITY_DER_MAX || i2d_X509(a->certificate, &at) != n)
		return 0;
	return (size_t)n;
}

/* ---- its leaves ---- */

/* It has no common name: beside an address GnuTLS would hold that against the constraint of names. */
static X509 *sign_leaf(const struct authority *a, const char *alt_name)
{
	const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid,issuer" },
		{ NID_subject_alt_name, alt_name },
	};
	X509 *x = begin("O", "ambit", a->leaf_key, X509_get_subject_name(a->certificate), LEAF_DAYS);

	if (x != NULL && complete(x, a->certificate, extensions, 6, a->key))
		return x;
	X509_free(x);
	return NULL;
}

static X509 *find_leaf(struct authority *a, const char *alt_name)
{
	struct leaf *l = &a->leaves[a->next];

	for (unsigned i = 0; i < LEAVES; i++)
		if (a->leaves[i].certificate != NULL && strcmp(a->leaves[i].alt_name, alt_name) == 0)
			return a->leaves[i].certificate;
	X509_free(l->certificate);
	l->certificate = sign_leaf(a, alt_name);
	(void)snprintf(l->alt_name, sizeof l->alt_name, "%s", alt_name); /* fits */
	a->next = (a->next + 1) % LEAVES;
	return l->certificate;
}

bool authority_certify(struct authority *a, const struct host_name *name, const struct address *address, SSL *tls)
{
	char alt_name[ALT_NAME_MAX], text[ADDRESS_TEXT_MAX];
	X509 *x;

	if (name->text[0] != 0) {
		(void)snprintf(alt_name, sizeof alt_name, "DNS:%s", name->text);
	} else {
		address_put(address, text);
		(void)snprintf(alt_name, sizeof alt_name, "IP:%s", text);
	}
	x = find_leaf(a, alt_name);
	return x != NULL && SSL_use_certificate(tls, x) == 1 && SSL_use_PrivateKey(tls, a->leaf_key) == 1;
}
