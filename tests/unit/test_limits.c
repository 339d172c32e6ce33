#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void values_have_the_unit_of_their_limit(void **state)
{
	static const struct {
		const char *word, *value;
		int expected;
		enum limit limit;
		uint64_t number;
		const char *formatted;
	} rows[] = {
		{ "wall", "30s", 0, LIMIT_WALL, 30000, "30s" },
		{ "wall", "90s", 0, LIMIT_WALL, 90000, "90s" },
		{ "wall", "7200s", 0, LIMIT_WALL, 7200000, "2h" },
		{ "cpu", "250ms", 0, LIMIT_CPU, 250, "250ms" },
		{ "memory", "2G", 0, LIMIT_MEMORY, UINT64_C(2) << 30, "2G" },
		{ "memory", "1536M", 0, LIMIT_MEMORY, UINT64_C(1536) << 20, "1536M" },
		{ "disk", "1000000", 0, LIMIT_DISK, 1000000, "1000000" },
		{ "disk", "1T", 0, LIMIT_DISK, UINT64_C(1) << 40, "1T" },
		{ "tasks", "64", 0, LIMIT_TASKS, 64, "64" },
		{ "files", "none", 0, LIMIT_FILES, 0, "none" },
		{ "output", "1K", 0, LIMIT_OUTPUT, 1024, "1K" },
		{ "wall", "876000h", 0, LIMIT_WALL, UINT64_C(876000) * 3600000, "876000h" },
		{ "wall", "878401h", -AMBIT_MALFORMED, 0, 0, NULL }, /* more than a hundred years */
		{ "wall", "30", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "wall", "0s", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "wall", "1G", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "wall", "", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "memory", "2GB", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "memory", "0", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "memory", "1048577T", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "tasks", "1K", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "tasks", "0", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "tasks", "-1", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "tasks", "1073741825", -AMBIT_MALFORMED, 0, 0, NULL },
		/* the least, and one less */
		{ "wall", "1ms", 0, LIMIT_WALL, 1, "1ms" },
		{ "tasks", "1", 0, LIMIT_TASKS, 1, "1" },
		{ "output", "1", 0, LIMIT_OUTPUT, 1, "1" },
		{ "files", "32", 0, LIMIT_FILES, 32, "32" },
		{ "files", "31", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "files", "1", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "memory", "4M", 0, LIMIT_MEMORY, UINT64_C(4) << 20, "4M" },
		{ "memory", "4194303", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "disk", "256K", 0, LIMIT_DISK, UINT64_C(256) << 10, "256K" },
		{ "disk", "262143", -AMBIT_MALFORMED, 0, 0, NULL },
		{ "Wall", "30s", -AMBIT_UNKNOWN, 0, 0, NULL },
		{ "", "30s", -AMBIT_UNKNOWN, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct limits l;
		struct err e;
		char text[24];
		int rc;

		memset(&l, 0xee, sizeof l);
		rc = limits_set(&l, rows[i].word, rows[i].value, &e);
		if (rc != rows[i].expected)
			fail_msg("%s=%s: %d", rows[i].word, rows[i].value, rc);
		if (rc < 0) {
			assert_true(e.hint[0] != 0);
			assert_true(l.value[LIMIT_WALL] == UINT64_C(0xeeeeeeeeeeeeeeee)); /* untouched */
			continue;
		}
		assert_true(l.value[rows[i].limit] == rows[i].number);
		limits_format(&l, rows[i].limit, text, sizeof text);
		assert_string_equal(text, rows[i].formatted);
	}
}

static void a_bad_value_is_refused_for_what_is_wrong_with_it(void **state)
{
	static const struct {
		const char *word, *value, *why;
	} rows[] = {
		{ "memory", "2g", "its unit is not a known one" },
		{ "memory", "2GB", "its unit is not a known one" },
		{ "memory", "2 G", "its unit is not a known one" },
		{ "wall", "1G", "its unit is not a known one" },
		{ "wall", "1nanosecond", "its unit is not a known one" },
		{ "wall", "1", "it has no unit" },
		{ "wall", "1.5s", "its number is not a whole one" },
		{ "memory", "1,5G", "its number is not a whole one" },
		{ "wall", "", "it does not begin with a digit" },
		{ "wall", "s", "it does not begin with a digit" },
		{ "tasks", "-1", "it does not begin with a digit" },
		{ "tasks", "many", "it does not begin with a digit" },
		{ "tasks", "1K", "something stands after its number" },
		{ "tasks", "0", "it is out of range" },
		{ "tasks", "1073741825", "it is out of range" },
		{ "tasks", "99999999999999999999999", "it is out of range" }, /* more than 64 bits */
		{ "wall", "0s", "it is out of range" },
		{ "wall", "878401h", "it is out of range" },
		{ "memory", "99999999999999999999999K", "it is out of range" },
		{ "files", "31", "the cell needs some for itself, before its program starts" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct limits l = { .value = { 0 } };
		struct err e;

		assert_int_equal(limits_set(&l, rows[i].word, rows[i].value, &e), -AMBIT_MALFORMED);
		if (strcmp(e.why, rows[i].why) != 0)
			fail_msg("%s=%s: %s", rows[i].word, rows[i].value, e.why);
	}
}

static void narrowing_takes_the_smaller(void **state)
{
	static const struct {
		uint64_t mine, bound, expected;
	} rows[] = { { 0, 0, 0 }, { 5, 0, 5 }, { 0, 7, 7 }, { 5, 7, 5 }, { 9, 7, 7 }, { 7, 7, 7 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (enum limit which = 0; which < LIMIT_COUNT; which++) {
			struct limits l = { .value = { 0 } }, bound = { .value = { 0 } };

			l.value[which] = rows[i].mine;
			bound.value[which] = rows[i].bound;
			limits_narrow(&l, &bound);
			if (l.value[which] != rows[i].expected)
				fail_msg("row %zu, %s", i, limit_word(which));
		}
}

static void defaults_are_those_of_the_design(void **state)
{
	struct limits l;

	(void)state;
	limits_default_run(&l, 12345);
	assert_int_equal(l.value[LIMIT_WALL], 0);
	assert_int_equal(l.value[LIMIT_MEMORY], 12345);
	assert_int_equal(l.value[LIMIT_TASKS], 1024);
	assert_int_equal(l.value[LIMIT_FILES], 4096);
	assert_true(l.value[LIMIT_DISK] == UINT64_C(8) << 30);
	assert_int_equal(l.value[LIMIT_OUTPUT], 0);
	limits_default_code(&l);
	assert_int_equal(l.value[LIMIT_WALL], 30000);
	assert_int_equal(l.value[LIMIT_MEMORY], 512u << 20);
	assert_int_equal(l.value[LIMIT_TASKS], 64);
	assert_int_equal(l.value[LIMIT_FILES], 256);
	assert_int_equal(l.value[LIMIT_OUTPUT], 1u << 20);
}

static void what_is_written_reads_back(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		const enum limit which = (enum limit)prop_below(&p, LIMIT_COUNT);
		struct limits l = { .value = { 0 } }, back = l;
		char text[24];

		l.value[which] = prop_next(&p) >> (34 + prop_below(&p, 30));
		if (!limit_in_range(which, l.value[which]))
			continue; /* less than the least */
		limits_format(&l, which, text, sizeof text);
		if (limits_set(&back, limit_word(which), text, NULL) != 0 || back.value[which] != l.value[which])
			prop_fail(&p, "%s=%s", limit_word(which), text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_the_unit_of_their_limit),
		cmocka_unit_test(a_bad_value_is_refused_for_what_is_wrong_with_it),
		cmocka_unit_test(narrowing_takes_the_smaller),
		cmocka_unit_test(defaults_are_those_of_the_design),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
