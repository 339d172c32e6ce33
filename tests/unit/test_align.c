#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/align.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A letter stands for a hash. */
static size_t hashes(const char *letters, struct hash *ret)
{
	size_t n = 0;

	for (; letters[n] != 0; n++) {
		memset(&ret[n], 0, sizeof ret[n]);
		ret[n].bytes[7] = (uint8_t)letters[n];
	}
	return n;
}

static void tell(void *arg, enum align_step step, uint64_t index, uint64_t other)
{
	static const char *const words[] = { [ALIGN_CHANGED] = "changed",
					     [ALIGN_MISSING] = "missing",
					     [ALIGN_MOVED] = "moved",
					     [ALIGN_AGAIN] = "again",
					     [ALIGN_ADDED] = "added" };
	char *text = arg;
	const size_t n = strlen(text);

	(void)snprintf(text + n, 256 - n, "%s%s %d %d", n > 0 ? ", " : "", words[step], (int)index, (int)other);
}

/* Entries are numbered from 100. */
static void each_change_is_told_as_what_it_is(void **state)
{
	static const struct {
		const char *name, *should_be, *is;
		int told;
		const char *text;
	} rows[] = {
		{ "as it should be", "abcdef", "abcdef", 0, "" },
		{ "one changed", "abcdef", "abXdef", 1, "changed 102 102" },
		{ "two changed", "abcdef", "XbcdeY", 2, "changed 100 100, changed 105 105" },
		{ "one left out", "abcdef", "abdef", 1, "missing 102 102" },
		{ "the first left out", "abcdef", "bcdef", 1, "missing 100 100" },
		{ "the last left out", "abcdef", "abcde", 1, "missing 105 105" },
		{ "some left out", "abcdef", "abf", 1, "missing 102 104" },
		{ "two left out apart", "abcdef", "acdf", 2, "missing 101 101, missing 104 104" },
		{ "cut", "abcdef", "ab", 1, "missing 102 105" },
		{ "nothing there", "abcdef", "", 1, "missing 100 105" },
		{ "one put in", "abcdef", "abXcdef", 1, "added 102 102" },
		{ "one put in first", "abcdef", "Xabcdef", 1, "added 100 100" },
		{ "two put in", "abcdef", "abXYcdef", 2, "added 102 102, added 102 102" },
		{ "one put behind", "abcdef", "abcdefX", 1, "added 106 106" },
		{ "one doubled", "abcdef", "abbcdef", 1, "again 102 101" },
		{ "one doubled later", "abcdef", "abcdaef", 1, "again 104 100" },
		{ "one doubled behind", "abcdef", "abcdefa", 1, "again 106 100" },
		{ "one in place of another", "abcdef", "abadef", 1, "moved 102 100" },
		{ "two swapped", "abcdef", "abdcef", 2, "moved 102 103, moved 103 102" },
		{ "two swapped apart", "abcdef", "fbcdea", 2, "moved 100 105, moved 105 100" },
		{ "one to the end", "abcdef", "bcdefa", 6,
		  "moved 100 101, moved 101 102, moved 102 103, moved 103 104, moved 104 105, moved 105 100" },
		{ "changed and left out", "abcdef", "Xbcdf", 2, "changed 100 100, missing 104 104" },
		{ "all of it others", "abcdef", "UVWXYZ", -1, "" },
		{ "one of it, another", "a", "X", -1, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hash row[16], leaf[16];
		char text[256] = "";
		const size_t n = hashes(rows[i].should_be, row), m = hashes(rows[i].is, leaf);
		const int told = align(row, n, leaf, m, 100, tell, text);

		if (told != rows[i].told || strcmp(text, rows[i].text) != 0)
			fail_msg("%s: %d: %s", rows[i].name, told, text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(each_change_is_told_as_what_it_is) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
