/* The role ambit-dial itself, with a supervisor, a relay and a host that are played here: what it does of a grant that is held, before and after there
 * is a word. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/sockaddr.h"
#include "dial/allowance.h"
#include "net/link.h"
#include "wire/wire.h"

#define SOON_MS 10000 /* what is to come has come by then */
#define NEVER_MS 100  /* what is not to come would have come by then */

enum { HELD, FREE, SOCKET, ALSO_HELD, ENDPOINTS }; /* the endpoints; a grant each */

static struct world {
	pid_t pid, sender;     /* the dialer; who sends, or 0 */
	int supervisor, relay; /* our ends */
	int host;              /* listens, for the endpoints by address */
	int file;              /* the same, for the socket */
	char dir[64];
	struct endpoint to;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
} w;

/* ---- the dialer is started, and told ---- */

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
		(void)dup2(pair[1], 3);
		(void)fcntl(3, F_SETFD, 0);
		(void)execl(DIAL, DIAL, (char *)NULL);
		_exit(127);
	}
	(void)close(pair[1]);
}

static void order(enum wire_number number, const struct buf *b, int fd)
{
	assert_int_equal(wire_send(w.supervisor, number, b, &fd, fd >= 0 ? 1 : 0), 0);
}

static void allow(uint32_t index, uint32_t held)
{
	const struct link_endpoint p = { .index = index, .grant = index, .held = held, .to = w.to };
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_endpoint(&b, &p);
	order(WIRE_DIAL_ALLOW, &b, -1);
}

static void allow_socket(void)
{
	struct link_socket p = { .index = SOCKET, .grant = SOCKET, .held = 1, .name = "socket" };
	const int dir = open(w.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint8_t room[256];
	struct buf b;

	assert_true(dir >= 0);
	buf_init_in(&b, room, sizeof room);
	link_put_socket(&b, &p);
	order(WIRE_DIAL_SOCKET, &b, dir);
	(void)close(dir);
}

static void listen_here(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	socklen_t n = sizeof at;

	w.host = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w.host, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(w.host, 128), 0);
	assert_int_equal(getsockname(w.host, (struct sockaddr *)&at, &n), 0);
	w.to = (struct endpoint){ .kind = ENDPOINT_RANGE,
				  .port = ntohs(at.sin_port),
				  .range = { .base = address_loopback(ADDRESS_IPV4), .prefix = 32 } };
	(void)snprintf(w.dir, sizeof w.dir, "/tmp/ambit-held.XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(path.sun_path, sizeof path.sun_path, "%s/socket", w.dir);
	w.file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w.file, (const struct sockaddr *)&path, sizeof path), 0);
	assert_int_equal(listen(w.file, 8), 0);
}

static int begin(void **state)
{
	int pair[2];

	(void)state;
	w = (struct world){ .supervisor = -1 };
	listen_here();
	start();
	allow(HELD, 1);
	allow(FREE, 0);
	allow_socket();
	allow(ALSO_HELD, 1);
	pair_of_sockets(pair);
	w.relay = pair[0];
	order(WIRE_DIAL_RELAY, NULL, pair[1]);
	(void)close(pair[1]);
	return 0;
}

static int end(void **state)
{
	char path[80];
	int status = 0;

	(void)state;
	if (w.sender > 0) {
		(void)kill(w.sender, SIGKILL);
		(void)waitpid(w.sender, NULL, 0);
	}
	(void)close(w.supervisor);
	(void)waitpid(w.pid, &status, 0);
	(void)close(w.relay);
	(void)close(w.host);
	(void)close(w.file);
	(void)snprintf(path, sizeof path, "%s/socket", w.dir);
	(void)unlink(path);
	(void)rmdir(w.dir);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* ---- who says what ---- */

static bool comes(int fd, int within_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, within_ms) == 1;
}

static void hear(int from, enum wire_number number, struct wire_message *m)
{
	assert_true(comes(from, SOON_MS));
	assert_int_equal(wire_receive(from, WIRE_DIALER, WIRE_RUNNING, w.room, sizeof w.room, m), 1);
	assert_string_equal(wire_name(m->number), wire_name(number));
}

static void ask(uint32_t connection, uint32_t endpoint)
{
	const struct link_ask a = { .connection = connection, .endpoint = endpoint };
	uint8_t room[512];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_ask(&b, &a);
	assert_int_equal(wire_send(w.relay, WIRE_DIAL_ASK, &b, NULL, 0), 0);
}

static void give_back(uint32_t connection, uint32_t broken)
{
	const struct link_close c = { .connection = connection, .broken = broken };
	uint8_t room[8];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_close(&b, &c);
	assert_int_equal(wire_send(w.relay, WIRE_DIAL_CLOSE, &b, NULL, 0), 0);
}

static void say(uint64_t number, uint32_t why, uint64_t bytes)
{
	const struct link_word word = { .number = number, .why = why, .bytes = bytes };
	uint8_t room[20];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_word(&b, &word);
	order(WIRE_DIAL_WORD, &b, -1);
}

/* Gives the number by which it is asked. */
static uint64_t is_asked(uint32_t endpoint)
{
	auto_message m = { .n_fds = 0 };
	struct link_may may;

	hear(w.supervisor, WIRE_DIAL_MAY, &m);
	assert_true(link_take_may(&m.body, &may));
	assert_int_equal(may.endpoint, endpoint);
	return may.number;
}

static uint64_t asks_for(uint32_t connection, uint32_t endpoint)
{
	ask(connection, endpoint);
	return is_asked(endpoint);
}

static struct link_spent is_told(enum wire_number what, uint64_t number)
{
	auto_message m = { .n_fds = 0 };
	struct link_spent s;

	hear(w.supervisor, what, &m);
	assert_true(link_take_spent(&m.body, &s));
	assert_int_equal(s.number, number);
	return s;
}

/* The relay's end of a connection, or -1. */
static int done(uint32_t connection, int sys_errno)
{
	auto_message m = { .n_fds = 0 };
	struct link_done d;

	hear(w.relay, WIRE_DIAL_DONE, &m);
	assert_true(link_take_done(&m.body, &d));
	assert_int_equal(d.connection, connection);
	assert_int_equal(d.sys_errno, sys_errno);
	assert_int_equal(m.n_fds, sys_errno == 0);
	return m.n_fds == 1 ? steal_fd(&m.fds[0]) : -1;
}

static int host_accepts(int listener)
{
	int sock;

	assert_true(comes(listener, SOON_MS));
	sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(sock >= 0);
	return sock;
}

static void nothing_happens(void)
{
	assert_false(comes(w.host, NEVER_MS));
	assert_false(comes(w.file, 0));
	assert_false(comes(w.relay, 0));
	assert_false(comes(w.supervisor, 0));
}

/* What was used of an endpoint, by the report at the end. */
static struct link_used reported(uint32_t endpoint)
{
	static struct link_report r;
	auto_message m = { .n_fds = 0 };

	order(WIRE_DIAL_REPORT, NULL, -1);
	hear(w.supervisor, WIRE_DIAL_USED, &m);
	assert_true(link_take_report(&m.body, &r, ENDPOINTS));
	return r.used[endpoint];
}

/* Reads until nothing comes for a while. Gives how much; *ret_end: 1 at an end, -1 when it was broken off. */
static uint64_t take_all(int sock, int pause_ms, int *ret_end)
{
	static uint8_t room[1 << 16];
	uint64_t sum = 0;

	for (*ret_end = 0; *ret_end == 0 && comes(sock, pause_ms);) {
		const ssize_t n = recv(sock, room, sizeof room, 0);

		if (n > 0)
			sum += (uint64_t)n;
		else if (n == 0 || errno != EAGAIN)
			*ret_end = n == 0 ? 1 : -1;
	}
	return sum;
}

/* A child that sends so much, and its end. */
static void sends(int sock, size_t n)
{
	static const uint8_t room[1 << 16];

	w.sender = fork();
	if (w.sender != 0)
		return;
	(void)close(w.supervisor); /* or the dialer does not see that we go */
	(void)fcntl(sock, F_SETFL, 0);
	while (n > 0) {
		const ssize_t sent = write(sock, room, n < sizeof room ? n : sizeof room);

		if (sent <= 0)
			_exit(1);
		n -= (size_t)sent;
		(void)poll(NULL, 0, 1);
	}
	_exit(shutdown(sock, SHUT_WR) < 0);
}

/* ---- tests: before there is a word ---- */

static void nothing_is_sent_before_a_yes(void **state)
{
	struct link_spent s;
	uint64_t number;
	int relay, host, how;

	(void)state;
	number = asks_for(7, HELD);
	nothing_happens();
	say(number, LINK_YES, 0);
	relay = done(7, 0);
	host = host_accepts(w.host);
	assert_int_equal(write(relay, "hello", 5), 5);
	assert_int_equal(take_all(host, NEVER_MS, &how), 5);
	assert_int_equal(write(host, "good day", 8), 8);
	assert_int_equal(take_all(relay, NEVER_MS, &how), 8);
	(void)close(relay);
	give_back(7, 0);
	s = is_told(WIRE_DIAL_SPENT, number);
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.up, 5);
	assert_int_equal(s.down, 8);
	say(number, LINK_YES, 0); /* it is over */
	nothing_happens();
	assert_int_equal(reported(HELD).meter.opened, 1);
	(void)close(host);
}

static void others_are_not_asked_about(void **state)
{
	int relay;

	(void)state;
	ask(7, FREE);
	relay = done(7, 0);
	(void)close(host_accepts(w.host));
	(void)close(relay);
	give_back(7, 1);
	nothing_happens();
}

static void a_no_is_told_with_its_reason(void **state)
{
	struct meter used;
	uint64_t number;

	(void)state;
	number = asks_for(7, HELD);
	say(number, METER_LABELLED, 0);
	(void)done(7, EDQUOT);
	say(number, LINK_YES, 0); /* too late */
	say(asks_for(7, HELD), METER_ASKED, 0);
	(void)done(7, EDQUOT);
	nothing_happens(); /* nor is anything told of it any more */
	used = reported(HELD).meter;
	assert_int_equal(used.refused, 2);
	assert_int_equal(used.stopped, METER_BY(METER_LABELLED) | METER_BY(METER_ASKED));
	assert_int_equal(used.opened + used.failed, 0);
}

static void a_yes_is_for_one_connection(void **state)
{
	uint64_t first, second;
	int relay;

	(void)state;
	first = asks_for(7, HELD);
	second = asks_for(8, ALSO_HELD);
	assert_int_not_equal(first, second);
	say(first + second, LINK_YES, 0); /* nobody's */
	nothing_happens();
	say(second, LINK_YES, 0);
	say(second, LINK_YES, 0);
	relay = done(8, 0);
	(void)close(host_accepts(w.host));
	nothing_happens();
	(void)close(relay);
	give_back(8, 0);
	(void)is_told(WIRE_DIAL_SPENT, second);
	assert_int_equal(asks_for(8, ALSO_HELD), second + 1); /* the same connection of the relay's is another */
	say(second, LINK_YES, 0);
	nothing_happens();
	say(first, METER_OTHER, 0);
	(void)done(7, EDQUOT);
}

static void what_is_withdrawn_is_refused(void **state)
{
	const struct link_about about = { .number = 3, .endpoint = HELD };
	struct link_used used;
	uint8_t room[8];
	uint64_t number, other;
	struct buf b;

	(void)state;
	number = asks_for(7, HELD);
	other = asks_for(8, ALSO_HELD);
	buf_init_in(&b, room, sizeof room);
	link_put_about(&b, &about);
	order(WIRE_DIAL_WITHDRAW, &b, -1);
	(void)done(7, EACCES);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 0);
	{
		auto_message m = { .n_fds = 0 };

		hear(w.supervisor, WIRE_DIAL_LIVE, &m);
	}
	say(number, LINK_YES, 0);
	nothing_happens();
	ask(7, HELD);
	(void)done(7, EACCES); /* without a question */
	say(other, METER_SPENT, 0);
	(void)done(8, EDQUOT);
	used = reported(HELD);
	assert_int_equal(used.withdrawn, 2);
	assert_int_equal(used.meter.refused, 0);
}

/* What the judge ends has no number: what is asked for next is asked of the judge again. */
static void what_the_judge_ends_is_asked_again(void **state)
{
	const struct link_about about = { .number = 0, .endpoint = HELD };
	auto_message m = { .n_fds = 0 };
	uint8_t room[8];
	uint64_t number;
	struct buf b;

	(void)state;
	number = asks_for(7, HELD);
	buf_init_in(&b, room, sizeof room);
	link_put_about(&b, &about);
	order(WIRE_DIAL_WITHDRAW, &b, -1);
	(void)done(7, EACCES);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 0);
	hear(w.supervisor, WIRE_DIAL_LIVE, &m);
	say(number, LINK_YES, 0); /* of what was asked before */
	nothing_happens();
	number = asks_for(7, HELD);
	say(number, METER_LABELLED, 0);
	(void)done(7, EDQUOT);
}

/* A dial, and a connection whose bytes are used up. */
static void no_word_is_a_no(void **state)
{
	uint64_t dial, number;
	struct meter used;
	uint64_t began;
	unsigned ended = 0;
	int relay, host, how;

	(void)state;
	number = asks_for(7, HELD);
	say(number, LINK_YES, 10);
	relay = done(7, 0);
	host = host_accepts(w.host);
	assert_int_equal(write(host, "0123456789", 10), 10);
	(void)is_told(WIRE_DIAL_MORE, number);
	began = clock_ms();
	dial = asks_for(8, ALSO_HELD);
	assert_false(comes(w.relay, HELD_PATIENCE_MS - 1000));
	for (unsigned i = 0; i < 2; i++) {
		auto_message m = { .n_fds = 0 };
		struct link_spent s;

		hear(w.supervisor, WIRE_DIAL_SPENT, &m);
		assert_true(link_take_spent(&m.body, &s));
		assert_true(s.number == (s.opened != 0 ? number : dial));
		assert_int_equal(s.down, s.opened * 10);
		ended |= 1u << s.opened;
	}
	assert_int_equal(ended, 3);
	(void)done(8, ETIMEDOUT);
	assert_in_range(clock_ms() - began, HELD_PATIENCE_MS - 100, HELD_PATIENCE_MS + 5000);
	(void)take_all(relay, NEVER_MS, &how);
	assert_int_equal(how, -1);
	say(dial, LINK_YES, 0);
	nothing_happens();
	used = reported(HELD).meter;
	assert_int_equal(used.stopped, METER_BY(METER_OTHER));
	(void)close(host);
	(void)close(relay);
}

static void what_waits_at_the_end_comes_to_nothing(void **state)
{
	uint64_t number;

	(void)state;
	number = asks_for(7, HELD);
	order(WIRE_DIAL_REPORT, NULL, -1);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 0);
	{
		auto_message m = { .n_fds = 0 };

		hear(w.supervisor, WIRE_DIAL_USED, &m);
	}
	say(number, LINK_YES, 0);
	nothing_happens();
}

/* ---- tests: a relay that was taken over ---- */

static void is_dropped(void)
{
	char byte;

	assert_true(comes(w.relay, SOON_MS));
	assert_int_equal(recv(w.relay, &byte, 1, 0), 0);
}

static void says_yes_itself(uint64_t number)
{
	const struct link_word word = { .number = number, .why = LINK_YES };
	uint8_t room[20];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	link_put_word(&b, &word);
	assert_int_equal(wire_send(w.relay, WIRE_DIAL_WORD, &b, NULL, 0), 0);
}

static void asks_again(uint64_t number)
{
	(void)number;
	ask(7, HELD);
}

static void asks_for_another(uint64_t number)
{
	(void)number;
	ask(7, FREE);
}

static void says_that_it_is_over(uint64_t number)
{
	(void)number;
	give_back(7, 0);
}

static void goes(uint64_t number)
{
	(void)number;
	assert_int_equal(shutdown(w.relay, SHUT_WR), 0);
}

/* Whatever it says, what waits is given up, and nothing is connected. */
static void a_relay_does_not_pass_the_wait(void (*what)(uint64_t number))
{
	const uint64_t number = asks_for(7, HELD);

	what(number);
	is_dropped();
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 0);
	say(number, LINK_YES, 0);
	assert_false(comes(w.host, NEVER_MS));
}

static void a_relay_says_no_yes(void **state)
{
	(void)state;
	a_relay_does_not_pass_the_wait(says_yes_itself);
}

static void a_relay_asks_once(void **state)
{
	(void)state;
	a_relay_does_not_pass_the_wait(asks_again);
}

static void a_relay_has_no_other_grant_for_it(void **state)
{
	(void)state;
	a_relay_does_not_pass_the_wait(asks_for_another);
}

static void a_relay_ends_what_is_open(void **state)
{
	(void)state;
	a_relay_does_not_pass_the_wait(says_that_it_is_over);
}

static void a_relay_that_goes_has_no_question(void **state)
{
	(void)state;
	a_relay_does_not_pass_the_wait(goes);
}

/* So many may wait; others find room beside them. */
static void questions_are_few(void **state)
{
	uint64_t numbers[LINK_HELD_MAX];
	int relay;

	(void)state;
	for (uint32_t i = 0; i < LINK_HELD_MAX; i++)
		numbers[i] = asks_for(i, i % 2 == 0 ? HELD : ALSO_HELD);
	ask(LINK_HELD_MAX, FREE);
	relay = done(LINK_HELD_MAX, 0);
	(void)close(host_accepts(w.host));
	(void)close(relay);
	give_back(LINK_HELD_MAX, 1);
	say(numbers[0], METER_SPENT, 0); /* one less */
	(void)done(0, EDQUOT);
	numbers[0] = asks_for(0, HELD);
	ask(LINK_HELD_MAX + 1, HELD);
	is_dropped();
	for (uint32_t i = 0; i < LINK_HELD_MAX; i++)
		assert_int_equal(is_told(WIRE_DIAL_SPENT, numbers[i]).opened, 0);
}

/* ---- tests: bytes ---- */

#define PIECE (64u << 10)
#define ALL (48u << 20)
/* What a look finds too late, every ten milliseconds, is a matter of speed; who sends takes a millisecond for each 64 KiB. */
#define TOO_LATE (ALL / 4)

/* A connection of which so many bytes may pass; its number. */
static uint64_t open_one(uint64_t bytes, int *ret_relay, int *ret_host)
{
	const uint64_t number = asks_for(7, HELD);

	say(number, LINK_YES, bytes);
	*ret_relay = done(7, 0);
	*ret_host = host_accepts(w.host);
	return number;
}

/* Whoever reads gets no more than was counted, however long the word takes; and all of it afterwards. */
static void what_comes_in_waits_for_a_word(void **state)
{
	uint64_t number, got, more;
	struct link_spent s;
	int relay, host, how;

	(void)state;
	number = open_one(PIECE, &relay, &host);
	sends(host, ALL);
	(void)close(host);
	got = take_all(relay, 500, &how);
	assert_int_equal(how, 0);
	assert_in_range(got, PIECE, TOO_LATE);
	s = is_told(WIRE_DIAL_MORE, number);
	assert_true(s.down >= PIECE / 2);
	assert_int_equal(take_all(relay, 500, &how), 0);
	say(number, LINK_YES, got + ALL / 4);
	more = take_all(relay, 1500, &how);
	assert_int_equal(how, 0);
	assert_in_range(got + more, ALL / 4, ALL - 1);
	(void)is_told(WIRE_DIAL_MORE, number); /* once */
	assert_false(comes(w.supervisor, 0));
	say(number, LINK_YES, 0); /* no bound */
	got += more + take_all(relay, 5000, &how);
	assert_int_equal(how, 1);
	assert_int_equal(got, ALL);
	(void)close(relay);
	give_back(7, 0);
	s = is_told(WIRE_DIAL_SPENT, number);
	assert_int_equal(s.down, ALL);
	assert_int_equal(reported(HELD).meter.stopped, 0);
}

static void what_goes_out_waits_for_a_word(void **state)
{
	uint64_t number, got;
	struct link_spent s;
	int relay, host, how;

	(void)state;
	number = open_one(PIECE, &relay, &host);
	sends(relay, ALL);
	got = take_all(host, 500, &how);
	assert_int_equal(how, 0);
	assert_in_range(got, PIECE, TOO_LATE);
	(void)is_told(WIRE_DIAL_MORE, number);
	say(number, LINK_YES, 0);
	got += take_all(host, 5000, &how);
	assert_int_equal(how, 1);
	assert_int_equal(got, ALL);
	(void)close(host);
	(void)close(relay);
	give_back(7, 0);
	s = is_told(WIRE_DIAL_SPENT, number);
	assert_int_equal(s.up, ALL);
}

static void a_no_ends_what_has_used_its_bytes(void **state)
{
	uint64_t number, got;
	struct link_spent s;
	int relay, host, how;

	(void)state;
	number = open_one(PIECE, &relay, &host);
	sends(host, ALL);
	(void)close(host);
	(void)is_told(WIRE_DIAL_MORE, number);
	say(number, METER_SPENT, 0);
	if (comes(w.supervisor, 500)) { /* that was for the half of it, perhaps */
		auto_message m = { .n_fds = 0 };

		assert_int_equal(wire_receive(w.supervisor, WIRE_DIALER, WIRE_RUNNING, w.room, sizeof w.room, &m), 1);
		if (m.number == WIRE_DIAL_MORE)
			say(number, METER_SPENT, 0);
		else
			assert_int_equal(m.number, WIRE_DIAL_SPENT);
		if (m.number == WIRE_DIAL_MORE)
			(void)is_told(WIRE_DIAL_SPENT, number);
	}
	got = take_all(relay, 500, &how);
	assert_int_equal(how, -1);
	assert_true(got < ALL);
	say(number, LINK_YES, 0);
	give_back(7, 1);
	nothing_happens();
	s.down = reported(HELD).meter.down;
	assert_in_range(s.down, PIECE, TOO_LATE);
	(void)close(relay);
}

/* Asked at half of it, a no is of no consequence yet, and it is asked again when there is nothing left. */
static void a_no_before_that_ends_nothing(void **state)
{
	static const uint8_t room[600];
	uint64_t number;
	struct meter used;
	int relay, host, how;

	(void)state;
	number = open_one(1000, &relay, &host);
	say(number, LINK_YES, 5000); /* nothing was asked */
	assert_int_equal(write(host, room, 400), 400);
	nothing_happens();
	assert_int_equal(write(relay, room, 200), 200);
	assert_int_equal(is_told(WIRE_DIAL_MORE, number).up, 200);
	say(number, METER_SPENT, 0);
	nothing_happens();
	assert_int_equal(write(host, room, 400), 400);
	assert_int_equal(is_told(WIRE_DIAL_MORE, number).down, 800);
	assert_int_equal(take_all(relay, NEVER_MS, &how), 800);
	assert_int_equal(how, 0);
	assert_int_equal(write(host, room, 600), 600);
	assert_int_equal(take_all(relay, NEVER_MS, &how), 0); /* it waits */
	say(number, METER_SPENT, 0);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).down, 800);
	(void)take_all(relay, SOON_MS, &how);
	assert_int_equal(how, -1);
	used = reported(HELD).meter;
	assert_int_equal(used.stopped, METER_BY(METER_SPENT));
	assert_int_equal(used.down, 800);
	(void)close(relay);
	(void)close(host);
}

static void what_is_given_back_while_it_waits_ends(void **state)
{
	static const uint8_t room[1000];
	uint64_t number;
	int relay, host, how;

	(void)state;
	number = open_one(1000, &relay, &host);
	assert_int_equal(write(host, room, 1000), 1000);
	(void)is_told(WIRE_DIAL_MORE, number);
	assert_int_equal(write(relay, room, 1000), 1000); /* it went out before, or goes with the window */
	(void)close(relay);
	give_back(7, 0);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).down, 1000);
	(void)take_all(host, SOON_MS, &how);
	assert_int_equal(how, -1);
	say(number, LINK_YES, 0);
	nothing_happens();
	(void)close(host);
}

/* Nobody counts those of a Unix socket. */
static void bytes_of_a_socket_are_not_bounded(void **state)
{
	uint64_t number;
	int relay, host, how;

	(void)state;
	number = asks_for(7, SOCKET);
	nothing_happens();
	say(number, LINK_YES, 1000);
	(void)done(7, EDQUOT);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 0);
	nothing_happens();
	number = asks_for(7, SOCKET);
	say(number, LINK_YES, 0);
	relay = done(7, 0);
	host = host_accepts(w.file);
	assert_int_equal(write(relay, "hello", 5), 5);
	assert_int_equal(take_all(host, NEVER_MS, &how), 5);
	(void)close(relay);
	give_back(7, 0);
	assert_int_equal(is_told(WIRE_DIAL_SPENT, number).opened, 1);
	(void)close(host);
}

int main(void)
{
#define HELD_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	static const struct CMUnitTest tests[] = {
		HELD_TEST(nothing_is_sent_before_a_yes),
		HELD_TEST(others_are_not_asked_about),
		HELD_TEST(a_no_is_told_with_its_reason),
		HELD_TEST(a_yes_is_for_one_connection),
		HELD_TEST(what_is_withdrawn_is_refused),
		HELD_TEST(what_the_judge_ends_is_asked_again),
		HELD_TEST(no_word_is_a_no),
		HELD_TEST(what_waits_at_the_end_comes_to_nothing),
		HELD_TEST(a_relay_says_no_yes),
		HELD_TEST(a_relay_asks_once),
		HELD_TEST(a_relay_has_no_other_grant_for_it),
		HELD_TEST(a_relay_ends_what_is_open),
		HELD_TEST(a_relay_that_goes_has_no_question),
		HELD_TEST(questions_are_few),
		HELD_TEST(what_comes_in_waits_for_a_word),
		HELD_TEST(what_goes_out_waits_for_a_word),
		HELD_TEST(a_no_ends_what_has_used_its_bytes),
		HELD_TEST(a_no_before_that_ends_nothing),
		HELD_TEST(what_is_given_back_while_it_waits_ends),
		HELD_TEST(bytes_of_a_socket_are_not_bounded),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
