#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/change.h"
#include "stage/pattern.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void a_pattern_fits_what_it_says(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool fits;
	} rows[] = {
		/* a path is itself and what lies beneath it */
		{ "", "a/b", true },
		{ "a", "a", true },
		{ "a", "a/b", true },
		{ "a", "ab", false },
		{ "a/b", "a", false },
		{ "a[1]*", "a[1]*", true }, /* literally */
		{ "a[1]*", "a1x", true },
		/* `*` stops at a slash, at both ends */
		{ "*.c", "top.c", true },
		{ "*.c", "src/a.c", false },
		{ "*.c", "x.c/y", true }, /* in a directory of that name */
		{ "src/*.c", "src/a.c", true },
		{ "src/*.c", "src/a/m.c", false },
		{ "*/a.c", "src/a.c", true },
		{ "*/a.c", "a.c", false },
		{ "*", ".hidden", true },
		{ "?.c", "a.c", true },
		{ "?.c", "/.c", false },
		{ "[a-c].c", "b.c", true },
		{ "[!a-c].c", "b.c", false },
		{ "\\*.c", "*.c", true },
		{ "\\*.c", "a.c", false },
		/* `**` between slashes does not */
		{ "**/*.c", "top.c", true },
		{ "**/*.c", "src/a.c", true },
		{ "**/*.c", "src/a/b/d.c", true },
		{ "**/*.c", "src/a/b/d.h", false },
		{ "src/**/*.c", "src/a.c", true },
		{ "src/**/*.c", "src/a/b/d.c", true },
		{ "src/**/*.c", "lib/src/a.c", false },
		{ "**/b/*.c", "src/a/b/d.c", true },
		{ "**/b/*.c", "b/b/x/b/d.c", true },
		{ "**/b/*.c", "src/a/b/c/d.c", false },
		{ "**/a/**/d.c", "a/d.c", true },
		{ "**/a/**/d.c", "x/a/y/z/d.c", true },
		{ "**/a/**/d.c", "x/y/z/d.c", false },
		{ "**/test", "a/test/b/c", true }, /* and what lies beneath it */
		/* at the end: what lies beneath, and not the directory */
		{ "src/**", "src/a/b", true },
		{ "src/**", "src", false },
		{ "**", "a", true },
		{ "**", "a/b", true },
		{ "**/**", "a", true },
		/* with something beside them they are one star */
		{ "s**c", "src", true },
		{ "s**c", "s/c", false },
		{ "**.c", "src/a.c", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (pattern_fits(rows[i].pattern, rows[i].path) != rows[i].fits)
			fail_msg("'%s' fits '%s'", rows[i].pattern, rows[i].path);
}

/* A word of the person's may be long and a path deep: no row of stars makes them expensive. */
static void many_stars_are_no_work(void **state)
{
	char pattern[CHANGE_PATH_MAX] = "", path[CHANGE_PATH_MAX] = "";

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		memcpy(pattern + 5 * i, "**/a/", 5);
		memcpy(path + 6 * i, "a/a/a/", 6);
	}
	pattern[5 * 500] = 'b';
	path[6 * 500] = 'c';
	assert_false(pattern_fits(pattern, path));
	path[strlen(path) - 1] = 'b';
	assert_true(pattern_fits(pattern, path));
}

static void a_long_part_fits_nothing(void **state)
{
	char pattern[CHANGE_PATH_MAX + 2];

	(void)state;
	memset(pattern, '*', sizeof pattern - 1);
	pattern[sizeof pattern - 1] = 0;
	assert_false(pattern_fits(pattern, "a"));
	pattern[CHANGE_PATH_MAX - 1] = 0;
	assert_true(pattern_fits(pattern, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_fits_what_it_says),
		cmocka_unit_test(many_stars_are_no_work),
		cmocka_unit_test(a_long_part_fits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
