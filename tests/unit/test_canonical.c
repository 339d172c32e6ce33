#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ambit/codes.h"
#include "base/json.h"
#include "json_again.h"
#include "ledger/canonical.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define GOOD SIZE_MAX
#define TEN "[[[[[[[[[["
#define NET "]]]]]]]]]]"

static void what_is_canonical_and_where_it_is_not(void **state)
{
	static const struct {
		const char *name, *text;
		size_t at; /* of the flaw */
		int rc;
	} rows[] = {
		{ "an empty object", "{}", GOOD, 0 },
		{ "an empty array", "[]", GOOD, 0 },
		{ "words", "[true,false,null]", GOOD, 0 },
		{ "a word alone", "null", GOOD, 0 },
		{ "a string alone", "\"\"", GOOD, 0 },
		{ "a number alone", "0", GOOD, 0 },
		{ "nested", "{\"a\":[{},[],{\"b\":[[]]}],\"c\":{}}", GOOD, 0 },

		{ "nothing", "", 0, -AMBIT_MALFORMED },
		{ "a blank before", " {}", 0, -AMBIT_MALFORMED },
		{ "a blank after", "{} ", 2, -AMBIT_MALFORMED },
		{ "a newline after", "{}\n", 2, -AMBIT_MALFORMED },
		{ "a blank within", "[1, 2]", 3, -AMBIT_MALFORMED },
		{ "a blank before a colon", "{\"a\" :1}", 4, -AMBIT_MALFORMED },
		{ "a blank after a colon", "{\"a\":\t1}", 5, -AMBIT_MALFORMED },
		{ "a blank in nothing", "[ ]", 1, -AMBIT_MALFORMED },
		{ "a second value", "{}{}", 2, -AMBIT_MALFORMED },
		{ "a bracket too much", "[]]", 2, -AMBIT_MALFORMED },
		{ "a bracket too few", "[[]", 3, -AMBIT_MALFORMED },
		{ "the other bracket", "[}", 1, -AMBIT_MALFORMED },
		{ "the other bracket at the end", "{\"a\":[1}", 7, -AMBIT_MALFORMED },
		{ "a comma too much", "[1,]", 3, -AMBIT_MALFORMED },
		{ "a comma too much in an object", "{\"a\":1,}", 7, -AMBIT_MALFORMED },
		{ "a comma and nothing", "[,]", 1, -AMBIT_MALFORMED },
		{ "no comma", "[1\"\"]", 2, -AMBIT_MALFORMED },
		{ "no colon", "{\"a\"1}", 4, -AMBIT_MALFORMED },
		{ "no value", "{\"a\":}", 5, -AMBIT_MALFORMED },
		{ "no key", "{1:1}", 1, -AMBIT_MALFORMED },
		{ "an end after a key", "{\"a\"", 4, -AMBIT_MALFORMED },
		{ "an end after a colon", "{\"a\":", 5, -AMBIT_MALFORMED },
		{ "an end after a comma", "[1,", 3, -AMBIT_MALFORMED },
		{ "a word that is none", "[nil]", 1, -AMBIT_MALFORMED },
		{ "a word that is cut", "tru", 0, -AMBIT_MALFORMED },
		{ "a word that goes on", "truex", 4, -AMBIT_MALFORMED },
		{ "capitals", "True", 0, -AMBIT_MALFORMED },
		{ "a comment", "[1/**/]", 2, -AMBIT_MALFORMED },
		{ "a byte order mark", "\xef\xbb\xbf{}", 0, -AMBIT_MALFORMED },

		{ "integers", "[-1,0,1,10,-120]", GOOD, 0 },
		{ "the largest", "9007199254740991", GOOD, 0 },
		{ "one more", "[9007199254740992]", 1, -AMBIT_LIMIT },
		{ "the smallest", "-9007199254740991", GOOD, 0 },
		{ "one less", "[-9007199254740992]", 1, -AMBIT_LIMIT },
		{ "more digits", "[10000000000000000]", 1, -AMBIT_LIMIT },
		{ "more than 64 bits", "[18446744073709551617]", 1, -AMBIT_LIMIT },
		{ "minus zero", "[-0]", 1, -AMBIT_MALFORMED },
		{ "a zero in front", "[01]", 1, -AMBIT_MALFORMED },
		{ "a zero behind a minus", "[-01]", 1, -AMBIT_MALFORMED },
		{ "two zeroes", "00", 0, -AMBIT_MALFORMED },
		{ "a plus", "[+1]", 1, -AMBIT_MALFORMED },
		{ "a minus alone", "[-]", 2, -AMBIT_MALFORMED },
		{ "a fraction", "[1.5]", 2, -AMBIT_MALFORMED },
		{ "a fraction of nothing", "1.0", 1, -AMBIT_MALFORMED },
		{ "an exponent", "1e3", 1, -AMBIT_MALFORMED },
		{ "a capital exponent", "1E3", 1, -AMBIT_MALFORMED },
		{ "no number", "NaN", 0, -AMBIT_MALFORMED },

		{ "each escape that there is", "\"\\b\\t\\n\\f\\r\\\"\\\\\\u0000\\u0001\\u000b\\u001f\"", GOOD, 0 },
		{ "what needs none", "\"/ \x7f \xc2\x80 \xe2\x80\xa8 \xef\xbf\xbf \xf4\x8f\xbf\xbf'\"", GOOD, 0 },
		{ "a slash", "\"ab\\/\"", 3, -AMBIT_MALFORMED },
		{ "capital digits", "\"\\u001F\"", 1, -AMBIT_MALFORMED },
		{ "a capital u", "\"\\U001f\"", 1, -AMBIT_MALFORMED },
		{ "an escaped letter", "\"\\u0061\"", 1, -AMBIT_MALFORMED },
		{ "an escaped blank", "\"\\u0020\"", 1, -AMBIT_MALFORMED },
		{ "an escaped DEL", "\"\\u007f\"", 1, -AMBIT_MALFORMED },
		{ "a quote by number", "\"\\u0022\"", 1, -AMBIT_MALFORMED },
		{ "a backslash by number", "\"\\u005c\"", 1, -AMBIT_MALFORMED },
		{ "a newline by number", "\"\\u000a\"", 1, -AMBIT_MALFORMED },
		{ "a tab by number", "\"\\u0009\"", 1, -AMBIT_MALFORMED },
		{ "a backspace by number", "\"\\u0008\"", 1, -AMBIT_MALFORMED },
		{ "a form feed by number", "\"\\u000c\"", 1, -AMBIT_MALFORMED },
		{ "a return by number", "\"\\u000d\"", 1, -AMBIT_MALFORMED },
		{ "another letter", "\"\\v\"", 1, -AMBIT_MALFORMED },
		{ "an escaped character", "\"\\u20ac\"", 1, -AMBIT_MALFORMED },
		{ "escaped surrogates", "\"\\ud83d\\ude00\"", 1, -AMBIT_MALFORMED },
		{ "an escape that is cut", "\"\\u001", 1, -AMBIT_MALFORMED },
		{ "a backslash at the end", "\"\\", 1, -AMBIT_MALFORMED },
		{ "an escaped quote at the end", "\"\\\"", 3, -AMBIT_MALFORMED },
		{ "a control", "\"a\x1f\"", 2, -AMBIT_MALFORMED },
		{ "a newline", "\"a\n\"", 2, -AMBIT_MALFORMED },
		{ "a control behind eight", "\"12345678\x01\"", 9, -AMBIT_MALFORMED },
		{ "no end", "\"abc", 4, -AMBIT_MALFORMED },
		{ "no end behind eight", "\"abcdefghijkl", 13, -AMBIT_MALFORMED },
		{ "a lone byte", "\"a\x80\"", 2, -AMBIT_MALFORMED },
		{ "half a character", "\"a\xe2\x82\"", 2, -AMBIT_MALFORMED },
		{ "a long form", "\"\xc0\xaf\"", 1, -AMBIT_MALFORMED },
		{ "a surrogate", "\"\xed\xa0\x80\"", 1, -AMBIT_MALFORMED },
		{ "beyond Unicode", "\"\xf4\x90\x80\x80\"", 1, -AMBIT_MALFORMED },
		{ "not UTF-8 in a key", "{\"\xff\":1}", 2, -AMBIT_MALFORMED },

		{ "keys in order", "{\"\":0,\"A\":0,\"a\":0,\"aa\":0,\"b\":0}", GOOD, 0 },
		{ "the same in each of two", "[{\"a\":{\"a\":0}},{\"a\":0}]", GOOD, 0 },
		{ "less in an inner one", "{\"b\":{\"a\":0},\"c\":0}", GOOD, 0 },
		{ "a key twice", "{\"a\":1,\"a\":2}", 7, -AMBIT_MALFORMED },
		{ "an empty key twice", "{\"\":1,\"\":2}", 6, -AMBIT_MALFORMED },
		{ "a key too late", "{\"b\":1,\"a\":2}", 7, -AMBIT_MALFORMED },
		{ "the longer first", "{\"aa\":1,\"a\":2}", 8, -AMBIT_MALFORMED },
		{ "small letters first", "{\"a\":1,\"B\":2}", 7, -AMBIT_MALFORMED },
		{ "numbers as text", "{\"10\":0,\"9\":0}", GOOD, 0 },
		{ "out of order behind an inner one", "{\"b\":{\"x\":0},\"a\":0}", 13, -AMBIT_MALFORMED },
		{ "an escape is what it stands for",
		  "{\"\\t\":0,\"\\n\":0,\"\\u001f\":0,\" \":0,\"!\":0,\"\\\"\":0,\"#\":0,\"[\":0,\"\\\\\":0,\"]\":0}",
		  GOOD, 0 },
		{ "and not its letter", "{\"\\n\":0,\"\\t\":0}", 8, -AMBIT_MALFORMED },
		{ "a quote behind a number sign", "{\"#\":0,\"\\\"\":0}", 7, -AMBIT_MALFORMED },
		{ "a NUL in a key", "{\"a\\u0000\":0}", 3, -AMBIT_MALFORMED },
		{ "and what only looks like one", "{\"a\\\\u0000\":0}", GOOD, 0 },
		/* RFC 8785, section 3.2.3 */
		{ "the keys of the RFC",
		  "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\x7f\",\"\xc3\xb6\":\"Latin Small Letter O With "
		  "Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning "
		  "Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}",
		  GOOD, 0 },
		/* section 3.2.2, without its numbers */
		{ "the string of the RFC",
		  "{\"literals\":[null,true,false],\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}", GOOD,
		  0 },
		{ "by bytes and not by units", "{\"\xef\xac\xb3\":0,\"\xf0\x9f\x98\x80\":0}", 9, -AMBIT_MALFORMED },
		{ "U+E000 behind surrogates", "{\"\xf4\x8f\xbf\xbf\":0,\"\xee\x80\x80\":0,\"\xef\xbf\xbf\":0}", GOOD,
		  0 },
		{ "U+E000 before surrogates", "{\"\xee\x80\x80\":0,\"\xf0\x90\x80\x80\":0}", 9, -AMBIT_MALFORMED },
		{ "U+D7FF before them", "{\"\xed\x9f\xbf\":0,\"\xf0\x90\x80\x80\":0}", GOOD, 0 },
		{ "U+D7FF not behind them", "{\"\xf0\x90\x80\x80\":0,\"\xed\x9f\xbf\":0}", 10, -AMBIT_MALFORMED },
		{ "two beyond U+FFFF", "{\"\xf0\x90\x80\x80\":0,\"\xf0\x90\x80\x81\":0,\"\xf1\x80\x80\x80\":0}", GOOD,
		  0 },
		{ "two beyond U+FFFF, too late", "{\"\xf1\x80\x80\x80\":0,\"\xf0\x90\x80\x80\":0}", 10,
		  -AMBIT_MALFORMED },
		{ "two of the last plane below", "{\"\xee\x80\x80\":0,\"\xef\x80\x80\":0}", GOOD, 0 },
		{ "the same and then more", "{\"a\xf0\x9f\x98\x80:\":0,\"a\xef\xac\xb3\":0}", GOOD, 0 },

		{ "as deep as may be", TEN "[[[[[[]]]]]]" NET, GOOD, 0 },
		{ "deeper", TEN "[[[[[[[]]]]]]]" NET, 16, -AMBIT_LIMIT },
		{ "deeper in an object", TEN "[[[[[{\"a\":{}}]]]]]" NET, 20, -AMBIT_LIMIT },
		{ "deep, twice", "[" TEN "[[[[[]]]]]" NET "," TEN "[[[[[]]]]]" NET "]", GOOD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = strlen(rows[i].text);
		struct canonical_flaw flaw = { .at = GOOD, .why = "" };
		const int rc = canonical_check(rows[i].text, n, &flaw);

		if (rc != rows[i].rc || flaw.at != rows[i].at)
			fail_msg("%s: %d at %zu (%s)", rows[i].name, rc, flaw.at, flaw.why);
		if (json_again_same(rows[i].text, n) != (rc == 0))
			fail_msg("%s: the other reader is of another opinion", rows[i].name);
		if (rc == 0 && !json_again_agrees(rows[i].text, n))
			fail_msg("%s: the other reader finds something else", rows[i].name);
	}
}

/* Each byte at each distance from the end and from a word of eight: what may stand in a string as it is. */
static void each_byte_is_looked_at(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++)
		for (size_t at = 0; at < len; at++)
			for (int c = 0; c < 256; c++) {
				char text[32];
				struct canonical_flaw flaw = { .at = GOOD };
				const bool good = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

				memset(text, 'x', sizeof text);
				text[0] = text[len + 1] = '"';
				text[at + 1] = (char)c;
				if ((canonical_check(text, len + 2, &flaw) == 0) != good)
					fail_msg("byte %d at %zu of %zu", c, at, len);
				if (!good && flaw.at != (c == '"'                     ? at + 2
							 : c == '\\' && at + 1 == len ? len + 2
										      : at + 1))
					fail_msg("byte %d at %zu of %zu: told at %zu", c, at, len, flaw.at);
			}
}

/* What stands behind a value is not looked at, and what stands before it neither. */
static void one_value_among_other_things(void **state)
{
	static const struct {
		const char *text;
		size_t at, end; /* end 0: refused */
		unsigned levels;
	} rows[] = {
		{ "x\"a\"x", 1, 4, 0 }, { "12x", 0, 2, 0 },      { "12x", 1, 2, 0 },       { "[1]]", 0, 3, 1 },
		{ "[1]", 0, 0, 0 },     { "[[]]", 0, 0, 1 },     { "[{}]", 0, 4, 2 },      { "1", 1, 0, 16 },
		{ "{}", 1, 0, 16 },     { TEN TEN, 0, 0, 1000 }, { "truefalse", 0, 4, 0 }, { "truefalse", 4, 9, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct canonical_flaw flaw;
		size_t end = 0;

		(void)canonical_scan(rows[i].text, strlen(rows[i].text), rows[i].at, rows[i].levels, &end, &flaw);
		if (end != rows[i].end)
			fail_msg("%s from %zu: %zu", rows[i].text, rows[i].at, end);
	}
}

static struct canonical_value value_of(const char *text)
{
	return (struct canonical_value){ .at = (const uint8_t *)text, .n = strlen(text) };
}

static void values_are_found_by_name(void **state)
{
	static const char text[] = "{\"\":0,\"\\n\":1,\"a\":{\"b\":2},\"ab\":[3],\"b\":\"4\",\"\xe2\x82\xac\":null}";
	static const struct {
		const char *name, *value; /* NULL: not found */
	} rows[] = {
		{ "", "0" },      { "\n", "1" }, { "a", "{\"b\":2}" },       { "ab", "[3]" },
		{ "b", "\"4\"" }, { "c", NULL }, { "\xe2\x82\xac", "null" }, { "abc", NULL },
		{ "\\n", NULL },  { "B", NULL },
	};
	struct canonical_value v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const bool found = canonical_find(value_of(text), rows[i].name, &v);

		if (found != (rows[i].value != NULL) || (found && !canonical_is(v, rows[i].value)))
			fail_msg("%s: %.*s", rows[i].name, found ? (int)v.n : 0, found ? (const char *)v.at : "");
	}
	assert_false(canonical_find(value_of("[\"a\",1]"), "a", &v));
	assert_false(canonical_find(value_of("{}"), "", &v));
	assert_false(canonical_find(value_of("{\"ab\":1}"), "a", &v));
	assert_false(canonical_find(value_of(""), "", &v));
}

static void items_of_an_array_in_turn(void **state)
{
	struct canonical_value v = value_of("[1,[2,3],\"]\",{}]"), item;
	size_t at = 0;

	(void)state;
	assert_true(canonical_item(v, &at, &item) && canonical_is(item, "1"));
	assert_true(canonical_item(v, &at, &item) && canonical_is(item, "[2,3]"));
	assert_true(canonical_item(v, &at, &item) && canonical_is(item, "\"]\""));
	assert_true(canonical_item(v, &at, &item) && canonical_is(item, "{}"));
	assert_false(canonical_item(v, &at, &item));
	assert_false(canonical_item(v, &at, &item));
	at = 0;
	assert_false(canonical_item(value_of("[]"), &at, &item));
	assert_false(canonical_item(value_of("{\"a\":1}"), &at, &item));
	assert_int_equal(at, 0);
}

static void strings_and_counts(void **state)
{
	static const struct {
		const char *text, *string; /* NULL: none */
		size_t room;
		uint64_t count; /* UINT64_MAX: none */
	} rows[] = {
		{ "\"\"", "", 1, UINT64_MAX },
		{ "\"\"", NULL, 0, UINT64_MAX },
		{ "\"abc\"", "abc", 4, UINT64_MAX },
		{ "\"abc\"", NULL, 3, UINT64_MAX },
		{ "\"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\xe2\x82\xac\"", "\"\\\b\t\n\f\r\x01\x1f\xe2\x82\xac", 64,
		  UINT64_MAX },
		{ "\"a\\u0000b\"", NULL, 64, UINT64_MAX },
		{ "\"12\"", "12", 64, UINT64_MAX },
		{ "0", NULL, 64, 0 },
		{ "12", NULL, 64, 12 },
		{ "9007199254740991", NULL, 64, CANONICAL_COUNT_MAX },
		{ "9007199254740992", NULL, 64, UINT64_MAX },
		{ "-1", NULL, 64, UINT64_MAX },
		{ "null", NULL, 64, UINT64_MAX },
		/* what was not checked */
		{ "\"", NULL, 64, UINT64_MAX },
		{ "\"a\"b", NULL, 64, UINT64_MAX },
		{ "\"\\\"", NULL, 64, UINT64_MAX },
		{ "01", NULL, 64, UINT64_MAX },
		{ "1x", NULL, 64, UINT64_MAX },
		{ "", NULL, 64, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[64] = "before";
		uint64_t count = UINT64_MAX;

		if (canonical_string(value_of(rows[i].text), text, rows[i].room) != (rows[i].string != NULL))
			fail_msg("%s in %zu bytes", rows[i].text, rows[i].room);
		if (rows[i].room > 0)
			assert_string_equal(text, rows[i].string != NULL ? rows[i].string : "");
		(void)canonical_count(value_of(rows[i].text), &count);
		if (count != rows[i].count)
			fail_msg("%s: %" PRIu64, rows[i].text, count);
	}
}

/* ---- any values at all ---- */

static void random_text(struct prop *p, char *ret, size_t most)
{
	static const char *const pieces[] = {
		"a",
		"b",
		"Z",
		"0",
		"\"",
		"\\",
		"/",
		"\n",
		"\t",
		"\x01",
		"\x1f",
		"\x7f",
		"\b",
		"\f",
		"\r",
		"\xc2\x80",
		"\xc3\xb6",
		"\xe2\x82\xac",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		" ",
		",",
		"{",
		"]",
		":",
		"\xef\xac\xb3",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf0\x9f\x98\x80",
		"path",
		"size",
		"null",
		"verdict",
		"\xf4\x8f\xbf\xbf",
	};
	size_t n = 0;

	for (uint32_t left = prop_below(p, 7); left > 0; left--) {
		const char *piece = pieces[prop_below(p, COUNT_OF(pieces))];

		if (n + strlen(piece) >= most)
			break;
		memcpy(ret + n, piece, strlen(piece));
		n += strlen(piece);
	}
	ret[n] = 0;
}

static int by_order(const void *a, const void *b)
{
	return json_again_order(*(const char *const *)a, *(const char *const *)b);
}

static void put_random(struct prop *p, struct json *j, unsigned levels);

static void put_random_object(struct prop *p, struct json *j, unsigned levels)
{
	char room[6][32];
	const char *keys[6];
	const uint32_t n = prop_below(p, COUNT_OF(keys) + 1);

	for (uint32_t i = 0; i < n; i++) {
		random_text(p, room[i], sizeof room[i]);
		keys[i] = room[i];
	}
	qsort(keys, n, sizeof *keys, by_order);
	json_put_object(j);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || strcmp(keys[i - 1], keys[i]) != 0)
			put_random(p, json_put_key(j, keys[i]), levels - 1);
	json_put_object_end(j);
}

static void put_random_array(struct prop *p, struct json *j, unsigned levels)
{
	json_put_array(j);
	for (uint32_t left = prop_below(p, 5); left > 0; left--)
		put_random(p, j, levels - 1);
	json_put_array_end(j);
}

/* Whatever json.h can write. */
static void put_random(struct prop *p, struct json *j, unsigned levels)
{
	uint8_t bytes[12];
	char text[64];

	switch (prop_below(p, levels > 0 ? 9 : 6)) {
	case 0: json_put_null(j); break;
	case 1: json_put_bool(j, prop_below(p, 2) == 0); break;
	case 2: json_put_count(j, prop_next(p) >> prop_below(p, 64)); break;
	case 3: json_put_time(j, prop_next(p)); break;
	case 4:
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)prop_below(p, 256);
		json_put_bytes(j, bytes, levels > 0 ? prop_below(p, sizeof bytes) : 0); /* {"b64"} is a level */
		break;
	case 5:
		random_text(p, text, sizeof text);
		json_put_name(j, text);
		break;
	case 6: put_random_array(p, j, levels); break;
	default: put_random_object(p, j, levels);
	}
}

static void random_value(struct prop *p, struct buf *out)
{
	struct json j;

	buf_reset(out);
	json_begin(&j, out);
	put_random(p, &j, prop_below(p, 6));
	assert_false(out->failed);
}

static void what_json_h_writes_is_canonical(void **state)
{
	auto_buf out = { .max = 1u << 20 };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(5000); round++) {
		struct prop p = prop_round(round);
		struct canonical_flaw flaw;

		random_value(&p, &out);
		if (canonical_check(out.data, out.len, &flaw) != 0)
			prop_fail(&p, "%s at %zu: %.*s", flaw.why, flaw.at, (int)out.len, out.data);
		if (!json_again_same(out.data, out.len) || !json_again_agrees(out.data, out.len))
			prop_fail(&p, "%.*s", (int)out.len, out.data);
	}
}

/* One byte changed, put in or taken out; of those that mean something, more often. */
static void spoil(struct prop *p, struct buf *b)
{
	static const char telling[] = "{}[]\",:\\0-1u/eE. \n\x1f\x7f\x80\xc0\xe2\xf0tfn";
	const size_t at = prop_below(p, (uint32_t)b->len);
	const uint8_t byte = prop_below(p, 3) == 0 ? (uint8_t)prop_below(p, 256)
						   : (uint8_t)telling[prop_below(p, sizeof telling - 1)];

	switch (prop_below(p, 3)) {
	case 0: b->data[at] = byte; break;
	case 1:
		memmove(b->data + at, b->data + at + 1, b->len - at - 1);
		b->len--;
		break;
	default:
		buf_put_u8(b, 0);
		memmove(b->data + at + 1, b->data + at, b->len - at - 1);
		b->data[at] = byte;
	}
}

/* The same is taken by both, and the same refused. */
static void what_is_spoilt_is_judged_as_the_other_reader_does(void **state)
{
	auto_buf good = { .max = 1u << 20 }, bad = { .max = 1u << 20 };
	uint64_t taken = 0, refused = 0;

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);

		random_value(&p, &good);
		for (int i = 0; i < 20; i++) {
			struct canonical_flaw flaw = { .why = "taken" };
			bool same;

			buf_reset(&bad);
			buf_put(&bad, good.data, good.len);
			spoil(&p, &bad);
			same = json_again_same(bad.data, bad.len);
			if ((canonical_check(bad.data, bad.len, &flaw) == 0) != same)
				prop_fail(&p, "%s at %zu: %.*s", flaw.why, flaw.at, (int)bad.len, bad.data);
			taken += same;
			refused += !same;
		}
	}
	assert_true(taken > refused / 10 && refused > taken / 10); /* else this shows little */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_canonical_and_where_it_is_not),
		cmocka_unit_test(each_byte_is_looked_at),
		cmocka_unit_test(one_value_among_other_things),
		cmocka_unit_test(values_are_found_by_name),
		cmocka_unit_test(items_of_an_array_in_turn),
		cmocka_unit_test(strings_and_counts),
		cmocka_unit_test(what_json_h_writes_is_canonical),
		cmocka_unit_test(what_is_spoilt_is_judged_as_the_other_reader_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
