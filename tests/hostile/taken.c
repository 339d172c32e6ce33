/* Hostile code in the place of a role that reads what programs send (ambit-net, ambit-ssh): all that one could try who has taken it over.
 *
 *   taken         in the role's cell: takes from the supervisor what the role gets, and obeys whoever connects to what listens in the cell
 *   taken bare    obeys standard input: the twin, with nothing around it
 *
 * A command is a line of words; all of them come before the first is obeyed. Each is answered by a line: the command, and "reached" if it had its
 * effect, else the error's name. "keep" keeps the role's promise from then on, which the role does before its first message. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "http/link.h"
#include "net/link.h"
#include "net/promise.h" /* as ssh/promise.h: the program is linked with the one or the other */
#include "sign/link.h"
#include "wire/wire.h"

#define PATIENCE_MS 10000
#define LISTENERS_MAX 8
#define WORDS_MAX 12

struct hostile {
	enum wire_state state;
	int peer;   /* the dialer, or the signer; -1 */
	int vault;  /* where a secret comes from; -1 */
	int dialed; /* what the dialer connected last, a socket of the host's network; -1 */
	int client; /* who commands */
	uint32_t n_told, n_listeners;
	struct link_listener told[LISTENERS_MAX];
	int listener[LISTENERS_MAX];
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

struct words {
	char *at[WORDS_MAX]; /* those that were not said are "" */
	char detail[400];    /* told after the answer */
};

static void detail(struct words *w, const char *text)
{
	const size_t n = strlen(w->detail);

	(void)snprintf(w->detail + n, sizeof w->detail - n, " %s", text);
}

static long number(const char *text)
{
	return strtol(text, NULL, 10);
}

static int fail_with(int sys_errno)
{
	errno = sys_errno;
	return -1;
}

/* ---- files and processes ---- */

static long try_read(struct hostile *h, struct words *w)
{
	auto_fd int fd = open(w->at[1], O_RDONLY | O_NONBLOCK);
	char byte;

	(void)h;
	return fd < 0 ? -1 : read(fd, &byte, 1) == 1 ? 0 : fail_with(errno != 0 ? errno : ENODATA);
}

static long try_write(struct hostile *h, struct words *w)
{
	auto_fd int fd = open(w->at[1], O_WRONLY | O_CREAT, 0600);

	(void)h;
	return fd < 0 ? -1 : write(fd, "x", 1) == 1 ? 0 : -1;
}

/* Whether there is anything in it; without a C library's streams, so that what answers is the call itself. */
static long try_list(struct hostile *h, struct words *w)
{
	auto_fd int fd = open(w->at[1], O_RDONLY | O_DIRECTORY);
	const long n = fd < 0 ? -1 : syscall(SYS_getdents64, fd, h->room, sizeof h->room);
	unsigned entries = 0;

	for (long i = 0; i < n; i += h->room[i + 16] + 256 * h->room[i + 17]) {
		const char *name = (const char *)&h->room[i + 19];

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		detail(w, name);
		entries++;
	}
	return n < 0 ? -1 : entries > 0 ? 0 : fail_with(ENODATA);
}

static long try_kill(struct hostile *h, struct words *w)
{
	(void)h;
	return kill((pid_t)number(w->at[1]), 0);
}

static long try_pidfd(struct hostile *h, struct words *w)
{
	auto_fd int fd = (int)syscall(SYS_pidfd_open, number(w->at[1]), 0);

	(void)h;
	return fd;
}

static long try_ptrace(struct hostile *h, struct words *w)
{
	const pid_t pid = (pid_t)number(w->at[1]);

	(void)h;
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL); /* it ends with us */
}

/* Any other process that there is, but for the first, which in a cell is the cell's own. */
static long try_others(struct hostile *h, struct words *w)
{
	(void)h;
	for (pid_t pid = 2; pid < 65536; pid++) {
		char text[16];

		if (pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH))
			continue;
		if (kill(pid, 0) < 0 && errno != EPERM)
			return -1;
		(void)snprintf(text, sizeof text, "%d", pid);
		detail(w, text);
		return 0;
	}
	return fail_with(ESRCH);
}

static long try_fork(struct hostile *h, struct words *w)
{
	const pid_t pid = fork();

	(void)h;
	(void)w;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long try_spawn(struct hostile *h, struct words *w)
{
	char *const argv[] = { w->at[1], NULL };
	int status = 0;
	pid_t pid;

	(void)h;
	if ((errno = posix_spawn(&pid, w->at[1], NULL, NULL, argv, NULL)) != 0)
		return -1;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : fail_with(ENOEXEC);
}

/* ---- networks ---- */

static socklen_t take_address(const struct words *w, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof *ret);
	four->sin_port = htons((uint16_t)number(w->at[2])); /* as sin6_port */
	ret->ss_family = AF_INET;
	if (inet_pton(AF_INET, w->at[1], &four->sin_addr) == 1)
		return sizeof *four;
	ret->ss_family = AF_INET6;
	return inet_pton(AF_INET6, w->at[1], &six->sin6_addr) == 1 ? sizeof *six : 0;
}

static long connected(int sock, const void *to, socklen_t size)
{
	struct pollfd p = { .fd = sock, .events = POLLOUT };
	socklen_t int_size = sizeof errno;
	int why = 0;

	if (connect(sock, to, size) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	if (poll(&p, 1, PATIENCE_MS) != 1)
		return fail_with(ETIMEDOUT);
	return getsockopt(sock, SOL_SOCKET, SO_ERROR, &why, &int_size) < 0 ? -1 : why == 0 ? 0 : fail_with(why);
}

static long try_tcp(struct hostile *h, struct words *w)
{
	struct sockaddr_storage to;
	const socklen_t size = take_address(w, &to);
	auto_fd int sock = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)h;
	return sock < 0 ? -1 : connected(sock, &to, size);
}

/* Somebody answered. */
static long try_udp(struct hostile *h, struct words *w)
{
	struct sockaddr_storage to;
	const socklen_t size = take_address(w, &to);
	auto_fd int sock = socket(to.ss_family, SOCK_DGRAM, 0);
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char byte;

	(void)h;
	if (sock < 0 || connect(sock, (const struct sockaddr *)&to, size) < 0 || send(sock, "x", 1, 0) < 0)
		return -1;
	return poll(&p, 1, PATIENCE_MS) != 1 ? fail_with(ETIMEDOUT) : recv(sock, &byte, 1, 0);
}

static long try_unix(struct hostile *h, struct words *w)
{
	const bool is_abstract = strcmp(w->at[0], "abstract") == 0;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(sizeof to.sun_family + strlen(w->at[1]) + 1);
	auto_fd int sock = -1;
	const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	(void)h;
	(void)snprintf(to.sun_path + is_abstract, sizeof to.sun_path - is_abstract, "%s", w->at[1]);
	for (unsigned i = 0; i < 2; i++) {
		fd_close(&sock);
		sock = socket(AF_UNIX, types[i], 0);
		if (sock >= 0 && connect(sock, (const struct sockaddr *)&to, size) == 0)
			return 0;
	}
	return -1;
}

static long try_interfaces(struct hostile *h, struct words *w)
{
	struct if_nameindex *all = if_nameindex();
	unsigned others = 0;

	(void)h;
	for (const struct if_nameindex *i = all; i != NULL && i->if_index != 0; i++) {
		if (strcmp(i->if_name, "lo") == 0)
			continue;
		detail(w, i->if_name);
		others++;
	}
	return all == NULL ? -1 : others > 0 ? 0 : fail_with(ENODATA);
}

/* A socket that it was given, used once more. */
static long again(int sock, struct words *w)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage to;
	const socklen_t size = take_address(w, &to);

	return connect(sock, &none, sizeof none) < 0 ? -1 : connected(sock, &to, size);
}

static long try_dialed_again(struct hostile *h, struct words *w)
{
	return again(h->dialed, w);
}

static long try_listener_again(struct hostile *h, struct words *w)
{
	return again(h->listener[0], w);
}

/* At a port of the host. */
static long try_dialed_listens(struct hostile *h, struct words *w)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };

	(void)w;
	return connect(h->dialed, &none, sizeof none) < 0 ? -1 : listen(h->dialed, 1);
}

/* To whoever commands, by a Unix socket. */
static long try_pass(struct hostile *h, struct words *w)
{
	(void)w;
	errno = -fd_send(h->client, "\n", 1, &h->dialed, 1);
	return errno == 0 ? 0 : -1;
}

/* Still connected to the host. */
static long try_say(struct hostile *h, struct words *w)
{
	(void)w;
	return write(h->dialed, "said\n", 5);
}

static const char *kind_of(int fd)
{
	static const char *const families[] = { [AF_UNIX] = "unix", [AF_INET] = "inet", [AF_INET6] = "inet6" };
	int family = 0, listens = 0;
	socklen_t size = sizeof family;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (S_ISCHR(st.st_mode))
		return major(st.st_rdev) == 1 && minor(st.st_rdev) == 3 ? "null" : "device";
	if (!S_ISSOCK(st.st_mode))
		return S_ISREG(st.st_mode)    ? "file"
		       : S_ISDIR(st.st_mode)  ? "directory"
		       : S_ISFIFO(st.st_mode) ? "pipe"
					      : "other";
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
		return "socket";
	return listens                                                        ? "listener"
	       : family == AF_UNIX || family == AF_INET || family == AF_INET6 ? families[family]
									      : "socket";
}

static long try_descriptors(struct hostile *h, struct words *w)
{
	(void)h;
	for (int fd = 0; fd < 4096; fd++) {
		const char *kind = kind_of(fd);

		if (kind != NULL)
			detail(w, kind);
	}
	return 0;
}

/* ---- who acts for it ---- */

static int hear(struct hostile *h, enum wire_side side, struct wire_message *ret)
{
	struct pollfd p = { .fd = h->peer, .events = POLLIN };
	int n;

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return fail_with(ETIMEDOUT);
	n = wire_receive(h->peer, side, WIRE_RUNNING, h->room, sizeof h->room, ret);
	return n == 1 ? 0 : fail_with(n == 0 ? EPIPE : -n);
}

/* The endpoint of a port of the cell; of "none" one that is not there. */
static uint32_t endpoint_at(const struct hostile *h, const char *port)
{
	for (uint32_t i = 0; i < h->n_told && strcmp(port, "none") != 0; i++)
		if (h->told[i].what.port == number(port))
			return h->told[i].index;
	return LINK_ENDPOINTS_MAX - 1;
}

/* ask CONNECTION PORT|none [ADDRESS|NAME]: a dial; EPIPE: the dialer hung up. */
static long try_ask(struct hostile *h, struct words *w)
{
	struct link_ask ask = { .connection = (uint32_t)number(w->at[1]), .endpoint = endpoint_at(h, w->at[2]) };
	auto_message m = { .n_fds = 0 };
	struct link_done done;
	uint8_t body[300];
	struct buf b;
	int r;

	if (!address_take(w->at[3], strlen(w->at[3]), &ask.address))
		(void)snprintf(ask.name.text, sizeof ask.name.text, "%s", w->at[3]);
	buf_init_in(&b, body, sizeof body);
	link_put_ask(&b, &ask);
	r = wire_write(h->peer, WIRE_DIAL_ASK, &b);
	if (r < 0)
		return fail_with(-r);
	if (hear(h, WIRE_DIALER, &m) < 0)
		return -1;
	if (!link_take_done(&m.body, &done) || done.sys_errno != 0)
		return fail_with((int)done.sys_errno);
	fd_close(&h->dialed);
	h->dialed = steal_fd(&m.fds[0]);
	return 0;
}

static uint32_t take_hex(const char *text, uint8_t *ret, uint32_t max)
{
	uint32_t n = 0;

	for (; n < max && text[2 * n] != 0; n++) {
		const char pair[] = { text[2 * n], text[2 * n + 1], 0 };

		ret[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* sign GRANT HOST KEY ALGORITHM METHOD PROOF-ALGORITHM SESSION PROOF */
static long try_sign(struct hostile *h, struct words *w)
{
	static struct sign_done done;
	static struct sign_ask ask;
	auto_message m = { .n_fds = 0 };
	uint8_t body[SIGN_ASK_BYTES];
	struct buf b;
	int r;

	ask = (struct sign_ask){ .grant = (uint32_t)number(w->at[1]),
				 .host = (uint32_t)number(w->at[2]),
				 .key = (uint32_t)number(w->at[3]),
				 .algorithm = (uint32_t)number(w->at[4]),
				 .method = (uint32_t)number(w->at[5]),
				 .proof_algorithm = (uint32_t)number(w->at[6]) };
	ask.session_n = take_hex(w->at[7], ask.session, sizeof ask.session);
	ask.proof_n = take_hex(w->at[8], ask.proof, sizeof ask.proof);
	buf_init_in(&b, body, sizeof body);
	sign_put_ask(&b, &ask);
	r = wire_write(h->peer, WIRE_SIGN_ASK, &b);
	if (r < 0)
		return fail_with(-r);
	if (hear(h, WIRE_SIGNER, &m) < 0)
		return -1;
	return sign_take_done(&m.body, &done) && done.n > 0 ? 0 : fail_with(EACCES);
}

/* All that came where a secret does. */
static long try_secret(struct hostile *h, struct words *w)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(h->vault, WIRE_SECRET, WIRE_NEW, h->room, sizeof h->room, &m);
	char text[200];

	if (n != 1)
		return fail_with(n == 0 ? EPIPE : -n);
	(void)snprintf(text, sizeof text, "%.*s", (int)rbuf_left(&m.body), (const char *)m.body.data + m.body.at);
	detail(w, text);
	return 0;
}

static long try_keep(struct hostile *h, struct words *w)
{
	struct err e;

	(void)h;
	(void)w;
	return promise_keep(&e) < 0 ? fail_with(ENOSYS) : 0;
}

/* ---- commands ---- */

static const struct command {
	const char *name;
	long (*attempt)(struct hostile *h, struct words *w);
} commands[] = {
	{ "keep", try_keep },
	{ "read", try_read },
	{ "write", try_write },
	{ "list", try_list },
	{ "kill", try_kill },
	{ "pidfd", try_pidfd },
	{ "ptrace", try_ptrace },
	{ "others", try_others },
	{ "fork", try_fork },
	{ "spawn", try_spawn },
	{ "tcp", try_tcp },
	{ "udp", try_udp },
	{ "unix", try_unix },
	{ "abstract", try_unix },
	{ "interfaces", try_interfaces },
	{ "dialed-again", try_dialed_again },
	{ "dialed-listens", try_dialed_listens },
	{ "listener-again", try_listener_again },
	{ "pass", try_pass },
	{ "say", try_say },
	{ "descriptors", try_descriptors },
	{ "ask", try_ask },
	{ "sign", try_sign },
	{ "secret", try_secret },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	_exit(3); /* the test's own mistake */
}

static void obey(struct hostile *h, char *line, int out)
{
	static char nothing[1];
	struct words w = { .detail = "" };
	char answer[4096], *rest = NULL, *word;
	int n = snprintf(answer, 3000, "%s: ", line);
	size_t n_words = 0;
	long r;

	for (word = strtok_r(line, " ", &rest); word != NULL && n_words < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
		w.at[n_words++] = word;
	if (n_words == 0)
		return;
	while (n_words < WORDS_MAX)
		w.at[n_words++] = nothing;
	errno = 0;
	r = find_command(w.at[0])->attempt(h, &w);
	n += snprintf(answer + n, sizeof answer - (size_t)n, "%s%s\n", r >= 0 ? "reached" : strerrorname_np(errno),
		      w.detail);
	if (fd_write_all(out, answer, (size_t)n) < 0)
		_exit(4);
}

/* All that there is to read is one text. */
static void serve(struct hostile *h, int in, int out)
{
	static char text[32768];
	const ssize_t n = fd_read_all(in, text, sizeof text - 1);
	char *rest = NULL, *line;

	text[n > 0 ? n : 0] = 0;
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		obey(h, line, out);
}

/* ---- in the place of the role ---- */

static void on_supervisor(struct hostile *h)
{
	auto_message m = { .n_fds = 0 };
	const int n = wire_receive(0, WIRE_SUPERVISOR, h->state, h->room, sizeof h->room, &m);

	if (n <= 0 || m.number == WIRE_NET_REPORT)
		_exit(n < 0); /* it says nothing of how it was */
	if (m.number == WIRE_NET_ENDPOINT && h->n_told < LISTENERS_MAX)
		h->n_told += link_take_listener(&m.body, &h->told[h->n_told]);
	if (m.number == WIRE_NET_DIALER || m.number == WIRE_SSH_SIGNER) {
		h->state = WIRE_RUNNING;
		h->peer = steal_fd(&m.fds[0]);
	} else if (m.n_fds > 0 && h->n_listeners < LISTENERS_MAX) {
		h->listener[h->n_listeners++] = steal_fd(&m.fds[0]);
	}
}

/* What the signer tells first is in the way of its answers. */
static void skip_telling(struct hostile *h)
{
	enum wire_number number = WIRE_SIGN_KEY;

	while (number != WIRE_SIGN_READY) {
		auto_message m = { .n_fds = 0 };

		if (wire_receive(h->peer, WIRE_SIGNER, WIRE_BUILDING, h->room, sizeof h->room, &m) <= 0)
			_exit(5);
		number = m.number;
	}
}

static void on_listener(struct hostile *h, int listener)
{
	h->client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (h->client < 0)
		return;
	serve(h, h->client, h->client);
	fd_close(&h->client);
}

static _Noreturn void take_place(struct hostile *h, bool signs)
{
	struct pollfd p[1 + LISTENERS_MAX] = { { .fd = 0, .events = POLLIN } };

	for (;;) {
		const uint32_t n = h->n_listeners;
		const int peer = h->peer;

		for (uint32_t i = 0; i < n; i++)
			p[1 + i] = (struct pollfd){ .fd = h->listener[i], .events = POLLIN };
		if (poll(p, 1 + n, -1) < 0)
			_exit(6);
		if (p[0].revents != 0)
			on_supervisor(h);
		if (signs && peer < 0 && h->peer >= 0)
			skip_telling(h);
		for (uint32_t i = 0; i < n; i++)
			if (p[1 + i].revents != 0)
				on_listener(h, h->listener[i]);
	}
}

/* The library's first message, the supervisor's, and an answer that is no certificate, but as good for who only passes it on. */
static void take_grant(struct hostile *h)
{
	auto_message m = { .n_fds = 0 };
	uint8_t body[64] = { 0x30, 62 }; /* one value of DER: the cell looks for that */
	struct buf b;

	if (wire_receive(0, WIRE_LIBRARY, WIRE_NEW, h->room, sizeof h->room, &m) != 1 || m.number != WIRE_HTTP_BEGIN)
		_exit(7);
	h->vault = m.n_fds == 2 ? steal_fd(&m.fds[1]) : -1;
	wire_message_finish(&m);
	if (wire_receive(0, WIRE_SUPERVISOR, WIRE_NEW, h->room, sizeof h->room, &m) != 1 || m.number != WIRE_HTTP_TERMS)
		_exit(8);
	h->peer = steal_fd(&m.fds[0]);
	buf_init_in(&b, body, sizeof body);
	b.len = sizeof body;
	if (wire_write(0, WIRE_HTTP_READY, &b) < 0)
		_exit(9);
}

/* Of each connection: who is in the cell commands, and the host is what was dialed. */
static _Noreturn void take_http(struct hostile *h)
{
	take_grant(h);
	for (;;) {
		auto_message m = { .n_fds = 0 };

		if (wire_receive(h->peer, WIRE_DIALER, WIRE_RUNNING, h->room, sizeof h->room, &m) != 1)
			_exit(0);
		h->client = steal_fd(&m.fds[0]);
		h->dialed = steal_fd(&m.fds[1]);
		(void)fcntl(h->client, F_SETFL, 0);
		serve(h, h->client, h->client);
		fd_close(&h->client);
		fd_close(&h->dialed);
	}
}

int main(int argc, char **argv)
{
	static struct hostile h = { .state = WIRE_NEW, .peer = -1, .vault = -1, .dialed = -1, .client = -1 };

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "bare") == 0) {
		serve(&h, 0, 1);
		return 0;
	}
	if (strstr(argv[0], "http") != NULL)
		take_http(&h);
	take_place(&h, strstr(argv[0], "ssh") != NULL);
}
