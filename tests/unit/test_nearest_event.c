/* Which earlier event one is most like: what is said of it, what is forgotten, and how it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/nearest.h"

static const uint8_t key[NEAREST_KEY] = "sixteen bytes..";

/* Of directories, by letters; and of as many numbered ones. */
static struct deeds named(const char *event, const char *letters, unsigned from, unsigned to)
{
	struct deeds d = { .items = NULL };
	char text[16];

	(void)snprintf(d.event, sizeof d.event, "%s", event);
	for (; *letters != 0; letters++)
		assert_true(deeds_add(&d, DEED_DIRECTORY, letters, 1));
	for (unsigned i = from; i < to; i++) {
		const int n = snprintf(text, sizeof text, "n%u", i);

		assert_true(deeds_add(&d, DEED_DIRECTORY, text, (size_t)n));
	}
	return d;
}

static void id_of(unsigned n, char ret[ID_TEXT_MAX])
{
	static const uint8_t random[ID_RANDOM];

	id_write('e', 1700000000000 + n, random, ret);
}

static void learn(struct nearest *s, unsigned n, const char *letters, unsigned from, unsigned to)
{
	char id[ID_TEXT_MAX];
	struct deeds d;

	id_of(n, id);
	d = named(id, letters, from, to);
	nearest_add(s, key, &d);
	deeds_finish(&d);
}

static void it_says_in_what_they_differ(void **state)
{
	static const struct {
		const char *letters;
		unsigned nearest; /* 0: none */
		double part;
		const char *says;
	} rows[] = {
		{ "abc", 1, 1, "the same" },
		{ "abcx", 1, 0.75, "the same but for directory x" },
		{ "abcxyz", 1, 0.5, "the same but for directory x, and 2 more" },
		{ "ab", 1, 2.0 / 3, "the same, but without 1 of what that named" },
		{ "abx", 1, 0.5, "the same but for directory x, and without 1 of what that named" },
		{ "de", 2, 1, "the same" },
		{ "z", 0, 0, "" },
		{ "", 0, 0, "" },
	};
	struct nearest s = { .n = 0 };

	(void)state;
	learn(&s, 1, "abc", 0, 0);
	learn(&s, 2, "de", 0, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct deeds d = named("", rows[i].letters, 0, 0);
		struct likeness l = { .text = "" };
		char id[ID_TEXT_MAX] = "";

		if (rows[i].nearest > 0)
			id_of(rows[i].nearest, id);
		if (nearest_find(&s, key, &d, &l) != (rows[i].nearest > 0) || strcmp(l.event, id) != 0 ||
		    strcmp(l.text, rows[i].says) != 0 || l.part < rows[i].part - 1e-9 || l.part > rows[i].part + 1e-9)
			fail_msg("%s: %s %s %f", rows[i].letters, l.event, l.text, l.part);
		deeds_finish(&d);
	}
}

/* Of more items than a sketch has it is an estimate, and nothing is said to be missing that may be there. */
static void of_many_items_it_is_an_estimate(void **state)
{
	struct nearest s = { .n = 0 };
	struct likeness same, half;
	struct deeds d;

	(void)state;
	learn(&s, 1, "", 0, 400);
	d = named("", "", 0, 400);
	assert_true(nearest_find(&s, key, &d, &same));
	deeds_finish(&d);
	d = named("", "", 200, 600);
	assert_true(nearest_find(&s, key, &d, &half));
	deeds_finish(&d);
	assert_string_equal(same.text, "the same");
	assert_true(same.part > 0.999 && half.part > 0.05 && half.part < 0.75); /* a third of 600 */
	d = named("", "", 0, 399);
	assert_true(nearest_find(&s, key, &d, &same));
	deeds_finish(&d);
	assert_null(strstr(same.text, "but for"));
}

static void it_is_bounded_and_the_same_counts_once(void **state)
{
	struct nearest s = { .n = 0 };
	struct deeds d = named("", "", 0, 1);
	struct likeness l;
	char id[ID_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		learn(&s, i, "a", 0, 0);
	assert_int_equal(s.n, 1);
	id_of(499, id);
	assert_string_equal(s.list[0].event, id); /* the latest of them */
	for (unsigned i = 0; i < NEAREST_MAX + 10; i++)
		learn(&s, 1000 + i, "", i, i + 1);
	assert_int_equal(s.n, NEAREST_MAX);
	assert_false(nearest_find(&s, key, &d, &l)); /* the oldest goes */
	deeds_finish(&d);
	d = named("", "", NEAREST_MAX + 9, NEAREST_MAX + 10);
	assert_true(nearest_find(&s, key, &d, &l));
	deeds_finish(&d);
	d = named("", "b", 0, 0);
	nearest_add(&s, key, &d); /* of nobody knows which event */
	id_of(NEAREST_MAX + 1009, id);
	assert_string_equal(s.list[NEAREST_MAX - 1].event, id);
	deeds_finish(&d);
}

static void another_key_finds_nothing(void **state)
{
	static const uint8_t other[NEAREST_KEY] = "another key....";
	struct nearest s = { .n = 0 };
	struct deeds d = named("", "abc", 0, 0);
	struct likeness l;

	(void)state;
	learn(&s, 1, "abc", 0, 0);
	assert_false(nearest_find(&s, other, &d, &l));
	assert_true(nearest_find(&s, key, &d, &l));
	deeds_finish(&d);
}

static void what_is_kept_is_checked(void **state)
{
	static const struct {
		const char *event;
		uint16_t items, n;
		uint32_t low[3];
		bool good;
	} rows[] = {
		{ "e_01M8C9AH53WTA81NZN3BP0CGXM", 3, 3, { 1, 2, 3 }, true },
		{ "e_01M8C9AH53WTA81NZN3BP0CGXN", 2, 2, { 1, 2 }, true },
		{ "e_01M8C9AH53WTA81NZN3BP0CGXP", 3, 3, { 1, 2, 3 }, false }, /* twice */
		{ "e_01M8C9AH53WTA81NZN3BP0CGXP", 3, 3, { 2, 1, 3 }, false },
		{ "e_01M8C9AH53WTA81NZN3BP0CGXP", 3, 3, { 1, 1, 3 }, false },
		{ "e_01M8C9AH53WTA81NZN3BP0CGXP", 4, 3, { 1, 2, 4 }, false },
		{ "e_01M8C9AH53WTA81NZN3BP0CGXP", 0, 0, { 0 }, false },
		{ "s_01M8C9AH53WTA81NZN3BP0CGXP", 1, 1, { 9 }, false },
		{ "e_x", 1, 1, { 9 }, false },
	};
	struct nearest s = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct near one = { .items = rows[i].items, .n = rows[i].n };

		(void)snprintf(one.event, sizeof one.event, "%s", rows[i].event);
		memcpy(one.low, rows[i].low, sizeof rows[i].low);
		if (nearest_restore(&s, &one) != rows[i].good)
			fail_msg("row %zu", i);
	}
	assert_int_equal(s.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_in_what_they_differ),
		cmocka_unit_test(of_many_items_it_is_an_estimate),
		cmocka_unit_test(it_is_bounded_and_the_same_counts_once),
		cmocka_unit_test(another_key_finds_nothing),
		cmocka_unit_test(what_is_kept_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
