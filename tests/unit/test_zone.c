/* The time of day in a zone, over its changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "authority/layout.h"
#include "authority/zone.h"
#include "base/fd.h"
#include "core/authority.h"

static const struct row {
	const char *zone;
	uint64_t at_s;
	unsigned hour, minute;
} rows[] = {
	{ "UTC", 1774745999, 0, 59 },
	{ "Europe/Berlin", 1774745999, 1, 59 }, /* 2026-03-29, the second before an hour is left out */
	{ "Europe/Berlin", 1774746000, 3, 0 },
	{ "Europe/Berlin", 1792889999, 2, 59 }, /* 2026-10-25, and before one comes twice */
	{ "Europe/Berlin", 1792890000, 2, 0 },
	{ "Europe/Berlin", 1792893600, 3, 0 },
	{ "Asia/Kolkata", 1774745999, 6, 29 },
	{ "Australia/Lord_Howe", 1775314799, 1, 59 }, /* 2026-04-05: half an hour back */
	{ "Australia/Lord_Howe", 1775314800, 1, 30 },
	{ "America/New_York", 1774746000, 21, 0 },
};

static void the_minute_is_that_of_the_zone(void **state)
{
	static struct zones z;

	(void)state;
	z.dir_fd = open(AUTHORITY_ZONES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (z.dir_fd < 0 || !zone_is(&z, "Australia/Lord_Howe")) {
		print_message("no tables of time zones on this machine\n");
		skip();
	}
	for (unsigned again = 0; again < 2; again++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			const uint16_t is = zone_minute(&z, rows[i].zone, rows[i].at_s * 1000 + 999);

			if (is != rows[i].hour * 60 + rows[i].minute)
				print_error("row %zu: %s\n", i, rows[i].zone);
			assert_int_equal(is, rows[i].hour * 60 + rows[i].minute);
		}
	fd_close(&z.dir_fd);
}

static void what_has_no_table_is_no_zone(void **state)
{
	static const char *const names[] = { "Europe/Nowhere", "Europe", "", "tzdata.zi", "zone.tab" };
	static struct zones z;

	(void)state;
	z.dir_fd = open(AUTHORITY_ZONES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_false(zone_is(&z, names[i]));
		assert_int_equal(zone_minute(&z, names[i], 0), AUTHORITY_MINUTE_NONE);
	}
	fd_close(&z.dir_fd);
	assert_false(zone_is(&z, "UTC"));
	assert_int_equal(zone_minute(&z, "UTC", 60000), AUTHORITY_MINUTE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_minute_is_that_of_the_zone),
		cmocka_unit_test(what_has_no_table_is_no_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
