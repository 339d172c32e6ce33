/* The pure parts of the role that speaks JSON-RPC: lines, text in pieces, JSON, and the table of methods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/frame.h"
#include "rpc/method.h"
#include "rpc/rpc.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- lines ---- */

/* What comes out, in one text: "<line>" for each, "!" for one that is too long. */
static void read_in_pieces(const char *bytes, size_t n, size_t piece, struct buf *out)
{
	struct frame f;

	frame_init(&f);
	for (size_t at = 0; at <= n; at += piece) {
		const size_t some = n - at < piece ? n - at : piece;
		const bool ended = at + piece > n;
		enum frame_state s;
		const char *line;
		size_t length;

		assert_true(frame_add(&f, bytes + at, some));
		while ((s = frame_next(&f, ended, &line, &length)) != FRAME_NONE) {
			if (s == FRAME_LONG) {
				buf_put(out, "!", 1);
				continue;
			}
			buf_put(out, "<", 1);
			buf_put(out, line, length);
			buf_put(out, ">", 1);
		}
	}
	frame_finish(&f);
}

static void lines_are_the_same_however_they_come(void **state)
{
	static const struct {
		const char *bytes, *lines;
	} rows[] = {
		{ "", "" },
		{ "a", "<a>" },
		{ "a\n", "<a>" },
		{ "a\nb", "<a><b>" },
		{ "\n\nabc\n\n", "<><><abc><>" },
		{ "one\ntwo and more\nthree\n", "<one><two and more><three>" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t piece = 1; piece < 8; piece++) {
			auto_buf out = { .max = 1024 };

			read_in_pieces(rows[i].bytes, strlen(rows[i].bytes), piece, &out);
			if (out.len != strlen(rows[i].lines) || memcmp(buf_cstr(&out), rows[i].lines, out.len) != 0)
				fail_msg("row %zu in pieces of %zu: %s", i, piece, buf_cstr(&out));
		}
}

static void a_long_line_is_told_once_and_left_out(void **state)
{
	static const struct {
		size_t length;
		const char *after;
		bool good;
	} rows[] = {
		{ FRAME_LINE_MAX, "\nb\n", true },
		{ FRAME_LINE_MAX + 1, "\nb\n", false },
		{ FRAME_LINE_MAX + FRAME_READ, "\nb\n", false },
		{ 3 * FRAME_LINE_MAX, "\nb\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = rows[i].length + strlen(rows[i].after);
		auto_buf out = { .max = 4 * FRAME_LINE_MAX };
		char *bytes = malloc(n + 1);

		assert_non_null(bytes);
		memset(bytes, 'x', rows[i].length);
		strcpy(bytes + rows[i].length, rows[i].after);
		read_in_pieces(bytes, n, FRAME_READ, &out);
		if (rows[i].good)
			assert_int_equal(out.len, rows[i].length + 2 + 3);
		else
			assert_string_equal(buf_cstr(&out), "!<b>");
		free(bytes);
	}
}

/* ---- pieces of text ---- */

static void a_character_is_not_cut(void **state)
{
	static const struct {
		const char *bytes;
		bool last;
		size_t whole;
	} rows[] = {
		{ "", false, 0 },
		{ "abc", false, 3 },
		{ "a\xc3", false, 1 },
		{ "a\xc3", true, 2 },
		{ "\xe2\x82", false, 0 },
		{ "a\xe2\x82\xac", false, 4 },
		{ "ab\xf0\x9f\x92", false, 2 },
		{ "a\x80", false, 2 },     /* begins no character */
		{ "a\xc3(", false, 3 },    /* nor goes on as one */
		{ "a\xf5\x80", false, 3 }, /* beyond all characters */
		{ "\xff"
		  "a\xc3",
		  false, 3 }, /* is no text in any case */
		{ "a\xe2\x82\xac\xe2", false, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (chunk_whole(rows[i].bytes, strlen(rows[i].bytes), rows[i].last) != rows[i].whole)
			fail_msg("row %zu", i);
}

/* ---- JSON ---- */

static void json_is_bounded(void **state)
{
	static const struct {
		size_t depth, values;
		int code;
	} rows[] = {
		{ PARSE_DEPTH_MAX, 0, 0 },
		{ PARSE_DEPTH_MAX + 1, 0, AMBIT_LIMIT },
		{ 1, PARSE_VALUES_MAX - 1, 0 },
		{ 1, PARSE_VALUES_MAX, AMBIT_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf text = { .max = 1u << 20 };
		struct mistake m;
		json_t *json;

		for (size_t k = 0; k < rows[i].depth; k++)
			buf_put(&text, "[", 1);
		for (size_t k = 0; k < rows[i].values; k++)
			buf_put(&text, "0,", 2);
		buf_put(&text, "\"[,\\\",[\"", 8); /* within a text nothing counts */
		for (size_t k = 0; k < rows[i].depth; k++)
			buf_put(&text, "]", 1);
		json = parse_json((const char *)text.data, text.len, &m);
		if ((json != NULL) != (rows[i].code == 0) || (json == NULL && (int)m.err.code != rows[i].code))
			fail_msg("row %zu: %s", i, m.err.msg);
		json_decref(json);
	}
}

/* ---- the table ---- */

static void methods_are_found_by_their_words(void **state)
{
	enum method m;
	struct err e;

	(void)state;
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		assert_int_equal(method_find(method_row((enum method)i)->name, &m, &e), 0);
		assert_int_equal(m, i);
	}
	assert_int_equal(method_find("event.rum", &m, &e), -AMBIT_UNKNOWN);
	assert_string_equal(e.hint, "did you mean 'event.run'?");
	assert_string_equal(note_word(NOTE_DAEMON_LOST), "daemon.lost");
}

static json_t *right_value(enum param_type type)
{
	if (type == PARAM_COUNT)
		return json_integer(1);
	if (type == PARAM_NAMES)
		return json_pack("[s]", "a");
	if (type == PARAM_WORD_LANGUAGE)
		return json_string("node");
	return json_string(type == PARAM_WORD_STREAM ? "stdout" : "s_01HZZZZZZZ0000000000000000");
}

/* null is of no type. */
static void each_parameter_has_its_type(void **state)
{
	size_t n;
	const struct method_row *rows = method_rows(&n);
	enum method m = METHOD_HELLO;
	struct err e;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct mistake wrong = { .place = "" };
		json_t *params;

		if (rows[i].kind == ROW_METHOD)
			assert_int_equal(method_find(rows[i].name, &m, &e), 0);
		if (rows[i].kind != ROW_PARAM)
			continue;
		params = json_pack("{s:n}", rows[i].name);
		assert_non_null(params);
		for (const struct method_row *p = method_row(m) + 1; p < &rows[i]; p++) /* what is looked at before */
			if (p->needed)
				json_object_set_new(params, p->name, right_value(p->type));
		assert_true(method_check(m, params, &wrong) < 0);
		assert_string_equal(wrong.place + strlen("/params/"), rows[i].name);
		json_decref(params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_however_they_come),
		cmocka_unit_test(a_long_line_is_told_once_and_left_out),
		cmocka_unit_test(a_character_is_not_cut),
		cmocka_unit_test(json_is_bounded),
		cmocka_unit_test(methods_are_found_by_their_words),
		cmocka_unit_test(each_parameter_has_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
