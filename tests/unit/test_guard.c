/* The role that stands between a client of MCP and a server, without either: ids in lines, arguments as they are judged, definitions, messages, and what a client carries
 * for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "guard/guard.h"
#include "prop.h"
#include "wire/wire.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- ids in lines ---- */

static void an_id_is_put_in_its_place(void **state)
{
	static const struct {
		const char *line, *want; /* NULL: refused */
	} rows[] = {
		{ "{\"id\":1}", "{\"id\":77}" },
		{ "{\"id\":\"a\"}", "{\"id\":77}" },
		{ "{\"id\":null}", "{\"id\":77}" },
		{ "{\"id\":-12,\"a\":1}", "{\"id\":77,\"a\":1}" },
		{ "{\"a\":1,\"id\":12}", "{\"a\":1,\"id\":77}" },
		{ "{\"a\":1,\"id\":12,\"b\":[]}", "{\"a\":1,\"id\":77,\"b\":[]}" },
		{ " \t{ \"a\" : 1 ,\t\"id\" \t:  12 \r, \"b\" : 2 } ",
		  " \t{ \"a\" : 1 ,\t\"id\" \t:  77 \r, \"b\" : 2 } " },
		{ "{\"id\":12 }\r", "{\"id\":77 }\r" },
		{ "{\"id\" : \"}\" }", "{\"id\" : 77 }" },
		{ "{\"id\":\"a\\\"b\\\\\",\"c\":1}", "{\"id\":77,\"c\":1}" },
		{ "{\"id\":\"\\\\\"}", "{\"id\":77}" },
		{ "{\"id\":[1,{\"id\":2}],\"b\":3}", "{\"id\":77,\"b\":3}" },
		{ "{\"params\":{\"id\":1},\"id\":2}", "{\"params\":{\"id\":1},\"id\":77}" },
		{ "{\"params\":[{\"id\":1},\"id\",[[]]],\"id\":2}", "{\"params\":[{\"id\":1},\"id\",[[]]],\"id\":77}" },
		{ "{\"a\":\"\\\"id\\\":5,\",\"id\":2}", "{\"a\":\"\\\"id\\\":5,\",\"id\":77}" },
		{ "{\"a\":\"}{][\",\"b\":\"\\\\\",\"id\":2}", "{\"a\":\"}{][\",\"b\":\"\\\\\",\"id\":77}" },
		{ "{\"a\\\"id\":1,\"id\":2}", "{\"a\\\"id\":1,\"id\":77}" },
		{ "{\"x\":\"id\",\"id\":\"id\"}", "{\"x\":\"id\",\"id\":77}" },
		{ "{\"ID\":1,\"iD\":2,\"id\":3}", "{\"ID\":1,\"iD\":2,\"id\":77}" },
		{ "{\"idx\":1,\"i\":2,\"\":3,\"id\":4}", "{\"idx\":1,\"i\":2,\"\":3,\"id\":77}" },
		{ "{\"a\":true,\"b\":null,\"c\":-1.5e+3,\"id\":4}", "{\"a\":true,\"b\":null,\"c\":-1.5e+3,\"id\":77}" },
		{ "{\"a\":{},\"b\":[],\"c\":\"\",\"id\":4}", "{\"a\":{},\"b\":[],\"c\":\"\",\"id\":77}" },
		{ "{\"\\u0069d\":1}", NULL },
		{ "{\"i\\u0064\":1,\"a\":{\"id\":2}}", NULL },
		{ "{\"a\":{\"id\":1}}", NULL },
		{ "{}", NULL },
		{ "{ }", NULL },
		{ "[{\"id\":1}]", NULL },
		{ "", NULL },
		{ " ", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 1024 };
		char *line = strdup(rows[i].line); /* of its size: who reads beyond it is seen */
		const bool is = line_put(&out, line, strlen(line), "77");

		free(line);
		if (is != (rows[i].want != NULL))
			fail_msg("row %zu: %s", i, rows[i].line);
		if (!is)
			continue;
		assert_int_equal(out.data[out.len - 1], '\n');
		out.len--;
		if (strcmp(buf_cstr(&out), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&out));
	}
}

/* Of JSON that is cut anywhere nothing is read behind it; the parser has refused it before. */
static void a_line_that_is_cut_is_no_line(void **state)
{
	static const char whole[] = "{\"a\":\"\\\"}\",\"b\":[{\"id\":1}, 2 ],\"id\":\"x\\\\\", \"c\":{}}";

	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		auto_buf out = { .max = 1024 };
		char *line = malloc(n + 1);

		assert_non_null(line);
		memcpy(line, whole, n);
		line = realloc(line, n > 0 ? n : 1);
		(void)line_put(&out, line, n, "77");
		free(line);
	}
}

static void put_blanks(struct prop *p, struct buf *out)
{
	while (prop_below(p, 3) == 0)
		buf_put_u8(out, (uint8_t) " \t\r "[prop_below(p, 4)]);
}

static void put_any_text(struct prop *p, struct buf *out, unsigned unlike)
{
	static const char *const pieces[] = { "a",
					      "id",
					      "\\\"",
					      "\\\\",
					      "{",
					      "}",
					      "[",
					      "]",
					      ":",
					      ",",
					      " ",
					      "\\n",
					      "\\u00e4",
					      "\xc3\xa4",
					      "\\\"id\\\":1",
					      ".",
					      "*",
					      "\\/",
					      "\\ud83d\\ude00",
					      "\xe2\x82\xac",
					      "'" };

	buf_put_u8(out, '"');
	while (prop_below(p, 4) > 0)
		buf_printf(out, "%s", pieces[prop_below(p, COUNT_OF(pieces))]);
	if (unlike > 0)
		buf_printf(out, "#%u", unlike); /* no two members of an object */
	buf_put_u8(out, '"');
}

static void put_any(struct prop *p, struct buf *out, unsigned depth);

/* With the member `id` somewhere, whose value stands from *ret_from to *ret_to; NULL: or not. */
static void put_any_object(struct prop *p, struct buf *out, unsigned depth, size_t *ret_from, size_t *ret_to)
{
	const unsigned n = prop_below(p, depth > 0 ? 6 : 1), at = prop_below(p, n + 1);
	bool any = false;

	buf_put_u8(out, '{');
	put_blanks(p, out);
	for (unsigned i = 0; i <= n; i++) {
		if (i == at && (ret_from != NULL || prop_below(p, 3) == 0)) {
			buf_printf(out, "%s\"id\"", any ? "," : "");
			put_blanks(p, out);
			buf_put_u8(out, ':');
			put_blanks(p, out);
			if (ret_from != NULL)
				*ret_from = out->len;
			put_any(p, out, 1);
			if (ret_from != NULL)
				*ret_to = out->len;
			put_blanks(p, out);
			any = true;
		}
		if (i == n)
			break;
		if (any)
			buf_put_u8(out, ',');
		put_blanks(p, out);
		put_any_text(p, out, i + 1);
		put_blanks(p, out);
		buf_put_u8(out, ':');
		put_blanks(p, out);
		put_any(p, out, depth > 0 ? depth - 1 : 0);
		put_blanks(p, out);
		any = true;
	}
	buf_put_u8(out, '}');
}

static void put_any(struct prop *p, struct buf *out, unsigned depth)
{
	static const char *const words[] = { "null", "true",     "false", "0", "-1", "12345678901234567",
					     "1.5",  "-0.25e-3", "1E5" };
	const unsigned kind = prop_below(p, depth > 0 ? 4 : 2);

	if (kind == 0) {
		buf_printf(out, "%s", words[prop_below(p, COUNT_OF(words))]);
	} else if (kind == 1) {
		put_any_text(p, out, 0);
	} else if (kind == 2) {
		put_any_object(p, out, depth - 1, NULL, NULL);
	} else {
		buf_put_u8(out, '[');
		for (unsigned i = 0, n = prop_below(p, 4); i < n; i++) {
			put_blanks(p, out);
			put_any(p, out, depth - 1);
			put_blanks(p, out);
			if (i + 1 < n)
				buf_put_u8(out, ',');
		}
		buf_put_u8(out, ']');
	}
}

static json_t *parsed(const struct buf *text)
{
	struct mistake m;

	return parse_json_within((const char *)text->data, text->len, GUARD_DEPTH_MAX, GUARD_VALUES_MAX, &m);
}

static void of_any_object_the_id_alone_changes(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(4000); round++) {
		struct prop p = prop_round(round);
		auto_buf line = { .max = 1u << 20 }, out = { .max = 1u << 20 }, want = { .max = 1u << 20 };
		size_t from = 0, to = 0;
		json_t *was, *is;

		put_blanks(&p, &line);
		put_any_object(&p, &line, 4, &from, &to);
		put_blanks(&p, &line);
		was = parsed(&line);
		if (was == NULL)
			prop_fail(&p, "not JSON: %s", buf_cstr(&line));
		if (!line_put(&out, (const char *)line.data, line.len, "\"own\""))
			prop_fail(&p, "no id: %s", buf_cstr(&line));
		buf_put(&want, line.data, from);
		buf_put(&want, "\"own\"", 5);
		buf_put(&want, line.data + to, line.len - to);
		buf_put_u8(&want, '\n');
		if (!buf_is_same(&out, &want))
			prop_fail(&p, "%s became %s", buf_cstr(&line), buf_cstr(&out));
		is = parsed(&out);
		assert_non_null(is);
		assert_string_equal(json_string_value(json_object_get(is, "id")), "own");
		(void)json_object_del(is, "id");
		(void)json_object_del(was, "id");
		if (!json_equal(is, was))
			prop_fail(&p, "%s", buf_cstr(&out));
		json_decref(is);
		json_decref(was);
	}
}

static void ids_are_texts_and_whole_numbers(void **state)
{
	static const struct {
		const char *id, *want;
	} rows[] = {
		{ "1", "1" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "\"\"", "\"\"" },
		{ "\"1\"", "\"1\"" }, /* another than 1 */
		{ "\"\\u0061\\\"\"", "\"a\\\"\"" },
		{ "1.0", NULL },
		{ "1e2", NULL },
		{ "null", NULL },
		{ "true", NULL },
		{ "[1]", NULL },
		{ "{}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[GUARD_ID_MAX] = "";
		json_t *v = json_loads(rows[i].id, JSON_DECODE_ANY, NULL);

		if (id_take(v, text) != (rows[i].want != NULL) ||
		    (rows[i].want != NULL && strcmp(text, rows[i].want) != 0))
			fail_msg("row %zu: %s", i, text);
		json_decref(v);
	}
	for (size_t n = GUARD_ID_MAX - 3; n < GUARD_ID_MAX; n++) { /* with its quotes and a NUL */
		char text[GUARD_ID_MAX], longest[GUARD_ID_MAX];
		json_t *v;

		memset(longest, 'a', sizeof longest);
		v = json_stringn(longest, n);
		assert_int_equal(id_take(v, text), n == GUARD_ID_MAX - 3);
		json_decref(v);
	}
	assert_false(id_take(NULL, (char[GUARD_ID_MAX]){ 0 }));
}

/* ---- arguments ---- */

/* As `PATH=KINDvalue;`, in their order. */
static void write_out(const struct buf *flat, struct buf *out)
{
	struct where_argument a;
	struct rbuf in;

	rbuf_init(&in, flat->data, flat->len);
	while (where_next(&in, &a)) {
		buf_put(out, a.path, a.path_n);
		buf_printf(out, "=%c", "tnbl"[a.kind]);
		buf_put(out, a.value, a.n);
		buf_printf(out, ";");
	}
	assert_true(rbuf_done(&in));
	assert_true(where_are_arguments(&(struct where_arguments){ .bytes = flat->data, .n = flat->len }));
}

static void arguments_become_paths(void **state)
{
	static const struct {
		const char *arguments, *want; /* NULL: two names that some take for one */
	} rows[] = {
		{ "{}", "" },
		{ "{\"a\":\"x\"}", "a=tx;" },
		{ "{\"a\":\"\"}", "a=t;" },
		{ "{\"a\":1,\"b\":-2.5,\"c\":true,\"d\":false}", "a=n1;b=n-2.5;c=btrue;d=bfalse;" },
		{ "{\"a\":null,\"b\":[],\"c\":{},\"d\":[null,[{}]]}", "" },
		{ "{\"a\":{\"b\":{\"c\":1}},\"d\":2}", "a.b.c=n1;d=n2;" },
		{ "{\"a\":[1,\"x\",[2,{\"b\":3}]]}", "a=n1;a=tx;a=n2;a.b=n3;" },
		{ "{\"a\":[[\"x\"],[\"y\"]]}", "a=tx;a=ty;" },
		{ "{\"a.b\":1,\"a\":{\"b\":2}}", "a\\.b=n1;a.b=n2;" },
		{ "{\"*\":1,\"\\\\\":2,\"\\\\.*\":{\"*\":3}}", "\\*=n1;\\\\=n2;\\\\\\.\\*.\\*=n3;" },
		{ "{\"\":1,\"a\":{\"\":2}}", "=n1;a.=n2;" },
		{ "{\"a\":0.1,\"b\":0.30000000000000004,\"c\":2.0,\"d\":1e2,\"e\":-1.7976931348623157e308}",
		  "a=n0.1;b=n0.30000000000000004;c=n2.0;d=n100.0;e=n-1.7976931348623157e308;" },
		{ "{\"a\":\"\\u00e4\\n\\\"\"}", "a=t\xc3\xa4\n\";" },
		{ "{\"\xc3\xa4\":1}", "\xc3\xa4=n1;" },
		{ "{\"a\":0,\"b\":-0,\"c\":9223372036854775807}", "a=n0;b=n0;c=n9223372036854775807;" },
		{ "{\"a\":1,\"A\":2}", NULL },
		{ "{\"a\":1,\"A\":null}", NULL },
		{ "{\"ab\":1,\"x\":2,\"aB\":3}", NULL },
		{ "{\"a\":{\"b\":{\"path\":1,\"Path\":2}}}", NULL },
		{ "{\"a\":[{\"b\":1},{\"b\":1,\"B\":2}]}", NULL },
		{ "{\"a\":{\"b\":1},\"c\":{\"B\":2}}", "a.b=n1;c.B=n2;" },
		{ "{\"a\":[{\"b\":1},{\"B\":2}]}", "a.b=n1;a.B=n2;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf flat = { .max = 2 * WHERE_BYTES_MAX }, out = { .max = 4096 };
		json_t *v = json_loads(rows[i].arguments, JSON_REJECT_DUPLICATES, NULL);
		struct err e = { .code = AMBIT_OK };
		const int r = flat_put(&flat, NULL, v, NULL, &e);

		assert_non_null(v);
		json_decref(v);
		if (r != (rows[i].want != NULL ? 0 : -AMBIT_MALFORMED))
			fail_msg("row %zu: %s: %d", i, rows[i].arguments, r);
		if (r < 0)
			continue;
		write_out(&flat, &out);
		if (strcmp(buf_cstr(&out), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&out));
	}
}

static json_t *text_of(size_t n, const char *piece)
{
	auto_buf text = { .max = n * strlen(piece) + 1 };

	while (n-- > 0)
		buf_put(&text, piece, strlen(piece));
	return json_stringn((const char *)text.data, text.len);
}

static int flat_of(json_t *v, struct buf *out)
{
	auto_buf flat = { .max = 2 * WHERE_BYTES_MAX };
	struct err e = { .code = AMBIT_OK };
	const int r = flat_put(&flat, NULL, v, NULL, &e);

	json_decref(v);
	assert_true(r == 0 || e.msg[0] != 0);
	if (r == 0 && out != NULL)
		write_out(&flat, out);
	return r;
}

static void long_texts_are_counted(void **state)
{
	static const struct {
		size_t n;
		const char *piece, *want; /* NULL: the text itself */
	} rows[] = {
		{ 4096, "a", NULL },
		{ 4097, "a", "a=l4097;" },
		{ 2048, "\xc3\xa4", NULL },
		{ 2049, "\xc3\xa4", "a=l2049;" },
		{ 1000000, "\xf0\x9f\x92\xa9", "a=l1000000;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 8192 };

		assert_int_equal(flat_of(json_pack("{s:o}", "a", text_of(rows[i].n, rows[i].piece)), &out), 0);
		if (rows[i].want == NULL)
			assert_int_equal(out.len, strlen("a=t;") + rows[i].n * strlen(rows[i].piece));
		else
			assert_string_equal(buf_cstr(&out), rows[i].want);
	}
}

/* Each bound, at it and beyond. */
static void arguments_are_bounded(void **state)
{
	(void)state;
	for (size_t over = 0; over < 2; over++) {
		const int want = over != 0 ? -AMBIT_LIMIT : 0;
		json_t *list = json_array(), *texts = json_array(), *many = json_object();

		for (size_t i = 0; i < WHERE_ARGUMENTS_MAX + over; i++) {
			char key[24];

			(void)json_array_append_new(list, json_true());
			(void)snprintf(key, sizeof key, "k%zu", i);
			(void)json_object_set_new(many, key, json_true());
		}
		assert_int_equal(flat_of(json_pack("{s:o}", "a", list), NULL), want);
		assert_int_equal(flat_of(many, NULL), want);
		/* a kind, two lengths and one byte of a path for each; and 4 of them */
		for (size_t i = 0; i < 4; i++)
			(void)json_array_append_new(texts,
						    text_of(WHERE_BYTES_MAX / 4 - 10 + (i == 3 ? over : 0), "a"));
		assert_int_equal(flat_of(json_pack("{s:o}", "a", texts), NULL), want);
	}
	for (size_t n = 2047; n <= 2048; n++) { /* of a path */
		json_t *name = text_of(n, "a"), *v = json_object();

		(void)json_object_set_new(v, json_string_value(name), json_integer(1));
		json_decref(name);
		assert_int_equal(flat_of(v, NULL), n > 2047 ? -AMBIT_LIMIT : 0);
	}
}

/* As many as a line has room for, and none of them counts: whoever compares each with each would be at it for minutes. */
static void a_great_many_names_are_refused_at_once(void **state)
{
	json_t *v = json_object();
	const clock_t begun = clock();

	(void)state;
	for (size_t i = 0; i < 90000; i++) {
		char key[24];

		(void)snprintf(key, sizeof key, "key%zu", i);
		(void)json_object_set_new(v, key, json_null());
	}
	assert_int_equal(flat_of(v, NULL), -AMBIT_LIMIT);
	assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
}

static size_t scalars(const json_t *v)
{
	const char *key;
	json_t *one;
	size_t i, n = 0;

	json_object_foreach((json_t *)(uintptr_t)v, key, one) n += scalars(one);
	json_array_foreach((json_t *)(uintptr_t)v, i, one) n += scalars(one);
	return n + (size_t)(json_is_string(v) || json_is_number(v) || json_is_boolean(v));
}

static void any_arguments_are_what_the_authority_takes(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		auto_buf line = { .max = 1u << 20 }, flat = { .max = 2 * WHERE_BYTES_MAX };
		struct where_argument a;
		struct rbuf in;
		struct err e;
		size_t n = 0;
		json_t *v;
		int r;

		put_any_object(&p, &line, 4, NULL, NULL);
		v = parsed(&line);
		assert_non_null(v);
		r = flat_put(&flat, NULL, v, NULL, &e);
		if (r == 0) {
			if (!where_are_arguments(&(struct where_arguments){ .bytes = flat.data, .n = flat.len }))
				prop_fail(&p, "none: %s", buf_cstr(&line));
			rbuf_init(&in, flat.data, flat.len);
			while (where_next(&in, &a))
				n++;
			if (n != scalars(v))
				prop_fail(&p, "%zu of %zu: %s", n, scalars(v), buf_cstr(&line));
		} else if (r != -AMBIT_LIMIT && r != -AMBIT_MALFORMED) {
			prop_fail(&p, "%d: %s", r, buf_cstr(&line));
		}
		json_decref(v);
	}
}

/* ---- messages ---- */

static struct guard_begin begin_of(void)
{
	struct guard_begin b = { .n_pins = GUARD_PINS_MAX,
				 .n_granted = GUARD_GRANTS_MAX,
				 .is_first = 1,
				 .n_secrets = GUARD_SECRETS_MAX,
				 .n_canaries = GUARD_CANARIES_MAX,
				 .tells_risk = 1,
				 .answer_bytes = 99 };

	memset(b.key, 0x5a, sizeof b.key);
	b.wants_items = 1;
	memset(b.items_key, 0x3c, sizeof b.items_key);
	return b;
}

static struct guard_pin pin_of(const char *name)
{
	struct guard_pin p = { .name = "" };

	(void)snprintf(p.name, sizeof p.name, "%s", name);
	memset(p.sha256, 0xa5, sizeof p.sha256);
	return p;
}

#define FORM(thing)                                                                                                    \
	static void thing##_write(struct buf *out, const void *v)                                                      \
	{                                                                                                              \
		guard_##thing##_put(out, v);                                                                           \
	}                                                                                                              \
	static bool thing##_read(struct rbuf *in, void *ret)                                                           \
	{                                                                                                              \
		return guard_##thing##_take(in, ret);                                                                  \
	}
FORM(begin)
FORM(pin)
FORM(tool)
FORM(ask)
FORM(word)
FORM(over)

union any {
	struct guard_begin begin;
	struct guard_pin pin;
	struct guard_tool tool;
	struct guard_ask ask;
	struct guard_word word;
	struct guard_over over;
};

/* What was put is taken, and put again the same; cut anywhere it is refused, and extended, but for a pin, which others may follow. */
static void messages_go_round(void **state)
{
	static const uint8_t flat[] = { WHERE_TEXT, 1, 0, 0, 0, 'a', 2, 0, 0, 0, 'h', 'i' };
	union any yes = { .word = { .number = 7, .verdict = GUARD_YES, .event = "e_1" } };
	union any no = { .word = { .number = UINT32_MAX,
				   .verdict = GUARD_NO,
				   .event = "e_1",
				   .why = { .code = AMBIT_DENIED, .msg = "what", .why = "why", .hint = "hint" } } };
	union any person = no, begin = { .begin = begin_of() }, pin = { .pin = pin_of("name") };
	union any tool = { .tool = { .odd = GUARD_ODD_BAD, .bytes = UINT32_MAX, .pin = pin_of("t") } };
	union any ask = { .ask = { .number = 3,
				   .name = "tool",
				   .bytes = UINT64_MAX,
				   .canary = CANARIES_MAX,
				   .arguments = { flat, sizeof flat },
				   .items = { flat, sizeof flat } } };
	union any none = { .ask = { .number = 3, .name = "tool" } };
	union any over = { .over = { .number = 9, .end = GUARD_LOST, .bytes = 1 } };
	const struct {
		const char *name;
		const union any *is;
		void (*put)(struct buf *out, const void *v);
		bool (*take)(struct rbuf *in, void *ret);
		bool goes_on; /* others may follow */
		size_t size;  /* exactly, 0: any */
	} rows[] = {
		{ "begin", &begin, begin_write, begin_read, false, 84 },
		{ "pin", &pin, pin_write, pin_read, true, GUARD_PIN_BYTES },
		{ "tool", &tool, tool_write, tool_read, false, 169 },
		{ "ask", &ask, ask_write, ask_read, false, 0 },
		{ "ask for nothing", &none, ask_write, ask_read, false, 0 },
		{ "yes", &yes, word_write, word_read, false, 0 },
		{ "no", &no, word_write, word_read, false, 0 },
		{ "person", &person, word_write, word_read, false, 0 },
		{ "over", &over, over_write, over_read, false, 48 },
	};

	(void)state;
	person.word.verdict = GUARD_PERSON;
	(void)strcpy(person.word.question, "a_1");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = WIRE_BODY_MAX }, again = { .max = WIRE_BODY_MAX };
		union any got;
		struct rbuf in;

		memset(&got, 0x77, sizeof got);
		rows[i].put(&out, rows[i].is);
		rbuf_init(&in, out.data, out.len);
		if (!rows[i].take(&in, &got) || (rows[i].size != 0 && rows[i].size != out.len))
			fail_msg("%s: %zu bytes", rows[i].name, out.len);
		rows[i].put(&again, &got);
		if (!buf_is_same(&out, &again))
			fail_msg("%s: another", rows[i].name);
		for (size_t n = 0; n < out.len; n++) {
			rbuf_init(&in, out.data, n);
			if (rows[i].take(&in, &got))
				fail_msg("%s: cut to %zu", rows[i].name, n);
		}
		buf_put_u8(&out, 0);
		rbuf_init(&in, out.data, out.len);
		if (rows[i].take(&in, &got) != rows[i].goes_on)
			fail_msg("%s: extended", rows[i].name);
	}
}

/* Of each message one byte is another: where that is out of range. */
static void messages_are_held_to_their_ranges(void **state)
{
	static const uint8_t flat[] = { WHERE_TEXT, 1, 0, 0, 0, 'a', 2, 0, 0, 0, 'h', 'i' };
	union any begin = { .begin = begin_of() }, pin = { .pin = pin_of("name") };
	union any tool = { .tool = { .odd = GUARD_ODD_BAD, .pin = pin_of("t") } };
	union any ask = { .ask = { .number = 3, .name = "tool", .arguments = { flat, sizeof flat } } };
	union any yes = { .word = { .number = 7, .verdict = GUARD_YES } };
	union any over = { .over = { .number = 9, .end = GUARD_LOST } };
	const struct {
		const char *name;
		const union any *is;
		void (*put)(struct buf *out, const void *v);
		bool (*take)(struct rbuf *in, void *ret);
		size_t at;
		uint8_t byte;
	} rows[] = {
		{ "more pins than there may be", &begin, begin_write, begin_read, 0, 1 },
		{ "first twice", &begin, begin_write, begin_read, 8, 2 },
		{ "first much", &begin, begin_write, begin_read, 11, 1 },
		{ "items twice", &begin, begin_write, begin_read, 64, 2 },
		{ "more names than grants", &begin, begin_write, begin_read, 4, 1 },
		{ "a pin without a name", &pin, pin_write, pin_read, 0, 0 },
		{ "a name of two", &pin, pin_write, pin_read, 10, 'x' },
		{ "a tool that is nothing", &tool, tool_write, tool_read, 0, 0 },
		{ "a tool that is more", &tool, tool_write, tool_read, 0, GUARD_ODD_COUNT },
		{ "an ask without a name", &ask, ask_write, ask_read, 4, 0 },
		{ "an ask by a name of two lines", &ask, ask_write, ask_read, 5, '\n' },
		{ "an ask by a path", &ask, ask_write, ask_read, 5, '/' },
		{ "an ask for all of them", &ask, ask_write, ask_read, 4, '*' },
		{ "arguments of another kind", &ask, ask_write, ask_read, 177, WHERE_KIND_COUNT },
		{ "arguments that are no text", &ask, ask_write, ask_read, 187, 0xff },
		{ "arguments of another length", &ask, ask_write, ask_read, 183, 3 },
		{ "no verdict", &yes, word_write, word_read, 4, 0 },
		{ "a no without a why", &yes, word_write, word_read, 4, GUARD_NO },
		{ "a verdict that is none", &yes, word_write, word_read, 4, GUARD_VERDICT_COUNT },
		{ "no end", &over, over_write, over_read, 4, 0 },
		{ "an end that is none", &over, over_write, over_read, 4, GUARD_END_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = WIRE_BODY_MAX };
		union any got;
		struct rbuf in;

		rows[i].put(&out, rows[i].is);
		out.data[rows[i].at] = rows[i].byte;
		rbuf_init(&in, out.data, out.len);
		if (rows[i].take(&in, &got))
			fail_msg("%s", rows[i].name);
	}
}

/* ---- what a client carries ---- */

static time_t now_s = 1800000000;
time_t __wrap_time(time_t *ret);
time_t __wrap_time(time_t *ret)
{
	if (ret != NULL)
		*ret = now_s;
	return now_s;
}

static void a_seal_holds_for_what_it_was_made_for(void **state)
{
	static const uint8_t key[SEAL_KEY_BYTES] = { 1, 2, 3 }, other[SEAL_KEY_BYTES] = { 1, 2, 4 };
	static const char digest[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	static const char another[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefe";
	char made[SEAL_MAX], text[SEAL_MAX + 2];

	(void)state;
	seal_make(key, "guard", "a_01", digest, made);
	assert_memory_equal(made, SEAL_PREFIX "a_01.", strlen(SEAL_PREFIX "a_01."));
	assert_true(seal_take(key, "guard", made, digest));
	assert_false(seal_take(key, "guard", made, another));
	assert_false(seal_take(key, "mcp", made, digest));
	assert_false(seal_take(key, "guar", made, digest));
	assert_false(seal_take(key, "", made, digest));
	assert_false(seal_take(other, "guard", made, digest));
	for (size_t n = 0; n < strlen(made); n++) {
		(void)snprintf(text, sizeof text, "%.*s", (int)n, made);
		if (seal_take(key, "guard", text, digest))
			fail_msg("cut to %zu", n);
		(void)strcpy(text, made);
		text[n] ^= 1;
		if (seal_take(key, "guard", text, digest))
			fail_msg("another at %zu", n);
	}
	for (int c = 1; c < 256; c++) {
		(void)snprintf(text, sizeof text, "%s%c", made, c);
		assert_false(seal_take(key, "guard", text, digest));
		(void)snprintf(text, sizeof text, "%c%s", c, made);
		assert_false(seal_take(key, "guard", text, digest));
	}
	assert_false(seal_take(key, "guard", "", digest));
	assert_false(seal_take(key, "guard", "....", digest));
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_false(seal_take(key, "guard", text, digest));
}

static void a_seal_holds_for_an_hour(void **state)
{
	static const uint8_t key[SEAL_KEY_BYTES] = { 9 };
	char made[SEAL_MAX];

	(void)state;
	seal_make(key, "guard", "a_01", "d", made);
	now_s += 3600;
	assert_true(seal_take(key, "guard", made, "d"));
	now_s += 1;
	assert_false(seal_take(key, "guard", made, "d"));
	now_s -= 3601;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_put_in_its_place),
		cmocka_unit_test(a_line_that_is_cut_is_no_line),
		cmocka_unit_test(of_any_object_the_id_alone_changes),
		cmocka_unit_test(ids_are_texts_and_whole_numbers),
		cmocka_unit_test(arguments_become_paths),
		cmocka_unit_test(long_texts_are_counted),
		cmocka_unit_test(arguments_are_bounded),
		cmocka_unit_test(a_great_many_names_are_refused_at_once),
		cmocka_unit_test(any_arguments_are_what_the_authority_takes),
		cmocka_unit_test(messages_go_round),
		cmocka_unit_test(messages_are_held_to_their_ranges),
		cmocka_unit_test(a_seal_holds_for_what_it_was_made_for),
		cmocka_unit_test(a_seal_holds_for_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
