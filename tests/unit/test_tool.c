/* The names of tools, and what lies in what. */
#include "core/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void there_are_four_forms(void **state)
{
	static const struct {
		const char *object;
		bool is;
	} rows[] = {
		{ "files/read_file", true },
		{ "A-z.0_9/-._", true },
		{ "files/*", true },
		{ "*", true },
		{ "files/resources/read", true },
		{ "files/resources/subscribe", true },
		{ "files/prompts/get", true },
		{ "files/completion/complete", true },
		{ "files/logging/setLevel", true },
		{ "files/sampling/createMessage", true },
		{ "files/elicitation/create", true },
		{ "files/roots/list", true },
		{ "", false },
		{ "files", false },
		{ "files/", false },
		{ "/read", false },
		{ "/", false },
		{ "/*", false },
		{ "**", false },
		{ "*/read", false },
		{ "fi*/read", false },
		{ "files/re*", false },
		{ "files/**", false },
		{ "files/*/", false },
		{ "files/a/b", false },
		{ "files/resources/*", false },
		{ "files/resources/write", false },
		{ "files/resources/read/x", false },
		{ "files/resources", true }, /* a tool may be called so */
		{ "files/tools/call", false },
		{ "files//read", false },
		{ "files/a b", false },
		{ "files/\xc3\xa9", false },
		{ "fil es/a", false },
		{ " files/a", false },
		{ "files/a\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (tool_is_object(rows[i].object) != rows[i].is)
			fail_msg("'%s'", rows[i].object);
}

/* Of n and m letters with a slash between. */
static const char *of_length(size_t n, size_t m, char room[512])
{
	memset(room, 'a', n);
	room[n] = '/';
	memset(room + n + 1, 'b', m);
	room[n + 1 + m] = 0;
	return room;
}

static void names_have_a_greatest_length(void **state)
{
	char room[512], all[TOOL_OBJECT_MAX];

	(void)state;
	assert_true(tool_is_object(of_length(TOOL_SERVER_MAX, TOOL_NAME_MAX, room)));
	assert_int_equal(strlen(room) + 1, TOOL_OBJECT_MAX);
	tool_all_of(room, all);
	assert_true(tool_is_object(all) && tool_covers(all, room) && tool_is_star(all));
	assert_false(tool_is_object(of_length(TOOL_SERVER_MAX + 1, TOOL_NAME_MAX, room)));
	assert_false(tool_is_object(of_length(TOOL_SERVER_MAX, TOOL_NAME_MAX + 1, room)));
	room[TOOL_SERVER_MAX] = 0;
	assert_true(tool_is_server(room) && tool_is_name(room) && !tool_is_method(room));
	assert_false(tool_is_server("") || tool_is_server("a/b") || tool_is_server("*") || tool_is_name("") ||
		     tool_is_name("roots/list"));
	assert_true(tool_is_method("roots/list"));
}

static void a_star_means_all_of_its_server(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool covers;
	} rows[] = {
		{ "*", "*", true },
		{ "*", "a/*", true },
		{ "*", "a/x", true },
		{ "*", "a/roots/list", false },
		{ "*", "a/sampling/createMessage", false },
		{ "*", "a/resources/read", true },
		{ "a/roots/list", "a/roots/list", true },
		{ "a/*", "a/*", true },
		{ "a/*", "a/x", true },
		{ "a/*", "a/roots/list", false },
		{ "a/*", "a/elicitation/create", false },
		{ "a/*", "a/prompts/get", true },
		{ "a/*", "*", false },
		{ "a/*", "ab/x", false },
		{ "ab/*", "a/x", false },
		{ "ab/*", "a/*", false },
		{ "a/x", "a/x", true },
		{ "a/x", "a/xx", false },
		{ "a/xx", "a/x", false },
		{ "a/x", "a/*", false },
		{ "a/x", "*", false },
		{ "a/roots", "a/roots/list", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (tool_covers(rows[i].outer, rows[i].inner) != rows[i].covers)
			fail_msg("%s %s", rows[i].outer, rows[i].inner);
}

static void all_of_a_server_is_a_star(void **state)
{
	static const struct {
		const char *object, *all;
	} rows[] = { { "a/x", "a/*" }, { "a/prompts/get", "a/*" }, { "a/*", "a/*" }, { "*", "*" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char all[TOOL_OBJECT_MAX];

		tool_all_of(rows[i].object, all);
		assert_string_equal(all, rows[i].all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_four_forms),
		cmocka_unit_test(names_have_a_greatest_length),
		cmocka_unit_test(a_star_means_all_of_its_server),
		cmocka_unit_test(all_of_a_server_is_a_star),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
