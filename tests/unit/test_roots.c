/* Authorities that are read when a host names one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/roots.h"

#define N 40
#define DAY 86400L

struct pair {
	X509 *x;
	EVP_PKEY *key;
};

/* kind: how the name is written. */
static X509_NAME *name_of(const char *text, int kind)
{
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", kind, (const unsigned char *)text, -1, -1, 0), 1);
	return name;
}

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static struct pair certify(X509_NAME *subject, X509_NAME *issuer, EVP_PKEY *with)
{
	struct pair p = { .x = X509_new(), .key = EVP_EC_gen("P-256") };

	assert_int_equal(X509_set_version(p.x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(p.x), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(p.x), -DAY));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(p.x), DAY));
	assert_int_equal(X509_set_subject_name(p.x, subject), 1);
	assert_int_equal(X509_set_issuer_name(p.x, issuer), 1);
	assert_int_equal(X509_set_pubkey(p.x, p.key), 1);
	extend(p.x, NID_basic_constraints, with == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	assert_true(X509_sign(p.x, with != NULL ? with : p.key, EVP_sha256()) > 0);
	X509_NAME_free(subject);
	if (issuer != subject)
		X509_NAME_free(issuer);
	return p;
}

static void drop(struct pair *p)
{
	X509_free(p->x);
	EVP_PKEY_free(p->key);
}

static struct pair authority(const char *text)
{
	X509_NAME *name = name_of(text, MBSTRING_ASC);

	return certify(name, name, NULL);
}

static void put(BIO *out, const struct pair *p)
{
	assert_int_equal(PEM_write_bio_X509(out, p->x), 1);
}

static bool is_believed(SSL_CTX *context, X509 *x)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	int r;

	assert_int_equal(X509_STORE_CTX_init(c, SSL_CTX_get_cert_store(context), x, NULL), 1);
	r = X509_verify_cert(c);
	X509_STORE_CTX_free(c);
	return r == 1;
}

static unsigned undecoded(const struct roots *r)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->roots[i].n > 0;
	return n;
}

static void only_who_is_named_is_decoded(void **state)
{
	struct pair authorities[N], leaf, other_writing, impostor, foreign;
	struct pair stranger = authority("Stranger");
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *file = BIO_new(BIO_s_mem());
	struct roots r;
	char *text;
	long n;

	(void)state;
	assert_true(
		BIO_puts(
			file,
			"# a bundle, with what is none\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") >
		0);
	for (unsigned i = 0; i < N; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "Authority %02u", i);
		authorities[i] = authority(name);
		put(file, &authorities[i]);
		assert_int_equal(PEM_write_bio_PUBKEY(file, authorities[i].key), 1);
	}
	n = BIO_get_mem_data(file, &text);
	assert_true(roots_read(&r, text, (size_t)n));
	assert_true(roots_serve(&r, context));
	assert_int_equal(r.n, N + 1);
	assert_int_equal(undecoded(&r), N + 1);

	leaf = certify(name_of("leaf", MBSTRING_ASC), name_of("Authority 07", MBSTRING_ASC), authorities[7].key);
	impostor = certify(name_of("leaf", MBSTRING_ASC), name_of("Authority 08", MBSTRING_ASC), authorities[7].key);
	assert_true(is_believed(context, leaf.x));
	assert_int_equal(undecoded(&r), N);
	assert_true(is_believed(context, leaf.x)); /* from the store */
	assert_false(is_believed(context, impostor.x));
	assert_int_equal(undecoded(&r), N - 1);

	other_writing = certify(name_of("leaf", MBSTRING_ASC), name_of("AUTHORITY  09", V_ASN1_UTF8STRING),
				authorities[9].key);
	assert_true(is_believed(context, other_writing.x)); /* one name, in other bytes */
	assert_int_equal(undecoded(&r), 0);
	foreign = certify(name_of("leaf", MBSTRING_ASC), name_of("Stranger", MBSTRING_ASC), stranger.key);
	assert_false(is_believed(context, foreign.x));
	assert_false(is_believed(context, stranger.x));
	assert_true(is_believed(context, authorities[3].x));

	SSL_CTX_free(context);
	roots_finish(&r);
	BIO_free(file);
	drop(&leaf);
	drop(&impostor);
	drop(&other_writing);
	drop(&foreign);
	drop(&stranger);
	for (unsigned i = 0; i < N; i++)
		drop(&authorities[i]);
}

static void a_file_without_certificates_is_none(void **state)
{
	static const char *const rows[] = { "", "\n", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n",
					    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" };
	struct roots r;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_false(roots_read(&r, rows[i], strlen(rows[i])));
		roots_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_is_named_is_decoded),
		cmocka_unit_test(a_file_without_certificates_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
