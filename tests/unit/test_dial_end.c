/* The end of a connection of which somebody else has a copy: by TCP over the loopback, whose other end is the host. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "dial/end.h"

struct world {
	int ours, copy, host; /* owned */
};

static int listen_somewhere(struct sockaddr_in *ret)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof *ret;

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof *ret), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &size), 0);
	return fd;
}

static int begin(void **state)
{
	static struct world w;
	struct sockaddr_in at;
	int listener = listen_somewhere(&at);

	w.ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(w.ours, (struct sockaddr *)&at, sizeof at), 0);
	w.host = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	w.copy = fcntl(w.ours, F_DUPFD_CLOEXEC, 3);
	assert_true(w.host >= 0 && w.copy >= 0);
	fd_close(&listener);
	*state = &w;
	return 0;
}

static int finish(void **state)
{
	struct world *w = *state;

	fd_close(&w->ours);
	fd_close(&w->copy);
	fd_close(&w->host);
	return 0;
}

static void fails_to_send(int fd)
{
	assert_int_equal(send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
	assert_true(errno == EPIPE || errno == ECONNRESET);
}

static void is_reset(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

/* As much as it takes; how much that was. */
static size_t fill(int fd)
{
	static const char some[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = send(fd, some, sizeof some, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		sum += (size_t)n;
	assert_int_equal(errno, EAGAIN);
	return sum;
}

static size_t read_to_end(int fd)
{
	static char some[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(fd, some, sizeof some, 0)) > 0)
		sum += (size_t)n;
	assert_int_equal(n, 0);
	return sum;
}

static void linger_for_an_hour(int fd)
{
	const struct linger how = { .l_onoff = 1, .l_linger = 3600 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, sizeof how), 0);
}

static int lingers(int fd)
{
	struct linger how = { .l_linger = -1 };
	socklen_t size = sizeof how;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &how, &size), 0);
	return how.l_onoff != 0 ? how.l_linger : -1;
}

static void what_is_dissolved_is_over_for_all(void **state)
{
	struct world *w = *state;
	char c;

	assert_int_equal(send(w->host, "unread", 6, 0), 6);
	end_dissolve(w->ours);
	is_reset(w->host);
	fails_to_send(w->host);
	fails_to_send(w->copy);
	assert_int_equal(recv(w->copy, &c, 1, MSG_DONTWAIT), -1); /* what was not read is gone */
	assert_int_equal(errno, ENOTCONN);
	end_dissolve(w->ours); /* again: nothing */
}

static void a_broken_end_drops_what_waits(void **state)
{
	struct world *w = *state;
	size_t sent = fill(w->copy), got = 0;
	char some[4096];
	ssize_t n;

	linger_for_an_hour(w->copy);
	end_close(&w->ours, true);
	assert_int_equal(w->ours, -1);
	fails_to_send(w->copy);
	assert_int_equal(lingers(w->copy), 0);
	while ((n = recv(w->host, some, sizeof some, 0)) > 0) /* what it had taken already */
		got += (size_t)n;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(got < sent);
}

static void a_good_end_sends_what_waits_and_takes_nothing_more(void **state)
{
	struct world *w = *state;
	const size_t sent = fill(w->copy);

	linger_for_an_hour(w->copy);
	end_close(&w->ours, false);
	assert_int_equal(w->ours, -1);
	fails_to_send(w->copy);
	assert_int_equal(lingers(w->copy), -1);
	assert_int_equal(read_to_end(w->host), sent);
}

/* Whoever closes last would wait for a host that reads nothing, if the copy says so: then this test does not end. */
static void nobody_waits_for_the_host(void **state)
{
	struct world *w = *state;
	const size_t sent = fill(w->copy);

	linger_for_an_hour(w->copy);
	fd_close(&w->copy);
	end_close(&w->ours, false);
	assert_int_equal(read_to_end(w->host), sent);
}

static void nor_for_one_that_it_broke(void **state)
{
	struct world *w = *state;

	(void)fill(w->copy);
	linger_for_an_hour(w->copy);
	fd_close(&w->copy);
	end_close(&w->ours, true);
	fails_to_send(w->host);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_dissolved_is_over_for_all, begin, finish),
		cmocka_unit_test_setup_teardown(a_broken_end_drops_what_waits, begin, finish),
		cmocka_unit_test_setup_teardown(a_good_end_sends_what_waits_and_takes_nothing_more, begin, finish),
		cmocka_unit_test_setup_teardown(nobody_waits_for_the_host, begin, finish),
		cmocka_unit_test_setup_teardown(nor_for_one_that_it_broke, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
