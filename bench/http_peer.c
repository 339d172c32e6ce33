/* Both ends of bench/rules.py, under TLS; everything is of 127.0.0.1, and times are of one run.
 *
 *   http_peer server CERT KEY                 prints its port; answers each GET with two bytes, of /N with so many
 *   http_peer requests CA PORT COUNT          on one connection, one after the other: the median and what 99 of 100 are below, microseconds
 *   http_peer connect CA PORT COUNT           a connection for each: the median, microseconds
 *   http_peer rate CA PORT COUNT CONNECTIONS  so many connections at one time, COUNT requests on each: requests a second
 *   http_peer get CA PORT BYTES               one answer of so many: seconds */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "series.h"

#define PIECE 65536
#define SENDERS_MAX 64

static SSL_CTX *context;

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

_Noreturn static void fail(const char *what)
{
	(void)fprintf(stderr, "http_peer: %s failed\n", what);
	exit(1);
}

static void no_delay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* ---- the server ---- */

/* Up to the empty line. 0: the peer has ended. */
static int read_head(SSL *tls, char *head, int size)
{
	int n = 0;

	while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
		const int got = n < size - 1 ? SSL_read(tls, head + n, size - 1 - n) : 0;

		if (got <= 0)
			return 0;
		n += got;
	}
	head[n] = 0;
	return n;
}

static bool answer(SSL *tls, unsigned long long size)
{
	static const char zeros[PIECE];
	char head[128];
	int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", size > 0 ? size : 2);

	if (size == 0)
		n += snprintf(head + n, sizeof head - (size_t)n, "ok");
	if (SSL_write(tls, head, n) <= 0)
		return false;
	for (unsigned long long left = size; left > 0;) {
		const int piece = left < PIECE ? (int)left : PIECE;

		if (SSL_write(tls, zeros, piece) <= 0)
			return false;
		left -= (unsigned long long)piece;
	}
	return true;
}

static void *serve(void *arg)
{
	const int fd = (int)(intptr_t)arg;
	SSL *tls = SSL_new(context);
	char head[8192];

	no_delay(fd);
	if (tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1)
		while (read_head(tls, head, sizeof head) > 0 && answer(tls, strtoull(head + 5, NULL, 10)))
			;
	SSL_free(tls);
	(void)close(fd);
	return NULL;
}

_Noreturn static void run_server(const char *certificate, const char *key)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		fail("reading the certificate");
	if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 512) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) < 0)
		fail("listening");
	(void)printf("%u\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	for (;;) {
		const int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0 || pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
			fail("accepting");
		(void)pthread_detach(thread);
	}
}

/* ---- the client ---- */

static uint32_t port;

static SSL *open_one(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *tls = SSL_new(context);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) < 0)
		fail("connecting");
	no_delay(fd);
	if (tls == NULL || SSL_set_fd(tls, fd) != 1 ||
	    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), "127.0.0.1") != 1 || SSL_connect(tls) != 1)
		fail("the handshake");
	return tls;
}

static void close_one(SSL *tls)
{
	const int fd = SSL_get_fd(tls);

	(void)SSL_shutdown(tls);
	SSL_free(tls);
	(void)close(fd);
}

/* Reads the answer to its end; its head is in the first piece, since the server writes it first. */
static void ask(SSL *tls, unsigned long long size)
{
	char room[PIECE], *body;
	unsigned long long want, have = 0;
	int n = snprintf(room, sizeof room, "GET /%llu HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n", size,
			 port);

	if (SSL_write(tls, room, n) != n)
		fail("asking");
	want = size > 0 ? size : 2;
	for (n = 0; n < 4 || memmem(room, (size_t)n, "\r\n\r\n", 4) == NULL;) {
		const int got = SSL_read(tls, room + n, (int)sizeof room - n);

		if (got <= 0)
			fail("hearing");
		n += got;
	}
	if (strncmp(room, "HTTP/1.1 200 ", 13) != 0)
		fail(room);
	body = (char *)memmem(room, (size_t)n, "\r\n\r\n", 4) + 4;
	for (have = (unsigned long long)(room + n - body); have < want;) {
		const int got = SSL_read(tls, room, sizeof room);

		if (got <= 0)
			fail("hearing all");
		have += (unsigned long long)got;
	}
}

static void run_requests(struct series *taken, uint32_t count)
{
	SSL *tls = open_one();

	for (uint32_t i = 0; i < count; i++) {
		const double begun = now_us();

		ask(tls, 0);
		series_add(taken, now_us() - begun);
	}
	close_one(tls);
	(void)printf("%f %f\n", series_median(taken), series_at(taken, 0.99));
}

static void run_connect(struct series *taken, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const double begun = now_us();
		SSL *tls = open_one();

		ask(tls, 0);
		close_one(tls);
		series_add(taken, now_us() - begun);
	}
	(void)printf("%f\n", series_median(taken));
}

static void *send_many(void *arg)
{
	const uint32_t count = *(const uint32_t *)arg;
	SSL *tls = open_one();

	for (uint32_t i = 0; i < count; i++)
		ask(tls, 0);
	close_one(tls);
	return NULL;
}

static void run_rate(uint32_t count, uint32_t connections)
{
	pthread_t threads[SENDERS_MAX];
	const double begun = now_us();

	for (uint32_t i = 0; i < connections; i++)
		if (pthread_create(&threads[i], NULL, send_many, &count) != 0)
			fail("starting");
	for (uint32_t i = 0; i < connections; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("%f\n", (double)count * connections / ((now_us() - begun) / 1e6));
}

int main(int argc, char **argv)
{
	uint32_t count = 0, connections = 1;
	struct series taken;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "server") == 0)
		run_server(argv[2], argv[3]);
	if (argc < 5 || !parse_u32(argv[3], 1, UINT16_MAX, &port) || !parse_u32(argv[4], 1, UINT32_MAX, &count) ||
	    (argc > 5 && !parse_u32(argv[5], 1, SENDERS_MAX, &connections)))
		return 2;
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || series_init(&taken, count < (1u << 20) ? count : 1) < 0 ||
	    SSL_CTX_load_verify_locations(context, argv[2], NULL) != 1)
		fail("reading the authorities");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (strcmp(argv[1], "requests") == 0) {
		run_requests(&taken, count);
	} else if (strcmp(argv[1], "connect") == 0) {
		run_connect(&taken, count);
	} else if (strcmp(argv[1], "rate") == 0) {
		run_rate(count, connections);
	} else {
		SSL *tls = open_one();
		const double begun = now_us();

		ask(tls, count);
		(void)printf("%f\n", (now_us() - begun) / 1e6);
		close_one(tls);
	}
	series_finish(&taken);
	return 0;
}
