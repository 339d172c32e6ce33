#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/grant.h"
#include "core/listen.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *put; /* put NULL: refused */
	uint16_t host, cell;
} rows[] = {
	{ "8080", "8080", 8080, 8080 },
	{ "1", "1", 1, 1 },
	{ "65535", "65535", 65535, 65535 },
	{ "8080:8080", "8080", 8080, 8080 },
	{ "0:8080", "0:8080", 0, 8080 },
	{ "9000:80", "9000:80", 9000, 80 },
	{ "65535:65534", "65535:65534", 65535, 65534 },
	{ "", NULL, 0, 0 },
	{ ":", NULL, 0, 0 },
	{ "0", NULL, 0, 0 },
	{ "0:0", NULL, 0, 0 },
	{ "8080:0", NULL, 0, 0 },
	{ "00:8080", NULL, 0, 0 },
	{ "08080", NULL, 0, 0 },
	{ "80:08", NULL, 0, 0 },
	{ "65536", NULL, 0, 0 },
	{ "1:65536", NULL, 0, 0 },
	{ "65536:1", NULL, 0, 0 },
	{ ":8080", NULL, 0, 0 },
	{ "8080:", NULL, 0, 0 },
	{ "1:2:3", NULL, 0, 0 },
	{ "+80", NULL, 0, 0 },
	{ "-1", NULL, 0, 0 },
	{ " 80", NULL, 0, 0 },
	{ "80 ", NULL, 0, 0 },
	{ "0x50", NULL, 0, 0 },
	{ "127.0.0.1:8080", NULL, 0, 0 },
	{ "000000000000000:8080", NULL, 0, 0 },
	{ "http", NULL, 0, 0 },
};

static void each_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct listen_ports p = { .host = 7, .cell = 7 };
		char put[LISTEN_TEXT_MAX];
		struct err e;
		const int r = listen_take(rows[i].text, &p, &e);

		if (rows[i].put == NULL) {
			if (r != -AMBIT_MALFORMED || e.hint[0] == 0 || p.host != 7)
				fail_msg("'%s': %d", rows[i].text, r);
			continue;
		}
		if (r != 0 || p.host != rows[i].host || p.cell != rows[i].cell)
			fail_msg("'%s': %d, %u:%u", rows[i].text, r, p.host, p.cell);
		listen_put(&p, put);
		assert_string_equal(put, rows[i].put);
	}
}

static void a_grant_is_kept_in_one_spelling(void **state)
{
	static struct grant_set set;
	uint32_t a, b;

	(void)state;
	grant_set_init(&set);
	assert_int_equal(grant_add(&set, VERB_LISTEN, "8080", 0, &a, NULL), 0);
	assert_int_equal(grant_add(&set, VERB_LISTEN, "8080:8080", 0, &b, NULL), 0);
	assert_int_equal(a, b);
	assert_int_equal(grant_add(&set, VERB_LISTEN, "0:8080", 0, &b, NULL), 0);
	assert_int_not_equal(a, b);
	assert_int_equal(grant_add(&set, VERB_LISTEN, "localhost:8080", 0, &b, NULL), -AMBIT_MALFORMED);
	assert_int_equal(grant_derive(&set, a, &set, VERB_LISTEN, "8081", NULL, NULL, NULL, &b, NULL), -AMBIT_DENIED);
	assert_int_equal(grant_derive(&set, a, &set, VERB_LISTEN, "8080:8080", NULL, NULL, NULL, &b, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text),
		cmocka_unit_test(a_grant_is_kept_in_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
