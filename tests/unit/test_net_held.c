/* The role ambit-net itself, with a supervisor and a dialer that are played here: connections to grants that are held leave room for others. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/link.h"
#include "wire/wire.h"

#define SOON_MS 10000
#define NEVER_MS 100

enum { HELD, FREE, RANGE, ENDPOINTS }; /* the last is held, too, and leads to many */

static struct world {
	pid_t pid;
	int supervisor, dialer; /* our ends */
	struct sockaddr_in at[ENDPOINTS];
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
} w;

static void pair_of_sockets(int ret[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret), 0);
}

static void start(void)
{
	int pair[2];

	pair_of_sockets(pair);
	w.supervisor = pair[0];
	w.pid = fork();
	assert_true(w.pid >= 0);
	if (w.pid == 0) {
		(void)dup2(pair[1], 0);
		(void)execl(NET, NET, (char *)NULL);
		_exit(127);
	}
	(void)close(pair[1]);
}

static void order(enum wire_number number, const struct buf *b, int fd)
{
	assert_int_equal(wire_send(w.supervisor, number, b, &fd, fd >= 0 ? 1 : 0), 0);
}

static int listener(uint32_t i)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(i == RANGE ? INADDR_ANY : INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(sock, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(sock, 128), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&at, &n), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w.at[i] = at;
	return sock;
}

static void tell_endpoint(uint32_t i)
{
	const struct link_listener l = {
		.index = i,
		.flags = i == FREE ? 0 : LINK_HELD,
		.what = { .kind = ENDPOINT_RANGE,
			  .port = ntohs(w.at[i].sin_port),
			  .range = { .base = { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, i == RANGE ? 0 : 1 } },
				     .prefix = i == RANGE ? 8 : 32 } },
	};
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_listener(&b, &l);
	order(WIRE_NET_ENDPOINT, &b, -1);
}

static void give_listener(uint32_t i, int sock)
{
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, i == RANGE ? LINK_BY_ADDRESS : i);
	buf_put_u32(&b, ntohs(w.at[i].sin_port));
	order(WIRE_NET_LISTEN, &b, sock);
	(void)close(sock);
}

static int begin(void **state)
{
	int pair[2], sock[ENDPOINTS];

	(void)state;
	start();
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		sock[i] = listener(i);
		tell_endpoint(i);
	}
	pair_of_sockets(pair);
	w.dialer = pair[0];
	order(WIRE_NET_DIALER, NULL, pair[1]);
	(void)close(pair[1]);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		give_listener(i, sock[i]);
	return 0;
}

static int end(void **state)
{
	int status = -1;

	(void)state;
	(void)close(w.supervisor);
	(void)close(w.dialer);
	(void)waitpid(w.pid, &status, 0);
	return WIFEXITED(status) ? 0 : -1;
}

static int client(uint32_t i)
{
	const int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(sock, (const struct sockaddr *)&w.at[i], sizeof w.at[i]), 0);
	return sock;
}

static bool asks(int within_ms, struct link_ask *ret)
{
	struct pollfd p = { .fd = w.dialer, .events = POLLIN };
	auto_message m = { .n_fds = 0 };

	if (poll(&p, 1, within_ms) != 1)
		return false;
	assert_int_equal(wire_receive(w.dialer, WIRE_RELAY, WIRE_RUNNING, w.room, sizeof w.room, &m), 1);
	return m.number == WIRE_DIAL_ASK && link_take_ask(&m.body, ret);
}

static void fails(uint32_t connection)
{
	const struct link_done d = { .connection = connection, .sys_errno = 1 };
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_done(&b, &d);
	assert_int_equal(wire_send(w.dialer, WIRE_DIAL_DONE, &b, NULL, 0), 0);
}

static void who_waits_for_a_word_leaves_room(void **state)
{
	int clients[LINK_ASKED_MAX + 2];
	struct link_ask ask, first;

	(void)state;
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		clients[i] = client(HELD);
	for (uint32_t i = 0; i < LINK_HELD_MAX; i++) {
		assert_true(asks(SOON_MS, &ask));
		assert_int_equal(ask.endpoint, HELD);
		if (i == 0)
			first = ask;
	}
	assert_false(asks(NEVER_MS, &ask));
	clients[LINK_ASKED_MAX] = client(RANGE); /* whatever leads to one */
	assert_false(asks(NEVER_MS, &ask));
	clients[LINK_ASKED_MAX + 1] = client(FREE);
	assert_true(asks(SOON_MS, &ask));
	assert_int_equal(ask.endpoint, FREE);
	fails(ask.connection);
	assert_false(asks(NEVER_MS, &ask));
	for (uint32_t i = LINK_HELD_MAX; i <= LINK_ASKED_MAX; i++) { /* as soon as there is a word, the next */
		fails(first.connection);
		assert_true(asks(SOON_MS, &first));
		assert_int_not_equal(first.endpoint, FREE);
		assert_false(asks(0, &ask));
	}
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
		(void)close(clients[i]);
}

static void others_have_all_of_it(void **state)
{
	int clients[LINK_ASKED_MAX + 1];
	struct link_ask ask;

	(void)state;
	for (uint32_t i = 0; i <= LINK_ASKED_MAX; i++)
		clients[i] = client(FREE);
	for (uint32_t i = 0; i < LINK_ASKED_MAX; i++)
		assert_true(asks(SOON_MS, &ask));
	assert_false(asks(NEVER_MS, &ask));
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
		(void)close(clients[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_waits_for_a_word_leaves_room, begin, end),
		cmocka_unit_test_setup_teardown(others_have_all_of_it, begin, end),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
