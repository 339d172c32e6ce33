/* Whether a server asks for a second hello is told with the byte that says it, however its bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/retry.h"
#include "octets.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define RANDOM "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
#define OTHER "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339d"
#define REST "[1] 1301 00 [2 002b [2 0304] 0033 [2 0018]]"
#define HELLO(random) "160303 [2 02 [3 0303 " random REST "]]"

static const struct {
	const char *name, *bytes; /* octets.h */
	enum retry_state state;
	size_t at; /* with how many bytes it is decided */
} rows[] = {
	{ "nothing", "", RETRY_MORE, 0 },
	{ "it asks", HELLO(RANDOM), RETRY_YES, 43 },
	{ "it does not", HELLO("32*11"), RETRY_NO, 12 },
	{ "another last byte", HELLO(OTHER), RETRY_NO, 43 },
	{ "cut", "160303 0058 02 000054 0303 cf21ad", RETRY_MORE, 14 },
	{ "over two records", "160303 [2 02 0000] 160303 [2 54 0303" RANDOM REST "]", RETRY_YES, 48 },
	{ "an empty record first", "160303 [2]" HELLO(RANDOM), RETRY_YES, 48 },
	{ "a warning first", "150303 [2 0170]" HELLO(RANDOM), RETRY_YES, 50 },
	{ "a warning first, and then none", "150303 [2 0170]" HELLO("32*11"), RETRY_NO, 19 },
	{ "the end of it", "150303 [2 0228]", RETRY_MORE, 7 },
	{ "another message", "160303 [2 01 [3 0303" RANDOM REST "]]", RETRY_NO, 6 },
	{ "application data", "170303 [2 00]", RETRY_NO, 1 },
	{ "a change of ciphers", "140303 [2 01]" HELLO(RANDOM), RETRY_NO, 1 },
	{ "no TLS", "'HTTP/1.1 400'", RETRY_NO, 1 },
};

static void it_is_told_with_its_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[256];
		const size_t n = octets(rows[i].bytes, bytes, sizeof bytes);

		for (size_t first = 0; first <= n; first++) {
			struct retry r;
			size_t at = first;

			retry_init(&r);
			(void)retry_read(&r, bytes, first);
			while (at < n && r.state == RETRY_MORE)
				(void)retry_read(&r, bytes + at++, 1);
			if (r.state != rows[i].state || (first < rows[i].at && at != rows[i].at))
				fail_msg("%s, %zu at first: state %d at %zu", rows[i].name, first, r.state, at);
			if (r.state != RETRY_MORE && retry_read(&r, bytes, n) != rows[i].state)
				fail_msg("%s: it changes afterwards", rows[i].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_told_with_its_byte) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
