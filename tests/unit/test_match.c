/* Regular expressions: which there are, what they match, and how long that takes. What they mean to Python: check_match.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/match.h"
#include "err_text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void compiled(const char *expression, struct match *ret)
{
	struct err e;

	if (match_compile(expression, strlen(expression), ret, &e) < 0)
		fail_msg("%s: %s", expression, err_text(&e).s);
}

static void all_of_a_text_has_to_match(void **state)
{
	static const struct {
		const char *expression, *text;
		bool is;
	} rows[] = {
		{ "a", "a", true },
		{ "a", "", false },
		{ "a", "aa", false },
		{ "a", "A", false },
		{ "abc", "abc", true },
		{ "b", "abc", false },
		{ "[a-z0-9._-]+@example\\.com", "ann.b-c@example.com", true },
		{ "[a-z0-9._-]+@example\\.com", "ann@example.com.evil.test", false },
		{ "[a-z0-9._-]+@example\\.com", "ann@exampleXcom", false },
		{ "[a-z0-9._-]+@example\\.com", "@example.com", false },
		{ "[a-z0-9._-]+@example\\.com", "ann@example.com\n", false },
		{ "[a-z0-9._-]+@example\\.com", "bob\nann@example.com", false },
		/* characters */
		{ ".", "a", true },
		{ ".", "\xc3\xa4", true },
		{ ".", "\xf0\x9f\x98\x80", true },
		{ "..", "\xc3\xa4", false },
		{ ".", "\n", false },
		{ ".", "\r", true },
		{ "\xc3\xa4+", "\xc3\xa4\xc3\xa4", true },
		{ "\xc3\xa4+", "\xc3\xa4\xc3", false }, /* no UTF-8 */
		{ ".*", "\xff", false },
		{ ".*", "\xed\xa0\x80", false },
		{ ".*", "\xc1\x81", false },
		{ "a b-c,d:e;f<g>h=i!j\"k#l%m&n'o/p@q_r`s~", "a b-c,d:e;f<g>h=i!j\"k#l%m&n'o/p@q_r`s~", true },
		{ "\\.\\[\\]\\(\\)\\{\\}\\|\\*\\+\\?\\^\\$\\\\", ".[](){}|*+?^$\\", true },
		{ "\\-\\/\\@\\'\\\"\\_\\~", "-/@'\"_~", true },
		{ "\\d\\w\\s", "0_\t", true },
		{ "\\d", "\xd9\xa0", false }, /* U+0660, a digit elsewhere */
		{ "\\w", "\xc3\xa4", false },
		{ "\\s\\s\\s\\s\\s\\s", " \t\n\v\f\r", true },
		{ "\\s", "\xc2\xa0", false },
		{ "\\D\\W\\S", "a-x", true },
		{ "\\D", "0", false },
		{ "\\W", "_", false },
		{ "\\S", "\n", false },
		{ "\\D\\W", "\n\n", true },
		/* classes */
		{ "[abc]", "b", true },
		{ "[abc]", "d", false },
		{ "[a-c]", "c", true },
		{ "[a-c]", "-", false },
		{ "[a-]", "-", true },
		{ "[-a]", "-", true },
		{ "[-]", "-", true },
		{ "[^-]", "-", false },
		{ "[a\\-c]", "b", false },
		{ "[a\\-c]", "-", true },
		{ "[+-\\-]", ",", true },
		{ "[a-a]", "a", true },
		{ "[\\d_x-z]", "y", true },
		{ "[\\d_x-z]", "5", true },
		{ "[\\D\\d]", "5", true },
		{ "[^\\D]", "5", true },
		{ "[^\\D]", "a", false },
		{ "[^a-c]", "d", true },
		{ "[^a-c]", "\n", true },
		{ "[^a-c]", "b", false },
		{ "[a^]", "^", true },
		{ "[.*+?(){}|$]", "*", true },
		{ "[.]", "a", false },
		{ "[\\]\\[\\\\]", "]", true },
		{ "[\\]\\[\\\\]", "\\", true },
		{ "[\xc3\xa0-\xc3\xbf]", "\xc3\xa4", true },
		{ "[\xc3\xa0-\xc3\xbf]", "\xc3", false },
		{ "[^\xc3\xa4]", "\xc3\xa4", false },
		{ "[\x01-\xf4\x8f\xbf\xbf]", "\xf4\x8f\xbf\xbf", true },
		/* repeats */
		{ "a*", "", true },
		{ "a*", "aaaa", true },
		{ "a*", "aab", false },
		{ "a+", "", false },
		{ "a+", "aaa", true },
		{ "a?", "", true },
		{ "a?", "a", true },
		{ "a?", "aa", false },
		{ "a{3}", "aaa", true },
		{ "a{3}", "aa", false },
		{ "a{3}", "aaaa", false },
		{ "a{2,}", "a", false },
		{ "a{2,}", "aaaaa", true },
		{ "a{0,}", "", true },
		{ "a{1,}", "", false },
		{ "a{1,3}", "", false },
		{ "a{1,3}", "aaa", true },
		{ "a{1,3}", "aaaa", false },
		{ "a{0}", "", true },
		{ "a{0}", "a", false },
		{ "(a{0})*b", "b", true },
		{ "a{0}|b", "b", true },
		{ "a{0}|b", "", true },
		{ "(ab|c{0}|d){2}", "abd", true },
		{ "(ab)*", "abab", true },
		{ "(ab)*", "aba", false },
		{ "ab*", "abbb", true },
		{ "(a{2}){3}", "aaaaaa", true },
		{ "(a{2}){3}", "aaaaa", false },
		{ "(a*)*b", "aab", true },
		{ "(a?){3}", "aa", true },
		{ "(a?){3}", "aaaa", false },
		{ "(a+b?)+", "aabab", true },
		/* branches */
		{ "a|b", "b", true },
		{ "a|b", "ab", false },
		{ "ab|cd", "abd", false },
		{ "ab|cd|ef", "ab", true },
		{ "ab|cd|ef", "cd", true },
		{ "ab|cd|ef", "ef", true },
		{ "ab|cd|ef", "cdef", false },
		{ "a(b|c|d)e", "ade", true },
		{ "a(b|c|d)e", "abce", false },
		{ "((a|b)|(c|(d|e)))*x", "edcbax", true },
		{ "(a|b)(c|d)|e", "bd", true },
		{ "(a|b)(c|d)|e", "e", true },
		{ "(a|b)(c|d)|e", "be", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct match m;

		compiled(rows[i].expression, &m);
		if (match_is(&m, rows[i].text, strlen(rows[i].text)) != rows[i].is)
			fail_msg("%s and %s", rows[i].expression, rows[i].text);
	}
}

static void a_nul_is_a_character_of_a_text(void **state)
{
	struct match m;

	(void)state;
	compiled("a[^b]c", &m);
	assert_true(match_is(&m, "a\0c", 3));
	compiled("[a-z]+", &m);
	assert_false(match_is(&m, "ac\0", 3));
	assert_false(match_is(&m, "ac\0x", 4));
}

static void what_is_no_expression_is_refused(void **state)
{
	static const struct {
		const char *expression;
		size_t at;
		const char *in_message;
	} rows[] = {
		{ "", 0, "nothing in it" },
		{ "a|", 2, "nothing in it" },
		{ "|a", 0, "nothing in it" },
		{ "a||b", 2, "nothing in it" },
		{ "()", 1, "nothing in it" },
		{ "(a|)", 3, "nothing in it" },
		{ "(|a)", 1, "nothing in it" },
		{ "(a", 0, "no ) ends" },
		{ "a((b)", 1, "no ) ends" },
		{ "a)", 1, "without its (" },
		{ "*", 0, "nothing before it" },
		{ "a|*", 2, "nothing before it" },
		{ "(*a)", 1, "nothing before it" },
		{ "a**", 2, "another one" },
		{ "a*?", 2, "another one" },
		{ "a+?", 2, "another one" },
		{ "a??", 2, "another one" },
		{ "a++", 2, "another one" },
		{ "a{2}{3}", 4, "another one" },
		{ "a{255}{255}", 6, "another one" },
		{ "{2}", 0, "nothing before it" },
		{ "(?:a)", 1, "nothing before it" },
		{ "(?=a)", 1, "nothing before it" },
		{ "(?i)a", 1, "nothing before it" },
		{ "a{", 1, "begins no {n}" },
		{ "a{}", 1, "begins no {n}" },
		{ "a{2", 1, "begins no {n}" },
		{ "a{2,", 1, "begins no {n}" },
		{ "a{,2}", 1, "begins no {n}" },
		{ "a{2,1}", 1, "begins no {n}" },
		{ "a{2,3,4}", 1, "begins no {n}" },
		{ "a{02}", 1, "begins no {n}" },
		{ "a{ 2}", 1, "begins no {n}" },
		{ "a{-2}", 1, "begins no {n}" },
		{ "a{256}", 1, "begins no {n}" },
		{ "a{0,256}", 1, "begins no {n}" },
		{ "a{4294967297}", 1, "begins no {n}" },
		{ "a{x}", 1, "begins no {n}" },
		{ "a]", 1, "ends nothing" },
		{ "a}", 1, "ends nothing" },
		{ "^a", 0, "is a ^ or $" },
		{ "a$", 1, "is a ^ or $" },
		{ "a\\", 1, "an escape" },
		{ "\\b", 0, "an escape" },
		{ "\\1", 0, "an escape" },
		{ "(a)\\1", 3, "an escape" },
		{ "\\n", 0, "an escape" },
		{ "\\x41", 0, "an escape" },
		{ "\\pL", 0, "an escape" },
		{ "\\Z", 0, "an escape" },
		{ "\\ ", 0, "an escape" },
		{ "\\\xc3\xa4", 0, "an escape" },
		{ "[\\b]", 1, "an escape" },
		{ "[a\\", 2, "an escape" },
		{ "[", 0, "no ] ends" },
		{ "a[b", 1, "no ] ends" },
		{ "[^", 0, "no ] ends" },
		{ "[\\]", 0, "no ] ends" },
		{ "[]", 1, "a ] with nothing" },
		{ "[^]", 2, "a ] with nothing" },
		{ "[]a]", 1, "a ] with nothing" },
		{ "[[a]", 1, "a [ within" },
		{ "[[:alpha:]]", 1, "a [ within" },
		{ "[a-[]", 3, "a [ within" },
		{ "[b-a]", 1, "a range" },
		{ "[a-\\d]", 1, "a range" },
		{ "[\\da-\\d]", 3, "a range" },
		{ "[\\d-a]", 3, "a - that" },
		{ "[a-c-e]", 4, "a - that" },
		{ "[ab-]c[a-c-]d[--a]", 15, "a - that" },
		{ "[+--]", 3, "a - that" },
		{ "[a-", 2, "a - that" },
		{ "a\xff", 1, "no character" },
		{ "[a\xff]", 2, "no character" },
		{ "[a-\xff]", 3, "no character" },
		{ "\xed\xa0\x80", 0, "no character" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct match m, before;
		struct err e;
		char at[32];

		compiled("kept", &m);
		before = m;
		(void)snprintf(at, sizeof at, "match: byte %zu of", rows[i].at);
		if (match_compile(rows[i].expression, strlen(rows[i].expression), &m, &e) != -AMBIT_MALFORMED)
			fail_msg("%s was taken", rows[i].expression);
		if (!err_says(&e, at) || !err_says(&e, rows[i].in_message))
			fail_msg("%s: %s, not %zu %s", rows[i].expression, err_text(&e).s, rows[i].at,
				 rows[i].in_message);
		assert_true(e.hint[0] != 0);
		assert_memory_equal(&m, &before, sizeof m);
		assert_int_equal(match_compile(rows[i].expression, strlen(rows[i].expression), &m, NULL),
				 -AMBIT_MALFORMED);
	}
}

static void an_expression_with_a_nul_is_none(void **state)
{
	struct match m;

	(void)state;
	assert_int_equal(match_compile("a\0b", 3, &m, NULL), -AMBIT_MALFORMED);
	assert_int_equal(match_compile("a\\\0b", 4, &m, NULL), -AMBIT_MALFORMED);
	assert_int_equal(match_compile("[a\0]", 4, &m, NULL), -AMBIT_MALFORMED);
	assert_int_equal(match_compile("a", 1, &m, NULL), 0);
}

static void there_are_no_more_states_than_there_may_be(void **state)
{
	static const struct {
		const char *most, *more;
	} rows[] = {
		{ "a{255}b{255}cd", "a{255}b{255}cde" },
		{ "(a{255}b{255}c)c", "(a{255}b{255}c)cd" },
		{ "a{1,255}bcd", "a{1,255}bcde" },
		{ "a{0,255}bc", "a{0,255}bcd" },
		{ "(ab){255}cd", "(ab){255}cde" },
		{ "(ab){255}c+", "(ab){255}c*" },
		{ "(ab){254,}cde", "(ab){254,}cdef" },
		{ "(ab){0,170}cd", "(ab){0,170}cde" },
		{ "a{255}b{253}|cd", "a{255}b{253}|cde" },
		{ "a{255}b{254}|c", "a{255}b{255}|c" },
		{ "a{255}b{253}c|d", "a{255}b{255}c|d" },
		{ "a{255}b{254}c{2,}", "a{255}b{254}c{3,}" },
		{ "a{255}b{254}cd?", "a{255}b{254}cde?" },
		{ "a{255}", "(a{255}){255}" },
		{ "((a{0}){255}){255}", "((a{1,255}){255}){255}" },
		{ "(a{16}){32}", "(a{16}){32}b" },
		{ "(((a{2}){4}){8}){8}", "(((a{2}){4}){8}){9}" },
		{ "((a?){255})", "((a?){255}){2}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct match m, before;
		struct err e;

		compiled(rows[i].most, &m);
		before = m;
		if (match_compile(rows[i].more, strlen(rows[i].more), &m, &e) != -AMBIT_LIMIT)
			fail_msg("%s was taken", rows[i].more);
		assert_true(err_says(&e, "more than 512 states") && e.hint[0] != 0);
		assert_memory_equal(&m, &before, sizeof m);
	}
}

/* As many sets, ranges and groups as there can be; each is a byte at least. */
static void there_are_no_more_bytes_than_there_may_be(void **state)
{
	char text[MATCH_TEXT_MAX + 2];
	struct match m;
	struct err e;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(match_compile(text, MATCH_TEXT_MAX, &m, NULL), 0);
	assert_int_equal(m.n_sets, MATCH_TEXT_MAX);
	assert_int_equal(m.n_ranges, MATCH_TEXT_MAX);
	assert_true(match_is(&m, text, MATCH_TEXT_MAX));
	assert_false(match_is(&m, text, MATCH_TEXT_MAX - 1));
	assert_int_equal(match_compile(text, MATCH_TEXT_MAX + 1, &m, &e), -AMBIT_LIMIT);
	assert_true(err_says(&e, "more than 255 bytes") && e.hint[0] != 0);
	memset(text, '(', 127);
	memset(text + 128, ')', 127);
	assert_int_equal(match_compile(text, MATCH_TEXT_MAX, &m, NULL), 0);
	assert_true(match_is(&m, "a", 1));
	memset(text, '(', sizeof text);
	assert_int_equal(match_compile(text, MATCH_TEXT_MAX, &m, NULL), -AMBIT_MALFORMED);
	for (size_t i = 0; i < MATCH_TEXT_MAX; i++)
		text[i] = i % 2 == 0 ? 'b' : '|';
	assert_int_equal(match_compile(text, MATCH_TEXT_MAX, &m, NULL), 0);
	assert_true(match_is(&m, "b", 1) && !match_is(&m, "bb", 2));
}

/* Whoever tries one way after the other would not live to see the end of most of these. */
static void each_character_takes_no_more_steps_than_it_may(void **state)
{
	static const char *const expressions[] = {
		"(a*)*b",
		"(a|a)*",
		"(a|a)*b",
		"(a|aa)+b",
		"(a+)+b",
		"((((((a*)*)*)*)*)*)*b",
		"(a*a*a*a*a*a*)*b",
		"(.*)(.*)(.*)(.*)(.*)(.*)(.*)b",
		"(a?){120}a{120}",
		"a{0,255}",
		"(a{1,2}){1,99}b",
		"(((a{2}){4}){8}){8}",
		"(a{0}){255}b",
		"(([a-c]|[^b]|\\w|.){0,40})+b",
		"[!#%',/13579;=?ACEGIKMOQSUWY_acegikmoqsuwy]{255}.*",
		"(a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z)*1",
		"(((a|b)*|(a|c)*)*|((a|d)*|(a|e)*)*)*1",
	};
	static char text[16384];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < COUNT_OF(expressions); i++) {
		struct match m;
		uint64_t steps;

		compiled(expressions[i], &m);
		(void)match_counted(&m, text, sizeof text, &steps);
		if (steps == 0 || steps > (sizeof text + 1) * MATCH_STEPS(&m))
			fail_msg("%s: %" PRIu64 " steps", expressions[i], steps);
	}
}

static void the_most_steps_are_bounded_by_the_bounds(void **state)
{
	struct match m;
	uint64_t steps;
	static char text[1000];

	(void)state;
	compiled("([^b]?){255}", &m);
	memset(text, 'a', sizeof text);
	assert_false(match_counted(&m, text, sizeof text, &steps)); /* more than 255 of them */
	assert_true(match_counted(&m, text, 255, &steps));
	assert_true(steps > 100 * 255); /* else nothing was counted */
	assert_true(MATCH_STEPS(&m) <= 2 * (MATCH_STATES_MAX + 1) + 2 * MATCH_TEXT_MAX);
}

/* What is written in another way, and means the same. */
static void other_ways_of_writing_it_mean_the_same(void **state)
{
	static const char *const ways[][2] = {
		{ "(", ")" },     { "((", ")){1}" }, { "(", "){1,1}" },       { "a{0}(", ")b{0}" },
		{ "(", ")|xyz" }, { "xy|(", ")" },   { "(xy|((", "){1}))|z" }
	};
	static const char *const tokens[] = { "a", "b", ".", "[^a]", "(a|b)", "(ab)*", "a?", "|", "b{2}", "(b+|aa)" };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(5000); round++) {
		struct prop p = prop_round(round);
		char expression[64] = "", other[200], text[12];
		struct match m, again;
		const size_t way = prop_below(&p, COUNT_OF(ways));

		for (uint32_t n = 1 + prop_below(&p, 4); n > 0; n--)
			(void)strcat(expression, tokens[prop_below(&p, COUNT_OF(tokens))]);
		if (match_compile(expression, strlen(expression), &m, NULL) < 0)
			continue;
		(void)snprintf(other, sizeof other, "%s%s%s", ways[way][0], expression, ways[way][1]);
		compiled(other, &again);
		for (int i = 0; i < 20; i++) {
			const uint32_t n = prop_below(&p, 8);

			for (uint32_t k = 0; k < n; k++)
				text[k] = "abc"[prop_below(&p, 3)];
			if (match_is(&m, text, n) != match_is(&again, text, n))
				prop_fail(&p, "%s, %s and %.*s", expression, other, (int)n, text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_text_has_to_match),
		cmocka_unit_test(a_nul_is_a_character_of_a_text),
		cmocka_unit_test(what_is_no_expression_is_refused),
		cmocka_unit_test(an_expression_with_a_nul_is_none),
		cmocka_unit_test(there_are_no_more_states_than_there_may_be),
		cmocka_unit_test(there_are_no_more_bytes_than_there_may_be),
		cmocka_unit_test(each_character_takes_no_more_steps_than_it_may),
		cmocka_unit_test(the_most_steps_are_bounded_by_the_bounds),
		cmocka_unit_test(other_ways_of_writing_it_mean_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
