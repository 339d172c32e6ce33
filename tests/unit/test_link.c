/* The entries that lead from one log of a ledger to another: what is written is taken again, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/link.h"

#define KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define ROOT "F1FfHIIE6Ev2TRp8zm/jam+ke6PiBYJHoSPtyPr46OU="

static int take(enum entry_type type, const char *body, struct link *ret)
{
	const struct entry entry = { .type = type, .body = { .at = (const uint8_t *)body, .n = strlen(body) } };

	return link_of(&entry, ret);
}

static void what_is_written_is_taken_again(void **state)
{
	static const char *const bodies[] = {
		"{\"next\":\"" KEY "\"}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\",\"size\":0}}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\",\"size\":9007199254740991}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		auto_buf again = { .max = LINK_BODY_MAX };
		struct link link;

		assert_int_equal(take(ENTRY_KEY, bodies[i], &link), 1);
		assert_int_equal(link.kind, i == 0 ? LINK_NEXT : LINK_PREVIOUS);
		assert_string_equal(link.key.name, "PeterNeumann");
		link_put(&again, &link);
		assert_string_equal(buf_cstr(&again), bodies[i]);
		assert_int_equal(take(ENTRY_START, bodies[i], &link), 0);
	}
}

static void what_names_nothing_is_refused(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"next\":1}",
		"{\"next\":\"\"}",
		"{\"next\":\"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\"}",
		"{\"next\":\"" KEY "\",\"z\":1}",
		"{\"next\":\"" KEY "\",\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\",\"size\":1}}",
		"{\"previous\":\"" KEY "\"}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\"}}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"AAAA\",\"size\":1}}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\",\"size\":\"1\"}}",
		"{\"previous\":{\"key\":\"" KEY "\",\"root\":\"" ROOT "\",\"size\":1,\"z\":1}}",
		"{\"previous\":{\"root\":\"" ROOT "\",\"size\":1}}",
	};
	struct link link = { .size = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		if (take(ENTRY_KEY, bodies[i], &link) != -AMBIT_MALFORMED)
			fail_msg("taken: %s", bodies[i]);
		assert_int_equal(link.size, 7);
	}
}

static void keys_are_the_same_in_all(void **state)
{
	struct link a, b;

	(void)state;
	assert_int_equal(take(ENTRY_KEY, "{\"next\":\"" KEY "\"}", &a), 1);
	b = a;
	assert_true(link_is_key(&a.key, &b.key));
	b.key.public[3] ^= 1;
	assert_false(link_is_key(&a.key, &b.key));
	b = a;
	b.key.name[0] = 'X';
	assert_false(link_is_key(&a.key, &b.key));
	b = a;
	b.key.type = VKEY_COSIGNATURE;
	assert_false(link_is_key(&a.key, &b.key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_taken_again),
		cmocka_unit_test(what_names_nothing_is_refused),
		cmocka_unit_test(keys_are_the_same_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
