#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/host.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define LABEL_63 SIXTY "abc"

static void a_name_is_of_labels(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: no name */
	} rows[] = {
		{ "example.com", "example.com" },
		{ "EXAMPLE.Com", "example.com" },
		{ "example.com.", "example.com" },
		{ "example.com..", NULL },
		{ ".example.com", NULL },
		{ "example..com", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "", NULL },
		{ "localhost", "localhost" },
		{ "a", "a" },
		{ "a.b.c.d.e.f", "a.b.c.d.e.f" },
		{ "_dmarc.example.com", "_dmarc.example.com" },
		{ "a_b.example.com", "a_b.example.com" },
		{ "-a.example.com", NULL },
		{ "a-.example.com", NULL },
		{ "a.example.com-", NULL },
		{ "a.-", NULL },
		{ "a-b.example.com", "a-b.example.com" },
		{ "a--b.example.com", "a--b.example.com" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
		{ "xn--.example", NULL },
		{ "b\xc3\xbc"
		  "cher.example",
		  NULL },
		{ "example.com\xe3\x80\x82", NULL }, /* an ideographic full stop */
		{ "exam ple.com", NULL },
		{ " example.com", NULL },
		{ "example.com ", NULL },
		{ "example.com\n", NULL },
		{ "example.com\t", NULL },
		{ "example.com:443", NULL },
		{ "user@example.com", NULL },
		{ "example.com/", NULL },
		{ "example%2ecom", NULL },
		{ "*.example.com", NULL },
		{ "*", NULL },
		{ "[::1]", NULL },
		/* what reads as an address somewhere */
		{ "1.2.3.4", NULL },
		{ "1.2.3.4.", NULL },
		{ "127.1", NULL },
		{ "1", NULL },
		{ "2130706433", NULL },
		{ "0x7f000001", NULL },
		{ "0X7F000001", NULL },
		{ "0x7f.0.0.0x1", NULL },
		{ "a.0x", NULL },
		{ "a.0xg", NULL },
		{ "example.1", NULL },
		{ "example.1.", NULL },
		{ "example.08", NULL },
		{ "example.999999999999", NULL },
		{ "example.1a", "example.1a" },
		{ "1.example", "1.example" },
		{ "0x7f.example", "0x7f.example" },
		{ "10.0.0.1.nip.io", "10.0.0.1.nip.io" },
		{ "0", NULL },
		{ "a.x0", "a.x0" },
		/* lengths */
		{ LABEL_63 ".com", LABEL_63 ".com" },
		{ LABEL_63 "d.com", NULL },
		{ "com." LABEL_63 "d", NULL },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "a", LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "a" },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "a.", LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "a" },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "ab", NULL },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "ab.", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_name name = { "untouched" };
		const bool ok = host_take(rows[i].text, strlen(rows[i].text), &name);

		if (ok != (rows[i].expected != NULL) || strcmp(name.text, ok ? rows[i].expected : "untouched") != 0)
			fail_msg("'%s': %d '%s'", rows[i].text, ok, name.text);
	}
}

static void the_length_decides_where_a_name_ends(void **state)
{
	struct host_name name;

	(void)state;
	assert_true(host_take("example.com:443", 11, &name));
	assert_string_equal(name.text, "example.com");
	assert_false(host_take("example.com\0", 12, &name));
	assert_false(host_take("example.com\0.evil.example", 25, &name));
	assert_false(host_take("exam\0ple.com", 12, &name));
	assert_false(host_pattern_take("*.example.com\0", 14, &name));
	assert_false(host_take("example.com", 0, &name));
	assert_false(host_pattern_take("*.example.com", 0, &name));
	assert_false(host_pattern_take("*.example.com", 1, &name));
	assert_false(host_pattern_take("*.example.com", 2, &name));
}

static void a_pattern_has_two_labels_behind_its_star(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "*.example.com", "*.example.com" },
		{ "*.EXAMPLE.com.", "*.example.com" },
		{ "*.a.b.c", "*.a.b.c" },
		{ "*.com", NULL },
		{ "*.com.", NULL },
		{ "*.", NULL },
		{ "*", NULL },
		{ "**", NULL },
		{ "**.example.com", NULL },
		{ "*.*.example.com", NULL },
		{ "*example.com", NULL },
		{ "*a.example.com", NULL },
		{ "a*.example.com", NULL },
		{ "a.*.b", NULL },
		{ "a.b.*", NULL },
		{ "*..example.com", NULL },
		{ ".*.example.com", NULL },
		{ "example.com", NULL },
		{ "*.1.2.3.4", NULL },
		{ "*.2.3", NULL },
		{ "*.example.0x7f", NULL },
		{ "*.-a.example.com", NULL },
		{ "", NULL },
		{ "*." LABEL_63 "." LABEL_63 "." LABEL_63 "." TEN TEN TEN TEN TEN "abcdefghi",
		  "*." LABEL_63 "." LABEL_63 "." LABEL_63 "." TEN TEN TEN TEN TEN "abcdefghi" }, /* 253 */
		{ "*." LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_name name = { "untouched" };
		const bool ok = host_pattern_take(rows[i].text, strlen(rows[i].text), &name);

		if (ok != (rows[i].expected != NULL) || strcmp(name.text, ok ? rows[i].expected : "untouched") != 0)
			fail_msg("'%s': %d '%s'", rows[i].text, ok, name.text);
	}
}

static void a_star_is_one_label(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{ "*.example.com", "a.example.com", true },
		{ "*.example.com", "www.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "a.b.example.com", false },
		{ "*.example.com", ".example.com", false },
		{ "*.example.com", "aexample.com", false },
		{ "*.example.com", "a.example.org", false },
		{ "*.example.com", "a.example.com.evil.example", false },
		{ "*.example.com", "a.xexample.com", false },
		{ "*.example.com", "com", false },
		{ "*.example.com", "", false },
		{ "*.a.b", "a.a.b", true },
		{ "*.a.b", "a.b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_name pattern;

		assert_true(host_pattern_take(rows[i].pattern, strlen(rows[i].pattern), &pattern));
		if (host_matches(&pattern, rows[i].name) != rows[i].matches)
			fail_msg("'%s' matches '%s'", rows[i].pattern, rows[i].name);
	}
}

static void a_number_is_told_from_a_bad_name(void **state)
{
	static const struct {
		const char *text;
		bool number;
	} rows[] = {
		{ "127.1", true }, { "1.2.3.4.", true }, { "1.2.3.256", true }, { "a.0x7f", true },
		{ "a.0X", true },  { "7", true },        { "a_b-.7", true },    { "a.7x", false },
		{ "a.b", false },  { "", false },        { ".", false },        { "7.", true },
		{ "7..", false },  { "1.2.3.", true },   { "1.2.3.4 ", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (host_is_number(rows[i].text, strlen(rows[i].text)) != rows[i].number)
			fail_msg("'%s'", rows[i].text);
}

/* ---- properties ---- */

/* Few bytes, of which many texts are names. */
static size_t random_text(struct prop *p, char ret[32])
{
	static const char bytes[] = "aabcZ09x-_..*\0 ";
	const size_t n = prop_below(p, 12);

	for (size_t i = 0; i < n; i++)
		ret[i] = bytes[prop_below(p, sizeof bytes - 1)];
	ret[n] = 0;
	return n;
}

static void a_name_that_is_taken_is_taken_as_it_is(void **state)
{
	uint64_t taken = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		char text[32];
		const size_t n = random_text(&p, text);
		struct host_name name, again;

		if (!host_take(text, n, &name))
			continue;
		if (!host_take(name.text, strlen(name.text), &again) || strcmp(name.text, again.text) != 0)
			prop_fail(&p, "'%s' became '%s'", name.text, again.text);
		if (host_is_number(text, n) || strlen(name.text) + (text[n - 1] == '.') != n ||
		    strspn(name.text, "abcz09x-_.") != strlen(name.text))
			prop_fail(&p, "'%s'", name.text);
		taken++;
	}
	assert_true(taken > 2000);
}

/* Pattern and name are two ways of saying the same: a label in place of the star is a name that matches, and no other is. */
static void a_pattern_matches_what_has_a_label_for_its_star(void **state)
{
	uint64_t matched = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		char text[32], starred[HOST_NAME_MAX_LEN + 3], labelled[2 * HOST_NAME_MAX_LEN + 2];
		struct host_name name, rest, pattern, whole;
		const size_t n = random_text(&p, text);

		if (!host_take(text, n, &rest))
			continue;
		(void)snprintf(starred, sizeof starred, "*.%s", rest.text);
		if (host_pattern_take(starred, strlen(starred), &pattern) != (strchr(rest.text, '.') != NULL))
			prop_fail(&p, "'%s'", starred);
		if (strchr(rest.text, '.') == NULL)
			continue;
		if (!host_take(text, random_text(&p, text), &name))
			continue;
		(void)snprintf(labelled, sizeof labelled, "%s.%s", name.text, rest.text);
		if (!host_take(labelled, strlen(labelled), &whole))
			prop_fail(&p, "'%s' is no name", labelled);
		if (host_matches(&pattern, whole.text) != (strchr(name.text, '.') == NULL))
			prop_fail(&p, "'%s' matches '%s'", pattern.text, whole.text);
		matched++;
	}
	assert_true(matched > 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_of_labels),
		cmocka_unit_test(the_length_decides_where_a_name_ends),
		cmocka_unit_test(a_pattern_has_two_labels_behind_its_star),
		cmocka_unit_test(a_star_is_one_label),
		cmocka_unit_test(a_number_is_told_from_a_bad_name),
		cmocka_unit_test(a_name_that_is_taken_is_taken_as_it_is),
		cmocka_unit_test(a_pattern_matches_what_has_a_label_for_its_star),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
