/* What wakes a poll when it is due, also if the machine slept meanwhile: that cannot be tried here, so by which clock it goes is looked at. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"

static int is_due(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout);
}

static void an_alarm_is_as_a_timeout(void **state)
{
	auto_fd int fd = clock_alarm_open();
	const uint64_t begun = clock_boot_ms();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(clock_alarm(fd, 1030), -1);
	assert_int_equal(is_due(fd, 5000), 1);
	assert_true(clock_boot_ms() - begun >= 1030);
	assert_int_equal(clock_alarm(fd, 60000), -1); /* set anew it is not due */
	assert_int_equal(is_due(fd, 0), 0);
	assert_int_equal(clock_alarm(fd, 1), -1);
	assert_int_equal(is_due(fd, 5000), 1);
	assert_int_equal(clock_alarm(fd, -1), -1);
	assert_int_equal(is_due(fd, 20), 0);
	assert_int_equal(clock_alarm(fd, 0), 0);
}

static void without_one_it_is_polls_own(void **state)
{
	static const int timeouts[] = { -1, 0, 1, 60000 };

	(void)state;
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++)
		assert_int_equal(clock_alarm(-1, timeouts[i]), timeouts[i]);
}

static void it_goes_on_while_the_machine_sleeps(void **state)
{
	auto_fd int fd = clock_alarm_open();
	char path[40], text[512], clock[24];
	struct timespec t;
	FILE *file;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	(void)snprintf(clock, sizeof clock, "clockid: %d\n", CLOCK_BOOTTIME);
	file = fopen(path, "re");
	assert_non_null(file);
	n = fread(text, 1, sizeof text - 1, file);
	text[n] = 0;
	(void)fclose(file);
	assert_non_null(strstr(text, clock));
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &t), 0);
	assert_true(clock_boot_ms() - (uint64_t)t.tv_sec * 1000 < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alarm_is_as_a_timeout),
		cmocka_unit_test(without_one_it_is_polls_own),
		cmocka_unit_test(it_goes_on_while_the_machine_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
