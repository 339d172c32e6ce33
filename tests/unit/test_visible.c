/* What is shown of foreign text: rows; the tables; and any text: what is shown moves nothing, and different texts are shown differently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "approve/visible.h"
#include "base/text.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ALL SIZE_MAX

static const char *show(const void *text, size_t n, size_t most, struct buf *room, struct visible *v)
{
	buf_reset(room);
	visible_put(room, span_bytes(text, n), most, v);
	return buf_cstr(room);
}

static void rows_are_shown(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "rm -rf build/*.o && echo \"$x\" ~", "rm -rf build/*.o && echo \"$x\" ~" },
		{ "a\\b", "a\\\\b" },
		{ "\\u{202E}", "\\\\u{202E}" },
		{ "a\nb\r\tc", "a\\u{A}b\\u{D}\\u{9}c" },
		{ "\x1b[2J", "\\u{1B}[2J" },
		{ "\x7f", "\\u{7F}" },
		{ "\xc2\x9b\x32J", "\\u{9B}2J" },
		{ "\u202egnirts\u202c", "\\u{202E}gnirts\\u{202C}" },
		{ "\u2066x\u2069\u061c", "\\u{2066}x\\u{2069}\\u{61C}" },
		{ "a\u200bb\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\ufe0f",
		  "a\\u{200B}b\\u{200C}\\u{200D}\\u{2060}\\u{FEFF}\\u{AD}\\u{34F}\\u{180E}\\u{FE0F}" },
		{ "\u115f\u1160\u3164\uffa0", "\\u{115F}\\u{1160}\\u{3164}\\u{FFA0}" },
		{ "\U000e0041\U000e007f", "\\u{E0041}\\u{E007F}" },
		{ "a\u2028b\u2029\xc2\x85", "a\\u{2028}b\\u{2029}\\u{85}" },
		{ "a\u00a0b\u3000\u2003", "a\\u{A0}b\\u{3000}\\u{2003}" },
		{ "\xff\xc0\xaf", "\\xFF\\xC0\\xAF" },
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" },
		{ "a b", "a b" },
		{ " a", "\\u{20}a" },
		{ "a ", "a\\u{20}" },
		{ "a  b", "a\\u{20}\\u{20}b" },
		{ " ", "\\u{20}" },
		{ "na\u00efve \u00d8 \u0141", "na\u00efve \u00d8 \u0141" },
		{ "\u00d7\u00f7", "\\u{D7}\\u{F7}" },
		{ "e\u0301", "e\\u{301}" },
		{ "\u0436\u0434", "\u0436\u0434" },
		{ "g\u043e\u043egle", "g\\u{43E}\\u{43E}gle" },
		{ "\u03b4\u03bb", "\u03b4\u03bb" },
		{ "\u0391", "\\u{391}" },
		{ "\u6771\u4eac\u306b\u30bf\uc11c", "\u6771\u4eac\u306b\u30bf\uc11c" },
		{ "\u05e9\u0645", "\\u{5E9}\\u{645}" },
		{ "\uff32\uff2d", "\\u{FF32}\\u{FF2D}" },
		{ "\U0001d41a", "\\u{1D41A}" },
		{ "\u2713\U0001f600", "\\u{2713}\\u{1F600}" },
		{ "\u0483\ue000\ufdd0\uffff", "\\u{483}\\u{E000}\\u{FDD0}\\u{FFFF}" },
	};
	auto_buf out = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *shown = show(rows[i].text, strlen(rows[i].text), ALL, &out, &v);

		if (strcmp(shown, rows[i].shown) != 0)
			fail_msg("row %zu: '%s', and not '%s'", i, shown, rows[i].shown);
		assert_int_equal(v.n_cut, 0);
	}
	show("a\0b", 3, ALL, &out, &v);
	assert_string_equal(buf_cstr(&out), "a\\u{0}b");
}

static void what_looks_like_ascii_is_said(void **state)
{
	static const struct {
		uint32_t c;
		char as;
	} rows[] = { { 0x430, 'a' },   { 0x435, 'e' },   { 0x410, 'A' },   { 0x3bf, 'o' },   { 0x392, 'B' },
		     { 0xff21, 'A' },  { 0xff5a, 'z' },  { 0xff10, '0' },  { 0xff5e, '~' },  { 0x1d400, 'A' },
		     { 0x1d433, 'z' }, { 0x1d670, 'A' }, { 0x1d6a3, 'z' }, { 0x1d7ce, '0' }, { 0x1d7ff, '9' },
		     { 0x24b6, 'A' },  { 0x24e9, 'z' },  { 0x2164, 'V' },  { 0x3000, ' ' },  { 0x2044, '/' },
		     { 0x212a, 'K' },  { 0xa0, ' ' },    { 0x131, 'i' },   { 0x4e28, '|' } };
	auto_buf out = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[8], wanted[64];
		const uint32_t c = rows[i].c;
		size_t n;

		if (c < 0x800)
			n = (size_t)snprintf(text, sizeof text, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
		else if (c < 0x10000)
			n = (size_t)snprintf(text, sizeof text, "%c%c%c", (int)(0xe0 | c >> 12),
					     (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
		else
			n = (size_t)snprintf(text, sizeof text, "%c%c%c%c", (int)(0xf0 | c >> 18),
					     (int)(0x80 | (c >> 12 & 0x3f)), (int)(0x80 | (c >> 6 & 0x3f)),
					     (int)(0x80 | (c & 0x3f)));
		show(text, n, ALL, &out, &v);
		if (v.n_looks != 1 || v.looks[0].is != c || v.looks[0].as != rows[i].as)
			fail_msg("U+%X: '%c', and not '%c'", c, v.n_looks == 1 ? v.looks[0].as : '?', rows[i].as);
		(void)snprintf(wanted, sizeof wanted, "\\u{%X}", c);
		assert_string_equal(buf_cstr(&out), wanted); /* and is written out */
	}
}

static void words_of_several_scripts_are_said(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *first;
	} rows[] = {
		{ "google", 0, "" },
		{ "g\u043e\u043egle", 1, "g\\u{43E}\\u{43E}gle (Latin, Cyrillic)" },
		{ "\u0436\u0434\u0443", 0, "" },
		{ "ab \u0436\u0434", 0, "" },
		{ "ab-\u0436\u0434", 0, "" },
		{ "x1\u03b4 a\u0436", 2, "x1\u03b4 (Latin, Greek)" },
		{ "a\u200b\u0436", 1, "a\\u{200B}\u0436 (Latin, Cyrillic)" },
		{ "a\uff42", 1, "a\\u{FF42} (Latin, other)" },
		{ "\u03b4\u0436\u6771", 1, "\u03b4\u0436\u6771 (Greek, Cyrillic, East Asian)" },
		{ "7\u0436", 0, "" },
		{ "\u6771\u4eac\u30bf\u308f\uc11c", 0, "" },
		{ "a\u2713\u0436", 0, "" },
	};
	auto_buf out = { .max = 0 }, notes = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 4096);
	buf_init(&notes, 4096);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		show(rows[i].text, strlen(rows[i].text), ALL, &out, &v);
		buf_reset(&notes);
		visible_put_notes(&notes, &v);
		if (v.n_mixed != rows[i].n || strstr(buf_cstr(&notes), rows[i].first) == NULL)
			fail_msg("row %zu: %zu: %s", i, v.n_mixed, buf_cstr(&notes));
	}
}

static void notes_are_told_in_words(void **state)
{
	auto_buf out = { .max = 0 }, notes = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 65536);
	buf_init(&notes, 65536);
	show("plain", 5, ALL, &out, &v);
	visible_put_notes(&notes, &v);
	assert_int_equal(notes.len, 0);
	show("p\u0430\u0443\u0430l \u202e!", strlen("p\u0430\u0443\u0430l \u202e!"), 30, &out, &v);
	assert_string_equal(buf_cstr(&out), "p\\u{430}\\u{443}\\u{430}l \\{4 bytes more}");
	visible_put_notes(&notes, &v);
	assert_string_equal(
		buf_cstr(&notes),
		"written out, since it cannot be seen or be told from others: 3 characters\n"
		"looks like ASCII and is not: \\u{430} as 'a', \\u{443} as 'y'\n"
		"words with letters of several scripts: 1; the first is p\\u{430}\\u{443}\\u{430}l (Latin, Cyrillic)\n"
		"not shown: 4 bytes\n");
}

static void no_count_is_lost(void **state)
{
	auto_buf out = { .max = 0 }, notes = { .max = 0 }, text = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 65536);
	buf_init(&notes, 65536);
	buf_init(&text, 4096);
	for (unsigned i = 0; i < 20; i++) /* twenty letters in full width */
		buf_printf(&text, "\xef\xbc%c", (int)(0xa1 + i));
	buf_printf(&text, "\xef\xbc\xb3");
	show(text.data, text.len, ALL, &out, &v);
	assert_int_equal(v.n_looks, VISIBLE_LOOKS_MAX);
	assert_int_equal(v.n_looks_more, 5); /* four others, one of them twice */
	visible_put_notes(&notes, &v);
	assert_non_null(strstr(buf_cstr(&notes), ", and others 5 times"));
	buf_reset(&text);
	for (unsigned i = 0; i < 100; i++)
		buf_printf(&text, "a\u0436");
	show(text.data, text.len, ALL, &out, &v);
	assert_int_equal(v.mixed.n, 94); /* 31 times both, and the one that has a single byte */
	assert_int_equal(v.mixed.n_more, 137);
	buf_reset(&notes);
	visible_put_notes(&notes, &v);
	assert_non_null(strstr(buf_cstr(&notes), " characters more}"));
}

static void what_is_cut_is_counted(void **state)
{
	auto_buf out = { .max = 0 };
	struct visible v;

	(void)state;
	buf_init(&out, 4096);
	for (size_t most = 0; most <= 12; most++) {
		const char *shown = show("ab\u0436\ncd", 7, most, &out, &v);
		static const char *const rows[] = { "\\{7 bytes more}",
						    "a\\{6 bytes more}",
						    "ab\\{5 bytes more}",
						    "ab\\{5 bytes more}",
						    "ab\u0436\\{3 bytes more}",
						    "ab\u0436\\{3 bytes more}",
						    "ab\u0436\\{3 bytes more}",
						    "ab\u0436\\{3 bytes more}",
						    "ab\u0436\\{3 bytes more}",
						    "ab\u0436\\u{A}\\{2 bytes more}",
						    "ab\u0436\\u{A}c\\{1 bytes more}",
						    "ab\u0436\\u{A}cd",
						    "ab\u0436\\u{A}cd" };

		if (strcmp(shown, rows[most]) != 0)
			fail_msg("%zu: '%s', and not '%s'", most, shown, rows[most]);
	}
}

/* ---- the table ---- */

static void the_table_is_in_order(void **state)
{
	static const struct {
		uint32_t first, last;
		int as, step;
	} rows[] = {
#define LOOKS(first, last, as, step) { (first), (last), (as), (step) },
#include "approve/confusables.def"
#undef LOOKS
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const int end = rows[i].as + rows[i].step * (int)(rows[i].last - rows[i].first);

		if (rows[i].first < 0x80 || rows[i].first > rows[i].last ||
		    (i > 0 && rows[i].first <= rows[i - 1].last))
			fail_msg("U+%X is not in its place", rows[i].first);
		if (rows[i].as < 0x20 || end > 0x7e)
			fail_msg("U+%X looks like nothing of ASCII", rows[i].first);
	}
}

/* ---- any text ---- */

static bool is_letter(uint32_t c)
{
	return (c >= 0xc0 && c <= 0x17f && c != 0xd7 && c != 0xf7) || (c >= 0x386 && c <= 0x3f5) ||
	       (c >= 0x400 && c <= 0x4ff && (c < 0x482 || c > 0x489)) || (c >= 0x3041 && c <= 0x30fa) ||
	       (c >= 0x4e00 && c <= 0x9fef) || (c >= 0xac00 && c <= 0xd7a3);
}

/* What pieces of shown text stand for. */
static void take_back(const char *shown, struct buf *out)
{
	while (*shown != 0) {
		unsigned c = 0;
		int n = 0;

		if (shown[0] != '\\') {
			buf_put_u8(out, (uint8_t)*shown++);
		} else if (shown[1] == '\\') {
			buf_put_u8(out, '\\');
			shown += 2;
		} else if (sscanf(shown, "\\x%2X%n", &c, &n) == 1) {
			buf_put_u8(out, (uint8_t)c);
			shown += n;
		} else {
			assert_int_equal(sscanf(shown, "\\u{%X}%n", &c, &n), 1);
			assert_true(n > 0);
			shown += n;
			if (c < 0x80)
				buf_printf(out, "%c", (int)c);
			else if (c < 0x800)
				buf_printf(out, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
			else if (c < 0x10000)
				buf_printf(out, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)),
					   (int)(0x80 | (c & 0x3f)));
			else
				buf_printf(out, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)),
					   (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
		}
	}
}

static void put_any(struct prop *p, struct buf *out)
{
	static const char *const pieces[] = { " ",      "  ",        "\\",     "\\u{41}", "{",        "}",
					      "\n",     "\x1b[0m",   "\u202e", "\u200b",  "a",        "Z",
					      "0",      "\u0430",    "\u0436", "\u03b4",  "\uff21",   "\U0001d400",
					      "\u6771", "e\u0301",   "\xff",   "\xc3",    "\xe2\x82", "\u00e9",
					      "\u05d0", "\U000e0041" };
	const uint32_t n = prop_below(p, 24);

	for (uint32_t i = 0; i < n; i++)
		if (prop_below(p, 4) == 0)
			buf_put_u8(out, (uint8_t)prop_below(p, 256));
		else
			buf_printf(out, "%s", pieces[prop_below(p, COUNT_OF(pieces))]);
}

static void any_text_is_shown_safely_and_can_be_had_back(void **state)
{
	auto_buf text = { .max = 0 }, out = { .max = 0 }, back = { .max = 0 };

	(void)state;
	buf_init(&text, 4096);
	buf_init(&out, 65536);
	buf_init(&back, 4096);
	for (uint64_t round = 0; round < prop_rounds(20000); round++) {
		struct prop p = prop_round(round);
		struct visible v;
		const char *shown;

		buf_reset(&text);
		buf_reset(&back);
		put_any(&p, &text);
		shown = show(text.data, text.len, ALL, &out, &v);
		for (size_t at = 0; at < out.len;) {
			uint32_t c = 0;
			const size_t took = text_decode(shown + at, out.len - at, &c);

			if (took == 0 || !((c >= 0x20 && c < 0x7f) || is_letter(c)))
				prop_fail(&p, "U+%X is shown as it is", c);
			at += took;
		}
		take_back(shown, &back);
		if (!buf_is_same(&text, &back))
			prop_fail(&p, "'%s' is another text", shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_shown),
		cmocka_unit_test(what_looks_like_ascii_is_said),
		cmocka_unit_test(words_of_several_scripts_are_said),
		cmocka_unit_test(notes_are_told_in_words),
		cmocka_unit_test(no_count_is_lost),
		cmocka_unit_test(what_is_cut_is_counted),
		cmocka_unit_test(the_table_is_in_order),
		cmocka_unit_test(any_text_is_shown_safely_and_can_be_had_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
