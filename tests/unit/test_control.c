/* The control socket of an event, with a dialer that is played here: who is heard, what is answered, and when. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/control.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define STRANGER 64124

/* ---- the dialer: network.c in its place ---- */

static struct {
	uint32_t asked, number; /* questions, and the number of the last */
	uint32_t live[8], n;    /* answers that it will give, one for each endpoint: all to one number */
	bool withdraw, gone;
	bool judged;
	unsigned said; /* what its judge was told */
} dialer;

int network_ask(struct network *n, const struct cell_spec *spec, const struct grant_set *grants, uint32_t grant,
		uint32_t number, bool withdraw)
{
	(void)n;
	(void)spec;
	(void)grants;
	(void)grants;
	(void)grant;
	dialer.asked++;
	dialer.number = number;
	dialer.withdraw = withdraw;
	return dialer.gone ? -EPIPE : (int)dialer.n;
}

static struct link_live next_answer;

int network_hear(struct network *n, struct link_live *ret)
{
	char byte;

	if (read(n->dialer, &byte, 1) != 1)
		return -AMBIT_GONE;
	dialer.said += byte == 'j';
	*ret = next_answer;
	return byte != 'j';
}

bool network_is_judged(const struct network *n)
{
	(void)n;
	return dialer.judged;
}

/* ---- an event ---- */

struct told {
	unsigned n;
	uint32_t grant, connections;
	uid_t by;
};

static void on_withdrawn(void *user, uint32_t grant, uid_t by, uint32_t connections)
{
	*(struct told *)user = (struct told){ ((struct told *)user)->n + 1, grant, connections, by };
}

struct ordered {
	unsigned n;
	enum control_order what;
	uid_t by;
	char reason[FROZEN_REASON_MAX];
};

static struct world {
	struct control c;
	struct freeze freeze;
	struct ordered ordered;
	struct event_request q;
	struct network network;
	struct told told;
	int dialers_end;
	char event[ID_TEXT_MAX];
} w;

/* user is the told of the world. */
static void on_order(void *user, enum control_order what, uid_t by, const char *reason)
{
	assert_ptr_equal(user, &w.told);
	w.ordered = (struct ordered){ .n = w.ordered.n + 1, .what = what, .by = by };
	(void)snprintf(w.ordered.reason, sizeof w.ordered.reason, "%s", reason);
}

static int begin(void **state)
{
	static unsigned round;
	int pair[2];

	(void)state;
	memset(&w, 0, sizeof w);
	memset(&dialer, 0, sizeof dialer);
	dialer.n = 1;
	control_init(&w.c);
	(void)snprintf(w.event, sizeof w.event, "e_%026u", (unsigned)getpid() * 1000 % 100000000 + round++);
	grant_set_init(&w.q.grants);
	assert_int_equal(grant_add(&w.q.grants, VERB_READ, "/srv", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&w.q.grants, VERB_CONNECT, "a.test:443", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&w.q.grants, VERB_CONNECT, "b.test:443", 0, NULL, NULL), 0);
	assert_int_equal(grant_add(&w.q.grants, VERB_ENV, "TOKEN=secret", 0, NULL, NULL), 0);
	for (uint32_t i = 0; i < w.q.grants.count; i++)
		(void)snprintf(w.q.grant_ids[i], ID_TEXT_MAX, "g_%026u", i);
	(void)snprintf(w.q.command, sizeof w.q.command, "npm test");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	w.network.dialer = pair[0];
	w.dialers_end = pair[1];
	w.c.begun_ms = 1790000000123;
	w.c.q = &w.q;
	w.c.network = &w.network;
	w.c.tell = on_withdrawn;
	w.c.order = on_order;
	w.c.freeze = &w.freeze;
	(void)snprintf(w.q.session, sizeof w.q.session, "s_%026u", 1u);
	w.c.user = &w.told;
	return control_open(&w.c, w.event, NULL);
}

static int end(void **state)
{
	(void)state;
	control_finish(&w.c);
	(void)close(w.network.dialer);
	(void)close(w.dialers_end);
	return 0;
}

/* Serves until nothing is there to be served. */
static void serve(void)
{
	struct pollfd p[CONTROL_POLLED];

	for (;;) {
		control_watch(&w.c, p);
		if (poll(p, CONTROL_POLLED, 0) <= 0)
			return;
		control_serve(&w.c, p);
	}
}

static int dial(const char *event)
{
	struct sockaddr_un name;
	const socklen_t n = reach_address(event, &name);
	const int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(sock >= 0);
	if (connect(sock, (const struct sockaddr *)&name, n) == 0)
		return sock;
	(void)close(sock);
	return -errno;
}

static void ask(int sock, enum wire_number number, uint32_t index)
{
	uint8_t body[4];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u32(&b, index);
	assert_int_equal(wire_send(sock, number, number == WIRE_CONTROL_EVENT ? NULL : &b, NULL, 0), 0);
	serve();
}

static void dialer_says(uint32_t number, uint32_t connections)
{
	next_answer = (struct link_live){ .number = number, .connections = connections };
	assert_int_equal(write(w.dialers_end, "x", 1), 1);
	serve();
}

/* 1, 0: hung up, -EAGAIN: nothing yet. */
static int hear(int sock, struct wire_message *ret)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];

	return wire_receive(sock, WIRE_SUPERVISOR, WIRE_RUNNING, room, sizeof room, ret);
}

static void hears_done(int sock, uint32_t index, enum reach_result result, uint32_t connections)
{
	auto_message m = { .n_fds = 0 };
	struct reach_done d;

	assert_int_equal(hear(sock, &m), 1);
	assert_int_equal(m.number, WIRE_CONTROL_DONE);
	assert_true(reach_take_done(&m.body, &d));
	assert_int_equal(d.index, index);
	assert_int_equal(d.result, result);
	assert_int_equal(d.connections, connections);
}

static void hears(int sock, int what)
{
	auto_message m = { .n_fds = 0 };

	assert_int_equal(hear(sock, &m), what);
}

/* ---- tests ---- */

static void what_is_granted_is_told(void **state)
{
	const int sock = dial(w.event);
	struct reach_grant g;
	struct reach_event e;

	(void)state;
	serve();
	ask(sock, WIRE_CONTROL_EVENT, 0);
	{
		auto_message m = { .n_fds = 0 };

		assert_int_equal(hear(sock, &m), 1);
		assert_true(reach_take_event(&m.body, &e));
		assert_int_equal(e.begun_ms, 1790000000123);
		assert_int_equal(e.grants, 4);
		assert_string_equal(e.command, "npm test");
		assert_string_equal(e.session, w.q.session);
		assert_int_equal(e.freeze, REACH_RUNS);
		assert_int_equal(e.ino, 0); /* it has no store */
	}
	for (uint32_t i = 0; i < 4; i++) {
		static const char *const objects[] = { "/srv", "a.test:443", "b.test:443", "TOKEN" };
		auto_message m = { .n_fds = 0 };

		ask(sock, WIRE_CONTROL_LIST, i);
		if (i == 1 || i == 2)
			dialer_says(dialer.number, i);
		assert_int_equal(hear(sock, &m), 1);
		assert_int_equal(m.number, WIRE_CONTROL_GRANT);
		assert_true(reach_take_grant(&m.body, &g));
		assert_int_equal(g.index, i);
		assert_string_equal(g.object, objects[i]);
		assert_int_equal(g.live, i == 1 || i == 2 ? i : 0);
	}
	assert_false(dialer.withdraw);
	for (uint32_t i = 4; i > 0; i *= 16) { /* to 0 by overflow */
		ask(sock, WIRE_CONTROL_LIST, i);
		hears_done(sock, i, REACH_NO_GRANT, 0);
		ask(sock, WIRE_CONTROL_REVOKE, i);
		hears_done(sock, i, REACH_NO_GRANT, 0);
	}
	assert_int_equal(w.told.n, 0);
	(void)close(sock);
}

static void the_answer_comes_when_the_dialer_has_done_it(void **state)
{
	const int sock = dial(w.event), second = dial(w.event);

	(void)state;
	dialer.n = 2; /* two endpoints */
	serve();
	ask(sock, WIRE_CONTROL_REVOKE, 1);
	assert_true(dialer.withdraw);
	hears(sock, -EAGAIN);
	assert_int_equal(w.told.n, 0);
	dialer_says(dialer.number, 3);
	dialer_says(dialer.number + 7, 5); /* nobody asked that */
	hears(sock, -EAGAIN);
	ask(second, WIRE_CONTROL_REVOKE, 1); /* it waits, too: nothing is withdrawn before the dialer says so */
	hears(second, -EAGAIN);
	dialer_says(1, 4);
	hears_done(sock, 1, REACH_WITHDRAWN, 7);
	assert_int_equal(w.told.n, 1);
	assert_int_equal(w.told.grant, 1);
	assert_int_equal(w.told.connections, 7);
	assert_int_equal(w.told.by, getuid());
	dialer_says(2, 0);
	dialer_says(2, 0);
	hears_done(second, 1, REACH_ALREADY, 0);
	assert_int_equal(w.told.n, 1);
	ask(sock, WIRE_CONTROL_REVOKE, 0);
	hears_done(sock, 0, REACH_LASTING, 0);
	ask(sock, WIRE_CONTROL_REVOKE, 3);
	hears_done(sock, 3, REACH_LASTING, 0);
	(void)close(sock);
	(void)close(second);
}

/* Who goes meanwhile, a dialer that goes, and an end of the event: it is told all the same, once. */
static void what_was_withdrawn_is_told_in_any_case(void **state)
{
	const int first = dial(w.event), second = dial(w.event), third = dial(w.event);

	(void)state;
	serve();
	ask(first, WIRE_CONTROL_REVOKE, 1);
	(void)close(first);
	serve();
	assert_int_equal(w.told.n, 0);
	dialer_says(1, 2);
	assert_int_equal(w.told.n, 1);
	assert_int_equal(w.told.connections, 2);
	ask(second, WIRE_CONTROL_REVOKE, 2);
	(void)close(w.dialers_end);
	w.dialers_end = -1;
	serve();
	hears_done(second, 2, REACH_WITHDRAWN, 0);
	assert_int_equal(w.told.n, 2);
	dialer.gone = true;
	ask(third, WIRE_CONTROL_REVOKE, 2);
	hears_done(third, 2, REACH_ALREADY, 0);
	assert_int_equal(w.told.n, 2);
	(void)close(second);
	(void)close(third);
}

static void orders(int sock, enum wire_number number, const char *reason)
{
	char padded[FROZEN_REASON_MAX] = "";
	uint8_t room[204];
	struct buf b;

	(void)snprintf(padded, sizeof padded, "%s", reason);
	buf_init_in(&b, room, sizeof room);
	reach_put_reason(&b, padded);
	assert_int_equal(wire_send(sock, number, number == WIRE_CONTROL_FREEZE ? &b : NULL, NULL, 0), 0);
	serve();
}

static void hears_held(int sock, enum reach_held_result result, uint32_t threads)
{
	auto_message m = { .n_fds = 0 };
	struct reach_held h;

	assert_int_equal(hear(sock, &m), 1);
	assert_int_equal(m.number, WIRE_CONTROL_HELD);
	assert_true(reach_take_held(&m.body, &h));
	assert_int_equal(h.result, result);
	assert_int_equal(h.threads, threads);
}

/* Whoever asked hears when it is true, and nobody else; who waits for that keeps his place. */
static void an_order_is_answered_when_it_is_true(void **state)
{
	const int first = dial(w.event), second = dial(w.event), idle = dial(w.event);
	const struct reach_held held = { .result = REACH_HELD, .threads = 7 };
	int more[CONTROL_CLIENTS];

	(void)state;
	serve();
	orders(first, WIRE_CONTROL_FREEZE, "a reason");
	assert_int_equal(w.ordered.n, 1);
	assert_int_equal(w.ordered.what, CONTROL_FREEZE);
	assert_int_equal(w.ordered.by, getuid());
	assert_string_equal(w.ordered.reason, "a reason");
	orders(second, WIRE_CONTROL_FREEZE, "");
	hears(first, -EAGAIN);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		more[i] = dial(w.event);
		serve();
	}
	control_held(&w.c, &held);
	hears_held(first, REACH_HELD, 7);
	hears_held(second, REACH_HELD, 7);
	hears(idle, 0); /* whose place others took */
	hears(first, -EAGAIN);
	orders(first, WIRE_CONTROL_THAW, "");
	assert_int_equal(w.ordered.what, CONTROL_THAW);
	orders(second, WIRE_CONTROL_KILL, "");
	assert_int_equal(w.ordered.what, CONTROL_KILL);
	control_finish(&w.c);
	hears_held(first, REACH_ENDED, 0);
	hears_held(second, REACH_ENDED, 0);
	(void)close(first);
	(void)close(second);
	(void)close(idle);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		(void)close(more[i]);
}

static void an_end_concludes(void **state)
{
	const int sock = dial(w.event);

	(void)state;
	serve();
	ask(sock, WIRE_CONTROL_REVOKE, 1);
	control_finish(&w.c);
	hears_done(sock, 1, REACH_WITHDRAWN, 0);
	hears(sock, 0);
	assert_int_equal(w.told.n, 1);
	assert_int_equal(dial(w.event), -ECONNREFUSED);
	(void)close(sock);
}

/* Also while nobody asked; what the judge is told is no answer to who did. */
static void a_dialer_that_is_judged_is_heard(void **state)
{
	const int sock = dial(w.event);

	(void)state;
	assert_int_equal(write(w.dialers_end, "j", 1), 1);
	serve();
	assert_int_equal(dialer.said, 0);
	dialer.judged = true;
	serve();
	assert_int_equal(dialer.said, 1);
	ask(sock, WIRE_CONTROL_REVOKE, 1);
	assert_int_equal(write(w.dialers_end, "j", 1), 1);
	serve();
	assert_int_equal(dialer.said, 2);
	hears(sock, -EAGAIN);
	dialer_says(dialer.number, 1);
	hears_done(sock, 1, REACH_WITHDRAWN, 1);
	(void)close(sock);
}

static void the_oldest_makes_room_unless_it_waits(void **state)
{
	int socks[CONTROL_CLIENTS + 2];

	(void)state;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		socks[i] = dial(w.event);
		serve();
	}
	ask(socks[0], WIRE_CONTROL_REVOKE, 1);
	for (unsigned i = CONTROL_CLIENTS; i < CONTROL_CLIENTS + 2; i++) {
		socks[i] = dial(w.event);
		serve();
	}
	hears(socks[0], -EAGAIN);
	hears(socks[1], 0);
	hears(socks[2], 0);
	hears(socks[3], -EAGAIN);
	hears(socks[CONTROL_CLIENTS + 1], -EAGAIN);
	dialer_says(1, 0);
	hears_done(socks[0], 1, REACH_WITHDRAWN, 0);
	for (unsigned i = 0; i < COUNT_OF(socks); i++)
		(void)close(socks[i]);
}

static void garbage_ends_the_connection(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		uint8_t bytes[16];
	} rows[] = {
		{ "a byte", 1, { 160 } },
		{ "a head that is cut", 3, { 160, 0, 0 } },
		{ "no such number", 4, { 0, 0, 0, 0 } },
		{ "not zero", 4, { 160, 0, 1, 0 } },
		{ "one byte too many", 5, { 160, 0, 0, 0, 0 } },
		{ "no index", 4, { 161, 0, 0, 0 } },
		{ "half an index", 6, { 162, 0, 0, 0, 1, 0 } },
		{ "an index and more", 9, { 162, 0, 0, 0, 1, 0, 0, 0, 0 } },
		{ "an answer", 16, { 170, 0, 0, 0 } },
		{ "a library's", 8, { 3, 0, 0, 0, 0, 0, 0, 0 } },
		{ "the dialer's", 12, { 146, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 } },
		{ "a supervisor's to a dialer", 12, { 140, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 } },
	};
	static uint8_t large[65000];
	int sock;

	(void)state;
	for (size_t i = 0; i <= COUNT_OF(rows); i++) {
		auto_message m = { .n_fds = 0 };

		sock = dial(w.event);
		serve();
		assert_true(send(sock, i < COUNT_OF(rows) ? rows[i].bytes : large,
				 i < COUNT_OF(rows) ? rows[i].n : sizeof large, MSG_NOSIGNAL) > 0);
		serve();
		if (hear(sock, &m) != 0)
			fail_msg("%s: not hung up on", i < COUNT_OF(rows) ? rows[i].name : "much");
		(void)close(sock);
	}
	assert_int_equal(w.told.n + dialer.asked, 0);
	sock = dial(w.event); /* the twin */
	serve();
	ask(sock, WIRE_CONTROL_REVOKE, 1);
	assert_int_equal(dialer.asked, 1);
	(void)close(sock);
}

static void who_does_not_read_is_hung_up_on(void **state)
{
	const int sock = dial(w.event);
	const uint8_t list[8] = { 161 };
	unsigned n = 0;

	(void)state;
	serve();
	while (send(sock, list, sizeof list, MSG_NOSIGNAL) > 0 && n++ < 100000)
		serve();
	assert_in_range(n, 2, 10000);
	assert_int_equal(errno, EPIPE);
	(void)close(sock);
}

static void a_name_that_is_taken_is_refused(void **state)
{
	struct control second;
	struct err e;

	(void)state;
	control_init(&second);
	assert_int_equal(control_open(&second, w.event, &e), -AMBIT_CONFLICT);
	assert_int_equal(second.listener, -1);
	assert_true(e.hint[0] != 0);
	control_finish(&w.c);
	assert_int_equal(control_open(&second, w.event, &e), 0); /* the twin */
	fd_close(&second.listener);
}

static void a_stranger_is_not_heard(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (getuid() != 0) {
		print_message("another user: needs root\n"); /* tests/integration/grant.py has it with processes */
		return;
	}
	pid = fork();
	if (pid == 0) {
		const uint8_t revoke[8] = { 162, 0, 0, 0, 1 };
		int sock;
		char c;

		if (setresuid(STRANGER, STRANGER, STRANGER) < 0)
			_exit(2);
		sock = dial(w.event);
		(void)send(sock, revoke, sizeof revoke, MSG_NOSIGNAL);
		(void)poll(&(struct pollfd){ .fd = sock, .events = POLLIN }, 1, 30000);
		_exit(recv(sock, &c, 1, 0) > 0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		serve();
	assert_int_equal(status, 0);
	assert_int_equal(w.told.n + dialer.asked, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_granted_is_told, begin, end),
		cmocka_unit_test_setup_teardown(the_answer_comes_when_the_dialer_has_done_it, begin, end),
		cmocka_unit_test_setup_teardown(what_was_withdrawn_is_told_in_any_case, begin, end),
		cmocka_unit_test_setup_teardown(an_order_is_answered_when_it_is_true, begin, end),
		cmocka_unit_test_setup_teardown(an_end_concludes, begin, end),
		cmocka_unit_test_setup_teardown(a_dialer_that_is_judged_is_heard, begin, end),
		cmocka_unit_test_setup_teardown(the_oldest_makes_room_unless_it_waits, begin, end),
		cmocka_unit_test_setup_teardown(garbage_ends_the_connection, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_hung_up_on, begin, end),
		cmocka_unit_test_setup_teardown(a_name_that_is_taken_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_stranger_is_not_heard, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
