#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/timestamp.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void what_is_a_time_and_what_is_none(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* UINT64_MAX: refused */
	} rows[] = {
		{ "1970-01-01T00:00:00.000Z", 0 },
		{ "1970-01-01T00:00:00.001Z", 1 },
		{ "2000-02-29T12:00:00.000Z", 951825600000 },
		{ "2024-02-29T23:59:59.999Z", 1709251199999 },
		{ "2026-01-31T09:15:02.123Z", 1769850902123 },
		{ "9999-12-31T23:59:59.999Z", TIMESTAMP_END_MS - 1 },
		{ "1969-12-31T23:59:59.999Z", UINT64_MAX },
		{ "0000-01-01T00:00:00.000Z", UINT64_MAX },
		{ "2025-02-29T00:00:00.000Z", UINT64_MAX },
		{ "2100-02-29T00:00:00.000Z", UINT64_MAX },
		{ "2025-04-31T00:00:00.000Z", UINT64_MAX },
		{ "2025-12-32T00:00:00.000Z", UINT64_MAX },
		{ "2025-02-99T00:00:00.000Z", UINT64_MAX },
		{ "2025-01-00T00:00:00.000Z", UINT64_MAX },
		{ "2025-00-01T00:00:00.000Z", UINT64_MAX },
		{ "2025-13-01T00:00:00.000Z", UINT64_MAX },
		{ "2025-01-01T24:00:00.000Z", UINT64_MAX },
		{ "2025-01-01T00:60:00.000Z", UINT64_MAX },
		{ "2016-12-31T23:59:60.000Z", UINT64_MAX }, /* there was one, but no clock showed it */
		{ "2025-01-01T00:00:00Z", UINT64_MAX },
		{ "2025-01-01T00:00:00.0000Z", UINT64_MAX },
		{ "2025-01-01T00:00:00.000z", UINT64_MAX },
		{ "2025-01-01t00:00:00.000Z", UINT64_MAX },
		{ "2025-01-01 00:00:00.000Z", UINT64_MAX },
		{ "2025-01-01T00:00:00,000Z", UINT64_MAX },
		{ "2025-01-01T00:00:00.000+", UINT64_MAX },
		{ "2025-1--01T00:00:00.000Z", UINT64_MAX },
		{ "+025-01-01T00:00:00.000Z", UINT64_MAX },
		{ "", UINT64_MAX },
	};
	char text[TIMESTAMP_LEN + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t ms = UINT64_MAX;

		(void)timestamp_read(rows[i].text, strlen(rows[i].text), &ms);
		if (ms != rows[i].ms)
			fail_msg("%s: %" PRIu64, rows[i].text, ms);
		if (ms == UINT64_MAX)
			continue;
		assert_true(timestamp_write(ms, text));
		assert_string_equal(text, rows[i].text);
	}
	assert_false(timestamp_write(TIMESTAMP_END_MS, text));
	assert_string_equal(text, "");
	assert_false(timestamp_write(UINT64_MAX, text));
}

static void is_as_the_library_says(uint64_t ms)
{
	const time_t seconds = (time_t)(ms / 1000);
	char text[TIMESTAMP_LEN + 1], theirs[64];
	uint64_t again = UINT64_MAX;
	struct tm tm;
	size_t n;

	assert_non_null(gmtime_r(&seconds, &tm));
	n = strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(theirs + n, sizeof theirs - n, ".%03uZ", (unsigned)(ms % 1000));
	assert_true(timestamp_write(ms, text));
	assert_string_equal(text, theirs);
	assert_true(timestamp_read(text, TIMESTAMP_LEN, &again));
	if (again != ms)
		fail_msg("%s: %" PRIu64 ", not %" PRIu64, text, again, ms);
}

/* Each day until the calendar repeats, and any time at all. */
static void the_calendar_is_the_one_of_the_library(void **state)
{
	const uint64_t day_ms = 86400000;
	struct prop p = prop_round(0);

	(void)state;
	for (uint64_t day = 0; day <= 146097; day++) {
		is_as_the_library_says(day * day_ms);
		is_as_the_library_says(day * day_ms + day_ms - 1);
	}
	for (uint64_t i = 0; i < prop_rounds(20000); i++)
		is_as_the_library_says(prop_next(&p) % TIMESTAMP_END_MS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_time_and_what_is_none),
		cmocka_unit_test(the_calendar_is_the_one_of_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
