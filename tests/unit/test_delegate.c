/* Who asks a supervisor for sub-agents, and the library that is told to end them: both are played. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/clones.h"
#include "supervisor/delegate.h"
#include "wire/wire.h"

#define NUMBER 7
#define OTHER 8

/* ---- no cell is looked into ---- */

int clones_make(struct clones *c, int proc_fd, int mounts_fd, struct err *e)
{
	(void)c;
	(void)proc_fd;
	(void)mounts_fd;
	return err_set(e, AMBIT_INTERNAL, NULL, "nothing is begun here");
}

void clones_finish(struct clones *c)
{
	(void)c;
}

/* ---- two that run ---- */

static struct delegates d;
static int library, askers[2]; /* the other ends */
static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];

static int pair_with(int *ret)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*ret = pair[0];
	return pair[1];
}

static int begin(void **state)
{
	(void)state;
	memset(&d, 0, sizeof d);
	delegates_init(&d);
	d.lib = pair_with(&library);
	for (uint32_t i = 0; i < 2; i++) {
		d.places[i].door = pair_with(&askers[i]);
		d.places[i].pid = -1; /* taken, and nobody's */
		d.places[i].number = NUMBER + i;
		d.places[i].from[i] = true;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		(void)close(askers[i]);
		if (d.places[i].door >= 0)
			(void)close(d.places[i].door);
	}
	(void)close(library);
	(void)close(d.lib);
	return 0;
}

/* The next that the library is to end; 0: nothing is there. */
static uint32_t told(void)
{
	auto_message m = { .n_fds = 0 };
	const int r = wire_receive(library, WIRE_SUPERVISOR, WIRE_RUNNING, room, sizeof room, &m);

	if (r == -EAGAIN)
		return 0;
	assert_int_equal(r, 1);
	assert_int_equal(m.number, WIRE_EVENT_DELEGATE_END);
	return rbuf_u32(&m.body);
}

/* As one that somebody stopped. */
static size_t fill(void)
{
	size_t n = 0;

	while (send(d.lib, "filled", 6, 0) == 6)
		n++;
	assert_true(n > 0);
	return n;
}

static void drain(size_t n)
{
	for (char bytes[6]; n > 0; n--)
		assert_int_equal(recv(library, bytes, sizeof bytes, 0), 6);
}

static void ends(uint32_t number)
{
	const struct sibling_end done = { .number = number, .cause = CAUSE_KILLED };
	uint8_t bytes[2400];
	struct rbuf body;
	struct buf b;

	buf_init_in(&b, bytes, sizeof bytes);
	sibling_put_end(&b, &done);
	rbuf_init(&body, b.data, b.len);
	delegates_ended(&d, &body);
}

static bool is_answered(uint32_t i)
{
	auto_message m = { .n_fds = 0 };

	return wire_receive(askers[i], WIRE_SUPERVISOR, WIRE_RUNNING, room, sizeof room, &m) == 1 &&
	       m.number == WIRE_DELEGATE_DONE;
}

static void serve(void)
{
	struct pollfd p[DELEGATES_POLLED];

	delegates_watch(&d, true, p);
	(void)poll(p, DELEGATES_POLLED, 0);
	delegates_serve(&d, p);
}

static void an_end_is_told_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_false(delegates_end(&d));
	delegates_withdraw(&d, 0);
	serve();
	assert_int_equal(told(), NUMBER);
	assert_int_equal(told(), OTHER);
	assert_int_equal(told(), 0);
	ends(NUMBER);
	assert_true(is_answered(0));
	assert_false(delegates_end(&d));
	ends(NUMBER); /* again, of a place that is free, or nobody's */
	ends(1000);
	assert_false(is_answered(1));
	ends(OTHER);
	assert_true(is_answered(1));
	assert_true(delegates_end(&d));
	assert_int_equal(told(), 0);
}

static void an_end_without_room_is_told_later(void **state)
{
	size_t n;

	(void)state;
	n = fill();
	for (int i = 0; i < 3; i++)
		assert_false(delegates_end(&d));
	drain(n);
	assert_int_equal(told(), 0);
	serve();
	assert_int_equal(told(), NUMBER);
	assert_int_equal(told(), OTHER);
	serve();
	assert_int_equal(told(), 0);
}

/* Who says more than there is to say has it end, and is not heard any more, however much it says. */
static void who_says_more_ends_it_once(void **state)
{
	struct pollfd p[DELEGATES_POLLED];

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(send(askers[1], "more", 4, 0), 4);
		serve();
	}
	assert_int_equal(told(), OTHER);
	assert_int_equal(told(), 0);
	delegates_watch(&d, true, p);
	assert_int_equal(p[1].fd, d.places[0].door);
	assert_int_equal(p[2].fd, -1);
}

static void only_what_was_derived_is_withdrawn(void **state)
{
	(void)state;
	delegates_withdraw(&d, 1);
	delegates_withdraw(&d, 2);
	assert_int_equal(told(), OTHER);
	assert_int_equal(told(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_end_is_told_once, begin, end),
		cmocka_unit_test_setup_teardown(an_end_without_room_is_told_later, begin, end),
		cmocka_unit_test_setup_teardown(who_says_more_ends_it_once, begin, end),
		cmocka_unit_test_setup_teardown(only_what_was_derived_is_withdrawn, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
