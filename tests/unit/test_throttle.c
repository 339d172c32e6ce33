/* A stream that did much: how far apart its next events begin, who ends that, and what becomes of a file that is none. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/throttle.h"

#define STREAM "b_01M8C9AH53WTA81NZN3BP0CGXM"
#define OTHER "b_01M8C9AH53WTA81NZN3BP0CGXN"
#define EVENT "e_01M8C9AH53WTA81NZN3BP0CGXM"
#define LATER "e_01M8C9AH53WTA81NZN3BP0CGXN"
#define NOW UINT64_C(1700000000000)
#define HOUR UINT64_C(3600000)

static char top[64], place[80];

static int begin(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/ambit-throttle-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(place, sizeof place, "%s/frozen", top);
	return 0;
}

static int end(void **state)
{
	struct err e;

	(void)state;
	(void)throttle_lift(place, NULL, NULL, &e);
	(void)rmdir(place);
	return rmdir(top);
}

static uint32_t more(const char *stream, const char *event, uint64_t now)
{
	uint32_t pause = 0;
	struct err e;

	assert_int_equal(throttle_more(place, stream, event, now, &pause, &e), 0);
	return pause;
}

static void each_doubles_it_up_to_a_minute(void **state)
{
	static const uint32_t pauses[] = { 1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000 };

	(void)state;
	assert_int_equal(throttle_turn(place, STREAM, NOW), 0); /* nothing is there, nor the directory */
	for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++)
		assert_int_equal(more(STREAM, EVENT, NOW), pauses[i]);
	assert_int_equal(throttle_turn(place, STREAM, NOW), 64000);
	assert_int_equal(throttle_turn(place, OTHER, NOW), 0);
}

/* Those that come at once take turns, and who looked in vain has taken none. */
static void one_begins_in_each_pause(void **state)
{
	static const struct {
		uint64_t at, wait;
	} rows[] = { { 0, 2000 },    { 1999, 1 }, { 2000, 0 }, { 2000, 2000 },
		     { 2500, 1500 }, { 4000, 0 }, { 9000, 0 }, { 9001, 1999 } };

	(void)state;
	(void)more(STREAM, EVENT, NOW);
	(void)more(STREAM, EVENT, NOW);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(throttle_turn(place, STREAM, NOW + rows[i].at), rows[i].wait);
}

static void an_hour_ends_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		(void)more(STREAM, EVENT, NOW);
	assert_int_equal(throttle_turn(place, STREAM, NOW + 1), 7999);
	assert_int_equal(more(STREAM, EVENT, NOW + HOUR + 1), 1000); /* begun anew */
	assert_int_equal(throttle_turn(place, STREAM, NOW + HOUR + 1), 1000);
	assert_int_equal(throttle_turn(place, STREAM, NOW + 2 * HOUR + 2), 0);
	assert_int_equal(throttle_turn(place, STREAM, NOW + 2 * HOUR + 2), 0); /* and not once in each pause */
}

static void nobody_waits_longer_for_a_clock_that_was_set_back(void **state)
{
	(void)state;
	(void)more(STREAM, EVENT, NOW);
	assert_int_equal(throttle_turn(place, STREAM, NOW - 10 * HOUR), 1000);
	assert_int_equal(throttle_turn(place, STREAM, NOW - 10 * HOUR + 400), 600); /* and not from each look on */
	assert_int_equal(throttle_turn(place, STREAM, NOW - 10 * HOUR + 1000), 0);
	assert_int_equal(throttle_turn(place, STREAM, NOW - 10 * HOUR + 1000), 1000);
	assert_int_equal(throttle_turn(place, STREAM, NOW - 9 * HOUR + 1), 0); /* its hour is one of that clock, too */
	assert_int_equal(throttle_turn(place, STREAM, NOW - 9 * HOUR + 1), 0);
}

static void a_person_ends_it(void **state)
{
	static const struct {
		const char *stream, *event;
		int n;
		uint64_t wait, other;
	} rows[] = {
		{ STREAM, NULL, 1, 0, 1000 }, { OTHER, NULL, 1, 1000, 0 },       { NULL, EVENT, 1, 0, 1000 },
		{ NULL, LATER, 1, 1000, 0 },  { NULL, "e_none", 0, 1000, 1000 }, { NULL, NULL, 2, 0, 0 },
	};
	struct err e;

	(void)state;
	assert_int_equal(throttle_lift(place, NULL, NULL, &e), 0); /* there is no directory yet */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)more(STREAM, EVENT, NOW);
		(void)more(OTHER, LATER, NOW);
		assert_int_equal(throttle_lift(place, rows[i].stream, rows[i].event, &e), rows[i].n);
		assert_int_equal(throttle_turn(place, STREAM, NOW), rows[i].wait);
		assert_int_equal(throttle_turn(place, OTHER, NOW), rows[i].other);
		(void)throttle_lift(place, NULL, NULL, &e);
	}
}

static void what_is_none_counts_as_the_longest(void **state)
{
	static const char longer[] =
		"throttl1throttl1throttl1throttl1throttl1throttl1throttl1throttl1throttl1throttl1throttl1";
	static const char *const texts[] = { "x", "throttl1", "throttl1throttl1throttl1throttl1throttl1throttl1",
					     longer };
	char path[160];
	struct err e;

	(void)state;
	(void)more(OTHER, EVENT, NOW);
	(void)snprintf(path, sizeof path, "%s/%s", place, STREAM);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		(void)close(fd);
		assert_int_equal(throttle_turn(place, STREAM, NOW), 0); /* the first has its turn */
		assert_int_equal(throttle_turn(place, STREAM, NOW), THROTTLE_MOST_MS);
	}
	assert_int_equal(throttle_lift(place, STREAM, NULL, &e), 1);
}

/* Of sessions that never came back nothing stays. The twin: one that is not over yet. */
static void those_that_are_over_go(void **state)
{
	char path[160];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/%s", place, OTHER);
	(void)more(OTHER, EVENT, NOW);
	(void)more(STREAM, EVENT, NOW + HOUR);
	assert_int_equal(access(path, F_OK), 0);
	(void)more(STREAM, EVENT, NOW + HOUR + 1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(throttle_turn(place, STREAM, NOW + HOUR + 1), 2000);
}

struct seen {
	unsigned n;
	struct throttle last;
};

static void see(void *of, const struct throttle *t)
{
	struct seen *s = of;

	s->n++;
	s->last = *t;
}

static void those_that_are_over_are_in_no_list(void **state)
{
	struct seen s = { .n = 0 };
	struct err e;

	(void)state;
	(void)more(STREAM, EVENT, NOW);
	(void)more(OTHER, LATER, NOW + HOUR);
	assert_int_equal(throttle_list(place, NOW + HOUR + 1, see, &s, &e), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.last.stream, OTHER);
	assert_string_equal(s.last.event, LATER);
	assert_int_equal(s.last.pause_ms, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_doubles_it_up_to_a_minute, begin, end),
		cmocka_unit_test_setup_teardown(one_begins_in_each_pause, begin, end),
		cmocka_unit_test_setup_teardown(an_hour_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(nobody_waits_longer_for_a_clock_that_was_set_back, begin, end),
		cmocka_unit_test_setup_teardown(a_person_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(what_is_none_counts_as_the_longest, begin, end),
		cmocka_unit_test_setup_teardown(those_that_are_over_go, begin, end),
		cmocka_unit_test_setup_teardown(those_that_are_over_are_in_no_list, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
