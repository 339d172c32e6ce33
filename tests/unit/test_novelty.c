#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "profile/order.h"
#include "profile/verdict.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t KEY[CALL_KEY_SIZE] = "a key of a test";
static const struct scopes TASK = { .n = 2, .hash = { 101, 1 } }, OTHER = { .n = 2, .hash = { 102, 1 } },
			   THIRD = { .n = 2, .hash = { 103, 1 } };

static struct mark mark(enum item_kind kind, uint64_t place, uint64_t value)
{
	return (struct mark){ .item = (place << 32) + value, .place = place, .kind = (uint8_t)kind };
}

static int setup(void **state)
{
	struct novelty *n = NULL;

	assert_int_equal(novelty_create(KEY, 1u << 12, &n, NULL), 0);
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	novelty_destroy(*state);
	return 0;
}

static int learn(struct novelty *n, const struct scopes *s, uint64_t principal, const struct mark *marks,
		 size_t n_marks)
{
	return novelty_learn(n, s, principal, 1, &(struct doings){ .marks = marks, .n_marks = n_marks });
}

static double bits(struct novelty *n, const struct scopes *s, struct mark m)
{
	return verdict_bits(n, s, &VERDICT_RULES, &m, NULL);
}

static void what_was_there_is_not_new(void **state)
{
	struct novelty *n = *state;
	const struct mark m[] = { mark(ITEM_TOOL, 9, 0), mark(ITEM_ADDRESS, 5, 1) };

	assert_int_equal(novelty_runs(n, &TASK), 0);
	assert_true(bits(n, &TASK, m[1]) > 4);
	assert_int_equal(learn(n, &TASK, 7, m, 2), 0);
	assert_int_equal(novelty_runs(n, &TASK), 1);
	assert_int_equal(novelty_runs(n, &OTHER), 0);
	assert_true(bits(n, &TASK, m[0]) == 0 && bits(n, &TASK, m[1]) == 0);
	assert_true(bits(n, &TASK, mark(ITEM_ADDRESS, 5, 2)) > 4); /* another value */
	assert_true(bits(n, &TASK, mark(ITEM_ADDRESS, 6, 1)) > 4); /* another place */
	assert_true(bits(n, &OTHER, m[0]) > 4);                    /* a tool that acts is new for each task */
	/* so is a destination, until two tasks of the agent have it */
	assert_true(bits(n, &OTHER, m[1]) > 4);
	assert_int_equal(learn(n, &THIRD, 7, m, 2), 0);
	assert_true(bits(n, &OTHER, m[1]) > 0 && bits(n, &OTHER, m[1]) < VERDICT_BITS && bits(n, &OTHER, m[0]) > 4);
	novelty_forget(n);
	assert_true(novelty_runs(n, &TASK) == 0 && bits(n, &TASK, m[1]) > 4);
}

static void support_is_of_different_principals(void **state)
{
	struct novelty *n = *state;
	const struct mark m = mark(ITEM_ADDRESS, 5, 1);

	for (unsigned wanted = 1; wanted <= NOVELTY_SUPPORT_MAX; wanted++) {
		novelty_forget(n);
		for (unsigned principals = 0; principals <= NOVELTY_SUPPORT_MAX + 1; principals++) {
			assert_int_equal(novelty_surprise(n, &TASK, wanted, &m).is_new, principals < wanted);
			for (unsigned again = 0; again < 3; again++)
				assert_int_equal(learn(n, &TASK, principals + 50, &m, 1), 0);
		}
	}
}

/* Somebody who repeats an item 500 times makes it known for nobody who wants two; two of them do. */
static void one_cannot_teach_for_two(void **state)
{
	struct novelty *n = *state;
	const struct mark m = mark(ITEM_ADDRESS, 5, 1);
	unsigned learned = 0;

	for (unsigned i = 0; i < 500; i++)
		learned += learn(n, &TASK, 7, &m, 1) == 0;
	assert_int_equal(learned, NOVELTY_LESSONS_MAX);
	assert_int_equal(novelty_runs(n, &TASK), NOVELTY_LESSONS_MAX);
	assert_true(novelty_surprise(n, &TASK, 2, &m).is_new);
	assert_false(novelty_surprise(n, &TASK, 1, &m).is_new);
	assert_int_equal(learn(n, &TASK, 8, &m, 1), 0);
	assert_false(novelty_surprise(n, &TASK, 2, &m).is_new);
}

static void a_place_that_always_differs_says_little(void **state)
{
	struct novelty *n = *state;
	double fixed, always, other;

	for (unsigned i = 0; i < 30; i++) {
		const struct mark m[] = { mark(ITEM_NAME, 5, 1), mark(ITEM_NAME, 6, i) };

		assert_int_equal(learn(n, &TASK, i, m, 2), 0);
	}
	fixed = bits(n, &TASK, mark(ITEM_NAME, 5, 99));
	always = bits(n, &TASK, mark(ITEM_NAME, 6, 99));
	assert_true(fixed > 5 && always < 1);
	/* and so for another task of the same agent, of which there is nothing yet */
	other = bits(n, &OTHER, mark(ITEM_NAME, 6, 99));
	assert_true(other < 1 && bits(n, &OTHER, mark(ITEM_NAME, 5, 99)) > 5);
	/* but for no other agent */
	assert_true(bits(n, &(struct scopes){ .n = 2, .hash = { 103, 2 } }, mark(ITEM_NAME, 6, 99)) > 3);
}

/* What the prompt named is no sign that the place differs. */
static void prompts_are_no_reason(void **state)
{
	struct novelty *n = *state;
	struct mark m = mark(ITEM_ADDRESS, 5, 1);

	for (unsigned i = 0; i < 30; i++) {
		m = mark(ITEM_ADDRESS, 5, i);
		m.from = ITEM_OF_PROMPT;
		assert_true(bits(n, &TASK, m) == 0);
		assert_int_equal(learn(n, &TASK, i, &m, 1), 0);
	}
	assert_true(bits(n, &TASK, mark(ITEM_ADDRESS, 5, 99)) > 5);
}

static void where_it_comes_from_counts(void **state)
{
	struct novelty *n = *state;
	struct mark m = mark(ITEM_ADDRESS, 5, 1);
	const double plain = bits(n, &TASK, m);

	m.from = ITEM_OF_ANSWER;
	assert_true(bits(n, &TASK, m) == plain);
	m.from = ITEM_OF_NOWHERE;
	assert_true(bits(n, &TASK, m) < plain);
	m.from = ITEM_OF_ANSWER | ITEM_UNTRUSTED;
	assert_true(bits(n, &TASK, m) > plain);
	m.from = ITEM_OF_NOWHERE |
		 ITEM_UNTRUSTED; /* all that was read is untrusted: nobody can say that it is made up */
	assert_true(bits(n, &TASK, m) > plain);
	m.from = ITEM_OF_PROMPT | ITEM_UNTRUSTED;
	assert_true(bits(n, &TASK, m) == 0);
}

/* A full table makes more new, and never less. */
static void a_full_table_learns_nothing(void **state)
{
	struct novelty *n = *state;
	struct mark first = mark(ITEM_ADDRESS, 5, 0), m = first;
	unsigned known = 0;

	for (unsigned i = 0; i < 4000; i++) {
		const struct scopes s = { .n = 1, .hash = { 1000 + i / NOVELTY_LESSONS_MAX } };

		m = mark(ITEM_ADDRESS, 5, i);
		(void)learn(n, &s, 7, &m, 1);
		known += !novelty_surprise(n, &s, 1, &m).is_new;
	}
	assert_true(novelty_is_full(n));
	assert_true(known > 1000 && known < 4000);
	assert_false(novelty_surprise(n, &(struct scopes){ .n = 1, .hash = { 1000 } }, 1, &first).is_new);
	assert_true(bits(n, &TASK, m) > 0);
}

static void a_run_teaches_so_many_items(void **state)
{
	struct novelty *n = *state;
	struct mark m[NOVELTY_MARKS_MAX + 1];

	for (unsigned i = 0; i < COUNT_OF(m); i++)
		m[i] = mark(ITEM_NAME, 5, i);
	assert_int_equal(learn(n, &TASK, 7, m, COUNT_OF(m)), 0);
	assert_false(novelty_surprise(n, &TASK, 1, &m[NOVELTY_MARKS_MAX - 1]).is_new);
	assert_true(novelty_surprise(n, &TASK, 1, &m[NOVELTY_MARKS_MAX]).is_new);
}

static void bad_sizes_are_refused(void **state)
{
	static const uint32_t rows[] = { 0, 8, 17, 3u << 10, NOVELTY_ROWS_MAX * 2 };
	struct novelty *n = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(novelty_create(KEY, rows[i], &n, NULL), -AMBIT_INTERNAL);
	assert_null(n);
}

static void an_order_is_a_tie_break(void **state)
{
	struct novelty *n = *state;
	const uint64_t usual[] = { 10, 11, 12 }, other[] = { 10, 12, 11 };
	const struct doings u = { .steps = usual, .n_steps = 3 }, o = { .steps = other, .n_steps = 3 };

	assert_true(order_score(n, 101, &u) > 0.5);
	for (unsigned i = 0; i < 20; i++)
		order_learn(n, 101, &u);
	assert_true(order_score(n, 101, &u) < 0.1);
	assert_true(order_score(n, 101, &o) > 0.5 && order_score(n, 101, &o) <= 1);
	assert_true(order_score(n, 101, &(struct doings){ .steps = usual, .n_steps = 2 }) >
		    0.5); /* it ends too early */
}

static struct call *a_call(const char *to, uint8_t from)
{
	struct call *c = malloc(sizeof *c);

	assert_non_null(c);
	call_begin(c, KEY, NULL, "send_email", 10, TOOL_UNTOLD);
	call_argument(c, "to", 2, to, strlen(to), VALUE_TEXT, from);
	return c;
}

static void teach_call(struct novelty *n, unsigned runs, const char *to)
{
	auto_free struct call *c = a_call(to, 0);
	struct mark m[8];

	for (size_t i = 0; i < c->n; i++)
		m[i] = c->items[i].mark;
	for (unsigned i = 0; i < runs; i++)
		assert_int_equal(learn(n, &TASK, i, m, c->n), 0);
}

static void reasons_in_words(void **state)
{
	struct novelty *n = *state;
	auto_free struct verdict *v = calloc(1, sizeof *v);
	auto_free struct call *known = a_call("ann@shop.test", 0), *new = a_call("eve@bad.test", ITEM_OF_ANSWER);

	assert_non_null(v);
	verdict_begin(v, n, &TASK);
	assert_true(v->young && v->runs == 0);
	verdict_call(v, n, &TASK, &VERDICT_RULES, known);
	assert_true(v->unusual && v->n == 3);
	assert_string_equal(v->reasons[0].text,
			    "first use of send_email, which acts; 0 of 0 earlier runs, a young profile");
	teach_call(n, 41, "ann@shop.test");
	verdict_begin(v, n, &TASK);
	assert_true(!v->young && v->runs == 41);
	verdict_call(v, n, &TASK, &VERDICT_RULES, known);
	assert_true(!v->unusual && v->n == 0 && v->bits == 0);
	verdict_call(v, n, &TASK, &VERDICT_RULES, new);
	verdict_call(v, n, &TASK, &VERDICT_RULES, new);
	assert_true(v->unusual && v->n == 2);
	assert_string_equal(
		v->reasons[0].text,
		"first write to eve@bad.test by send_email (to); 0 of 41 earlier runs; something new there in 0 of 40; it came out "
		"of an earlier answer");
	assert_string_equal(
		v->reasons[1].text,
		"first of bad.test for send_email (to); 0 of 41 earlier runs; something new there in 0 of 40; it came out of an "
		"earlier answer");
	assert_true(v->reasons[0].bits >= v->reasons[1].bits && v->bits == v->reasons[0].bits);
}

/* Whatever a call says, its reasons end, and are within their room. */
static void long_texts_are_cut(void **state)
{
	struct novelty *n = *state;
	auto_free struct verdict *v = calloc(1, sizeof *v);
	auto_free struct call *c = malloc(sizeof *c);
	char name[4096], value[4096];

	assert_true(v != NULL && c != NULL);
	memset(name, 'n', sizeof name);
	memset(value, 'v', sizeof value);
	memcpy(value, "https://", 8);
	memcpy(value + 4000, ".com", 4);
	verdict_begin(v, n, &TASK);
	call_begin(c, KEY, NULL, name, sizeof name, TOOL_ACTS);
	call_argument(c, name, sizeof name, value, sizeof value, VALUE_TEXT, ITEM_OF_ANSWER | ITEM_UNTRUSTED);
	verdict_call(v, n, &TASK, &VERDICT_RULES, c);
	assert_true(v->n > 0);
	for (size_t i = 0; i < v->n; i++)
		assert_true(strnlen(v->reasons[i].text, VERDICT_REASON_MAX) < VERDICT_REASON_MAX);
}

/* The three strongest of any come in their order, whatever the order in which they came. */
static void the_strongest_come_first(void **state)
{
	struct novelty *n = *state;
	auto_free struct verdict *v = calloc(1, sizeof *v);
	static const char *const values[] = { "Anything at all here", "one two", "x@y.test", "word",
					      "at 5 o'clock or so" };

	assert_non_null(v);
	for (unsigned turn = 0; turn < COUNT_OF(values); turn++) {
		auto_free struct call *c = malloc(sizeof *c);
		const struct verdict_rules all = { .support = 1, .bits = 0.1 };

		assert_non_null(c);
		call_begin(c, KEY, NULL, "send_x", 6, TOOL_ACTS);
		for (unsigned i = 0; i < COUNT_OF(values); i++) {
			const char *value = values[(i + turn) % COUNT_OF(values)];

			call_argument(c, value, 3, value, strlen(value), VALUE_TEXT, 0);
		}
		verdict_begin(v, n, &TASK);
		verdict_call(v, n, &TASK, &all, c);
		assert_int_equal(v->n, VERDICT_REASONS);
		assert_true(strstr(v->reasons[0].text, "first use") == v->reasons[0].text);
		assert_true(v->reasons[0].bits >= v->reasons[1].bits && v->reasons[1].bits >= v->reasons[2].bits);
		assert_true(v->bits == v->reasons[0].bits && v->reasons[2].bits > 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_there_is_not_new, setup, teardown),
		cmocka_unit_test_setup_teardown(support_is_of_different_principals, setup, teardown),
		cmocka_unit_test_setup_teardown(one_cannot_teach_for_two, setup, teardown),
		cmocka_unit_test_setup_teardown(a_place_that_always_differs_says_little, setup, teardown),
		cmocka_unit_test_setup_teardown(prompts_are_no_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(where_it_comes_from_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_table_learns_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_run_teaches_so_many_items, setup, teardown),
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test_setup_teardown(an_order_is_a_tie_break, setup, teardown),
		cmocka_unit_test_setup_teardown(reasons_in_words, setup, teardown),
		cmocka_unit_test_setup_teardown(long_texts_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(the_strongest_come_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
