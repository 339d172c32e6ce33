/* Whom the authority of one grant can certify, if somebody has its key: OpenSSL decides, as clients do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/authority.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static X509 *certified(struct authority *a, SSL *tls, const char *host)
{
	struct host_name name = { .text = "" };
	struct address address = { .family = 0 };

	if (!address_take(host, strlen(host), &address))
		(void)snprintf(name.text, sizeof name.text, "%s", host);
	assert_true(authority_certify(a, &name, &address, tls));
	return SSL_get_certificate(tls);
}

/* As a client does that trusts the authority. */
static int verify(const struct authority *a, X509 *leaf)
{
	uint8_t der[AUTHORITY_DER_MAX];
	const unsigned char *at = der;
	X509 *root = d2i_X509(NULL, &at, (long)authority_put(a, der));
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int r;

	assert_true(root != NULL && store != NULL && context != NULL && X509_STORE_add_cert(store, root) == 1);
	assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
	r = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(root);
	return r;
}

static void an_authority_certifies_its_own_hosts_alone(void **state)
{
	static const struct {
		const char *grant, *host;
		int result;
	} rows[] = {
		{ "api.example:443", "api.example", X509_V_OK },
		{ "api.example:443", "other.example", X509_V_ERR_PERMITTED_VIOLATION },
		{ "api.example:443", "192.0.2.1", X509_V_ERR_EXCLUDED_VIOLATION },
		{ "api.example:443", "2001:db8::1", X509_V_ERR_EXCLUDED_VIOLATION },
		{ "*.api.example:443", "a.api.example", X509_V_OK },
		{ "*.api.example:443", "a.other.example", X509_V_ERR_PERMITTED_VIOLATION },
		{ "*.api.example:443", "192.0.2.1", X509_V_ERR_EXCLUDED_VIOLATION },
		{ "192.0.2.1:443", "192.0.2.1", X509_V_OK },
		{ "192.0.2.1:443", "192.0.2.2", X509_V_ERR_PERMITTED_VIOLATION },
		{ "192.0.2.1:443", "2001:db8::1", X509_V_ERR_PERMITTED_VIOLATION },
		{ "192.0.2.1:443", "api.example", X509_V_ERR_PERMITTED_VIOLATION },
		{ "[2001:db8::1]:443", "2001:db8::1", X509_V_OK },
		{ "[2001:db8::1]:443", "2001:db8::2", X509_V_ERR_PERMITTED_VIOLATION },
		{ "[2001:db8::1]:443", "192.0.2.1", X509_V_ERR_PERMITTED_VIOLATION },
		{ "[2001:db8::1]:443", "api.example", X509_V_ERR_PERMITTED_VIOLATION },
		{ "*:443", "api.example", X509_V_OK },
		{ "*:443", "192.0.2.1", X509_V_OK },
	};
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		SSL *tls = SSL_new(context);
		struct endpoint of;
		struct authority *a;
		int result;

		assert_int_equal(endpoint_take(rows[i].grant, &of, NULL), 0);
		a = authority_create(&of);
		assert_non_null(a);
		result = verify(a, certified(a, tls, rows[i].host));
		if (result != rows[i].result)
			fail_msg("%s, %s: %s", rows[i].grant, rows[i].host, X509_verify_cert_error_string(result));
		SSL_free(tls);
		authority_free(a);
	}
	SSL_CTX_free(context);
}

static void the_longest_name_is_certified(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *tls = SSL_new(context);
	struct endpoint of = { .kind = ENDPOINT_NAME, .port = 443 };
	struct authority *a;

	(void)state;
	for (size_t i = 0; i < HOST_NAME_MAX_LEN; i++)
		of.name.text[i] = i % 64 == 63 ? '.' : 'a';
	a = authority_create(&of);
	assert_non_null(a);
	assert_int_equal(verify(a, certified(a, tls, of.name.text)), X509_V_OK);
	SSL_free(tls);
	authority_free(a);
	SSL_CTX_free(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_certifies_its_own_hosts_alone),
		cmocka_unit_test(the_longest_name_is_certified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
