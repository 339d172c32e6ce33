#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "relay/fence.h"

static void only_the_answer_ends_it(void **state)
{
	static const struct {
		const char *name, *bytes;
		bool seen;
	} rows[] = {
		{ "the answer", "\033[0n", true },
		{ "after others", "abc\033[24;80R\033[?62c\033[0n", true },
		{ "after a false start", "\033\033[\033[0\033[0n", true },
		{ "another report", "\033[3n\033[24;80R", false },
		{ "letters of it", "[0n 0n", false },
		{ "something in between", "\033[0 n\033[00n", false },
		{ "half", "\033[0", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fence whole = { 0 }, cut = { 0 };
		bool seen = false;

		for (const char *s = rows[i].bytes; *s != 0 && !seen; s++)
			seen = fence_seen(&cut, s, 1);
		if (seen != rows[i].seen || fence_seen(&whole, rows[i].bytes, strlen(rows[i].bytes)) != rows[i].seen)
			fail_msg("%s", rows[i].name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(only_the_answer_ends_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
