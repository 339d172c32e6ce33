#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "base/text.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void decimals_are_strict(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "0", 0, true, 0 },
		{ "7", 7, true, 7 },
		{ "8", 7, false, 0 },
		{ "10", 10, true, 10 },
		{ "11", 10, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "18446744073709551620", UINT64_MAX, false, 0 },
		{ "99999999999999999999999999", UINT64_MAX, false, 0 },
		{ "9223372036854775807", INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", INT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "00", 9, false, 0 },
		{ "01", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "1\n", 9, false, 0 },
		{ "1a", 99, false, 0 },
		{ "0x1", 99, false, 0 },
		{ "/", 99, false, 0 },
		{ ":", 99, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 77;

		if (span_decimal(span_of(rows[i].text), rows[i].max, &v) != rows[i].good)
			fail_msg("'%s'", rows[i].text);
		assert_int_equal(v, rows[i].good ? rows[i].value : 77);
	}
	assert_false(span_decimal(span_bytes("1\0", 2), 99, &(uint64_t){ 0 }));
	assert_false(span_decimal(span_bytes(NULL, 0), 99, &(uint64_t){ 0 }));
}

static void base64_of_a_length(void **state)
{
	static const struct {
		const char *text;
		bool good; /* as three bytes */
	} rows[] = { { "Zm9v", true },      { "Zm8=", false }, { "Zm9vYg==", false }, { "", false },
		     { "Zm9v====", false }, { "Zm9", false },  { "Zm9=Zm9v", false } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char three[3] = "###";

		if (span_base64(span_of(rows[i].text), three, sizeof three) != rows[i].good)
			fail_msg("'%s'", rows[i].text);
		assert_memory_equal(three, rows[i].good ? "foo" : "###", 3);
	}
	assert_true(span_base64(span_bytes(NULL, 0), NULL, 0));
}

static void parts_are_taken_off(void **state)
{
	struct span s = span_of("name+id"), part = { .at = NULL };

	(void)state;
	assert_false(span_skip(&s, "name+id+"));
	assert_false(span_skip(&s, "nome"));
	assert_true(span_skip(&s, "") && s.len == 7);
	assert_true(span_skip(&s, "na") && span_equal(s, span_of("me+id")));
	assert_false(span_until(&s, '-', &part) || part.at != NULL);
	assert_true(span_until(&s, '+', &part) && span_equal(part, span_of("me")) && span_equal(s, span_of("id")));
	assert_false(span_until(&s, '+', &part));
	assert_true(span_until(&s, 'i', &part) && part.len == 0 && span_skip(&s, "d") && s.len == 0);
	assert_false(span_until(&s, 0, &part));
	s = span_bytes(NULL, 0);
	assert_true(span_skip(&s, "") && !span_skip(&s, "a") && !span_until(&s, 'a', &part));
	assert_true(span_equal(s, span_of("")) && !span_equal(s, span_of("a")) &&
		    !span_equal(span_of("b"), span_of("a")));
}

static void lines_have_numbers(void **state)
{
	struct lines l = { .left = span_of("one\n\nthree\nrest") };
	struct span line;

	(void)state;
	assert_true(lines_next(&l, &line) && span_equal(line, span_of("one")) && l.number == 1);
	assert_true(lines_next(&l, &line) && line.len == 0 && l.number == 2);
	assert_true(lines_next(&l, &line) && span_equal(line, span_of("three")) && l.number == 3);
	assert_false(lines_next(&l, &line));
	assert_true(l.number == 3 && span_equal(l.left, span_of("rest")));
}

static void characters(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		uint32_t c;
	} rows[] = {
		{ "a", 1, 'a' },
		{ "\xc3\xa9z", 2, 0xe9 },
		{ "\xe2\x80\x94", 3, 0x2014 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xe2\x80", 0, 77 },
		{ "\x80", 0, 77 },
		{ "", 0, 77 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t c = 77;

		if (text_decode(rows[i].bytes, strlen(rows[i].bytes), &c) != rows[i].n || c != rows[i].c)
			fail_msg("row %zu: U+%04x", i, c);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_are_strict), cmocka_unit_test(base64_of_a_length),
		cmocka_unit_test(parts_are_taken_off), cmocka_unit_test(lines_have_numbers),
		cmocka_unit_test(characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
