#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void a_word_is_near_another(void **state)
{
	static const char *const words[] = { "read", "write", "run",       "env",
					     "full", "c",     "workspace", "declassifications" };
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "raed", "read" },
		{ "rea", "read" },
		{ "reads", "read" },
		{ "wirte", "write" },
		{ "rnu", "run" },
		{ "raeds", "read" },     /* two slips, one of them two letters swapped */
		{ "wrks", NULL },        /* begins nothing */
		{ "work", "workspace" }, /* begins it, and nothing else */
		{ "w", NULL },           /* begins two */
		{ "all", NULL },         /* half of the letters of `full` */
		{ "x", NULL },           /* all of `c` */
		{ "", NULL },
		{ "zebra", NULL },
		{ "abcdefghijklmnopqrstuvw", NULL },
		{ "declassification", NULL }, /* 16 letters */
		{ "declassificatio", "declassifications" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *got = word_nearest(rows[i].word, words, COUNT_OF(words));

		if ((got == NULL) != (rows[i].meant == NULL) || (got != NULL && strcmp(got, rows[i].meant) != 0))
			fail_msg("%s: %s", rows[i].word, got != NULL ? got : "none");
	}
}

static void the_hint_is_as_it_is_to_be_written(void **state)
{
	char room[NEAREST_HINT_MAX];

	(void)state;
	assert_string_equal(nearest_hint(room, "--", "read", "x"), "did you mean '--read'?");
	assert_string_equal(nearest_hint(room, "", "read", "x"), "did you mean 'read'?");
	assert_string_equal(nearest_hint(room, "--", NULL, "x"), "x");
	assert_null(nearest_hint(room, "--", NULL, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_near_another),
		cmocka_unit_test(the_hint_is_as_it_is_to_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
