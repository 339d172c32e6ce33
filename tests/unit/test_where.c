/* Conditions on arguments: how they are written and read, what they match, what they allow, and which allow no more than others. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/where_match.h"
#include "prop.h"
#include "where_say.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void conditions_have_one_way_of_being_written(void **state)
{
	static const struct {
		const char *value, *again;
	} rows[] = {
		{ "{}", "" },
		{ " {\t} \r\n", "" },
		{ "{\"a\":\"x\"}", "where='{\"a\":[\"x\"]}'" },
		{ " { \"b\" : [ \"y\" , \"x\" , \"y\" ] , \"a\" : null } ",
		  "where='{\"a\":null,\"b\":[\"x\",\"y\"]}'" },
		{ "{\"a\":[\"*\",\"x*\",\"x\",\"***\"]}", "where='{\"a\":[\"x\",\"x*\",\"*\"]}'" },
		{ "{\"a\":\"./docs/**\"}", "where='{\"a\":[\"./docs/*\"]}'" },
		{ "{\"a\":\"\\\\*\\\\\\\\\"}", "where='{\"a\":[\"\\\\*\\\\\\\\\"]}'" },
		{ "{\"a\":[5,-0.25,true,false,1e3]}", "where='{\"a\":[\"-0.25\",\"1e3\",\"5\",\"false\",\"true\"]}'" },
		{ "{\"a\":{}}", "where='{\"a\":{}}'" },
		{ "{\"a\":{\"of\":\"x\"}}", "where='{\"a\":[\"x\"]}'" },
		{ "{\"a\":{\"min\":0,\"max\":0}}", "where='{\"a\":{\"max\":0,\"min\":0}}'" },
		{ "{\"a\":{\"of\":[\"y\",\"x\"],\"length\":9,\"given\":true,\"min\":-1.5}}",
		  "where='{\"a\":{\"given\":true,\"length\":9,\"min\":-1.5,\"of\":[\"x\",\"y\"]}}'" },
		{ "{\"a.b\":null,\"*\":null,\"a\":{},\"\\\\*\":{},\"\":{}}",
		  "where='{\"*\":null,\"\":{},\"\\\\*\":{},\"a\":{},\"a.b\":null}'" },
		{ "{\"*\":null}", "where='{\"*\":null}'" },
		{ "{\"a\":{\"of\":\"x\",\"match\":\"y\"}}", "where='{\"a\":{\"match\":\"y\",\"of\":[\"x\"]}}'" },
		{ "{\"a\":{\"match\":\"x\"}}", "where='{\"a\":{\"match\":\"x\"}}'" },
		{ "{\"a\":{\"of\":\"x\",\"min\":1,\"max\":2,\"match\":\"[a-z]\\\\.*\",\"length\":9,\"given\":true}}",
		  "where='{\"a\":{\"given\":true,\"length\":9,\"match\":\"[a-z]\\\\.*\",\"max\":2,\"min\":1,\"of\":[\"x\"]}}'" },
		{ "{\"a\":{\"match\":\"\xc3\xa4'\\\"\\u0041\\ud83d\\ude00\\t*\\\\*\"}}",
		  "where='{\"a\":{\"match\":\"\\u00e4\\u0027\\\"A\\ud83d\\ude00\\u0009*\\\\*\"}}'" },
		{ "{\"\xc3\xa4\":\"\xf0\x9f\x98\x80'\x7f\\u0041\\ud83d\\ude00\\n\\/\"}",
		  "where='{\"\\u00e4\":[\"\\ud83d\\ude00\\u0027\\u007fA\\ud83d\\ude00\\u000a/\"]}'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct where w, taken;
		char text[TERMS_TEXT_MAX], again[TERMS_TEXT_MAX];

		say_where(rows[i].value, &w);
		where_format(&w, text);
		assert_string_equal(text, rows[i].again);
		assert_int_equal(where_is_none(&w), text[0] == 0);
		assert_int_equal(where_take(text, &taken, NULL), 0);
		where_format(&taken, again);
		assert_string_equal(again, text);
		assert_true(where_is_within(&w, &taken) && where_is_within(&taken, &w));
	}
}

static void what_is_no_condition_is_refused(void **state)
{
	static const struct {
		const char *value, *in_message;
	} rows[] = {
		{ "", "byte 0 is not the {" },
		{ "null", "byte 0 is not the {" },
		{ "[]", "byte 0 is not the {" },
		{ "{\"a\":1", "byte 6 is not where an object goes on" },
		{ "{\"a\":1,}", "byte 7 is not where a text" },
		{ "{\"a\":1}x", "byte 7 is behind the end" },
		{ "{\"a\":1}{}", "byte 7 is behind the end" },
		{ "{a:1}", "byte 1 is not where a text" },
		{ "{\"a\" 1}", "byte 5 is not the colon" },
		{ "{\"a\":}", "byte 5 is neither a text" },
		{ "{\"a\":nul}", "byte 5 is neither a text" },
		{ "{\"a\":True}", "byte 5 is neither a text" },
		{ "{\"a\":01}", "byte 5 is neither a text" },
		{ "{\"a\":[]}", "byte 6 is neither a text" },
		{ "{\"a\":[\"x\"}", "byte 9 is not where a list goes on" },
		{ "{\"a\":[null]}", "byte 6 is neither a text" },
		{ "{\"a\":[[\"x\"]]}", "byte 6 is neither a text" },
		{ "{\"a\":\"x}", "byte 8 is in no text" },
		{ "{\"a\":\"\n\"}", "byte 6 is in no text" },
		{ "{\"a\":\"\\x\"}", "is in no text" },
		{ "{\"a\":\"\\u0000\"}", "is in no text" },
		{ "{\"a\":\"\\ud800\"}", "is in no text" },
		{ "{\"a\":\"\\ud800\\u0041\"}", "is in no text" },
		{ "{\"a\":\"\\udc00\"}", "is in no text" },
		{ "{\"a\":\"\\udc00\\udc00\"}", "is in no text" },
		{ "{\"a\":\"\\u00g0\"}", "is in no text" },
		{ "{\"a\":\"\xff\"}", "byte 6 is in no text" },
		{ "{\"a\":\"\xc3\"}", "byte 6 is in no text" },
		{ "{\"a\":\"x\\\\y\"}", "byte 5 begins a text with a \\" },
		{ "{\"a\":\"x\\\\\"}", "byte 5 begins a text with a \\" },
		{ "{\"a\":\"../x/*\"}", "byte 5 begins a text with a star and a part .." },
		{ "{\"a\":\"*\\\\\\\\%2e.\"}", "byte 5 begins a text with a star and a part .." },
		{ "{\"a\":1,\"a\":2}", "byte 7 begins what was said before" },
		{ "{\"*\":null,\"*\":null}", "byte 10 begins what was said before" },
		{ "{\"*\":{}}", "byte 5 is not null" },
		{ "{\"a*\":1}", "byte 1 begins a name with a star" },
		{ "{\"a\\\\b\":1}", "byte 1 begins a name with a star, or a \\" },
		{ "{\"a\":{\"mim\":1}}", "byte 6 begins no part" },
		{ "{\"a\":{\"a name that is long\":1}}", "byte 6 begins no part" },
		{ "{\"a\":{\"min\":1,\"min\":1}}", "byte 14 begins what was said before" },
		{ "{\"a\":{\"max\":1,\"max\":1}}", "byte 14 begins what was said before" },
		{ "{\"a\":{\"of\":1,\"of\":1}}", "byte 13 begins what was said before" },
		{ "{\"a\":{\"length\":1,\"length\":1}}", "byte 17 begins what was said before" },
		{ "{\"a\":{\"given\":true,\"given\":true}}", "byte 19 begins what was said before" },
		{ "{\"a\":{\"min\":\"1\"}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":1e3}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":1.0}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":-0}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":12345678901234567890123456789012}}", "byte 12 is not where a bound" },
		{ "{\"a\":{\"min\":2,\"max\":1.5}}", "ends a range in which no number is" },
		{ "{\"a\":{\"length\":0}}", "byte 15 is not where a length" },
		{ "{\"a\":{\"length\":01}}", "byte 15 is not where a length" },
		{ "{\"a\":{\"length\":1.5}}", "byte 15 is not where a length" },
		{ "{\"a\":{\"length\":1073741825}}", "byte 15 is not where a length" },
		{ "{\"a\":{\"given\":false}}", "byte 14 is not true" },
		{ "{\"a\":{\"max\":1", "byte 13 is not where a condition goes on" },
		{ "{\"a\":{\"match\":\"x\",\"match\":\"x\"}}", "byte 18 begins what was said before" },
		{ "{\"a\":{\"match\": 5}}", "byte 15 is not where an expression begins" },
		{ "{\"a\":{\"match\":[\"x\"]}}", "byte 14 is not where an expression begins" },
		{ "{\"a\":{\"match\":null}}", "byte 14 is not where an expression begins" },
		{ "{\"a\":{\"match\":\"\"}}", "where: byte 14: match: byte 0 of the expression ends a branch" },
		{ "{\"a\":{\"match\": \"^x$\"}}", "where: byte 15: match: byte 0 of the expression is a ^" },
		{ "{\"a\":{\"match\":\"\\\\d[z-a]\"}}",
		  "where: byte 14: match: byte 3 of the expression begins a range" },
		{ "{\"a\":{\"match\":\"\\\\bx\"}}",
		  "where: byte 14: match: byte 0 of the expression begins an escape" },
		{ "{\"a\":{\"match\":\"\\d\"}}", "byte 17 is in no text" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct where w, before;
		struct err e;

		say_where("{\"kept\":\"x\"}", &w);
		before = w;
		if (where_set(&w, rows[i].value, &e) != -AMBIT_MALFORMED)
			fail_msg("%s was taken", rows[i].value);
		if (!err_says(&e, rows[i].in_message))
			fail_msg("%s: %s, not %s", rows[i].value, err_text(&e).s, rows[i].in_message);
		assert_true(e.hint[0] != 0);
		assert_memory_equal(&w, &before, sizeof w);
	}
}

static void terms_are_taken_in_their_normal_form_alone(void **state)
{
	static const struct {
		const char *text, *in_message;
	} rows[] = {
		{ "x", "no terms of a tool" },
		{ "{\"a\":[\"x\"]}", "no terms of a tool" },
		{ "where='", "no terms of a tool" },
		{ "where='{\"a\":[\"x\"]}", "no terms of a tool" },
		{ "where='{}'", "byte 0 is not in the normal form" },
		{ "where=''", "byte 0 is not the {" },
		{ "where='{\"a\":\"x\"}'", "byte 5 is not in the normal form" },
		{ "where='{\"a\":[\"x\"] }'", "byte 10 is not in the normal form" },
		{ "where='{\"b\":[\"x\"],\"a\":[\"x\"]}'", "byte 2 is not in the normal form" },
		{ "where='{\"a\":[\"y\",\"x\"]}'", "byte 7 is not in the normal form" },
		{ "where='{\"a\":[\"x\",\"x\"]}'", "byte 9 is not in the normal form" },
		{ "where='{\"a\":[\"x**\"]}'", "byte 9 is not in the normal form" },
		{ "where='{\"a\":[\"\\u0041\"]}'", "byte 7 is not in the normal form" },
		{ "where='{\"a\":[\"'\"]}'", "byte 7 is not in the normal form" },
		{ "where='{\"a\":[\"\\u00E4\"]}'", "is not in the normal form" },
		{ "where='{\"a\":nul}'", "byte 5 is neither" },
		{ "where='{\"a\":{\"match\":\"x\",\"length\":5}}'", "byte 7 is not in the normal form" },
		{ "where='{\"a\":{\"match\":\"\\u0041\"}}'", "byte 15 is not in the normal form" },
		{ "where='{\"a\":{\"match\":\"x**\"}}'", "match: byte 2 of the expression" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct where w, before;
		struct err e;

		say_where("{\"kept\":\"x\"}", &w);
		before = w;
		if (where_take(rows[i].text, &w, &e) != -AMBIT_MALFORMED || !err_says(&e, rows[i].in_message))
			fail_msg("%s: %s, not %s", rows[i].text, err_text(&e).s, rows[i].in_message);
		assert_memory_equal(&w, &before, sizeof w);
	}
}

/* n of them, each a number between two texts. */
static void list(struct buf *out, const char *const texts[4], unsigned n)
{
	buf_reset(out);
	buf_printf(out, "%s", texts[0]);
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%s%s%03u%s", i > 0 ? "," : "", texts[1], i, texts[2]);
	buf_printf(out, "%s", texts[3]);
	assert_non_null(buf_cstr(out));
}

static void there_are_no_more_than_there_may_be(void **state)
{
	static const struct {
		const char *texts[4];
		unsigned most;
	} rows[] = {
		{ { "{", "\"a", "\":null", "}" }, WHERE_CONDITIONS_MAX },
		{ { "{\"a\":[", "\"x", "\"", "]}" }, WHERE_VALUES_MAX },
		{ { "{\"a\":[\"x\"],\"b\":[", "\"x", "\"", "]}" }, WHERE_VALUES_MAX - 1 },
		/* ten bytes each as they are written, 18 around them, and a NUL */
		{ { "{\"a\":[\"", "\xc3\xa4", "", "\"]}" }, 407 },
	};
	auto_buf text = { .max = 2 * TERMS_TEXT_MAX };
	char blank[TERMS_TEXT_MAX + 1]; /* with its NUL */
	struct where w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		list(&text, rows[i].texts, rows[i].most);
		say_where((const char *)text.data, &w);
		list(&text, rows[i].texts, rows[i].most + 1);
		assert_int_equal(where_set(&w, (const char *)text.data, &e), -AMBIT_LIMIT);
		assert_true(err_says(&e, "more than"));
	}
	memset(blank, ' ', sizeof blank);
	memcpy(blank + sizeof blank - 3, "{}", 3);
	assert_int_equal(where_set(&w, blank, &e), -AMBIT_LIMIT);
	assert_int_equal(where_set(&w, blank + 1, &e), 0);
}

static void numbers_are_compared_as_they_are_written(void **state)
{
	static const struct {
		const char *a, *b;
		int sign;
	} rows[] = {
		{ "0", "-0", 0 },
		{ "0", "0.000e5", 0 },
		{ "1", "1.0", 0 },
		{ "100", "1e2", 0 },
		{ "1e-2", "0.01", 0 },
		{ "0.0105e3", "10.5", 0 },
		{ "-12.50", "-1.25E+1", 0 },
		{ "9", "10", -1 },
		{ "-9", "-10", 1 },
		{ "-1", "0", -1 },
		{ "0", "1e-9", -1 },
		{ "-1", "1", -1 },
		{ "0.1", "0.09", 1 },
		{ "9007199254740993", "9007199254740992", 1 },
		{ "100.0000000000000000000000001", "100", 1 },
		{ "1e400", "12345678901234567890123456789", 1 },
		{ "1e99999999999999999999", "9", 1 },
		{ "1e-99999999999999999999", "0.1", -1 },
		{ "10", "1.1e1", -1 },
	};
	static const char *const none[] = { "",    "-",  "+1", "01",  "1.",  ".5",  "1e",    "1e+",
					    "0x1", "1 ", " 1", "1,5", "-01", "NaN", "1.5.2", "1e5e5" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const int way = where_compare_numbers(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b));
		const int back = where_compare_numbers(rows[i].b, strlen(rows[i].b), rows[i].a, strlen(rows[i].a));

		assert_true(where_is_number(rows[i].a, strlen(rows[i].a)) &&
			    where_is_number(rows[i].b, strlen(rows[i].b)));
		if ((way > 0) - (way < 0) != rows[i].sign || (back > 0) - (back < 0) != -rows[i].sign)
			fail_msg("%s and %s: %d, %d", rows[i].a, rows[i].b, way, back);
	}
	for (size_t i = 0; i < COUNT_OF(none); i++)
		if (where_is_number(none[i], strlen(none[i])))
			fail_msg("%s is a number", none[i]);
}

static void a_part_of_two_dots_climbs(void **state)
{
	static const char *const climb[] = { "..",         "../a",     "a/..",       "a/../b", "a\\..\\b",
					     "a/%2e%2E/b", "a/.%2e/b", "a%2f..%5Cb", "a/..?x", "a/..#x",
					     "a/.\t./b",   "a/.. /b",  "/../",       "\\.." };
	static const char *const stay[] = { "",    ".",   "...", "a..",        "..a",     "a/..b/c", "a/.../b",
					    "%2e", "a.b", "./a", "%252e%252e", "a/.%2/b", "see ..",  "%2e%2" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(climb); i++)
		if (!where_climbs(climb[i], strlen(climb[i])))
			fail_msg("%s does not climb", climb[i]);
	for (size_t i = 0; i < COUNT_OF(stay); i++)
		if (where_climbs(stay[i], strlen(stay[i])))
			fail_msg("%s climbs", stay[i]);
	assert_true(where_climbs("a/..\0b", 6));
}

static void what_a_grant_wants_is_looked_at(void **state)
{
	static const struct {
		const char *value, *args;
		bool allowed;
	} rows[] = {
		{ "{}", "", true },
		{ "{}", "t a x; n b 1", true },
		/* a set */
		{ "{\"a\":\"x\"}", "t a x", true },
		{ "{\"a\":\"x\"}", "t a xy", false },
		{ "{\"a\":\"x\"}", "t a X", false },
		{ "{\"a\":\"x\"}", "t a ", false },
		{ "{\"a\":\"\"}", "t a ", true },
		{ "{\"a\":[\"x\",\"y\"]}", "t a y", true },
		{ "{\"a\":\"x\"}", "", true },
		{ "{\"a\":\"x\"}", "t b y", true },
		{ "{\"a\":\"x\"}", "t a x; t a y", false },
		{ "{\"a\":[\"x\",\"y\"]}", "t a x; t a y; t a x", true },
		{ "{\"a\":\"5\"}", "n a 5", true },
		{ "{\"a\":5}", "t a 5", true },
		{ "{\"a\":5}", "n a 5.0", false },
		{ "{\"a\":true}", "b a true", true },
		{ "{\"a\":true}", "b a false", false },
		{ "{\"a\":\"\\\\*\"}", "t a *", true },
		{ "{\"a\":\"\\\\*\"}", "t a x", false },
		{ "{\"a\":\"./docs/**\"}", "t a ./docs/x/y.md", true },
		{ "{\"a\":\"./docs/**\"}", "t a ./docs/", true },
		{ "{\"a\":\"./docs/**\"}", "t a ./docs", false },
		{ "{\"a\":\"./docs/**\"}", "t a ./docs/../x", false },
		{ "{\"a\":\"docs*\"}", "t a docs/..", false },
		{ "{\"a\":\"*\"}", "t a docs/..", true },
		{ "{\"a\":\"docs/../x\"}", "t a docs/../x", true },
		{ "{\"a\":\"*\"}", "t a ", true },
		{ "{\"a\":\"*@b.test\"}", "t a c@b.test", true },
		{ "{\"a\":\"*@b.test\"}", "t a c@b.test.test", false },
		/* shapes that it does not see */
		{ "{\"a\":\"*\"}", "t a.b x", false },
		{ "{\"a.b\":\"x\"}", "t a x", false },
		{ "{\"a.b\":\"x\"}", "t a.b x; t a.c y", true },
		{ "{\"a.b\":\"x\"}", "t a.bc y", true },
		{ "{\"a\":\"x\"}", "t ab y", true },
		{ "{\"a\":\"x\"}", "t a\\.b y", true },
		{ "{\"a\\\\.b\":\"x\"}", "t a\\.b y", false },
		{ "{\"a\\\\.b\":\"x\"}", "t a.b y", true },
		{ "{\"\":\"x\"}", "t  y", false },
		{ "{\"\":\"x\"}", "t .b y", false },
		/* a text that is too long to be told */
		{ "{\"a\":[\"7*\",\"70000\"]}", "l a 70000", false },
		{ "{\"a\":[\"x\",\"*\"]}", "l a 70000", true },
		{ "{\"a\":{\"length\":70000}}", "l a 70000", true },
		{ "{\"a\":{\"length\":69999}}", "l a 70000", false },
		{ "{\"b\":\"x\"}", "l a 70000; t b x", true },
		{ "{\"a\":{\"min\":1}}", "l a 70000", false },
		/* numbers, lengths */
		{ "{\"a\":{\"min\":0,\"max\":100}}", "n a 0", true },
		{ "{\"a\":{\"min\":0,\"max\":100}}", "n a 1e2", true },
		{ "{\"a\":{\"min\":0,\"max\":100}}", "n a 100.5", false },
		{ "{\"a\":{\"min\":0,\"max\":100}}", "n a -1", false },
		{ "{\"a\":{\"min\":0}}", "t a 5", false },
		{ "{\"a\":{\"max\":9}}", "b a true", false },
		{ "{\"a\":{\"max\":9}}", "n a.b 1", false },
		{ "{\"a\":{\"max\":9}}", "", true },
		{ "{\"a\":{\"length\":2}}", "t a xy", true },
		{ "{\"a\":{\"length\":2}}", "t a \xc3\xa4\xc3\xb6", true },
		{ "{\"a\":{\"length\":2}}", "t a xyz", false },
		{ "{\"a\":{\"length\":2}}", "t a.b x", false },
		{ "{\"a\":{\"length\":3,\"of\":\"x*\"}}", "t a xyz", true },
		{ "{\"a\":{\"length\":3,\"of\":\"x*\"}}", "t a xyzz", false },
		{ "{\"a\":{\"length\":3,\"of\":\"x*\"}}", "t a y", false },
		/* an expression */
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t a c.d@b.test", true },
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t a c.d@b.test.", false },
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t a C@b.test", false },
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t a c@b.test; t a d@b.test", true },
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t a c@b.test; t a d@c.test", false },
		{ "{\"a\":{\"match\":\"[a-z.]+@b\\\\.test\"}}", "t b x", true },
		{ "{\"a\":{\"match\":\"x\"}}", "", true },
		{ "{\"a\":{\"match\":\"x*\"}}", "t a ", true },
		{ "{\"a\":{\"match\":\".*\"}}", "t a.b x", false },
		{ "{\"a\":{\"match\":\".*\"}}", "t a x; t a.b x", false },
		{ "{\"a.b\":{\"match\":\".*\"}}", "t a x", false },
		{ "{\"a\":{\"match\":\".*\"}}", "l a 70000", false },
		{ "{\"a\":{\"match\":\"\\\\d+\"}}", "n a 25", true },
		{ "{\"a\":{\"match\":\"\\\\d+\"}}", "n a 2.5", false },
		{ "{\"a\":{\"match\":\"\\\\d+\"}}", "n a 1e5", false },
		{ "{\"a\":{\"match\":\"\\\\d+\",\"max\":9}}", "n a 5", true },
		{ "{\"a\":{\"match\":\"\\\\d+\",\"max\":9}}", "n a 10", false },
		{ "{\"a\":{\"match\":\"\\\\d+\",\"max\":9}}", "n a 0.5", false },
		{ "{\"a\":{\"match\":\"t.*\"}}", "b a true", true },
		{ "{\"a\":{\"match\":\"t.*\"}}", "b a false", false },
		{ "{\"a\":{\"match\":\"x+\",\"of\":[\"xx\",\"y\"]}}", "t a xx", true },
		{ "{\"a\":{\"match\":\"x+\",\"of\":[\"xx\",\"y\"]}}", "t a x", false },
		{ "{\"a\":{\"match\":\"x+\",\"of\":[\"xx\",\"y\"]}}", "t a y", false },
		{ "{\"a\":{\"match\":\"x+\",\"length\":2}}", "t a xx", true },
		{ "{\"a\":{\"match\":\"x+\",\"length\":2}}", "t a xxx", false },
		{ "{\"a\":{\"match\":\"x+\",\"given\":true}}", "", false },
		{ "{\"a\":{\"match\":\"x+\",\"given\":true}}", "t a x", true },
		{ "{\"a\":{\"match\":\"\\\\./docs/.*\"}}", "t a ./docs/x/y", true },
		{ "{\"a\":{\"match\":\"\\\\./docs/.*\"}}", "t a ./docs/../x", false },
		{ "{\"a\":{\"match\":\"\\\\./docs/.*\"}}", "t a ./docs/%2e%2E/x", false },
		{ "{\"a\":{\"match\":\"[^/]*\"}}", "t a ..", false },
		{ "{\"a\":{\"match\":\"[^/]*\"}}", "t a ..\\x", false },
		{ "{\"a\":{\"match\":\".*\"}}", "t a x/..", false },
		{ "{\"a\":{\"match\":\"\\\\.\\\\./x\"}}", "t a ../x", false },
		{ "{\"a\":{\"match\":\".*\"}}", "t a x/...", true },
		{ "{\"a\":{\"match\":\"x\"},\"b\":{\"match\":\"y\"}}", "t a x; t b y", true },
		{ "{\"a\":{\"match\":\"x\"},\"b\":{\"match\":\"y\"}}", "t a x; t b x", false },
		{ "{\"*\":null,\"a\":{\"match\":\"x\"}}", "t a x; t b x", false },
		/* there, or not */
		{ "{\"a\":{\"given\":true}}", "t a ", true },
		{ "{\"a\":{\"given\":true}}", "n a.b 1", true },
		{ "{\"a\":{\"given\":true}}", "", false },
		{ "{\"a.b\":{\"given\":true}}", "t a x", false },
		{ "{\"a.b\":{\"given\":true}}", "t a x; t a.b x", true },
		{ "{\"a\":{\"given\":true,\"of\":\"x\"}}", "t b x", false },
		{ "{\"a\":{\"given\":true,\"of\":\"x\"}}", "t a x", true },
		{ "{\"a\":{\"given\":true},\"b\":{\"given\":true}}", "t a x", false },
		{ "{\"a\":null}", "t b x", true },
		{ "{\"a\":null}", "t a ", false },
		{ "{\"a\":null}", "t a.b x", false },
		{ "{\"a.b\":null}", "t a x", false },
		{ "{\"a.b\":null}", "t a.c x", true },
		/* no other */
		{ "{\"*\":null}", "", true },
		{ "{\"*\":null}", "t a x", false },
		{ "{\"*\":null,\"a\":{}}", "t a x; n a.b 1", true },
		{ "{\"*\":null,\"a\":{}}", "t a x; t b x", false },
		{ "{\"*\":null,\"a.b\":{}}", "t a.b x", true },
		{ "{\"*\":null,\"a.b\":{}}", "t a x", false },
		{ "{\"*\":null,\"a\":\"x\"}", "t a y", false },
		{ "{\"\\\\*\":null}", "t a x", true },
		{ "{\"\\\\*\":null}", "t \\* x", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct said_arguments said;
		struct where w;

		say_where(rows[i].value, &w);
		say_arguments(rows[i].args, &said);
		assert_true(where_are_arguments(&said.args));
		if (where_allows(&w, &said.args) != rows[i].allowed)
			fail_msg("%s, with %s", rows[i].value, rows[i].args);
	}
}

static void what_is_refused_is_named(void **state)
{
	static const struct {
		const char *value, *args;
		enum where_no no;
		const char *path;
	} rows[] = {
		{ "{\"a\":\"x\"}", "t a x", WHERE_NO_NONE, "" },
		{ "{\"a\":\"x\"}", "t b x; t a y", WHERE_NO_VALUE, "a" },
		{ "{\"a\":\"x\",\"b\":{\"max\":3}}", "t a x; n b 4", WHERE_NO_VALUE, "b" },
		{ "{\"a.b\":\"x\"}", "t a x", WHERE_NO_VALUE, "a" },
		{ "{\"a\":\"x\"}", "t a.b x", WHERE_NO_VALUE, "a.b" },
		{ "{\"a\":{},\"b\":{\"match\":\"x\"}}", "t a x; t b y", WHERE_NO_VALUE, "b" },
		{ "{\"a\":{\"schema\":{\"maxLength\":1}}}", "t a xy", WHERE_NO_VALUE, "a" },
		{ "{\"a\":null}", "t b x; t a.c x", WHERE_NO_NAME, "a.c" },
		{ "{\"a\":{},\"*\":null}", "t a x; t b x", WHERE_NO_NAME, "b" },
		{ "{\"a\":{},\"b\":{\"given\":true}}", "t a x", WHERE_NO_GIVEN, "b" },
		{ "{\"*risky\":null}", "b *risky true", WHERE_NO_RISK, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct said_arguments said;
		const char *path = "";
		struct where w;
		size_t n;

		say_where(rows[i].value, &w);
		say_arguments(rows[i].args, &said);
		if (where_refuses(&w, &said.args, &path, &n) != rows[i].no || n != strlen(rows[i].path) ||
		    (n > 0 && memcmp(path, rows[i].path, n) != 0))
			fail_msg("%s, with %s: %.*s", rows[i].value, rows[i].args, (int)n, path);
	}
	assert_int_equal(where_refuses(&(struct where){ .used = 0 },
				       &(struct where_arguments){ .bytes = (const uint8_t *)"\x01", .n = 1 },
				       &(const char *){ NULL }, &(size_t){ 0 }),
			 WHERE_NO_FORM);
}

static void names_that_some_take_for_others_evade(void **state)
{
	static const struct {
		const char *value, *args;
		bool is;
	} rows[] = {
		{ "{\"path\":\"./x*\"}", "t path ./x", false },
		{ "{\"path\":\"./x*\"}", "t Path /etc", true },
		{ "{\"path\":\"./x*\"}", "t path ./x; t PATH.a /etc", true },
		{ "{\"path\":\"./x*\"}", "t paths /etc", false },
		{ "{\"path\":\"./x*\"}", "t Pat /etc", false },
		{ "{\"path\":\"./x*\"}", "t path.A /etc", false }, /* is beneath it: refused as that */
		{ "{\"o.mode\":\"r\"}", "t O.mode w", true },
		{ "{\"o.mode\":\"r\"}", "t O w", true },
		{ "{\"o.mode\":\"r\"}", "t o.Mode w", true },
		{ "{\"o.mode\":\"r\"}", "t o.other w", false },
		{ "{\"task\":null}", "t ta\xc5\xbfk x", true },
		{ "{\"task\":null}", "t tas\xe2\x84\xaa x", true },
		{ "{\"task\":null}", "t ta\xc5 x", false },
		{ "{\"*\":null}", "t Path x", false },
		{ "{\"path\":\"x\"}", "t __proto__.path y", true },
		{ "{\"path\":\"x\"}", "t a.__proto__ y", true },
		{ "{\"path\":\"x\"}", "t __proto__s y", false },
		{ "{}", "t __proto__.path y", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct said_arguments said;
		struct where w;

		say_where(rows[i].value, &w);
		say_arguments(rows[i].args, &said);
		if (where_is_evaded(&w, &said.args) != rows[i].is)
			fail_msg("%s, with %s", rows[i].value, rows[i].args);
	}
	assert_true(where_is_same_name("Task", "ta\xc5\xbf\xe2\x84\xaa"));
	assert_false(where_is_same_name("task", "tasks") || where_is_same_name("tasks", "task"));
}

static void what_are_no_arguments(void **state)
{
	static const struct {
		const char *path;
		enum where_kind kind;
		const char *value;
		bool are;
	} rows[] = {
		{ "a", WHERE_TEXT, "x", true },
		{ "", WHERE_TEXT, "", true },
		{ "a\\.b\\\\\\*", WHERE_TEXT, "", true },
		{ "a*", WHERE_TEXT, "", false },
		{ "*", WHERE_TEXT, "", false },
		{ "\\\\*", WHERE_TEXT, "", false },
		{ "a\\", WHERE_TEXT, "", false },
		{ "a\\b", WHERE_TEXT, "", false },
		{ "a\xff", WHERE_TEXT, "", false },
		{ "a", WHERE_TEXT, "\xff", false },
		{ "a", WHERE_NUMBER, "1e5", true },
		{ "a", WHERE_NUMBER, "1,5", false },
		{ "a", WHERE_NUMBER, "", false },
		{ "a", WHERE_BOOL, "true", true },
		{ "a", WHERE_BOOL, "false", true },
		{ "a", WHERE_BOOL, "True", false },
		{ "a", WHERE_BOOL, "", false },
		{ "a", WHERE_LONG, "123456789012345678", true },
		{ "a", WHERE_LONG, "1234567890123456789", false },
		{ "a", WHERE_LONG, "05", false },
		{ "a", WHERE_LONG, "-5", false },
		{ "a", WHERE_LONG, "1.5", false },
		{ "a", WHERE_KIND_COUNT, "x", false },
	};
	auto_buf out = { .max = 4 * WHERE_BYTES_MAX };
	static const char zeroes[WHERE_BYTES_MAX];
	struct where_arguments args;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buf_reset(&out);
		where_put(&out, rows[i].path, rows[i].kind, rows[i].value, strlen(rows[i].value));
		args = (struct where_arguments){ .bytes = out.data, .n = out.len };
		if (where_are_arguments(&args) != rows[i].are)
			fail_msg("%s %d %s", rows[i].path, (int)rows[i].kind, rows[i].value);
		for (args.n = 1; args.n < out.len; args.n++) /* cut */
			assert_false(where_are_arguments(&args));
	}
	buf_reset(&out);
	for (unsigned i = 0; i <= WHERE_ARGUMENTS_MAX; i++) {
		where_put(&out, "a", WHERE_TEXT, "", 0);
		args = (struct where_arguments){ .bytes = out.data, .n = out.len };
		assert_int_equal(where_are_arguments(&args), i < WHERE_ARGUMENTS_MAX);
	}
	for (size_t over = 0; over < 2; over++) {
		buf_reset(&out);
		where_put(&out, "a", WHERE_TEXT, zeroes, WHERE_BYTES_MAX - 10 + over);
		args = (struct where_arguments){ .bytes = out.data, .n = out.len };
		assert_int_equal(where_are_arguments(&args), over == 0);
	}
	args = (struct where_arguments){ .n = 0 };
	assert_true(where_are_arguments(&args));
	buf_reset(&out);
	where_put_name(&out, "a.b*\\c", 6);
	assert_string_equal(buf_cstr(&out), "a\\.b\\*\\\\c");
}

static void names_with_a_nul_are_no_paths(void **state)
{
	(void)state;
	assert_false(where_is_path("a\0b", 3));
	assert_true(where_is_path("a", 1));
}

/* A word of up to `most` characters of `from`. */
static void draw_word(struct prop *p, const char *from, unsigned most, char *ret)
{
	const unsigned n = prop_below(p, most + 1);

	for (unsigned i = 0; i < n; i++)
		ret[i] = from[prop_below(p, (uint32_t)strlen(from))];
	ret[n] = 0;
}

static bool naive(const char *pattern, const char *text)
{
	if (*pattern == WHERE_STAR)
		return naive(pattern + 1, text) || (*text != 0 && naive(pattern, text + 1));
	return *pattern == *text && (*text == 0 || naive(pattern + 1, text + 1));
}

static void patterns_match_as_a_naive_matcher_says(void **state)
{
	unsigned matched = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(200000); round++) {
		struct prop p = prop_round(round);
		char pattern[16], text[16];
		bool got;

		draw_word(&p, "ab\xff", 8, pattern);
		draw_word(&p, "ab", 10, text);
		got = where_matches(pattern, text, strlen(text));
		matched += got;
		if (got == naive(pattern, text))
			continue;
		for (char *star = strchr(pattern, WHERE_STAR); star != NULL; star = strchr(star, WHERE_STAR))
			*star = '*'; /* to be shown */
		prop_fail(&p, "%s and %s", pattern, text);
	}
	assert_true(matched > 10000);
}

/* Whoever tries each place of each star would not live to see the end. */
static void a_pattern_of_stars_is_matched_at_once(void **state)
{
	static char pattern[TERMS_TEXT_MAX], text[WHERE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
		memcpy(pattern + i,
		       "\xff"
		       "a",
		       2);
	memset(text, 'a', sizeof text);
	assert_true(where_matches(pattern, text, sizeof text));
	pattern[sizeof pattern - 3] = 'b';
	assert_false(where_matches(pattern, text, sizeof text));
}

/* Each text over a, b and z, up to five. */
static bool is_set_of_fewer(const struct where *inner, const struct where *outer)
{
	for (unsigned n = 0, all = 1; n <= 5; n++, all *= 3)
		for (unsigned which = 0; which < all; which++) {
			struct said_arguments said;
			char text[16] = "t a ";
			unsigned rest = which;

			for (unsigned i = 0; i < n; i++, rest /= 3)
				text[4 + i] = "abz"[rest % 3];
			text[4 + n] = 0;
			say_arguments(text, &said);
			if (where_allows(inner, &said.args) && !where_allows(outer, &said.args))
				return false;
		}
	return true;
}

static void draw_set(struct prop *p, const char *from, char ret[128])
{
	const unsigned n = 1 + prop_below(p, 3);
	struct buf out;

	buf_init_in(&out, ret, 128);
	for (unsigned i = 0; i < n; i++) {
		char word[8];

		draw_word(p, from, 3, word);
		buf_printf(&out, "%c\"%s\"", i == 0 ? '[' : ',', word);
	}
	buf_printf(&out, "]");
	assert_non_null(buf_cstr(&out));
}

static void sets_are_compared_exactly(void **state)
{
	unsigned within = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		struct where inner, outer;
		char set[128], value[2][160];
		bool got;

		for (int i = 0; i < 2; i++) {
			struct buf out;

			draw_set(&p, "ab**", set);
			buf_init_in(&out, value[i], sizeof value[i]);
			buf_printf(&out, "{\"a\":%s}", set);
			assert_non_null(buf_cstr(&out));
		}
		say_where(value[0], &inner);
		say_where(value[1], &outer);
		got = where_is_within(&inner, &outer);
		within += got;
		if (got != is_set_of_fewer(&inner, &outer))
			prop_fail(&p, "%s within %s: %d", value[0], value[1], got);
	}
	assert_true(within > 100);
}

static void draw_condition(struct prop *p, struct buf *out)
{
	static const char *const parts[] = { "\"min\":0",
					     "\"min\":2",
					     "\"max\":2",
					     "\"max\":3",
					     "\"length\":1",
					     "\"length\":2",
					     "\"given\":true",
					     "\"match\":\"[xy2]*\"",
					     "\"match\":\"x.*\"",
					     "\"match\":\".{1,2}\"",
					     "\"match\":\"(x|2|/)+[.]?\"",
					     "\"match\":\"\\\\d+\"",
					     "\"match\":\".*\",\"length\":2" };
	char set[128];
	const uint32_t sort = prop_below(p, 7), part = prop_below(p, COUNT_OF(parts));

	draw_set(p, "xy2**/.", set);
	if (strstr(set, "..") != NULL)
		(void)snprintf(set, sizeof set, "\"x\"");
	if (sort == 0)
		buf_printf(out, "null");
	else if (sort == 1)
		buf_printf(out, "{}");
	else if (sort == 2)
		buf_printf(out, "{%s}", parts[part]);
	else if (sort == 3)
		buf_printf(out, "{%s,\"of\":%s}", parts[part], set);
	else if (sort == 4)
		buf_printf(out, "{%s,\"given\":true}", parts[part == 6 ? 7 : part]);
	else
		buf_printf(out, "%s", set);
}

static void draw_where(struct prop *p, struct where *ret, char text[512])
{
	static const char *const paths[] = { "*", "a", "a.b", "a.b.c", "d" };
	const char *between = "";
	struct buf out;

	buf_init_in(&out, text, 512);
	buf_printf(&out, "{");
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (prop_below(p, 3) != 0)
			continue;
		buf_printf(&out, "%s\"%s\":", between, paths[i]);
		between = ",";
		if (i == 0)
			buf_printf(&out, "null");
		else
			draw_condition(p, &out);
	}
	buf_printf(&out, "}");
	say_where(buf_cstr(&out), ret);
}

static void draw_arguments(struct prop *p, struct said_arguments *ret, char text[256])
{
	static const char *const paths[] = { "a", "a.b", "a.b.c", "d", "e", "a.f" };
	const unsigned n = prop_below(p, 4);
	struct buf out;

	buf_init_in(&out, text, 256);
	for (unsigned i = 0; i < n; i++) {
		static const char *const numbers[] = { "0", "1", "2", "2.5", "3", "22" };
		const char *path = paths[prop_below(p, COUNT_OF(paths))];
		char word[8];

		draw_word(p, "xy2/.", 4, word);
		switch (prop_below(p, 6)) {
		case 0: buf_printf(&out, "l %s %u;", path, prop_below(p, 4)); break;
		case 1: buf_printf(&out, "n %s %s;", path, numbers[prop_below(p, COUNT_OF(numbers))]); break;
		default: buf_printf(&out, "t %s %s;", path, word); break;
		}
	}
	assert_non_null(buf_cstr(&out));
	say_arguments(text, ret);
	assert_true(where_are_arguments(&ret->args));
}

static void what_is_within_allows_no_more(void **state)
{
	unsigned within = 0, allowed = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(40000); round++) {
		struct prop p = prop_round(round);
		struct where inner, outer, again;
		char in[512], out[512], args[256], terms[TERMS_TEXT_MAX];

		draw_where(&p, &inner, in);
		draw_where(&p, &outer, out);
		where_format(&inner, terms);
		if (where_take(terms, &again, NULL) < 0 || !where_is_within(&inner, &again) ||
		    !where_is_within(&again, &inner))
			prop_fail(&p, "%s is not within itself, as it is written", in);
		if (!where_is_within(&inner, &outer))
			continue;
		within += inner.n_conditions > 0 && outer.n_conditions > 0;
		for (int i = 0; i < 100; i++) {
			struct said_arguments said;

			draw_arguments(&p, &said, args);
			if (!where_allows(&inner, &said.args))
				continue;
			allowed++;
			if (!where_allows(&outer, &said.args))
				prop_fail(&p, "%s is within %s, but not with %s", in, out, args);
		}
	}
	assert_true(within > 1000 && allowed > 100000);
}

/* Expressions of any characters, as JSON has them in one way or another. */
static void expressions_have_one_way_of_being_written(void **state)
{
	static const char *const pieces[] = { "a",     "'",        "\\u0027", "\\\"",    "\xc3\xa4", "\\u00E4",
					      "\\\\.", "\\\\\\\\", "\\/",     "\\u000a", "\\n",      "\xf0\x9f\x98\x80",
					      ".",     "[^']",     "\\\\*",   "x{2}",    "(b|c)",    "\\ud83d\\ude00",
					      "\x7f",  " ",        "\\u0078", "-",       ",",        "\\\\d" };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(5000); round++) {
		struct prop p = prop_round(round);
		struct where w, taken, set;
		char text[TERMS_TEXT_MAX], again[TERMS_TEXT_MAX], value[TERMS_TEXT_MAX];
		struct buf out;

		buf_init_in(&out, value, sizeof value);
		buf_printf(&out, "{\"a\":{\"match\":\"");
		for (uint32_t n = 1 + prop_below(&p, 20); n > 0; n--)
			buf_printf(&out, "%s", pieces[prop_below(&p, COUNT_OF(pieces))]);
		buf_printf(&out, "\"}}");
		say_where(buf_cstr(&out), &w);
		where_format(&w, text);
		for (const char *c = text; *c != 0; c++)
			if (*c < ' ' || *c > '~')
				prop_fail(&p, "%s is %s", value, text);
		if (strchr(text + strlen("where='"), '\'') != text + strlen(text) - 1)
			prop_fail(&p, "%s is %s", value, text);
		assert_int_equal(where_take(text, &taken, NULL), 0);
		where_format(&taken, again);
		assert_string_equal(text, again);
		where_value(&taken, again);
		say_where(again, &set);
		assert_string_equal(set.text + set.conditions[0].match, w.text + w.conditions[0].match);
		assert_true(where_is_within(&w, &taken) && where_is_within(&taken, &w));
	}
}

/* Where a text is wrong is told by its place, for who knows what stands there. */
static void an_expression_is_wrong_where_it_begins(void **state)
{
	static const char value[] = "{\"b\":\"x\",\"a\":{\"match\":\"a**\"}}";
	struct where w;
	struct err e;
	size_t at = 0;

	(void)state;
	memset(&w, 0, sizeof w);
	assert_int_equal(where_set_at(&w, value, &at, &e), -AMBIT_MALFORMED);
	assert_int_equal(at, strstr(value, "\"a**") - value);
	assert_true(err_says(&e, "where: match: byte 2 of the expression is a *"));
	assert_int_equal(where_set(&w, "{\"a\":{\"match\":\"a{255}b{255}cd\"}}", &e), 0);
	assert_int_equal(where_set(&w, "{\"a\":{\"match\":\"a{255}b{255}cde\"}}", &e), -AMBIT_LIMIT);
	assert_true(err_says(&e, "where: byte 14: match: byte 14 of the expression: it has more than 512 states"));
}

/* As many as there may be, each with all of its states, on as much as there may be. */
static void many_expressions_are_looked_at(void **state)
{
	static char x[WHERE_BYTES_MAX];
	auto_buf value = { .max = TERMS_TEXT_MAX }, out = { .max = 2 * WHERE_BYTES_MAX };
	struct where_arguments args;
	struct where w;

	(void)state;
	memset(x, 'x', sizeof x);
	buf_printf(&value, "{");
	for (int i = 0; i < WHERE_CONDITIONS_MAX; i++) {
		char path[8];

		(void)snprintf(path, sizeof path, "a%02d", i);
		buf_printf(&value, "%s\"%s\":{\"match\":\"(x?){254}x*\"}", i > 0 ? "," : "", path);
		for (int k = 0; k < WHERE_ARGUMENTS_MAX / WHERE_CONDITIONS_MAX; k++)
			where_put(&out, path, WHERE_TEXT, x, WHERE_BYTES_MAX / WHERE_ARGUMENTS_MAX - 16);
	}
	buf_printf(&value, "}");
	say_where(buf_cstr(&value), &w);
	args = (struct where_arguments){ .bytes = out.data, .n = out.len };
	assert_true(where_are_arguments(&args) && where_allows(&w, &args));
	out.data[out.len - 1] = 'y';
	assert_true(where_are_arguments(&args) && !where_allows(&w, &args));
}

static void what_is_within(void **state)
{
	static const struct {
		const char *inner, *outer;
		bool is;
	} rows[] = {
		{ "{\"a\":\"x\"}", "{}", true },
		{ "{}", "{\"a\":\"x\"}", false },
		{ "{}", "{\"a\":{}}", true },
		{ "{\"a\":\"./docs/api/*\"}", "{\"a\":\"./docs/**\"}", true },
		{ "{\"a\":\"./docs/../x\"}", "{\"a\":\"./docs/**\"}", false },
		{ "{\"a\":\"./docs/**\"}", "{\"a\":\"*\"}", true },
		{ "{\"a\":\"*\"}", "{\"a\":\"./docs/**\"}", false },
		{ "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"y\",\"z\"]}", true },
		{ "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"z\"]}", false },
		{ "{\"a\":null}", "{\"a\":\"x\"}", true },
		{ "{\"a\":null}", "{\"a.b\":null}", true },
		{ "{\"a.b\":null}", "{\"a\":null}", false },
		{ "{\"a\":null}", "{\"a\":{\"given\":true}}", false },
		{ "{\"a\":{\"given\":true,\"of\":\"x\"}}", "{\"a\":\"x\"}", true },
		{ "{\"a\":\"x\"}", "{\"a\":{\"given\":true,\"of\":\"x\"}}", false },
		{ "{\"a\":{\"min\":1,\"max\":2}}", "{\"a\":{\"min\":0,\"max\":2.5}}", true },
		{ "{\"a\":{\"min\":1}}", "{\"a\":{\"min\":0,\"max\":2.5}}", false },
		{ "{\"a\":{\"max\":3}}", "{\"a\":{\"max\":2.5}}", false },
		{ "{\"a\":{\"length\":2}}", "{\"a\":{\"length\":3}}", true },
		{ "{\"a\":{\"length\":4}}", "{\"a\":{\"length\":3}}", false },
		{ "{\"a\":\"x\"}", "{\"a\":{\"length\":3}}", false }, /* not seen */
		{ "{\"a\":{\"match\":\"x+\"}}", "{\"a\":{\"match\":\"x+\"}}", true },
		{ "{\"a\":{\"match\":\"x\"}}", "{\"a\":{\"match\":\"x+\"}}", false }, /* not seen */
		{ "{\"a\":{\"match\":\"x+\"}}", "{\"b\":{\"match\":\"x+\"}}", false },
		{ "{\"a\":{\"match\":\"x+\"}}", "{\"a\":{}}", true },
		{ "{\"a\":{\"match\":\"x+\"}}", "{\"a\":\"x*\"}", false }, /* not seen */
		{ "{\"a\":{\"match\":\"x+\"}}", "{\"a\":{\"match\":\"x+\",\"length\":5}}", false },
		{ "{\"a\":{\"match\":\"x+\",\"length\":4}}", "{\"a\":{\"match\":\"x+\",\"length\":5}}", true },
		{ "{\"a\":{\"match\":\"x+\",\"of\":[\"y\",\"x*\"]}}", "{\"a\":{\"match\":\"x+\"}}", true },
		{ "{\"a\":{\"match\":\"x+\",\"of\":[\"y\",\"x*\"]}}", "{\"a\":[\"y\",\"x*\"]}", true },
		{ "{\"a\":[\"x\",\"xx\"]}", "{\"a\":{\"match\":\"x+\"}}", true },
		{ "{\"a\":[\"x\",\"xy\"]}", "{\"a\":{\"match\":\"x+\"}}", false },
		{ "{\"a\":[\"x\",\"xx*\"]}", "{\"a\":{\"match\":\"x.*\"}}", false },
		{ "{\"a\":\"*\"}", "{\"a\":{\"match\":\".*\"}}", false },
		{ "{\"a\":\"\\\\*\"}", "{\"a\":{\"match\":\".\"}}", true },
		{ "{\"a\":5}", "{\"a\":{\"match\":\"\\\\d\"}}", true },
		{ "{\"a\":\"./x/../y\"}", "{\"a\":{\"match\":\".*\"}}", false },
		{ "{\"a\":\"x\"}", "{\"a\":{\"match\":\"x+\",\"of\":\"x*\"}}", true },
		{ "{\"a\":\"x\"}", "{\"a\":{\"match\":\"x+\",\"of\":\"y*\"}}", false },
		{ "{\"a\":null}", "{\"a\":{\"match\":\"x\"}}", true },
		{ "{\"a\":null}", "{\"a.b\":{\"match\":\"x\"}}", true },
		{ "{\"a\":null}", "{\"a\":{\"match\":\"x\",\"given\":true}}", false },
		{ "{\"*\":null}", "{\"a\":{\"match\":\"x\"}}", true },
		{ "{}", "{\"a\":{\"match\":\"x\"}}", false },
		{ "{\"a\":{}}", "{\"a\":{\"match\":\".*\"}}", false },
		{ "{\"a\":{\"match\":\"x\"}}", "{\"a\":null}", false },
		{ "{\"*\":null,\"a\":\"x\"}", "{\"a\":\"x\",\"b\":null}", true },
		{ "{\"*\":null,\"a\":\"x\"}", "{\"*\":null,\"a\":{},\"b\":{}}", true },
		{ "{\"*\":null,\"a\":\"x\",\"b\":{}}", "{\"*\":null,\"a\":{}}", false },
		{ "{\"*\":null,\"a\":\"x\",\"b\":null}", "{\"*\":null,\"a\":{}}", true },
		{ "{\"a\":\"x\"}", "{\"*\":null,\"a\":\"x\"}", false },
		{ "{\"*\":null,\"a.b\":{}}", "{\"*\":null,\"a\":{}}", true },
		{ "{\"*\":null,\"a\":{}}", "{\"*\":null,\"a.b\":{}}", false },
		{ "{\"*\":null,\"a.b\":{}}", "{\"a\":null}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct where inner, outer;

		say_where(rows[i].inner, &inner);
		say_where(rows[i].outer, &outer);
		if (where_is_within(&inner, &outer) != rows[i].is)
			fail_msg("%s within %s", rows[i].inner, rows[i].outer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_have_one_way_of_being_written),
		cmocka_unit_test(what_is_no_condition_is_refused),
		cmocka_unit_test(terms_are_taken_in_their_normal_form_alone),
		cmocka_unit_test(there_are_no_more_than_there_may_be),
		cmocka_unit_test(numbers_are_compared_as_they_are_written),
		cmocka_unit_test(a_part_of_two_dots_climbs),
		cmocka_unit_test(what_a_grant_wants_is_looked_at),
		cmocka_unit_test(what_is_refused_is_named),
		cmocka_unit_test(names_that_some_take_for_others_evade),
		cmocka_unit_test(what_are_no_arguments),
		cmocka_unit_test(names_with_a_nul_are_no_paths),
		cmocka_unit_test(patterns_match_as_a_naive_matcher_says),
		cmocka_unit_test(a_pattern_of_stars_is_matched_at_once),
		cmocka_unit_test(sets_are_compared_exactly),
		cmocka_unit_test(what_is_within_allows_no_more),
		cmocka_unit_test(expressions_have_one_way_of_being_written),
		cmocka_unit_test(an_expression_is_wrong_where_it_begins),
		cmocka_unit_test(many_expressions_are_looked_at),
		cmocka_unit_test(what_is_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
