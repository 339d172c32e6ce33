/* The names that the dialer knows: where each stands, and for how long it is as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dial/known.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct known_names known;

static int empty(void **state)
{
	(void)state;
	known = (struct known_names){ .at = { { .when_ms = 0 } } };
	return 0;
}

static struct host_name numbered(unsigned i)
{
	struct host_name name;

	(void)snprintf(name.text, sizeof name.text, "a%u.example", i); /* it fits */
	return name;
}

static uint32_t place(unsigned i)
{
	const struct host_name name = numbered(i);
	const uint32_t at = known_place(&known, &name);

	assert_in_range(at, 0, KNOWN_MAX - 1);
	assert_string_equal(known.at[at].name.text, name.text);
	return at;
}

/* Each is found at when_ms i + 1. */
static void fill(void)
{
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		struct known_name *n = &known.at[place(i)];

		n->when_ms = i + 1;
		n->found.n = 1;
	}
}

static bool stands(unsigned i)
{
	const struct host_name name = numbered(i);

	for (unsigned k = 0; k < KNOWN_MAX; k++)
		if (strcmp(known.at[k].name.text, name.text) == 0)
			return true;
	return false;
}

static void a_name_keeps_its_place(void **state)
{
	uint32_t at[KNOWN_MAX];

	(void)state;
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		at[i] = place(i);
		known.at[at[i]].when_ms = i + 1;
		known.at[at[i]].found.n = i % RESOLVED_MAX;
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(at[k], at[i]);
	}
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		assert_int_equal(place(i), at[i]);
		assert_int_equal(known.at[at[i]].found.n, i % RESOLVED_MAX);
	}
}

static void another_takes_the_oldest_that_nobody_waits_for(void **state)
{
	(void)state;
	fill();
	known.at[place(0)].waiting = 1;
	known.at[place(1)].asked = true;
	known.at[place(5)].when_ms = 0; /* it was never found */
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned gone[] = { 5, 2, 3 };
		struct known_name *n = &known.at[place(1000 + i)];

		assert_int_equal(n->when_ms, 0); /* what was there is forgotten */
		assert_int_equal(n->found.n, 0);
		n->when_ms = 2000 + i;
		assert_false(stands(gone[i]));
	}
	for (unsigned i = 0; i < KNOWN_MAX; i++)
		assert_int_equal(stands(i), i != 5 && i != 2 && i != 3);
	known.at[place(0)].waiting = 0;
	(void)place(1003);
	assert_false(stands(0));
	assert_true(stands(1));
}

/* As many as can wait, each for a name of its own; what resolvers were asked for meanwhile and nobody waits for any more; and names come and go. */
static void all_that_can_wait_have_places(void **state)
{
	const unsigned held = LINK_ASKED_MAX + RESOLVERS;
	uint32_t at[LINK_ASKED_MAX + RESOLVERS];

	(void)state;
	fill();
	for (unsigned i = 0; i < held; i++) {
		at[i] = place(2000 + i);
		if (i < LINK_ASKED_MAX)
			known.at[at[i]].waiting = 1;
		else
			known.at[at[i]].asked = true;
	}
	for (unsigned i = 0; i < 4 * KNOWN_MAX; i++)
		known.at[place(3000 + i)].when_ms = 1 + i % 7;
	for (unsigned i = 0; i < held; i++)
		assert_true(stands(2000 + i));
	for (unsigned i = 0; i < held; i++)
		assert_int_equal(place(2000 + i), at[i]);
}

static void it_is_fresh_for_a_while(void **state)
{
	static const struct {
		uint64_t when, now;
		bool fresh;
	} rows[] = {
		{ 0, 0, false }, /* never found */
		{ 0, 1, false },
		{ 1, 1, true },
		{ 1, KNOWN_FRESH_MS, true },
		{ 1, KNOWN_FRESH_MS + 1, false },
		{ 5000, 4999 + KNOWN_FRESH_MS, true },
		{ 5000, 5000 + KNOWN_FRESH_MS, false },
		{ 5000, UINT64_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct known_name n = { .when_ms = rows[i].when };

		if (known_is_fresh(&n, rows[i].now) != rows[i].fresh)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_name_keeps_its_place, empty),
		cmocka_unit_test_setup(another_takes_the_oldest_that_nobody_waits_for, empty),
		cmocka_unit_test_setup(all_that_can_wait_have_places, empty),
		cmocka_unit_test(it_is_fresh_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
