#include "witness/channel.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

/* False: it is too late. */
static bool wait_for(const struct channel *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	const uint64_t now = clock_ms();

	return now < c->deadline_ms && poll(&p, 1, (int)(c->deadline_ms - now)) != 0; /* interrupted: tried again */
}

/* ---- plain ---- */

static enum witness_outcome failed(const struct channel *c, short events)
{
	if (errno == EINTR)
		return WITNESS_COSIGNED;
	if (errno != EAGAIN)
		return WITNESS_CLOSED;
	return wait_for(c, events) ? WITNESS_COSIGNED : WITNESS_SLOW;
}

static enum witness_outcome plain_write(const struct channel *c, const uint8_t *at, size_t n)
{
	enum witness_outcome r = WITNESS_COSIGNED;

	while (n > 0 && r == WITNESS_COSIGNED) {
		const ssize_t done = write(c->fd, at, n);

		if (done < 0) {
			r = failed(c, POLLOUT);
			continue;
		}
		at += done;
		n -= (size_t)done;
	}
	return r;
}

static enum witness_outcome plain_read(const struct channel *c, void *bytes, size_t n, size_t *ret_n)
{
	enum witness_outcome r = WITNESS_COSIGNED;

	while (r == WITNESS_COSIGNED) {
		const ssize_t got = read(c->fd, bytes, n);

		if (got >= 0) {
			*ret_n = (size_t)got;
			return clock_ms() < c->deadline_ms ? WITNESS_COSIGNED : WITNESS_SLOW;
		}
		r = failed(c, POLLIN);
	}
	return r;
}

/* ---- TLS ---- */

void channel_prepare(void)
{
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); /* its failure shows when it is used */
}

static bool take_authorities(SSL_CTX *context, struct span pem)
{
	BIO *in = pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	bool any = false;
	X509 *x;

	while (in != NULL && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		any |= X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(in);
	ERR_clear_error(); /* the end of the file */
	return any;
}

bool channel_expect(SSL *tls, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(tls);

	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return true;
	ERR_clear_error();
	/* The macro for this casts the const away, which clang tells. */
	return SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) == 1 &&
	       X509_VERIFY_PARAM_set1_host(p, host, 0) == 1;
}

/* What a call of the library came to. COSIGNED: try again. */
static enum witness_outcome judge(const struct channel *c, int r)
{
	const int saved = errno;

	switch (SSL_get_error(c->tls, r)) {
	case SSL_ERROR_WANT_READ: return wait_for(c, POLLIN) ? WITNESS_COSIGNED : WITNESS_SLOW;
	case SSL_ERROR_WANT_WRITE: return wait_for(c, POLLOUT) ? WITNESS_COSIGNED : WITNESS_SLOW;
	case SSL_ERROR_SYSCALL: return saved == EINTR ? WITNESS_COSIGNED : WITNESS_CLOSED;
	case SSL_ERROR_ZERO_RETURN: return WITNESS_CLOSED;
	default: break;
	}
	return SSL_get_verify_result(c->tls) != X509_V_OK ? WITNESS_CERTIFICATE : WITNESS_NO_TLS;
}

static enum witness_outcome shake(const struct channel *c)
{
	enum witness_outcome r = WITNESS_COSIGNED;

	while (r == WITNESS_COSIGNED) {
		const int done = SSL_connect(c->tls);

		if (done == 1)
			return SSL_get_verify_result(c->tls) == X509_V_OK ? WITNESS_COSIGNED : WITNESS_CERTIFICATE;
		r = judge(c, done);
	}
	return r;
}

SSL_CTX *channel_trust(struct span authorities)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    take_authorities(context, authorities)) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		return context;
	}
	SSL_CTX_free(context);
	return NULL;
}

static enum witness_outcome open_tls(struct channel *c, const struct witness_url *url, struct span authorities)
{
	c->context = channel_trust(authorities);
	if (c->context == NULL)
		return WITNESS_CERTIFICATE;
	c->tls = SSL_new(c->context);
	if (c->tls == NULL || SSL_set_fd(c->tls, c->fd) != 1 || !channel_expect(c->tls, url->host))
		return WITNESS_NO_TLS;
	return shake(c);
}

static enum witness_outcome tls_write(const struct channel *c, const uint8_t *at, size_t n)
{
	enum witness_outcome r = WITNESS_COSIGNED;

	while (n > 0 && r == WITNESS_COSIGNED) {
		size_t done = 0;
		const int ok = SSL_write_ex(c->tls, at, n, &done);

		if (ok != 1)
			r = judge(c, ok);
		at += done;
		n -= done;
	}
	return r;
}

/* An end that is not TLS's own may be anybody's: it is an end, and what came may be found to be too short. */
static enum witness_outcome tls_read(const struct channel *c, void *bytes, size_t n, size_t *ret_n)
{
	enum witness_outcome r = WITNESS_COSIGNED;

	while (r == WITNESS_COSIGNED) {
		const int ok = SSL_read_ex(c->tls, bytes, n, ret_n);

		if (ok == 1)
			return clock_ms() < c->deadline_ms ? WITNESS_COSIGNED : WITNESS_SLOW;
		*ret_n = 0;
		if (SSL_get_error(c->tls, ok) == SSL_ERROR_ZERO_RETURN)
			return WITNESS_COSIGNED;
		r = judge(c, ok);
	}
	return r;
}

/* ---- either ---- */

enum witness_outcome channel_open(struct channel *c, int fd, const struct witness_url *url, struct span authorities)
{
	*c = (struct channel){ .fd = fd, .deadline_ms = clock_ms() + WITNESS_PATIENCE_MS };
	return url->tls ? open_tls(c, url, authorities) : WITNESS_COSIGNED;
}

void channel_close(struct channel *c)
{
	SSL_free(c->tls);
	SSL_CTX_free(c->context);
}

enum witness_outcome channel_write(struct channel *c, const void *bytes, size_t n)
{
	return c->tls != NULL ? tls_write(c, bytes, n) : plain_write(c, bytes, n);
}

enum witness_outcome channel_read(struct channel *c, void *bytes, size_t n, size_t *ret_n)
{
	return c->tls != NULL ? tls_read(c, bytes, n, ret_n) : plain_read(c, bytes, n, ret_n);
}
