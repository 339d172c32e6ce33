#include "cli/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/found.h"
#include "cli/whose.h"
#include "core/address.h"
#include "lib/event.h"
#include "lib/role.h"
#include "wire/wire.h"

#define ROLE_FILES 160 /* connections, streams, and what is between */
#define ROLE_MEMORY (UINT64_C(512) << 20)
#define BACKLOG 64
#define PROCESSES_MAX                                                                                                  \
	(2 * WEB_SERVERS_MAX)    /* with those of sessions that are over: a server may take its time to end */
#define SEND_MS 10000            /* who hears nothing for so long is no longer there */
#define KEYS_MS 5000             /* so often it is looked whether the issuer's keys are others */
#define KERNEL_BYTES (128 << 10) /* for each connection: what it does not take is ours to bound */
#define QUIET_MS 20000           /* after so long a peer that answers nothing is gone */

/* ---- options ---- */

static int where_usage(const char *where, struct err *e)
{
	return err_set(e, AMBIT_USAGE, "--http 8080, --http 127.0.0.1:0, --http '[::1]:8080'",
		       "--http takes a port, or an address and a port, and not '%.100s'", where);
}

static int take_where(const char *where, struct address *ret, uint16_t *ret_port, struct err *e)
{
	const char *port = strrchr(where, ':'), *at = where;
	size_t n = port == NULL ? 0 : (size_t)(port - where);
	uint32_t number;

	*ret = address_loopback(ADDRESS_IPV4);
	if (!parse_u32(port == NULL ? where : port + 1, 0, UINT16_MAX, &number))
		return where_usage(where, e);
	if (n > 2 && at[0] == '[' && at[n - 1] == ']') {
		at++;
		n -= 2;
	}
	if (port != NULL && (!address_take(at, n, ret) || (ret->family == ADDRESS_IPV6) != (at != where)))
		return where_usage(where, e);
	*ret_port = (uint16_t)number; /* just checked */
	return 0;
}

int web_check(const struct web_options *o, struct err *e)
{
	const bool issues = o->issuer != NULL || o->audience != NULL || o->keys != NULL || o->scope != NULL;
	struct address at;
	uint16_t port;
	int r;

	if (o->where == NULL)
		return issues || o->token_file != NULL || o->n_origins > 0
			       ? err_set(e, AMBIT_USAGE, "--http PORT", "who may ask is said with --http alone")
			       : 0;
	r = take_where(o->where, &at, &port, e);
	if (r < 0)
		return r;
	if (issues && (o->issuer == NULL || o->audience == NULL || o->keys == NULL || o->token_file != NULL))
		return err_set(e, AMBIT_USAGE, "--issuer URL --audience URL --jwks FILE, and no --token-file",
			       "an issuer of tokens has a name, keys, and a name for us");
	if (!issues && o->token_file == NULL && address_kind(&at) != ADDRESS_LOOPBACK)
		return err_set(e, AMBIT_USAGE, "--token-file FILE, or --issuer, --audience and --jwks",
			       "an address that others reach wants authorization");
	return 0;
}

/* ---- where it listens ---- */

union place {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t place_of(const struct address *at, uint16_t port, union place *ret)
{
	if (at->family == ADDRESS_IPV6) {
		*ret = (union place){ .six = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
		memcpy(&ret->six.sin6_addr, at->bytes, sizeof ret->six.sin6_addr);
		return sizeof ret->six;
	}
	*ret = (union place){ .four = { .sin_family = AF_INET, .sin_port = htons(port) } };
	memcpy(&ret->four.sin_addr, at->bytes, sizeof ret->four.sin_addr);
	return sizeof ret->four;
}

static int listen_at(const struct web_options *o, struct web_begin *b, int *ret, struct err *e)
{
	union place place;
	struct address at;
	const int on = 1;
	uint16_t port = 0;
	auto_fd int fd = -1;
	socklen_t n;
	int r = take_where(o->where, &at, &port, e);

	if (r < 0)
		return r;
	address_put(&at, b->address);
	n = place_of(&at, port, &place);
	fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
				 sizeof on); /* else it waits for what was there before */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); /* of the other family: refused */
	}
	if (fd < 0 || bind(fd, &place.any, n) < 0 || listen(fd, BACKLOG) < 0 || getsockname(fd, &place.any, &n) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot listen at '%s'", o->where);
	b->port = ntohs(at.family == ADDRESS_IPV6 ? place.six.sin6_port : place.four.sin_port);
	*ret = steal_fd(&fd);
	return 0;
}

static void tell_where(const struct web_begin *b)
{
	struct address at;
	const bool six = strchr(b->address, ':') != NULL;

	(void)fprintf(stderr, "ambit: listens at http://%s%s%s:%u" WEB_PATH "\n", six ? "[" : "", b->address,
		      six ? "]" : "", b->port);
	if (address_take(b->address, strlen(b->address), &at) && address_kind(&at) != ADDRESS_LOOPBACK)
		(void)fprintf(stderr, "  hint: nothing is encrypted; on a network, put what speaks TLS before it\n");
}

/* ---- the role ---- */

struct site {
	const struct web_options *o; /* borrowed */
	struct stat keys;            /* the issuer's, as they were read */
	unsigned renewed;            /* so often it got others, and may say what is wrong with them */
	struct web_begin begin;
	struct ambit_event *role;      /* owned */
	int sock, listener, signal_fd; /* owned */
	pid_t pids[PROCESSES_MAX];     /* 0: a free place */
	sigset_t before;
};

static int begin_role(struct site *s, struct err *e)
{
	static const struct role_bounds bounds = { .files = ROLE_FILES, .memory_bytes = ROLE_MEMORY };
	auto_buf body = { .max = WEB_BEGIN_BYTES };
	auto_message m = { .n_fds = 0 };
	uint8_t room[2048 + WIRE_HEAD];
	auto_fd int keys = -1;
	int r = s->o->keys != NULL ? web_keys_renew(s->o->keys, &s->keys, &keys, e) : 0;

	r = r < 0 ? r : role_start_in_cell("ambit-web", &bounds, &s->role, &s->sock, e);
	if (r < 0)
		return r;
	web_begin_put(&body, &s->begin);
	r = wire_send(s->sock, WIRE_WEB_BEGIN, &body, &keys, keys >= 0);
	r = r < 0 ? r : wire_receive(s->sock, WIRE_WEB, WIRE_NEW, room, sizeof room, &m);
	if (r > 0 && m.number == WIRE_WEB_FAILED)
		return wire_take_error(&m.body, e);
	if (r <= 0 || m.number != WIRE_WEB_READY)
		return err_set(e, AMBIT_GONE, NULL, "what reads HTTP did not start");
	r = fd_set_nonblock(s->sock, true);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot begin") : 0;
}

/* What cannot be read leaves all as it was, and is told. */
static void renew_keys(struct site *s)
{
	auto_fd int keys = -1;
	struct err e;
	const int r = s->o->keys != NULL ? web_keys_renew(s->o->keys, &s->keys, &keys, &e) : 0;

	if (r < 0)
		(void)found_refuse(false, &e);
	else if (r > 0 && wire_send(s->sock, WIRE_WEB_KEYS, NULL, &keys, 1) < 0)
		s->keys = (struct stat){ .st_size = 0 }; /* it has no room now: again, later */
	else
		s->renewed += r > 0;
}

/* ---- sessions ---- */

static void reap(struct site *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (s->pids[i] > 0 && waitpid(s->pids[i], NULL, WNOHANG) == s->pids[i])
			s->pids[i] = 0;
}

static void end_all(struct site *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (s->pids[i] > 0)
			(void)kill(s->pids[i], SIGTERM);
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (s->pids[i] > 0)
			(void)waitpid(s->pids[i], NULL, 0);
}

static pid_t *free_place(struct site *s)
{
	reap(s);
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (s->pids[i] == 0)
			return &s->pids[i];
	return NULL;
}

/* In the process of a session: of what we hold it gets its stream, and nothing else. */
static void become_session(const struct site *s, int stream, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent || dup2(stream, STDIN_FILENO) < 0 ||
	    dup2(stream, STDOUT_FILENO) < 0 || syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) < 0)
		_exit(1);
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* It must know: the one that waits is answered by it. */
static int send_number(const struct site *s, uint32_t number, int stream)
{
	struct pollfd p = { .fd = s->sock, .events = POLLOUT };
	uint8_t room[8];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	web_number_put(&body, number);
	(void)poll(&p, 1, SEND_MS);
	return wire_send(s->sock, WIRE_WEB_SERVER, &body, &stream, stream >= 0);
}

/* 1: this is the process of one. */
static int on_open(struct site *s, uint32_t number)
{
	const pid_t parent = getpid();
	pid_t *place = free_place(s);
	int pair[2] = { -1, -1 }, r;
	pid_t pid = -1;

	if (place != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0)
		pid = fork();
	if (pid == 0) {
		become_session(s, pair[1], parent);
		return 1;
	}
	if (pid > 0)
		*place = pid;
	r = send_number(s, number, pid > 0 ? pair[0] : -1);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

/* ---- who comes ---- */

/* No more of it is read here. Whose it is, where nobody says it by a token, the kernel does. */
static void on_client(struct site *s)
{
	auto_fd int sock = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const int on = 1, room = KERNEL_BYTES;
	const unsigned quiet = QUIET_MS;

	if (sock < 0 || (s->begin.auth == WEB_AUTH_NONE && !whose_is_ours(sock)))
		return;                                                   /* it is closed */
	(void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* else it is slower, and no more */
	(void)setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	(void)setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, &quiet, sizeof quiet);
	(void)wire_send(s->sock, WIRE_WEB_CLIENT, NULL, &sock, 1); /* who is not taken has to come again */
}

static int gone(struct err *e)
{
	return err_set(e, AMBIT_GONE, "start it again", "what reads HTTP ended");
}

static int hear_role(struct site *s, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[2048 + WIRE_HEAD];
	const int r = wire_receive(s->sock, WIRE_WEB, WIRE_RUNNING, room, sizeof room, &m);
	uint32_t number;

	if (r == -EAGAIN)
		return 0;
	if (r > 0 && m.number == WIRE_WEB_FAILED) { /* the keys, which stay what they were */
		if (s->renewed == 0)
			return gone(e); /* what it says is told to the person: once for each time that it is asked */
		s->renewed--;
		(void)wire_take_error(&m.body, e);
		(void)found_refuse(false, e);
		return 0;
	}
	if (r <= 0 || !web_number_take(&m.body, &number))
		return gone(e);
	switch (on_open(s, number)) {
	case 0: return 0;
	case 1: return 1;
	default: return gone(e);
	}
}

/* ---- until it is told to end ---- */

static int catch_signals(struct site *s)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, &s->before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int serve(struct site *s, struct err *e)
{
	int r = 0;

	while (r == 0) {
		struct signalfd_siginfo seen = { .ssi_signo = 0 };
		struct pollfd p[] = { { .fd = s->listener, .events = POLLIN },
				      { .fd = s->signal_fd, .events = POLLIN },
				      { .fd = s->sock, .events = POLLIN },
				      { .fd = ambit_event_fd(s->role), .events = POLLIN } };

		if (poll(p, 4, s->o->keys != NULL ? KEYS_MS : -1) < 0)
			continue;
		renew_keys(s);
		if (p[1].revents != 0 && read(s->signal_fd, &seen, sizeof seen) == (ssize_t)sizeof seen &&
		    seen.ssi_signo != SIGCHLD)
			return 0;
		reap(s);
		if (p[3].revents != 0 && ambit_event_step(s->role, NULL) != 0)
			return gone(e);
		if (p[2].revents != 0)
			r = hear_role(s, e);
		if (r == 0 && p[0].revents != 0)
			on_client(s);
	}
	return r;
}

static void finish(struct site *s)
{
	fd_close(&s->listener);
	fd_close(&s->sock);
	fd_close(&s->signal_fd);
	end_all(s);
	if (s->role != NULL)
		ambit_event_free(s->role);
}

int web_serve(const struct web_options *o, uint32_t depth, uint32_t values, struct err *e)
{
	struct site s = {
		.o = o, .begin = { .depth = depth, .values = values }, .sock = -1, .listener = -1, .signal_fd = -1
	};
	int r = web_check(o, e);

	r = r < 0 ? r : web_auth_take(o, &s.begin, e);
	r = r < 0 ? r : listen_at(o, &s.begin, &s.listener, e);
	if (r < 0)
		return r;
	s.signal_fd = catch_signals(&s);
	r = begin_role(&s, e);
	if (r == 0) {
		tell_where(&s.begin);
		r = serve(&s, e);
	}
	if (r != 1) /* else all of it was closed, and belongs to who began it */
		finish(&s);
	return r;
}
