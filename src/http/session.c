#include "http/session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/locked.h"

#define STEPS 64          /* of one turn, before others have theirs */
#define TLS_HANDSHAKE 22  /* the first byte of a hello (RFC 8446, 5.1) */
#define EXTENSION_ALPN 16 /* RFC 7301 */

/* ---- what the program offers ---- */

/* Whether a list of protocols, each behind its length, has HTTP/2. */
static bool lists_two(const unsigned char *list, size_t n)
{
	for (size_t i = 0; i < n && list[i] < n - i; i += 1u + list[i])
		if (list[i] == 2 && memcmp(list + i + 1, "h2", 2) == 0)
			return true;
	return false;
}

/* Its hello is read: the host comes first, and then it goes on. */
static int on_hello(SSL *tls, int *alert, void *arg)
{
	struct session *s = SSL_get_app_data(tls);
	const unsigned char *list = NULL;
	size_t n = 0;

	(void)arg;
	(void)alert;
	if (s->state != SESSION_HELLO)
		return SSL_CLIENT_HELLO_SUCCESS;
	if (SSL_client_hello_get0_ext(tls, EXTENSION_ALPN, &list, &n) == 1 && n > 2)
		s->offers_two = lists_two(list + 2, n - 2);
	return SSL_CLIENT_HELLO_RETRY;
}

static int on_protocols(SSL *tls, const unsigned char **ret, unsigned char *ret_n, const unsigned char *list,
			unsigned n, void *arg)
{
	static const unsigned char two[] = "\x02h2", one[] = "\x08http/1.1";
	const struct session *s = SSL_get_app_data(tls);
	const unsigned char *wanted = s->speaks_two ? two : one;
	unsigned char *chosen = NULL;

	(void)arg;
	if (SSL_select_next_proto(&chosen, ret_n, wanted, s->speaks_two ? 3 : 9, list, n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- contexts ---- */

/* A host that has proved itself gives what makes its next connection cheaper. */
static int on_session(SSL *tls, SSL_SESSION *given)
{
	struct session *s = SSL_get_app_data(tls);

	if (SSL_get_verify_result(tls) != X509_V_OK || SSL_SESSION_is_resumable(given) == 0)
		return 0;
	resume_keep(&s->role->resume, &s->host, given);
	return 1;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL)
		return NULL;
	(void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

bool session_prepare(struct session_role *role, const void *authorities, size_t n)
{
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL); /* its failure shows when it is used */
	role->client_context = new_context(TLS_server_method());
	role->host_context = new_context(TLS_client_method());
	if (role->client_context == NULL || role->host_context == NULL)
		return false;
	SSL_CTX_set_client_hello_cb(role->client_context, on_hello, NULL);
	SSL_CTX_set_alpn_select_cb(role->client_context, on_protocols, NULL);
	(void)SSL_CTX_set_session_cache_mode(role->client_context,
					     SSL_SESS_CACHE_OFF); /* tickets do, which are the program's to keep: */
	(void)SSL_CTX_set_num_tickets(role->client_context, 1);
	SSL_CTX_set_verify(role->host_context, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_session_cache_mode(role->host_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(role->host_context, on_session);
	return roots_read(&role->roots, authorities, n) && roots_serve(&role->roots, role->host_context);
}

/* ---- beginning ---- */

/* Of what has the secret in it. */
static const struct memory *memory_of(const struct session_role *role)
{
	return role->masks != NULL ? &locked_memory : NULL;
}

void session_open(struct session *s, struct session_role *role, const struct http_host *host, int client_fd,
		  int host_fd)
{
	const struct memory *memory = memory_of(role);

	*s = (struct session){
		.state = SESSION_FIRST, .host = *host, .role = role, .due_ms = UINT64_MAX, .wakes_ms = UINT64_MAX
	};
	stream_init(&s->client, client_fd, NULL);
	stream_init(&s->server, host_fd, memory);
	one_init(&s->one, memory);
}

void session_tell(struct session *s)
{
	const struct one_parts p = { .host = &s->host, .count = s->role->count, .arg = s->role->arg };

	one_tell(&s->one, &p);
	if (s->two != NULL)
		two_tell(s->two, &p);
}

bool session_covers_by(const struct session *s, const struct mask_set *masks)
{
	return s->two != NULL || s->one.mask.set == masks; /* of streams of HTTP/2 each has its own */
}

size_t session_held(const struct session *s)
{
	const size_t streams = stream_held(&s->client) + stream_held(&s->server);

	if (s->state == SESSION_FREE)
		return 0;
	return streams + s->one.head.cap + s->one.gathered.cap + s->one.mask.held.cap +
	       (s->two != NULL ? two_held(s->two) : 0);
}

void session_close(struct session *s)
{
	session_tell(s);
	one_finish(&s->one);
	if (s->two != NULL)
		two_finish(s->two);
	free(s->two);
	s->two = NULL;
	stream_finish(&s->client);
	stream_finish(&s->server);
	s->state = SESSION_FREE;
}

/* Each request will be told. */
static void lose_host(struct session *s, const char *why)
{
	(void)snprintf(s->broken, sizeof s->broken, "%s", why);
	s->server.broken = true;
}

static SSL *new_tls(SSL_CTX *context, struct session *s, int fd)
{
	SSL *tls = SSL_new(context);

	if (tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_set_app_data(tls, s) == 1)
		return tls;
	SSL_free(tls);
	return NULL;
}

static bool expect_host(SSL *tls, const struct http_host *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(tls);
	char text[ADDRESS_TEXT_MAX];

	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (host->name.text[0] == 0) {
		address_put(&host->address, text);
		return X509_VERIFY_PARAM_set1_ip_asc(p, text) == 1;
	}
	/* The macro for this casts the const away, which clang tells. */
	return SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)host->name.text) == 1 &&
	       X509_VERIFY_PARAM_set1_host(p, host->name.text, 0) == 1;
}

/* Of the program, of which the first byte says that it speaks TLS. */
static bool expect_hello(struct session *s)
{
	SSL *tls = new_tls(s->role->client_context, s, s->client.fd);

	s->client.tls = tls;
	if (tls == NULL || !authority_certify(s->role->authority, &s->host.name, &s->host.address, tls))
		return false;
	SSL_set_accept_state(tls);
	s->host.tls = true;
	s->state = SESSION_HELLO;
	return true;
}

/* What the host chose of the two protocols, as far as it said. */
static bool is_two(const unsigned char *chosen, size_t n)
{
	return n == 2 && memcmp(chosen, "h2", 2) == 0;
}

/* Its answer says whether it takes that; a whole handshake is as well. */
static bool offer_resumption(struct session *s, SSL *tls)
{
	SSL_SESSION *known = resume_take(&s->role->resume, &s->host);
	const unsigned char *chosen = NULL;
	size_t n = 0;
	bool offered;

	s->state = SESSION_HOST;
	if (known == NULL)
		return true;
	SSL_SESSION_get0_alpn_selected(known, &chosen, &n);
	/* One that chose HTTP/1.1 may have been offered nothing else. */
	s->speaks_two = s->offers_two && is_two(chosen, n);
	if (s->speaks_two == s->offers_two)
		s->state = SESSION_BOTH;
	offered = SSL_set_session(tls, known) == 1;
	SSL_SESSION_free(known);
	return offered;
}

static bool begin_host(struct session *s)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	SSL *tls = new_tls(s->role->host_context, s, s->server.fd);
	const unsigned skip = s->offers_two ? 0 : 3;

	s->server.tls = tls;
	if (tls == NULL || !expect_host(tls, &s->host) || !offer_resumption(s, tls) ||
	    SSL_set_alpn_protos(tls, both + skip, sizeof both - 1 - skip) != 0)
		return false;
	SSL_set_connect_state(tls);
	return true;
}

/* ---- shaking hands ---- */

/* 1: the first byte is TLS's, 0: it is not, -1: there is none yet, -2: and there will be none. */
static int first_byte(const struct session *s)
{
	uint8_t byte = 0;
	struct iovec at = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &at, .msg_iovlen = 1 };
	const ssize_t n = recvmsg(s->client.fd, &m, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : -2;
	return n == 0 ? -2 : byte == TLS_HANDSHAKE;
}

static bool begin(struct session *s)
{
	const int first = first_byte(s);

	if (first == -1) {
		uint8_t byte;
		struct iovec at = { .iov_base = &byte, .iov_len = 1 };
		struct msghdr m = { .msg_iov = &at, .msg_iovlen = 1 };

		/* The host says the first word, or none at all: it speaks no HTTP, or has gone. */
		if (recvmsg(s->server.fd, &m, MSG_PEEK | MSG_DONTWAIT) != 0)
			return false;
		session_close(s);
		return true;
	}
	if (first == -2)
		session_close(s);
	else if (first == 1 && !expect_hello(s))
		session_close(s);
	else if (first == 0) {
		s->state = SESSION_OPEN;
		if (terms_has(&s->role->judge.terms, TERM_SECRET))
			lose_host(s, "this connection is plain");
	}
	return true;
}

static bool read_hello(struct session *s)
{
	const enum stream_shake shake = stream_shake(&s->client);

	if (shake == STREAM_SHAKING)
		return false;
	if (shake != STREAM_PAUSED || !begin_host(s))
		session_close(s);
	return true;
}

static void tell_host_failed(struct session *s)
{
	const long verified = SSL_get_verify_result(s->server.tls);
	const char *why = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
						: "it speaks no TLS that is known here";
	char text[sizeof s->broken];

	(void)snprintf(text, sizeof text, "the host did not prove to be %s: %s",
		       s->host.name.text[0] != 0 ? s->host.name.text : "the one of the grant", why);
	lose_host(s, text);
}

static bool shake_host(struct session *s)
{
	const enum stream_shake shake = stream_shake(&s->server);
	const unsigned char *chosen = NULL;
	unsigned n = 0;

	if (shake == STREAM_SHAKING)
		return false;
	if (shake == STREAM_SHOOK && SSL_get_verify_result(s->server.tls) == X509_V_OK) {
		SSL_get0_alpn_selected(s->server.tls, &chosen, &n);
		s->speaks_two = is_two(chosen, n);
	} else {
		tell_host_failed(s);
	}
	s->state = SESSION_CLIENT;
	return true;
}

/* The program is told of the protocol before the host has chosen: one that chooses another this time, or fails where HTTP/2 was told, is of no use. Neither gets a byte
 * of the other before both have shaken hands. */
static bool shake_both(struct session *s)
{
	const bool told_two = s->speaks_two;
	const bool any = shake_host(s);
	const bool failed = stream_shake(&s->client) == STREAM_FAILED;

	if (failed || s->speaks_two != told_two || (told_two && s->broken[0] != 0))
		session_close(s);
	return any || failed;
}

/* Few sessions speak it, and what it takes is large. */
static bool begin_two(struct session *s)
{
	s->two = malloc(sizeof *s->two);
	if (s->two != NULL)
		two_init(s->two, memory_of(s->role));
	return s->two != NULL;
}

static bool shake_client(struct session *s)
{
	const enum stream_shake shake = stream_shake(&s->client);

	if (shake == STREAM_SHAKING)
		return false;
	if (shake != STREAM_SHOOK || (s->speaks_two && !begin_two(s)))
		session_close(s);
	else
		s->state = SESSION_OPEN;
	return true;
}

/* ---- running ---- */

/* The version that both agreed on. */
static bool run_version(struct session *s, struct one_parts *p)
{
	return s->two != NULL ? two_step(s->two, p) : one_step(&s->one, p);
}

static bool is_done(const struct session *s)
{
	return s->two != NULL ? s->two->state == TWO_DONE : s->one.state == ONE_DONE;
}

static bool run_open(struct session *s, uint64_t now_ms)
{
	struct one_parts p = { .judge = &s->role->judge,
			       .masks = s->role->masks,
			       .host = &s->host,
			       .client = &s->client,
			       .server = &s->server,
			       .verdict = &s->role->verdict,
			       .broken = s->broken[0] != 0 ? s->broken : NULL,
			       .count = s->role->count,
			       .arg = s->role->arg,
			       .now_ms = now_ms };
	bool any = stream_fill(&s->client, HTTP_HEAD_MAX + STREAM_READ);

	if (p.broken == NULL)
		any |= stream_fill(&s->server, HTTP_HEAD_MAX + STREAM_READ);
	any |= run_version(s, &p);
	any |= stream_flush(&s->client);
	if (p.broken == NULL)
		any |= stream_flush(&s->server);
	if (is_done(s)) {
		session_close(s);
		return true;
	}
	return any;
}

static bool step(struct session *s, uint64_t now_ms)
{
	switch (s->state) {
	case SESSION_FIRST: return begin(s);
	case SESSION_HELLO: return read_hello(s);
	case SESSION_HOST: return shake_host(s);
	case SESSION_CLIENT: return shake_client(s);
	case SESSION_BOTH: return shake_both(s);
	case SESSION_OPEN: return run_open(s, now_ms);
	default: return false;
	}
}

/* What waits here was not looked at yet, as the host is slow: that is not the program's doing. */
static uint64_t patience_two(const struct session *s)
{
	if (s->two->state == TWO_LAST)
		return SESSION_SHAKE_MS;
	return two_unfinished(s->two) != 0 && stream_has(&s->client) == 0 ? SESSION_HEAD_MS : 0;
}

/* Idle between two requests is no matter; a head that was begun, and hands that are shaken, are. */
static uint64_t patience(const struct session *s)
{
	if (s->state != SESSION_OPEN)
		return s->state == SESSION_FIRST ? 0 : SESSION_SHAKE_MS;
	if (s->two != NULL)
		return patience_two(s);
	if (s->one.state == ONE_LAST)
		return SESSION_SHAKE_MS;
	return s->one.state == ONE_HEAD && stream_has(&s->client) > 0 ? SESSION_HEAD_MS : 0;
}

bool session_run(struct session *s, uint64_t now_ms)
{
	bool any = true;
	uint64_t ms, due_for;

	for (unsigned i = 0; i < STEPS && any && s->state != SESSION_FREE; i++)
		any = step(s, now_ms);
	if (s->state == SESSION_FREE)
		return false;
	ms = patience(s);
	s->wakes_ms = s->two != NULL ? two_wakes(s->two) : one_wakes(&s->one);
	due_for = s->two != NULL ? two_unfinished(s->two) : 0;
	if (due_for != s->due_for && s->state == SESSION_OPEN)
		s->due_ms = UINT64_MAX; /* another frame: what was waited for is there */
	s->due_for = due_for;
	if (ms == 0)
		s->due_ms = UINT64_MAX;
	else if (s->due_ms == UINT64_MAX)
		s->due_ms = now_ms + ms;
	return any;
}
