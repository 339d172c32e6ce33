/* What is drawn of a profile: its thresholds and promises against what flags, and the page, which stays the same. AMBIT_GOLDEN=write writes tests/golden/profile.html anew: read the difference before you commit it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "profile/call_page.h"
#include "profile/page.h"
#include "profile/show.h"
#include "prop.h"

#define KEY "coder\trun\tgit\t07"
#define VERSIONED "Written by Ambit "

static const uint8_t secret[PROFILE_KEY] = { 3, 1, 4, 1, 5 };

/* Names that programs chose: markup, what ends an attribute, what moves a terminal or turns a line. */
static const char *const hostile[] = {
	"<script>alert(1)</script>",
	"\"><img src=x onerror=alert(1)>",
	"' onload='alert(1)",
	"</style><style>*{}",
	"&lt;b&gt;",
	"]]><!--",
	"a\x1b[2Jb\nc",
	"\xe2\x80\xaegpj.exe",
	"\xff\xfe",
	"\xc3\xa9\xf0\x9f\x98\x80",
};
#define HOSTILE (sizeof hostile / sizeof hostile[0])

static void add(struct deeds *d, uint8_t kind, const char *text)
{
	assert_true(deeds_add(d, kind, text, strlen(text)));
}

/* Calls that go from one thing to one of two others. */
static void add_trace(struct prop *p, struct deeds *d)
{
	char names[20][SYMBOL_MAX];
	struct trace_step steps[120];
	const size_t n = 40 + prop_below(p, 80);
	unsigned at = prop_below(p, 20);

	for (unsigned i = 0; i < 20; i++)
		(void)snprintf(names[i], sizeof names[i], i % 2 > 0 ? "read:/usr/p%u" : "write:work<%u>", i);
	for (size_t i = 0; i < n; i++) {
		steps[i] = (struct trace_step){ .thread = (uint16_t)(i % 7 == 0), .symbol = (uint16_t)at };
		at = (at * 3 + prop_below(p, 2)) % 20;
	}
	d->trace.observed = 2;
	d->trace.threads = 2;
	d->trace.calls = n;
	assert_int_equal(trace_make(&d->trace, (const char(*)[SYMBOL_MAX])names, 20, steps, n), 0);
}

static struct deeds event_of(struct prop *p, unsigned number)
{
	struct deeds d = { .shape = 7, .agent = "coder", .tool = "run", .program = "git" };

	(void)snprintf(d.principal, sizeof d.principal, "s%u", number / 5);
	add_trace(p, &d);
	d.amounts[AMOUNT_CALLS] = d.trace.calls;
	d.amounts[AMOUNT_WRITES] = 3 + prop_below(p, 4);
	d.amounts[AMOUNT_UP_BYTES] = UINT64_C(1) << (10 + prop_below(p, 10));
	add(&d, DEED_PROGRAM, "/usr/bin/git");
	add(&d, DEED_DESTINATION, prop_below(p, 2) > 0 ? "github.example:443" : "pypi.example:443");
	add(&d, DEED_DIRECTORY, prop_below(p, 3) > 0 ? "./src" : "./tests");
	if (prop_below(p, 40) == 0)
		add(&d, DEED_DIRECTORY, "./rare");
	return d;
}

/* Names that a person released. */
static void accept_hostile(struct profile *p)
{
	struct deeds d = { .principal = "s" };

	for (size_t i = 0; i < HOSTILE; i++) {
		add(&d, DEED_DIRECTORY, hostile[i]);
		add(&d, DEED_REQUEST, hostile[i]);
	}
	assert_int_equal(profile_accept(p, &d), 0);
	deeds_finish(&d);
}

static void grow(struct profile *p, unsigned n)
{
	struct prop random = { .seed = 7, .state = 7 };
	struct unusual f;

	assert_int_equal(profile_init(p, KEY, secret), 0);
	for (unsigned i = 0; i < n; i++) {
		struct deeds d = event_of(&random, i);

		profile_score(p, NULL, &d, &f);
		profile_calibrate(p, &f);
		assert_int_equal(profile_learn(p, p, &d, &f), 0);
		deeds_finish(&d);
		if (i == 19 || i % 200 == 199) {
			p->n_pupils = 0;
			p->epoch++;
			assert_int_equal(profile_freeze(p), 0);
		}
	}
	accept_hostile(p);
}

static const char *page_of(const struct profile *p, struct buf *out)
{
	page_of_profile(p, out);
	assert_false(out->failed);
	assert_non_null(buf_cstr(out));
	return (const char *)out->data;
}

/* ---- what is seen is what counts ---- */

static void a_threshold_is_where_it_flags(void **state)
{
	static const double levels[] = { 0.01, 0.1, 0.3, 1, 0, -0.02 };
	struct prop random = prop_round(0);
	struct seen_ring r;
	struct profile p;

	(void)state;
	assert_int_equal(profile_init(&p, KEY, secret), 0);
	for (unsigned i = 0; i < 5000; i++) { /* with many that are the same */
		for (size_t k = 0; k < RINGS; k++)
			calibration_add(&p.rings[k], prop_below(&random, 400) / 8.0);
		if (i % 499 != 0)
			continue;
		for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
			p.promises[PROMISED_LOG].level = levels[l];
			seen_ring(&p, RING_WHOLE, &r);
			for (unsigned k = 0; k < 240; k++) {
				const double score = k / 4.0;
				const double a = calibration_p(&p.rings[RING_WHOLE], score),
					     least = calibration_least(&p.rings[RING_WHOLE]);

				assert_int_equal(score > r.above[PROMISED_LOG],
						 promise_flags(&p.promises[PROMISED_LOG], a - 1e-12, least));
			}
		}
	}
	profile_finish(&p);
}

static void scores_are_in_their_order(void **state)
{
	struct seen_ring r;
	struct profile p;

	(void)state;
	for (uint32_t n = 1; n < 3 * CALIBRATION_RING; n = 3 * n + 1) {
		assert_int_equal(profile_init(&p, KEY, secret), 0);
		for (uint32_t i = 0; i < n; i++)
			for (size_t k = 0; k < RINGS; k++)
				calibration_add(&p.rings[k], i);
		seen_ring(&p, 1, &r);
		assert_int_equal(r.n, n < CALIBRATION_RING ? n : CALIBRATION_RING);
		for (uint32_t i = 0; i < r.n; i++)
			assert_int_equal((uint32_t)r.scores[i], n - r.n + i);
		profile_finish(&p);
	}
}

static void each_event_is_held_against_those_before_it(void **state)
{
	struct prop random = prop_round(0);
	struct seen_ps *ps = malloc(sizeof *ps);
	struct seen_ring r;
	struct profile p;

	(void)state;
	assert_non_null(ps);
	assert_int_equal(profile_init(&p, KEY, secret), 0);
	for (unsigned i = 0; i < 700; i++)
		for (size_t k = 0; k < RINGS; k++)
			calibration_add(&p.rings[k], prop_below(&random, 100));
	seen_ring(&p, RING_WHOLE, &r);
	seen_ps(&p, ps);
	assert_int_equal(ps->n, 700);
	for (uint32_t i = 0; i < ps->n; i++) {
		uint32_t as_high = 0;

		for (uint32_t j = 0; j < i; j++)
			as_high += r.scores[j] >= r.scores[i];
		assert_true(fabs(ps->p[i] - (as_high + 1.0) / (i + 1.0)) < 1e-9);
	}
	free(ps);
	profile_finish(&p);
}

/* Of what stays as it was no more than was promised; of what rises, all. */
static void what_drifts_is_seen_to_break_its_promise(void **state)
{
	struct prop random = prop_round(0);
	struct seen_ps *ps = malloc(sizeof *ps);
	double part;

	(void)state;
	assert_non_null(ps);
	for (unsigned rises = 0; rises < 2; rises++) {
		struct profile p;

		assert_int_equal(profile_init(&p, KEY, secret), 0);
		for (unsigned i = 0; i < 4000; i++)
			for (size_t k = 0; k < RINGS; k++)
				calibration_add(&p.rings[k], rises > 0 ? i : prop_below(&random, 1u << 19));
		seen_ps(&p, ps);
		assert_true(seen_realised(ps, 0.01, &part));
		assert_true(rises > 0 ? part > 0.99 : part > 0.004 && part < 0.016);
		assert_false(seen_realised(ps, 0.0001, &part)); /* nobody promised that */
		profile_finish(&p);
	}
	free(ps);
}

/* ---- the page ---- */

/* Of the version nothing. */
static void forget_version(char *page)
{
	char *at = strstr(page, VERSIONED), *end;

	assert_non_null(at);
	at += strlen(VERSIONED);
	end = strstr(at, ". The same");
	assert_non_null(end);
	memmove(at, end, strlen(end) + 1);
}

static void the_page_stays_the_same(void **state)
{
	auto_buf out = { .max = 1 << 22 }, golden = { .max = 1 << 22 };
	const char *wanted = getenv("AMBIT_GOLDEN");
	const bool writes = wanted != NULL && strcmp(wanted, "write") == 0;
	struct profile p;
	FILE *file;
	char *page;

	(void)state;
	grow(&p, 3200);
	(void)page_of(&p, &out);
	page = (char *)out.data;
	forget_version(page);
	file = fopen(GOLDEN "/profile.html", writes ? "we" : "re");
	assert_non_null(file);
	if (writes)
		assert_int_equal(fwrite(page, 1, strlen(page), file), strlen(page));
	for (int c = writes ? EOF : fgetc(file); c != EOF; c = fgetc(file))
		buf_put_u8(&golden, (uint8_t)c);
	assert_int_equal(fclose(file), 0);
	if (!writes)
		assert_string_equal(page, buf_cstr(&golden));
	profile_finish(&p);
}

static void no_name_becomes_markup(void **state)
{
	static const char *const escaped[] = { "&lt;script&gt;alert(1)&lt;/script&gt;",
					       "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;",
					       "&#39; onload=&#39;alert(1)",
					       "&lt;/style&gt;&lt;style&gt;",
					       "&amp;lt;b&amp;gt;",
					       "a\\x1b[2Jb\\x0ac",
					       "\\u{202e}gpj.exe",
					       "\\xff\\xfe",
					       "\xc3\xa9\xf0\x9f\x98\x80",
					       "write:work&lt;4&gt;" };
	auto_buf out = { .max = 1 << 22 };
	struct profile p;
	const char *page;

	(void)state;
	grow(&p, 900);
	page = page_of(&p, &out);
	for (size_t i = 0; i < sizeof escaped / sizeof escaped[0]; i++)
		if (strstr(page, escaped[i]) == NULL)
			fail_msg("%s is not shown", escaped[i]);
	for (size_t i = 0; i < HOSTILE - 2; i++) /* but for what is no UTF-8, and what may stand there */
		if (strstr(page, hostile[i]) != NULL && strcmp(hostile[i], "&lt;b&gt;") != 0)
			fail_msg("%s stands there as it is", hostile[i]);
	profile_finish(&p);
}

/* As many as there may be, as long as they may be, each byte five in HTML; scores that are as far apart as they may be. */
static void a_full_profile_has_a_bounded_page(void **state)
{
	auto_buf out = { .max = 1 << 22 }, said = { .max = 1 << 22 };
	struct profile p;
	const char *page;

	(void)state;
	grow(&p, 40);
	for (unsigned i = 0; p.firsts.n < FIRSTS_MAX; i++) {
		struct deeds_item item = { .kind = (uint8_t)(1 + i % (DEED_KINDS - 1)) };

		memset(item.text, '"', sizeof item.text - 1);
		(void)snprintf(item.text, sizeof item.text, "%06u", i);
		item.text[6] = '"';
		assert_int_equal(firsts_add(&p.firsts, &item, 1), 0);
	}
	for (unsigned i = 0; i < CALIBRATION_RING; i++)
		for (size_t k = 0; k < RINGS; k++)
			calibration_add(&p.rings[k], i % 100 == 0 ? 1e6 : i % 3 * 1e-6);
	page = page_of(&p, &out);
	assert_true(out.len < 1 << 20);
	assert_non_null(strstr(page, "shown are the 40 most frequent"));
	assert_null(strstr(page, "nan"));
	assert_null(strstr(page, "inf"));
	show_text(&p, &(struct draw_face){ .columns = 80 }, &said);
	assert_false(said.failed);
	profile_finish(&p);
}

/* A client's and a server's names, of tools, places and what stands there. */
static void no_name_of_a_call_becomes_markup(void **state)
{
	static const char *const escaped[] = { "&lt;script&gt;alert(1)&lt;/script&gt;",
					       "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;", "&amp;lt;b&amp;gt;",
					       "a\\x1b[2Jb\\x0ac", "\\u{202e}gpj.exe" };
	static const uint8_t key[CALL_KEY_SIZE] = { 1 };
	auto_buf out = { .max = 1 << 22 };
	static struct call_profile p;
	struct scopes s;
	const char *page;

	(void)state;
	assert_int_equal(call_profile_init(&p, "mail", key, NULL), 0);
	call_profile_note_agent(&p, "clerk");
	s = call_profile_scopes(&p, "clerk");
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(novelty_learn(p.novelty, &s, i + 1, 20000, &(struct doings){ .n_marks = 0 }), 0);
	for (unsigned i = 0; i < HOSTILE; i++) {
		struct item item = { .mark = { .item = i + 1, .kind = ITEM_ADDRESS } };

		(void)snprintf(item.value, sizeof item.value, "%s", hostile[i]);
		(void)snprintf(item.place, sizeof item.place, "%s", hostile[HOSTILE - 1 - i]);
		call_profile_note(&p, i % 2 > 0 ? hostile[0] : "send", &item, 20000);
	}
	page_of_calls(&p, &out);
	assert_false(out.failed);
	page = buf_cstr(&out);
	for (size_t i = 0; i < sizeof escaped / sizeof escaped[0]; i++)
		if (strstr(page, escaped[i]) == NULL)
			fail_msg("%s is not shown", escaped[i]);
	for (size_t i = 0; i < HOSTILE - 2; i++)
		if (strstr(page, hostile[i]) != NULL && strcmp(hostile[i], "&lt;b&gt;") != 0)
			fail_msg("%s stands there as it is", hostile[i]);
	assert_non_null(strstr(page, "clerk"));
	assert_non_null(strstr(page, ">7<"));        /* runs */
	assert_non_null(strstr(page, "2024-10-04")); /* day 20,000 */
	assert_null(strstr(page, "<script"));
	call_profile_finish(&p);
}

/* As long as all may be, each byte six in HTML; and with nothing in it. */
static void a_full_profile_of_calls_has_a_bounded_page(void **state)
{
	static const uint8_t key[CALL_KEY_SIZE] = { 1 };
	static struct call_profile p;
	auto_buf out = { .max = 8 << 20 }, none = { .max = 1 << 20 };

	(void)state;
	assert_int_equal(call_profile_init(&p, "s", key, NULL), 0);
	page_of_calls(&p, &none);
	assert_false(none.failed);
	assert_non_null(strstr(buf_cstr(&none), "Nothing yet"));
	for (unsigned i = 0; i < 2 * CALL_KNOWN_MAX; i++) {
		struct item item = { .mark = { .item = i + 1, .kind = ITEM_WORDS } };
		char tool[CALL_TOOL_MAX], agent[CALL_AGENT_MAX];

		memset(item.value, '"', sizeof item.value - 1);
		memset(item.place, '\'', sizeof item.place - 1);
		(void)snprintf(tool, sizeof tool, "%u%.*s", i, (int)(sizeof tool - 12),
			       "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<");
		call_profile_note(&p, tool, &item, UINT32_MAX);
		(void)snprintf(agent, sizeof agent, "a%u", i);
		call_profile_note_agent(&p, agent);
	}
	page_of_calls(&p, &out);
	assert_false(out.failed);
	assert_non_null(strstr(buf_cstr(&out), "there is more"));
	call_profile_finish(&p);
}

static void what_knows_nothing_has_a_page(void **state)
{
	auto_buf out = { .max = 1 << 22 };
	struct profile p;
	const char *page;

	(void)state;
	assert_int_equal(profile_init(&p, "", secret), 0);
	page = page_of(&p, &out);
	assert_non_null(strstr(page, "It is young"));
	assert_null(strstr(page, "is kept"));
	assert_null(strstr(page, "nan"));
	profile_finish(&p);
}

/* ---- the terminal ---- */

static void drawings_fit_the_terminal(void **state)
{
	struct profile p;

	(void)state;
	grow(&p, 400);
	for (uint32_t columns = 0; columns <= 200; columns += columns < 20 ? 20 : 7) {
		const struct draw_face face = { .columns = columns, .ascii = true };
		auto_buf out = { .max = 1 << 20 };
		bool has_scores = false;
		char *line;

		show_text(&p, &face, &out);
		assert_non_null(buf_cstr(&out));
		line = strstr((char *)out.data, "how unusual the last ones were\n");
		assert_non_null(line);
		(void)strtok(line, "\n");
		while ((line = strtok(NULL, "\n")) != NULL) {
			has_scores = has_scores || strlen(line) > strlen("  amount       ") + strlen("  999.9 at most");
			assert_true(columns < 60 || strlen(line) <= columns);
		}
		assert_int_equal(has_scores, columns == 0 || columns > 40);
	}
	profile_finish(&p);
}

static void a_terminal_gets_what_it_can_show(void **state)
{
	struct profile p;

	(void)state;
	grow(&p, 900);
	p.promises[PROMISED_LOG].level = PROMISE_LOG;
	calibration_add(&p.rings[RING_WHOLE], 100); /* above what one in a hundred was */
	for (unsigned way = 0; way < 4; way++) {
		const struct draw_face face = { .ascii = (way & 1) != 0, .colour = (way & 2) != 0 };
		auto_buf out = { .max = 1 << 20 };

		show_text(&p, &face, &out);
		assert_non_null(buf_cstr(&out));
		assert_int_equal(memchr(out.data, 033, out.len) != NULL, face.colour);
		assert_int_equal(strstr((const char *)out.data, "█") != NULL, !face.ascii);
	}
	profile_finish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_threshold_is_where_it_flags),
		cmocka_unit_test(scores_are_in_their_order),
		cmocka_unit_test(each_event_is_held_against_those_before_it),
		cmocka_unit_test(what_drifts_is_seen_to_break_its_promise),
		cmocka_unit_test(the_page_stays_the_same),
		cmocka_unit_test(no_name_becomes_markup),
		cmocka_unit_test(a_full_profile_has_a_bounded_page),
		cmocka_unit_test(no_name_of_a_call_becomes_markup),
		cmocka_unit_test(a_full_profile_of_calls_has_a_bounded_page),
		cmocka_unit_test(what_knows_nothing_has_a_page),
		cmocka_unit_test(drawings_fit_the_terminal),
		cmocka_unit_test(a_terminal_gets_what_it_can_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
