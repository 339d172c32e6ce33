/* An evaluation: lines, orders, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "base/cleanup.h"
#include "profile/eval.h"
#include "profile/link.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- lines ---- */

static void lines_are_taken_apart(void **state)
{
	static const struct {
		const char *line;
		bool labelled, attack;
		const char *key, *symbols; /* with / behind each */
	} rows[] = {
		{ "a b", false, false, "", "a/b/" },
		{ "  a   b ", false, false, "", "a/b/" },
		{ "", false, false, "", "" },
		{ "\t\ta", true, false, "", "a/" },
		{ "-\tk\ta", true, false, "k", "a/" },
		{ "0\tk\ta", true, false, "k", "a/" },
		{ "benign\tk k\ta | b", true, false, "k k", "a/|/b/" },
		{ "Benign\tk\ta", true, true, "k", "a/" },
		{ "usual\t\t", true, false, "", "" },
		{ "1\tk\ta", true, true, "k", "a/" },
		{ "attack/x\tk\topen:/etc!", true, true, "k", "open:/etc!/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *at = rows[i].line, *symbol;
		size_t n = strlen(at), length;
		auto_buf all = { .max = 100 };
		struct trace_line line;
		struct err e;

		if (n == 0)
			continue; /* no line: what stands behind the last end of one */
		if (line_next(&at, &n, 1, &line, &e) != 1)
			fail_msg("%s: %s", rows[i].line, e.msg);
		assert_int_equal(n, 0);
		assert_int_equal(line.is_labelled, rows[i].labelled);
		assert_int_equal(line.is_attack, rows[i].attack);
		assert_int_equal(line.key_length, strlen(rows[i].key));
		assert_memory_equal(line.key, rows[i].key, line.key_length);
		while (line_symbol(&line, 1, &symbol, &length, &e) > 0)
			buf_printf(&all, "%.*s/", (int)length, symbol);
		if (strcmp(buf_cstr(&all), rows[i].symbols) != 0)
			fail_msg("%s: %s", rows[i].line, buf_cstr(&all));
	}
}

static void facts_are_taken(void **state)
{
	const char *at = "benign\tk\tsession=s/1 calls=12 up_bytes=0\ta b";
	size_t n = strlen(at);
	struct trace_line line;
	struct err e;

	(void)state;
	assert_int_equal(line_next(&at, &n, 1, &line, &e), 1);
	assert_true(line.has_amounts && line.amounts[AMOUNT_CALLS] == 12 && line.amounts[AMOUNT_READS] == 0);
	assert_int_equal(line.session_length, 3);
	assert_memory_equal(line.session, "s/1", 3);
	assert_int_equal(line.length, 3);
	at = "\t\t\ta"; /* none, which is no amount */
	n = strlen(at);
	assert_int_equal(line_next(&at, &n, 1, &line, &e), 1);
	assert_true(!line.has_amounts && line.session_length == 0 && line.length == 1);
}

/* In their order, whatever stands between them. */
static void what_is_named_is_taken(void **state)
{
	const char *at =
		"-\tk\tprogram=/usr/bin/cat calls=3 request=a:80%20GET%20/%25 session=x directory=./d%c3%a4\ta";
	static const struct deeds_item rows[] = { { DEED_PROGRAM, "/usr/bin/cat" },
						  { DEED_REQUEST, "a:80 GET /%" },
						  { DEED_DIRECTORY, "./d\xc3\xa4" } };
	size_t n = strlen(at);
	struct trace_line line;
	struct deeds_item item;
	struct err e;

	(void)state;
	assert_int_equal(line_next(&at, &n, 1, &line, &e), 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_true(line_item(&line, &item));
		assert_int_equal(item.kind, rows[i].kind);
		assert_string_equal(item.text, rows[i].text);
	}
	assert_false(line_item(&line, &item));
	assert_true(line.amounts[AMOUNT_CALLS] == 3 && line.length == 1);
}

static void bad_lines_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "a\nb\tc\n", "line 2 has a label and no key" },
		{ "a\tb\tc\td", "line 1: 'c' is no fact" },
		{ "a\tb\t\tc\td", "line 1, column 6" },
		{ "\t\tcalls=1  reads=2\ta", "line 1: '' is no fact" },
		{ "a\n\t\tcalls=1 calls=2\ta", "line 2: 'calls=2' is no fact" },
		{ "\t\tcalls=-1\ta", "line 1: 'calls=-1'" },
		{ "\t\tcalls=9007199254740993\ta", "is no fact" },
		{ "\t\tcalls=\ta", "'calls='" },
		{ "\t\tcals=1\ta", "'cals=1'" },
		{ "\t\t=1\ta", "'=1'" },
		{ "\t\tprogram=\ta", "'program='" },
		{ "\t\tprogramme=x\ta", "'programme=x'" },
		{ "\t\tcall=exec:sh\ta", "'call=exec:sh'" }, /* those are symbols */
		{ "\t\tlabel=a%2\ta", "'label=a%2'" },
		{ "\t\tlabel=a%zz\ta", "'label=a%zz'" },
		{ "\t\tlabel=%1b\ta", "'label=%1b'" },
		{ "\t\tlabel=%00\ta", "'label=%00'" },
		{ "\t\tlabel=%c3\ta", "'label=%c3'" },
		{ "\t\tlabel=\xc3\xa4\ta", "is no fact" },
		{ "\t\tsession=\ta", "'session='" },
		{ "\t\tsession=a session=b\ta", "'session=b'" },
		{ "\t\tsession=a\x1b\ta", "is no fact" },
		{ "a b\nx \x7f", "line 2, column 3" },
		{ "a\r\nb", "line 1, column 1" },
		{ "l\tk\ta \xc3\xa4", "line 1, column 7" },
		{ "a\x01\tk\tb", "label" },
		{ "a\tk\x1b\tb", "key" },
	};
	char longest[WORD_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct eval_ask ask = { .train = { rows[i].text, strlen(rows[i].text) },
					      .n_alphas = 1,
					      .alphas = { 0.1 } };
		struct eval ev;
		struct err e;

		if (eval_run(&ev, &ask, &e) != -AMBIT_MALFORMED || strstr(e.msg, rows[i].says) == NULL ||
		    strstr(e.msg, "--train: ") == NULL)
			fail_msg("%s: %s", rows[i].text, e.msg);
		eval_finish(&ev);
	}
	memset(longest, 'x', sizeof longest);
	for (size_t n = DEED_TEXT_MAX - 1; n <= DEED_TEXT_MAX; n++) {
		char text[DEED_TEXT_MAX + 16];
		const struct eval_ask ask = { .train = { text, (size_t)snprintf(text, sizeof text, "\t\tlabel=%0*d\ta",
										(int)n, 0) } };
		struct eval ev;
		struct err e;

		assert_int_equal(eval_run(&ev, &ask, &e), n < DEED_TEXT_MAX ? 0 : -AMBIT_MALFORMED);
		eval_finish(&ev);
	}
	for (size_t n = WORD_MAX; n <= WORD_MAX + 1; n++) {
		const struct eval_ask ask = { .train = { longest, n } };
		struct eval ev;
		struct err e;

		assert_int_equal(eval_run(&ev, &ask, &e), n == WORD_MAX ? 0 : -AMBIT_MALFORMED);
		eval_finish(&ev);
	}
}

static void nothing_to_learn_is_said(void **state)
{
	static const char *const texts[] = { "", "attack\tk\ta b\n" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct eval_ask ask = { .train = { texts[i], strlen(texts[i]) } };
		struct eval ev;
		struct err e;

		assert_int_equal(eval_run(&ev, &ask, &e), -AMBIT_USAGE);
		assert_non_null(strstr(e.msg, "nothing that is usual"));
		eval_finish(&ev);
	}
}

/* ---- evaluations ---- */

static void put_trace(struct prop *p, struct buf *out, const char *label, const char *tool, unsigned step)
{
	unsigned at = prop_below(p, 20);

	buf_printf(out, "%s\t%s\t", label, tool);
	for (unsigned i = 0; i < 40 + prop_below(p, 100); i++) {
		buf_printf(out, "%s_%u ", tool, at);
		if (prop_below(p, 30) == 0)
			buf_printf(out, "| ");
		at = (at * step + prop_below(p, 3)) % 20;
	}
	buf_printf(out, "\n");
}

static struct eval_text text_of(const struct buf *b)
{
	return (struct eval_text){ .bytes = (const char *)b->data, .n = b->len };
}

static void each_key_has_a_profile_of_its_own(void **state)
{
	struct prop p = prop_round(0);
	auto_buf train = { .max = 1 << 24 }, test = { .max = 1 << 24 }, text = { .max = 1 << 20 },
		 json = { .max = 1 << 20 }, svg = { .max = 1 << 20 };
	struct eval_ask ask = { .n_alphas = 3, .alphas = { 0.1, 0.01, 0.0001 } };
	struct eval ev;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 600; i++)
		put_trace(&p, &train, "benign", i % 2 > 0 ? "git" : "cc", i % 2 > 0 ? 3 : 7);
	for (unsigned i = 0; i < 30; i++)
		put_trace(&p, &train, "attack", "git", 11); /* not learned */
	for (unsigned i = 0; i < 19; i++)
		put_trace(&p, &train, "good", "make", 9); /* too young for one */
	for (unsigned i = 0; i < 300; i++)
		put_trace(&p, &test, "", i % 2 > 0 ? "git" : "cc", i % 2 > 0 ? 3 : 7);
	for (unsigned i = 0; i < 100; i++)
		put_trace(&p, &test, i % 2 > 0 ? "theft" : "mining", i % 2 > 0 ? "git" : "cc", i % 2 > 0 ? 7 : 3);
	put_trace(&p, &test, "", "make", 9);
	put_trace(&p, &test, "", "new", 9);
	ask.train = text_of(&train);
	ask.test = text_of(&test);
	if (eval_run(&ev, &ask, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(ev.n_keys, 3);
	assert_int_equal(ev.keys[0].learned + ev.keys[1].learned, 450); /* each fourth was held back */
	assert_int_equal(ev.keys[0].calibrated, 75);
	assert_int_equal(ev.keys[1].attacks_left_out, 30);
	assert_int_equal(ev.count.usual, 302);
	assert_int_equal(ev.count.attacks, 100);
	assert_int_equal(ev.tested_by_wide, 2);
	assert_int_equal(ev.n_attacks, 2);
	assert_true(rank_area(&ev.keys[0].rank) > 0.99 && rank_area(&ev.keys[1].rank) > 0.99);
	assert_int_equal(ev.count.flagged_attacks[0], 100);
	assert_true(ev.count.flagged_usual[0] < 60);
	assert_int_equal(ev.count.flagged_attacks[2], 0); /* no promise: 154 were to calibrate with */

	eval_say(&ev, &text);
	eval_say_json(&ev, &json);
	eval_draw(&ev, &svg);
	assert_non_null(strstr(buf_cstr(&text), "30 traces of --train are labelled as attacks"));
	assert_non_null(strstr(buf_cstr(&text), "no promise: 154 traces"));
	assert_non_null(strstr(buf_cstr(&text), "2 / 2"));
	assert_non_null(strstr(buf_cstr(&json), "\"promised\":false"));
	assert_non_null(strstr(buf_cstr(&json), "{\"name\":\"theft\",\"n\":50,"));
	assert_non_null(strstr(buf_cstr(&svg), "</svg>"));
	eval_finish(&ev);
}

/* Calls and amounts are as ever; a destination is not. */
static void what_was_never_named_is_unusual(void **state)
{
	auto_buf train = { .max = 1 << 20 }, test = { .max = 1 << 20 };
	struct eval_ask ask = { .n_alphas = 1, .alphas = { 0.05 } };
	struct eval ev;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_printf(&train, "-\tk\tcalls=2 destination=a.example:%u\ta b\n", i % 3);
	for (unsigned i = 0; i < 40; i++)
		buf_printf(&test, "%s\tk\tcalls=2 destination=%s.example:1\ta b\n", i % 2 > 0 ? "way" : "-",
			   i % 2 > 0 ? "b" : "a");
	ask.train = text_of(&train);
	ask.test = text_of(&test);
	if (eval_run(&ev, &ask, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(rank_area(&ev.rank) > 0.99);
	assert_int_equal(ev.count.flagged_attacks[0], 20);
	assert_int_equal(ev.count.flagged_usual[0], 0);
	eval_finish(&ev);
}

/* What is usual drifts away from what was learned; the thresholds follow. */
static void a_stream_keeps_its_promises(void **state)
{
	struct prop p = prop_round(0);
	auto_buf train = { .max = 1 << 25 }, test = { .max = 1 << 26 };
	struct eval_ask ask = { .n_alphas = 2, .alphas = { 0.01, 0.1 }, .streams = true };
	struct eval ev;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 1500; i++)
		put_trace(&p, &train, "", "git", 3);
	for (unsigned i = 0; i < 10000; i++)
		put_trace(&p, &test, "", "git", prop_below(&p, 20000) < i ? 5 : 3);
	ask.train = text_of(&train);
	ask.test = text_of(&test);
	for (unsigned streams = 0; streams < 2; streams++) {
		ask.streams = streams > 0;
		if (eval_run(&ev, &ask, &e) < 0)
			fail_msg("%s", e.msg);
		for (size_t i = 0; i < ask.n_alphas; i++) {
			const double ratio = (double)ev.count.flagged_usual[i] / 10000 / ask.alphas[i];

			if (streams > 0 ? ratio > 1.1 : ratio < 1.5)
				fail_msg("%s: %.2f of %.2f", streams > 0 ? "stream" : "fixed", ratio, ask.alphas[i]);
		}
		eval_finish(&ev);
	}
}

/* ---- orders ---- */

static void orders_go_round(void **state)
{
	const struct order o = { .flags = ORDER_STREAMS | ORDER_DRAWS,
				 .train = 1,
				 .calibrate = 2,
				 .test = ORDER_TEXT_MAX,
				 .n_alphas = 2,
				 .alphas = { 0.5, 1e-9 },
				 .key = { 1, 2, 3 } };
	auto_buf out = { .max = 1000 };
	struct order back;
	struct rbuf in;

	(void)state;
	order_put(&out, &o);
	assert_int_equal(out.len, ORDER_BYTES);
	rbuf_init(&in, out.data, out.len);
	assert_true(order_take(&in, &back) && rbuf_done(&in));
	assert_int_equal(back.flags, o.flags);
	assert_true(back.train == o.train && back.calibrate == o.calibrate && back.test == o.test);
	assert_int_equal(back.n_alphas, o.n_alphas);
	assert_memory_equal(back.alphas, o.alphas, sizeof o.alphas);
	assert_memory_equal(back.key, o.key, sizeof o.key);
	for (size_t n = 0; n < out.len; n++) {
		rbuf_init(&in, out.data, n);
		assert_false(order_take(&in, &back));
	}
}

static void orders_are_held_to_their_ranges(void **state)
{
	static const struct order bad[] = {
		{ .flags = 2 * ORDER_TAUGHT },        { .train = ORDER_TEXT_MAX + 1 },
		{ .calibrate = ORDER_TEXT_MAX + 1 },  { .test = UINT64_MAX },
		{ .n_alphas = ORDER_ALPHAS_MAX + 1 }, { .n_alphas = 1, .alphas = { 0 } },
		{ .n_alphas = 1, .alphas = { 1 } },   { .n_alphas = 1, .alphas = { -0.5 } },
		{ .n_alphas = 1, .alphas = { NAN } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		auto_buf out = { .max = 1000 };
		struct order back;
		struct rbuf in;

		order_put(&out, &bad[i]);
		rbuf_init(&in, out.data, out.len);
		if (order_take(&in, &back))
			fail_msg("row %zu", i);
	}
}

static void answers_go_round(void **state)
{
	auto_buf out = { .max = 10000 };
	const uint8_t *text, *drawing;
	size_t n, n_drawing;
	struct err e, told;

	(void)state;
	buf_put_u32(&out, AMBIT_OK);
	buf_put_bytes(&out, "text", 4);
	buf_put_bytes(&out, "", 0);
	assert_int_equal(answer_take(&out, &text, &n, &drawing, &n_drawing, &e), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(text, "text", 4);
	assert_int_equal(n_drawing, 0);
	buf_put_u8(&out, 0);
	assert_int_equal(answer_take(&out, &text, &n, &drawing, &n_drawing, &e), -AMBIT_PROTOCOL);
	buf_reset(&out);
	(void)err_set(&told, AMBIT_MALFORMED, "mend it", "line 7");
	answer_put_error(&out, &told);
	assert_int_equal(answer_take(&out, &text, &n, &drawing, &n_drawing, &e), -AMBIT_MALFORMED);
	assert_string_equal(e.msg, "line 7");
	assert_string_equal(e.hint, "mend it");
	buf_reset(&out);
	assert_int_equal(answer_take(&out, &text, &n, &drawing, &n_drawing, &e), -AMBIT_PROTOCOL);
	buf_put_u32(&out, 4000000);
	assert_int_equal(answer_take(&out, &text, &n, &drawing, &n_drawing, &e), -AMBIT_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(facts_are_taken),
		cmocka_unit_test(what_is_named_is_taken),
		cmocka_unit_test(bad_lines_are_refused_with_their_place),
		cmocka_unit_test(nothing_to_learn_is_said),
		cmocka_unit_test(each_key_has_a_profile_of_its_own),
		cmocka_unit_test(what_was_never_named_is_unusual),
		cmocka_unit_test(a_stream_keeps_its_promises),
		cmocka_unit_test(orders_go_round),
		cmocka_unit_test(orders_are_held_to_their_ranges),
		cmocka_unit_test(answers_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
