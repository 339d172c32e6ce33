/* Messages between Ambit's own processes: what was sent is received, whatever became of who sent it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/wire.h"

enum side { SUPERVISOR, WARDEN, SIDES };

static void connect_two(int ret[SIDES])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret), 0);
}

static void tell_end(int sock)
{
	uint8_t body[64];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, 7);
	for (int i = 0; i < 4; i++)
		buf_put_u64(&b, 0);
	assert_int_equal(wire_send(sock, WIRE_CELL_ENDED, &b, NULL, 0), 0);
}

static int receive(int sock, struct wire_message *ret)
{
	static uint8_t room[WIRE_BODY_MAX + 4];

	return wire_receive(sock, WIRE_WARDEN, WIRE_RUNNING, room, sizeof room, ret);
}

/* A row: what the warden does not read any more before it ends. A reset would be told before its last message. */
static void who_is_gone_has_still_said_it(void **state)
{
	static const unsigned unread[] = { 0, 1, 3 };

	(void)state;
	for (size_t i = 0; i < sizeof unread / sizeof unread[0]; i++) {
		struct wire_message m;
		int sock[SIDES];

		connect_two(sock);
		for (unsigned n = 0; n < unread[i]; n++)
			assert_int_equal(wire_send(sock[SUPERVISOR], WIRE_CELL_PING, NULL, NULL, 0), 0);
		tell_end(sock[WARDEN]);
		assert_int_equal(close(sock[WARDEN]), 0);
		assert_int_equal(receive(sock[SUPERVISOR], &m), 1);
		assert_int_equal(m.number, WIRE_CELL_ENDED);
		assert_int_equal(rbuf_u64(&m.body), 7);
		assert_int_equal(receive(sock[SUPERVISOR], &m), 0);
		(void)close(sock[SUPERVISOR]);
	}
}

/* And one that said nothing is gone, and no error. */
static void who_said_nothing_is_gone(void **state)
{
	struct wire_message m;
	int sock[SIDES];

	(void)state;
	connect_two(sock);
	assert_int_equal(wire_send(sock[SUPERVISOR], WIRE_CELL_PING, NULL, NULL, 0), 0);
	assert_int_equal(close(sock[WARDEN]), 0);
	assert_int_equal(receive(sock[SUPERVISOR], &m), 0);
	(void)close(sock[SUPERVISOR]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_gone_has_still_said_it),
		cmocka_unit_test(who_said_nothing_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
