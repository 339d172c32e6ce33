/* The pure parts of the role that speaks MCP: the table of tools with its schemas and checks, what a client is told, and what the command line tells the role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "mcp/link.h"
#include "mcp/say.h"
#include "mcp/tools.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- names ---- */

static void names_lead_to_their_tools(void **state)
{
	(void)state;
	for (unsigned t = 0; t < TOOL_COUNT; t++) {
		const char *name = tool_name(t);

		assert_non_null(name);
		assert_int_equal(tool_of_name(name, strlen(name)), t);
		assert_int_equal(tool_of_name(name, strlen(name) - 1), TOOL_COUNT);
		assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz") == strlen(name));
	}
	assert_null(tool_name(TOOL_COUNT));
	assert_null(tool_name(UINT32_MAX));
	assert_int_equal(tool_of_name("", 0), TOOL_COUNT);
	assert_int_equal(tool_of_name("Run", 3), TOOL_COUNT);
	assert_int_equal(tool_of_name("run,read", 3), TOOL_RUN);
	assert_true(TOOL_COUNT <= 32); /* bits of a mask */
}

/* ---- how tools are listed ---- */

static json_t *listed(enum tool t, bool reaches)
{
	auto_buf out = { .max = 64u << 10 };
	struct json j;
	json_t *tool;

	json_begin(&j, &out);
	tool_put(&j, t, reaches, false);
	assert_false(out.failed);
	tool = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(tool);
	return tool;
}

static const json_t *inside(const json_t *v, const char *a, const char *b)
{
	return json_object_get(json_object_get(v, a), b);
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, one)
	{
		if (strcmp(json_string_value(one), text) == 0)
			return true;
	}
	return false;
}

enum { MAY, NEEDED };
enum { READS = 1, CHANGES = 2, REACHES = 4 };
static const struct argument {
	enum tool tool;
	const char *name, *type;
	int need;
	long long most;
} arguments[] = {
#define TOOL(name_, word, title, does, gives, text) { TOOL_##name_, NULL, NULL, MAY, (does) },
#define ARGUMENT(name_, type_, need_, most_, text) { TOOL_COUNT, (name_), #type_, (need_), (most_) },
#include "mcp/tools.def"
#undef TOOL
#undef ARGUMENT
};

static const char *type_word(const char *type)
{
	static const char *const words[][2] = { { "TEXT", "string" },
						{ "TEXTS", "array" },
						{ "TEXT_MAP", "object" },
						{ "COUNT", "integer" },
						{ "BOOL", "boolean" } };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i][0], type) == 0)
			return words[i][1];
	fail_msg("no type %s", type);
	return NULL;
}

static void check_argument(const json_t *tool, const struct argument *a)
{
	const json_t *schema = json_object_get(tool, "inputSchema"), *one = inside(schema, "properties", a->name);

	if (one == NULL || strcmp(json_string_value(json_object_get(one, "type")), type_word(a->type)) != 0 ||
	    has_text(json_object_get(schema, "required"), a->name) != (a->need == NEEDED))
		fail_msg("%s: %s", json_string_value(json_object_get(tool, "name")), a->name);
	if (strcmp(a->type, "COUNT") == 0)
		assert_int_equal(json_integer_value(json_object_get(one, "maximum")), a->most);
	if (strcmp(a->type, "TEXTS") == 0)
		assert_int_equal(json_integer_value(json_object_get(one, "maxItems")), a->most);
	assert_true(json_string_length(json_object_get(one, "description")) > 5);
}

static void each_row_stands_in_the_schema(void **state)
{
	size_t n_properties = 0, n_arguments = 0;
	json_t *tool = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(arguments); i++) {
		if (arguments[i].name == NULL) {
			json_decref(tool);
			tool = listed(arguments[i].tool, true);
			n_properties += json_object_size(inside(tool, "inputSchema", "properties"));
			assert_true(json_is_false(inside(tool, "inputSchema", "additionalProperties")));
			assert_string_equal(json_string_value(inside(tool, "outputSchema", "type")), "object");
			assert_string_equal(json_string_value(json_object_get(tool, "name")),
					    tool_name(arguments[i].tool));
			continue;
		}
		n_arguments++;
		check_argument(tool, &arguments[i]);
	}
	json_decref(tool);
	assert_int_equal(n_properties, n_arguments);
}

static void what_results_require_they_describe(void **state)
{
	(void)state;
	for (unsigned t = 0; t < TOOL_COUNT; t++) {
		json_t *tool = listed((enum tool)t, false), *one;
		size_t i;

		json_array_foreach((json_t *)(uintptr_t)inside(tool, "outputSchema", "required"), i, one)
			assert_non_null(
				json_object_get(inside(tool, "outputSchema", "properties"), json_string_value(one)));
		json_decref(tool);
	}
}

static void annotations_are_all_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(arguments); i++) {
		static const struct {
			const char *name;
			unsigned bit;
			bool with_reach;
		} rows[] = { { "readOnlyHint", READS, false },
			     { "destructiveHint", CHANGES, false },
			     { "idempotentHint", READS, false },
			     { "openWorldHint", REACHES, true } };

		for (int reaches = 0; arguments[i].name == NULL && reaches < 2; reaches++) {
			json_t *tool = listed(arguments[i].tool, reaches != 0);

			for (size_t k = 0; k < COUNT_OF(rows); k++) {
				const json_t *v = inside(tool, "annotations", rows[k].name);
				const bool want = ((unsigned)arguments[i].most & rows[k].bit) != 0 &&
						  (!rows[k].with_reach || reaches != 0);

				if (!json_is_boolean(v) || json_is_true(v) != want)
					fail_msg("%s: %s", tool_name(arguments[i].tool), rows[k].name);
			}
			json_decref(tool);
		}
	}
}

/* ---- arguments ---- */

static void arguments_are_held_against_the_table(void **state)
{
	static const struct {
		enum tool tool;
		const char *arguments;
		int want;
		const char *place;
	} rows[] = {
		{ TOOL_RUN, "{\"argv\":[\"true\"]}", 0, "" },
		{ TOOL_RUN, NULL, -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{}", -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{\"argv\":[]}", -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{\"argv\":null}", -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{\"argv\":\"true\"}", -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{\"argv\":{\"0\":\"true\"}}", -AMBIT_USAGE, "/arguments/argv" },
		{ TOOL_RUN, "{\"argv\":[\"a\",1]}", -AMBIT_USAGE, "/arguments/argv/1" },
		{ TOOL_RUN, "{\"argv\":[\"a\",[\"b\"]]}", -AMBIT_USAGE, "/arguments/argv/1" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"more\":1}", -AMBIT_USAGE, "/arguments/more" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"\":1}", -AMBIT_USAGE, "/arguments/" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"env\":{\"A\":\"b\",\"C\":\"\"}}", 0, "" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"env\":{\"A\":1}}", -AMBIT_USAGE, "/arguments/env/A" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"env\":{\"A=\":\"b\"}}", -AMBIT_USAGE, "/arguments/env/A=" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"env\":{\"\":\"b\"}}", -AMBIT_USAGE, "/arguments/env/" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"env\":[\"A=b\"]}", -AMBIT_USAGE, "/arguments/env" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":86400}", 0, "" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":86401}", -AMBIT_LIMIT, "/arguments/timeout" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":-1}", -AMBIT_USAGE, "/arguments/timeout" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":1.0}", -AMBIT_USAGE, "/arguments/timeout" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":true}", -AMBIT_USAGE, "/arguments/timeout" },
		{ TOOL_RUN, "{\"argv\":[\"a\"],\"timeout\":\"1\"}", -AMBIT_USAGE, "/arguments/timeout" },
		{ TOOL_EDIT, "{\"path\":\"f\",\"old\":\"a\",\"new\":\"\",\"all\":false}", 0, "" },
		{ TOOL_EDIT, "{\"path\":\"f\",\"old\":\"a\",\"new\":\"\",\"all\":0}", -AMBIT_USAGE, "/arguments/all" },
		{ TOOL_EDIT, "{\"path\":\"f\",\"old\":\"a\"}", -AMBIT_USAGE, "/arguments/new" },
		{ TOOL_LIST, NULL, 0, "" },
		{ TOOL_LIST, "{}", 0, "" },
		{ TOOL_LIST, "{\"depth\":16}", 0, "" },
		{ TOOL_LIST, "{\"depth\":17}", -AMBIT_LIMIT, "/arguments/depth" },
		{ TOOL_SESSION, "{}", 0, "" },
		{ TOOL_SESSION, "{\"n\":1}", -AMBIT_USAGE, "/arguments/n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *v = rows[i].arguments == NULL ? NULL : json_loads(rows[i].arguments, 0, NULL);
		struct mistake m = { .place = "" };
		const int r = tool_check(rows[i].tool, v, &m);

		assert_true(v != NULL || rows[i].arguments == NULL);
		if (r != rows[i].want || strcmp(m.place, rows[i].place) != 0 || (r < 0 && m.err.msg[0] == 0))
			fail_msg("row %zu: %s: %d, %s", i, rows[i].arguments != NULL ? rows[i].arguments : "none", r,
				 m.place);
		json_decref(v);
	}
}

/* A text, list or object of that argument with so much in it, at its most and one more. */
static json_t *of_size(const char *type, size_t n)
{
	json_t *v = strcmp(type, "TEXTS") == 0 ? json_array() : json_object();

	for (size_t i = 0; i < n; i++) {
		char key[24];

		(void)snprintf(key, sizeof key, "k%zu", i);
		assert_int_equal(strcmp(type, "TEXTS") == 0 ? json_array_append_new(v, json_string("a"))
							    : json_object_set_new(v, key, json_string("a")),
				 0);
	}
	return v;
}

static json_t *text_of_size(size_t n)
{
	char *text = malloc(n + 1);
	json_t *v;

	assert_non_null(text);
	memset(text, 'a', n);
	v = json_stringn(text, n);
	free(text);
	return v;
}

static void each_bound_holds_and_is_reached(void **state)
{
	enum tool t = TOOL_COUNT;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(arguments); i++) {
		const struct argument *a = &arguments[i];

		t = a->name == NULL ? a->tool : t;
		for (long long over = 0; a->name != NULL && strcmp(a->type, "BOOL") != 0 && over < 2; over++) {
			const size_t n = (size_t)(a->most + over);
			json_t *all = json_object();
			struct mistake m = { .place = "" };
			char place[64];
			int r;

			for (size_t k = i; k > 0 && arguments[k - 1].name != NULL; k--)
				if (arguments[k - 1].need == NEEDED)
					(void)json_object_set_new(all, arguments[k - 1].name, json_string("x"));
			for (size_t k = i + 1; k < COUNT_OF(arguments) && arguments[k].name != NULL; k++)
				if (arguments[k].need == NEEDED)
					(void)json_object_set_new(all, arguments[k].name, json_string("x"));
			if (t == TOOL_RUN)
				(void)json_object_set_new(all, "argv", json_pack("[s]", "x"));
			(void)json_object_set_new(all, a->name,
						  strcmp(a->type, "COUNT") == 0  ? json_integer((json_int_t)n)
						  : strcmp(a->type, "TEXT") == 0 ? text_of_size(n)
										 : of_size(a->type, n));
			r = tool_check(t, all, &m);
			(void)snprintf(place, sizeof place, "/arguments/%s", a->name);
			if (r != (over != 0 ? -AMBIT_LIMIT : 0) || strcmp(m.place, over != 0 ? place : "") != 0)
				fail_msg("%s.%s of %zu: %d, %s", tool_name(t), a->name, n, r, m.place);
			json_decref(all);
		}
	}
}

/* MAX_ARG_STRLEN, with its NUL. */
static void one_text_of_a_list_fits_into_an_argument(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		json_t *v = json_pack("{s:[o]}", "argv", text_of_size((128u << 10) - 1 + over));
		struct mistake m = { .place = "" };

		assert_non_null(v);
		assert_int_equal(tool_check(TOOL_RUN, v, &m), over != 0 ? -AMBIT_LIMIT : 0);
		json_decref(v);
	}
}

static void what_is_meant_is_hinted_at(void **state)
{
	json_t *v = json_pack("{s:[s],s:{}}", "argv", "a", "evn");
	struct mistake m = { .place = "" };

	(void)state;
	assert_int_equal(tool_check(TOOL_RUN, v, &m), -AMBIT_USAGE);
	assert_non_null(strstr(m.err.hint, "env"));
	json_decref(v);
}

/* ---- what is told ---- */

static void texts_are_one_line_of_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
	} rows[] = {
#define ROW(bytes, want) { (bytes), sizeof(bytes) - 1, (want) }
		ROW("", "\"\""),
		ROW("a", "\"a\""),
		ROW("\"\\/", "\"\\\"\\\\/\""),
		ROW("\n\t\r\b\f", "\"\\n\\t\\r\\u0008\\u000c\""),
		ROW("a\0b", "\"a\\u0000b\""),
		ROW("\x1f\x20\x7f", "\"\\u001f \x7f\""),
		ROW("\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9\""),
		ROW("\xff", "\"\xef\xbf\xbd\""),
		ROW("a\xff\xfe"
		    "b",
		    "\"a\xef\xbf\xbd\xef\xbf\xbd"
		    "b\""),
		ROW("\xc3", "\"\xef\xbf\xbd\""),
		ROW("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""),
		ROW("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
		ROW("\xc0\xaf\n", "\"\xef\xbf\xbd\xef\xbf\xbd\\n\""),
		ROW("\xf4\x90\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""),
		ROW("\xe2\x80\xa8", "\"\xe2\x80\xa8\""),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 1024 };
		struct json j;

		json_begin(&j, &out);
		say_text(&j, rows[i].bytes, rows[i].n);
		if (strcmp(buf_cstr(&out), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&out));
	}
}

/* Whatever the bytes: one line, UTF-8, and what a reader takes from it has as many characters as there were, or bytes that were none. */
static void any_bytes_become_json(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		auto_buf out = { .max = 1024 };
		uint8_t bytes[12];
		struct json j;
		json_t *v;

		for (size_t k = 0; k < sizeof bytes; k++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[k] = (uint8_t)(seed >> ((seed >> 30) == 0 ? 8 : 24));
		}
		json_begin(&j, &out);
		say_text(&j, bytes, i % (sizeof bytes + 1));
		assert_null(memchr(out.data, '\n', out.len));
		v = json_loadb((const char *)out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(v);
		if (text_is_utf8(bytes, i % (sizeof bytes + 1), NULL))
			assert_memory_equal(json_string_value(v), bytes, i % (sizeof bytes + 1));
		json_decref(v);
	}
}

static json_t *line_of(struct buf *out)
{
	json_t *v;

	assert_true(out->len > 0 && memchr(out->data, '\n', out->len) == out->data + out->len - 1);
	v = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_object_get(v, "jsonrpc")), "2.0");
	return v;
}

static void errors_say_what_and_where(void **state)
{
	auto_buf out = { .max = 4096 };
	struct mistake m = { .place = "/params/\"x\n\xff" };
	json_t *v;

	(void)state;
	(void)err_set(&m.err, AMBIT_USAGE, "a \"hint\"\n", "a \"message\" of \x01\xff");
	say_error(&out, "\"id\"", &m, SAY_PARAMS);
	v = line_of(&out);
	assert_int_equal(json_integer_value(inside(v, "error", "code")), SAY_PARAMS);
	assert_string_equal(json_string_value(json_object_get(v, "id")), "id");
	assert_string_equal(json_string_value(json_object_get(inside(v, "error", "data"), "code")), "USAGE");
	assert_string_equal(json_string_value(json_object_get(inside(v, "error", "data"), "hint")), "a \"hint\"\n");
	assert_null(json_object_get(v, "result"));
	json_decref(v);
	buf_reset(&out);
	say_error(&out, NULL, &(struct mistake){ .place = "" }, SAY_NO_JSON);
	v = line_of(&out);
	assert_true(json_is_null(json_object_get(v, "id")));
	assert_null(json_object_get(inside(v, "error", "data"), "place"));
	json_decref(v);
}

static void revisions_have_their_members(void **state)
{
	(void)state;
	for (unsigned era = ERA_LEGACY; era <= ERA_MODERN; era++) {
		auto_buf out = { .max = 4096 };
		struct json j;
		json_t *v;

		say_result(&j, &out, "7");
		say_kind(&j, (enum era)era);
		say_fresh(&j, (enum era)era, 1000);
		json_put_array(json_put_key(&j, "content"));
		say_content_text(&j, "a\n", 2);
		json_put_array_end(&j);
		say_result_end(&j);
		v = line_of(&out);
		assert_int_equal(inside(v, "result", "resultType") != NULL, era == ERA_MODERN);
		assert_int_equal(inside(v, "result", "ttlMs") != NULL, era == ERA_MODERN);
		assert_int_equal(json_array_size(inside(v, "result", "content")), 1);
		json_decref(v);
	}
}

/* ---- what the command line and the role tell each other ---- */

#define S "s_01HZZZZZZZ0000000000000000"

static const struct mcp_begin begin = {
	.tools = UINT32_MAX, .flags = MCP_REACHES, .key = { 1, 2, 3 }, .files = "/usr/lib/ambit-files"
};
static const struct mcp_session session = { .session = S, .latest = UINT64_MAX };
static const struct mcp_ask ask = { .request = 7, .deed = MCP_DISCARD, .n = UINT64_MAX };
static const struct mcp_told told = { .request = 7, .status = 125 };

static void put_one(unsigned what, struct buf *out)
{
	if (what == 0)
		mcp_begin_put(out, &begin);
	else if (what == 1)
		mcp_session_put(out, &session);
	else if (what == 2)
		mcp_ask_put(out, &ask);
	else
		mcp_told_put(out, &told);
}

static bool take_one(unsigned what, const void *bytes, size_t n)
{
	struct mcp_begin b;
	struct mcp_session s;
	struct mcp_ask a;
	struct mcp_told t;
	struct rbuf in;

	rbuf_init(&in, bytes, n);
	return what == 0 ? mcp_begin_take(&in, &b) && memcmp(b.key, begin.key, sizeof b.key) == 0 &&
				   strcmp(b.files, begin.files) == 0 && b.tools == begin.tools && b.flags == begin.flags
	       : what == 1 ? mcp_session_take(&in, &s) && strcmp(s.session, S) == 0 && s.latest == UINT64_MAX
	       : what == 2 ? mcp_ask_take(&in, &a) && a.request == 7 && a.deed == MCP_DISCARD && a.n == UINT64_MAX
			   : mcp_told_take(&in, &t) && t.request == 7 && t.status == 125;
}

static void messages_come_out_as_they_went_in(void **state)
{
	(void)state;
	for (unsigned what = 0; what < 4; what++) {
		auto_buf out = { .max = 4096 };

		put_one(what, &out);
		assert_true(take_one(what, out.data, out.len));
		for (size_t n = 0; n < out.len; n++)
			if (take_one(what, out.data, n))
				fail_msg("message %u cut to %zu is taken", what, n);
		buf_put_u8(&out, 0);
		assert_false(take_one(what, out.data, out.len));
	}
}

static void what_means_nothing_is_not_taken(void **state)
{
	static const struct {
		unsigned what;
		size_t at;
		uint8_t byte;
	} rows[] = {
		{ 0, 4, 2 },     /* a flag that nobody knows */
		{ 0, 295, 'x' }, /* a path without an end */
		{ 1, 0, 'e' },   /* an event is no session */
		{ 1, 5, 0 },     /* one that is cut */
		{ 1, 31, 'x' },  /* one with something behind it */
		{ 2, 4, 0 },     /* no deed */
		{ 2, 4, MCP_DEED_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 4096 };
		struct mcp_begin b;
		struct mcp_session s;
		struct mcp_ask a;
		struct rbuf in;

		put_one(rows[i].what, &out);
		assert_true(rows[i].at < out.len);
		out.data[rows[i].at] = rows[i].byte;
		rbuf_init(&in, out.data, out.len);
		if (rows[i].what == 0   ? mcp_begin_take(&in, &b)
		    : rows[i].what == 1 ? mcp_session_take(&in, &s)
					: mcp_ask_take(&in, &a))
			fail_msg("row %zu is taken", i);
	}
	{
		const struct mcp_ask none = { .request = 1, .deed = MCP_DIFF, .n = 0 };
		auto_buf out = { .max = 64 };
		struct mcp_ask a;
		struct rbuf in;

		mcp_ask_put(&out, &none);
		rbuf_init(&in, out.data, out.len);
		assert_false(mcp_ask_take(&in, &a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_their_tools),
		cmocka_unit_test(each_row_stands_in_the_schema),
		cmocka_unit_test(what_results_require_they_describe),
		cmocka_unit_test(annotations_are_all_said),
		cmocka_unit_test(arguments_are_held_against_the_table),
		cmocka_unit_test(each_bound_holds_and_is_reached),
		cmocka_unit_test(one_text_of_a_list_fits_into_an_argument),
		cmocka_unit_test(what_is_meant_is_hinted_at),
		cmocka_unit_test(texts_are_one_line_of_utf8),
		cmocka_unit_test(any_bytes_become_json),
		cmocka_unit_test(errors_say_what_and_where),
		cmocka_unit_test(revisions_have_their_members),
		cmocka_unit_test(messages_come_out_as_they_went_in),
		cmocka_unit_test(what_means_nothing_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
