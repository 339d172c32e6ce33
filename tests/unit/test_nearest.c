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

static void a_text_is_near_another(void **state)
{
	static const char *const texts[] = { "/t/src/main.c", "/t/src/mail.c", "/t/doc", "/t/a",
					     "e_01M8C7701742G25ZSV545N4E4F" };
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "/t/src/main.c", "/t/src/main.c" },
		{ "/t/src/mian.c", "/t/src/main.c" },
		{ "/t/src/mai.c", "/t/src/main.c" }, /* as near as the second: the first */
		{ "/t/src/mail.h", "/t/src/mail.c" },
		{ "/t/scr/main.c", "/t/src/main.c" },
		{ "/t/rc/man.c", "/t/src/main.c" },
		{ "/t/c/man.c", NULL }, /* three */
		{ "/t/src/main.cpp", "/t/src/main.c" },
		{ "/t/src/main.cpp2", NULL },
		{ "/t/dco", "/t/doc" },
		{ "/t/do", "/t/doc" },
		{ "/t/o", NULL }, /* two of three letters */
		{ "/t/b", NULL }, /* all of the name */
		{ "", NULL },
		{ "e_01M8C7701742G25ZSV545N4EF", "e_01M8C7701742G25ZSV545N4E4F" },
		{ "e_10M8C7701742G25ZSV545NE44F", "e_01M8C7701742G25ZSV545N4E4F" }, /* twice two letters swapped */
	};
	struct nearest n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *got;

		nearest_begin(&n, rows[i].word);
		for (size_t t = 0; t < COUNT_OF(texts); t++)
			nearest_try(&n, texts[t]);
		got = nearest_found(&n);
		if ((got == NULL) != (rows[i].meant == NULL) || (got != NULL && strcmp(got, rows[i].meant) != 0))
			fail_msg("%s: %s", rows[i].word, got != NULL ? got : "none");
	}
	nearest_set(&n, "known otherwise");
	nearest_try(&n, texts[4]);
	assert_string_equal(nearest_found(&n), "known otherwise");
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
		cmocka_unit_test(a_text_is_near_another),
		cmocka_unit_test(the_hint_is_as_it_is_to_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
