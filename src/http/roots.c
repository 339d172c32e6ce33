#include "http/roots.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is there ---- */

static bool is_certificate(const char *name)
{
	return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
	       strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static void keep(struct roots *r, const unsigned char *der, long n)
{
	if (r->n == ROOTS_MAX || n <= 0 || (size_t)n > ROOTS_BYTES_MAX - r->der.len)
		return;
	r->roots[r->n++] = (struct root){ .at = (uint32_t)r->der.len, .n = (uint32_t)n };
	buf_put(&r->der, der, (size_t)n);
}

bool roots_read(struct roots *r, const void *pem, size_t n)
{
	BIO *in = n > 0 && n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_n = 0;

	*r = (struct roots){ .roots = malloc(ROOTS_MAX * sizeof *r->roots) };
	buf_init(&r->der, ROOTS_BYTES_MAX);
	while (in != NULL && r->roots != NULL && PEM_read_bio(in, &name, &header, &der, &der_n) == 1) {
		if (is_certificate(name))
			keep(r, der, der_n);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(in);
	ERR_clear_error(); /* the end of the file */
	return r->n > 0 && !r->der.failed;
}

void roots_finish(struct roots *r)
{
	X509_LOOKUP_meth_free(r->method);
	buf_finish(&r->der);
	free(r->roots);
	*r = (struct roots){ .n = 0 };
}

/* ---- who is asked for ---- */

/* Into the store. True: it bears that name; *ret then, of which the store has the reference. */
static bool decode(struct roots *r, struct root *root, X509_STORE *store, const X509_NAME *name, X509 **ret)
{
	const unsigned char *at = r->der.data + root->at;
	X509 *x = d2i_X509_AUX(NULL, &at, (long)root->n);
	bool is_it = false;

	root->n = 0;
	if (x == NULL)
		return false;
	if (X509_STORE_add_cert(store, x) == 1 && X509_NAME_cmp(X509_get_subject_name(x), name) == 0) {
		*ret = x;
		is_it = true;
	}
	X509_free(x);
	return is_it;
}

/* Those in which these bytes stand; NULL: all. */
static bool decode_all(struct roots *r, X509_STORE *store, const X509_NAME *name, const unsigned char *bytes, size_t n,
		       X509 **ret)
{
	bool any = false;

	for (uint32_t i = 0; i < r->n; i++) {
		struct root *root = &r->roots[i];

		if (root->n > 0 && (bytes == NULL || memmem(r->der.data + root->at, root->n, bytes, n) != NULL))
			any |= decode(r, root, store, name, ret);
	}
	return any;
}

/* The library asks so for what its store does not have yet, and takes the reference from the store. */
static int find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *ret)
{
	struct roots *r = X509_LOOKUP_get_method_data(lookup);
	X509_STORE *store = X509_LOOKUP_get_store(lookup);
	unsigned char *bytes = NULL;
	X509 *x = NULL;
	int n;

	if (type != X509_LU_X509)
		return 0;
	n = i2d_X509_NAME(name, &bytes);
	if (n > 0 && !decode_all(r, store, name, bytes, (size_t)n, &x))
		(void)decode_all(r, store, name, NULL, 0, &x);
	OPENSSL_free(bytes);
	ERR_clear_error(); /* of one that is none */
	if (x == NULL || X509_OBJECT_set1_X509(ret, x) != 1)
		return 0;
	X509_free(x); /* the one of ret, which is not its own */
	return 1;
}

bool roots_serve(struct roots *r, SSL_CTX *context)
{
	X509_LOOKUP *lookup = NULL;

	r->method = X509_LOOKUP_meth_new("bundle");
	if (r->method == NULL || X509_LOOKUP_meth_set_get_by_subject(r->method, find) != 1)
		return false;
	lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(context), r->method);
	return lookup != NULL && X509_LOOKUP_set_method_data(lookup, r) == 1;
}
