/* The parts of a profile: words, runs of them, amounts, promises, ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "profile/calibrate.h"
#include "profile/costs.h"
#include "profile/losses.h"
#include "profile/rank.h"
#include "profile/sketch.h"
#include "profile/usual.h"
#include "profile/words.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define BITS 0.02 /* a unit is 1/2048 bit, and there are five roundings at most */

static const uint8_t key[USUAL_KEY] = { 1, 2, 3, 4 };

static void assert_near(double a, double b, double by)
{
	if (!(fabs(a - b) <= by))
		fail_msg("%.6f is not %.6f", a, b);
}

/* ---- words ---- */

static void words_have_numbers(void **state)
{
	char text[WORD_MAX + 1];
	struct words w;

	(void)state;
	assert_int_equal(words_init(&w, key), 0);
	assert_int_equal(words_find(&w, "open", 4), WORD_UNKNOWN);
	assert_int_equal(words_learn(&w, "open", 4), WORD_FIRST);
	assert_int_equal(words_learn(&w, "ope", 3), WORD_FIRST + 1);
	assert_int_equal(words_learn(&w, "open", 4), WORD_FIRST);
	assert_int_equal(words_find(&w, "ope", 3), WORD_FIRST + 1);
	assert_string_equal(words_text(&w, WORD_FIRST), "open");
	for (unsigned i = 2; i < WORDS_MAX - WORD_FIRST; i++) {
		const int n = snprintf(text, sizeof text, "w%u", i);

		assert_int_equal(words_learn(&w, text, (size_t)n), WORD_FIRST + i);
	}
	assert_int_equal(words_learn(&w, "more", 4), WORD_UNKNOWN); /* no room, and nothing else is lost */
	assert_int_equal(words_find(&w, "more", 4), WORD_UNKNOWN);
	assert_int_equal(words_find(&w, "open", 4), WORD_FIRST);
	assert_int_equal(words_find(&w, "w4092", 5), WORDS_MAX - 1);
	memset(text, 'x', sizeof text);
	assert_true(word_is(text, WORD_MAX));
	assert_false(word_is(text, WORD_MAX + 1));
	assert_int_equal(words_find(&w, text, WORD_MAX + 1), WORD_UNKNOWN);
	assert_false(word_is("", 0) || word_is("a b", 3) || word_is("a\t", 2) || word_is("\x7f", 1) ||
		     word_is("\xc3\xa4", 2));
	words_finish(&w);
}

/* ---- runs ---- */

/* By hand, of "a b a b" and "a c": 8 words are known with the end. */
static void witten_bell_by_hand(void **state)
{
	enum { A = WORD_FIRST, B, C };
	static const uint16_t learned[] = { A, B, A, B, WORD_END, A, C, WORD_END };
	const double words = 6, at_root = (2 + 4 / words) / (8 + 4.0); /* of "b": twice of 8, of 4 kinds */
	struct grammar_place place = grammar_begin();
	struct grammar g;

	(void)state;
	assert_int_equal(grammar_init(&g, 99), 0);
	for (size_t i = 0; i < COUNT_OF(learned); i++) {
		grammar_learn(&g, &place, learned[i]);
		if (learned[i] == WORD_END)
			place = grammar_begin();
	}
	place = grammar_begin();
	/* "a" begins both threads: behind ^ twice of 2, of one kind; at the root three times of 8 */
	assert_near(grammar_loss(&g, &place, A, 6), -log2((2 + (3 + 4 / words) / 12) / 3), 1e-9);
	/* "b" behind "a": twice of 3, of two kinds; behind "^ a": once of 2, of two kinds */
	assert_near(grammar_loss(&g, &place, B, 6), -log2((1 + 2 * (2 + 2 * at_root) / 5) / 4), 1e-9);
	place = grammar_begin();
	assert_near(grammar_loss(&g, &place, WORD_UNKNOWN, 6), -log2(1.0 / 3 * 4 / 12 / words), 1e-9);
	assert_near(grammar_loss(&g, &place, C, 6), -log2((1 + 4 / words) / 12), 1e-9); /* nothing came before it */
	grammar_finish(&g);
}

static void learn_any(struct prop *p, struct grammar *g, unsigned kinds, unsigned n)
{
	struct grammar_place place = grammar_begin();
	uint16_t word = WORD_FIRST;

	for (unsigned i = 0; i < n; i++) {
		word = (uint16_t)(prop_below(p, 4) > 0 ? WORD_FIRST + (word * 7u + prop_below(p, 2)) % kinds
						       : WORD_FIRST + prop_below(p, kinds));
		if (prop_below(p, 40) == 0)
			word = WORD_END;
		grammar_learn(g, &place, word);
		if (word == WORD_END)
			place = grammar_begin();
	}
}

/* Whatever was learned and is asked, also what was never seen. */
static void frozen_is_the_same(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(60); round++) {
		struct prop p = prop_round(round);
		const unsigned kinds = 1 + prop_below(&p, 60);
		struct grammar_place at = grammar_begin();
		struct costs_place place;
		struct costs f;
		struct grammar g;

		assert_int_equal(grammar_init(&g, prop_next(&p)), 0);
		learn_any(&p, &g, kinds, prop_below(&p, 3000));
		assert_int_equal(costs_make(&f, &g, kinds + 3), 0);
		place = costs_begin(&f);
		for (unsigned i = 0; i < 2000; i++) {
			uint16_t word = (uint16_t)(WORD_FIRST + prop_below(&p, kinds + 3));
			double wanted, got;

			if (prop_below(&p, 30) == 0)
				word = prop_below(&p, 2) > 0 ? WORD_UNKNOWN : WORD_END;
			wanted = fmin(grammar_loss(&g, &at, word, kinds + 3), COSTS_MAX / (double)COSTS_BIT);
			got = (double)costs_of(&f, &place, word) / COSTS_BIT;
			if (fabs(wanted - got) > BITS)
				fail_msg("seed %" PRIu64 ", word %u: %.4f bits, and %.4f", p.seed, i, wanted, got);
			if (word != WORD_END)
				continue;
			at = grammar_begin();
			place = costs_begin(&f);
		}
		costs_finish(&f);
		grammar_finish(&g);
	}
}

/* All that can come next, together: 1. So nothing is cheaper than it may be. */
static void probabilities_add_up(void **state)
{
	struct prop p = prop_round(0);
	struct grammar_place place = grammar_begin();
	const unsigned kinds = 20;
	struct grammar g;

	(void)state;
	assert_int_equal(grammar_init(&g, 5), 0);
	learn_any(&p, &g, kinds, 4000);
	for (unsigned i = 0; i < 300; i++) {
		double sum = 0;
		struct grammar_place next;

		for (unsigned word = 0; word < WORD_FIRST + kinds; word++) {
			if (word == WORD_BEGIN)
				continue;
			next = place;
			sum += exp2(-grammar_loss(&g, &next, (uint16_t)word, kinds + 2));
		}
		assert_near(sum, 1, 1e-9);
		(void)grammar_loss(&g, &place, (uint16_t)(WORD_FIRST + prop_below(&p, kinds)), kinds + 2);
	}
	grammar_finish(&g);
}

static void a_full_tree_learns_on(void **state)
{
	struct prop p = prop_round(0);
	struct costs_place place;
	struct costs f;
	struct grammar g;

	(void)state;
	assert_int_equal(grammar_init(&g, 5), 0);
	learn_any(&p, &g, 4000, 200000);
	assert_int_equal(g.n, GRAMMAR_NODES_MAX);
	assert_true(g.left_out > 0);
	assert_int_equal(costs_make(&f, &g, 4003), 0);
	assert_true((sizeof *f.slots << f.bits) <= 2u << 20);
	place = costs_begin(&f);
	for (unsigned i = 0; i < 10000; i++)
		assert_true(costs_of(&f, &place, (uint16_t)(WORD_FIRST + prop_below(&p, 4000))) > 0);
	costs_finish(&f);
	grammar_finish(&g);
}

/* ---- what they come to ---- */

static void windows_are_of_one_thread(void **state)
{
	double ends[LOSSES_KINDS];
	struct losses l;

	(void)state;
	losses_init(&l);
	losses_end(&l, ends);
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		assert_true(ends[i] <= 0);
	for (unsigned i = 0; i < 1000; i++)
		losses_add(&l, i >= 500 && i < 510 ? 10 * COSTS_BIT : COSTS_BIT);
	losses_end(&l, ends);
	assert_near(ends[LOSSES_MEAN], 1.09, 1e-9);
	assert_near(ends[LOSSES_WORST], (10 * 10.0 + 90) / 100, 0.05);
	assert_near(ends[LOSSES_IN_WINDOW], (10 * 10.0 + 40) / 50, 1e-9);
	assert_near(ends[LOSSES_IN_BURST], 10, 1e-9);
	assert_int_equal(l.burst.at, 508);
	assert_int_equal(l.window.at, 510);

	losses_init(&l); /* what ends one thread and begins the next is no window */
	for (unsigned i = 0; i < 8; i++) {
		losses_thread(&l);
		for (unsigned k = 0; k < 4; k++)
			losses_add(&l, 8 * COSTS_BIT);
	}
	losses_end(&l, ends);
	assert_near(ends[LOSSES_IN_BURST], 4, 1e-9);
	assert_near(ends[LOSSES_MEAN], 8, 1e-9);
}

static void padding_hides_no_window(void **state)
{
	double alone[LOSSES_KINDS], padded[LOSSES_KINDS];
	struct losses l;

	(void)state;
	losses_init(&l);
	for (unsigned i = 0; i < 60; i++)
		losses_add(&l, 9 * COSTS_BIT);
	losses_end(&l, alone);
	losses_init(&l);
	for (unsigned i = 0; i < 6000; i++)
		losses_add(&l, i >= 3000 && i < 3060 ? 9 * COSTS_BIT : 100);
	losses_end(&l, padded);
	assert_near(padded[LOSSES_IN_WINDOW], alone[LOSSES_IN_WINDOW], 1e-9);
	assert_near(padded[LOSSES_IN_BURST], alone[LOSSES_IN_BURST], 1e-9);
	assert_true(padded[LOSSES_MEAN] < alone[LOSSES_MEAN] / 20);
}

/* ---- amounts ---- */

static void a_sketch_knows_how_many_were_as_much(void **state)
{
	struct sketch s;
	double before = 0;

	(void)state;
	sketch_init(&s);
	assert_near(sketch_surprise(&s, 5), 0, 0);
	assert_near(sketch_above(&s, 5), 1, 0);
	for (uint64_t i = 1; i <= 1000; i++)
		sketch_add(&s, 1000 * i);
	assert_near(sketch_above(&s, 0), 1, 1e-9);
	assert_near(sketch_above(&s, 500000), 0.5, 0.04);
	assert_near(sketch_above(&s, UINT64_MAX), 1 / 1001.0, 1e-9);
	assert_near((double)sketch_quantile(&s, 0.5), 500000, 35000);
	for (uint64_t amount = 1000; amount < UINT64_C(1) << 60; amount += amount / 8) {
		const double surprise = sketch_surprise(&s, amount);

		if (surprise < before)
			fail_msg("%.4f below %.4f at %" PRIu64, surprise, before, amount);
		before = surprise;
	}
	assert_true(sketch_surprise(&s, 100000000) > sketch_surprise(&s, 2000000) + 10);
}

static void a_sketch_takes_any_number_and_forgets(void **state)
{
	struct sketch s;

	(void)state;
	sketch_init(&s);
	sketch_add(&s, 0);
	sketch_add(&s, UINT64_MAX);
	assert_int_equal(s.n, 2);
	assert_near(sketch_above(&s, 1), 2 / 3.0, 1e-9);
	sketch_init(&s);
	for (unsigned i = 0; i < 3 * SKETCH_FULL; i++)
		sketch_add(&s, 10);
	for (unsigned i = 0; i < SKETCH_FULL; i++)
		sketch_add(&s, 1000);
	assert_true(s.n <= SKETCH_FULL);
	assert_true(sketch_above(&s, 1000) > 0.5); /* what is new weighs more than three times as much that is old */
}

/* ---- promises ---- */

static double normal(struct prop *p)
{
	double sum = 0;

	for (unsigned i = 0; i < 12; i++)
		sum += prop_below(p, 1u << 20) / (double)(1u << 20);
	return sum - 6;
}

/* Of 10,000 that come one after the other, whose level drifts, jumps, and whose spread grows. */
static void promises_are_kept_under_drift(void **state)
{
	static const double alphas[] = { 0.01, 0.05, 0.1 };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(10); round++) {
		struct prop p = prop_round(round);
		struct promise_kept kept[COUNT_OF(alphas)];
		struct calibration c;

		calibration_init(&c);
		for (unsigned i = 0; i < 1000; i++)
			calibration_add(&c, normal(&p));
		for (size_t k = 0; k < COUNT_OF(alphas); k++)
			promise_init(&kept[k], alphas[k]);
		for (unsigned i = 0; i < 10000; i++) {
			const double score = normal(&p) * (1 + i / 10000.0) + i / 4000.0 + (i > 6000 ? 1 : 0);
			const double at = calibration_p(&c, score), least = calibration_least(&c);

			for (size_t k = 0; k < COUNT_OF(alphas); k++)
				promise_learn(&kept[k], promise_flags(&kept[k], at, least));
			calibration_add(&c, score);
		}
		for (size_t k = 0; k < COUNT_OF(alphas); k++)
			if (promise_ratio(&kept[k]) > 1.1)
				fail_msg("seed %" PRIu64 ": %.2f of %.2f", p.seed, promise_ratio(&kept[k]), alphas[k]);
	}
}

static void nothing_is_promised_below_what_was_seen(void **state)
{
	struct calibration c;
	struct promise_kept kept;

	(void)state;
	calibration_init(&c);
	promise_init(&kept, 0.01);
	assert_false(promise_flags(&kept, calibration_p(&c, 1e9), calibration_least(&c)));
	for (unsigned i = 0; i < 98; i++)
		calibration_add(&c, i);
	assert_near(calibration_p(&c, 1e9), 1 / 99.0, 1e-12);
	assert_false(promise_flags(&kept, calibration_p(&c, 1e9), calibration_least(&c)));
	calibration_add(&c, 98);
	assert_true(promise_flags(&kept, calibration_p(&c, 1e9), calibration_least(&c)));
	assert_false(promise_flags(&kept, calibration_p(&c, 98), calibration_least(&c))); /* one scored as high */
	assert_near(calibration_p(&c, -1), 1, 0);
	for (unsigned i = 0; i < 2 * CALIBRATION_RING; i++)
		calibration_add(&c, 500); /* the ring has the last ones */
	assert_near(calibration_p(&c, 400), 1, 0);
	assert_int_equal(c.n, CALIBRATION_RING);
}

/* Many alarms in a row are not paid for by as long a silence: else who makes them has what comes next for nothing. */
/* Who has made many false alarms has lowered the level; not for what is beyond all that was. */
static void decoys_blind_nobody(void **state)
{
	struct promise_kept k;
	struct calibration c;

	(void)state;
	calibration_init(&c);
	promise_init(&k, 0.01);
	for (unsigned i = 0; i < 1000; i++)
		calibration_add(&c, i);
	assert_true(promise_flags(&k, calibration_p(&c, 995), calibration_least(&c)));
	for (unsigned i = 0; i < 100; i++)
		promise_learn(&k, true);
	assert_false(promise_flags(&k, calibration_p(&c, 995), calibration_least(&c)));
	assert_true(promise_flags(&k, calibration_p(&c, 1001), calibration_least(&c)));
}

static void debts_are_bounded(void **state)
{
	struct promise_kept kept;
	unsigned n = 0;

	(void)state;
	promise_init(&kept, 0.01);
	for (unsigned i = 0; i < 1000; i++)
		promise_learn(&kept, true);
	for (; !promise_flags(&kept, 0.001, 0.0009) && n < 10000; n++)
		promise_learn(&kept, false);
	assert_in_range(n, 1, 500);
}

/* ---- ranks ---- */

static void ranks_by_hand(void **state)
{
	static const struct {
		const char *scores; /* highest first; A attack, u usual, a blank between two that differ */
		double area, at_0, at_half;
	} rows[] = {
		{ "A A u u", 1, 1, 1 }, { "u u A A", 0, 0, 0 },      { "A u A u", 0.75, 0.5, 1 }, { "Au", 0.5, 0, 0 },
		{ "AAuu", 0.5, 0, 0 },  { "A Au u", 0.875, 0.5, 1 }, { "u A A A u", 0.5, 0, 1 },  { "A A", -1, -1, -1 },
		{ "u", -1, -1, -1 },    { "", -1, -1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rank r = { .n = 0 };
		double score = 0;

		for (size_t k = strlen(rows[i].scores); k-- > 0;)
			if (rows[i].scores[k] == ' ')
				score++;
			else
				assert_true(rank_add(&r, score, rows[i].scores[k] == 'A'));
		rank_sort(&r);
		assert_near(rank_area(&r), rows[i].area, 1e-9);
		assert_near(rank_at(&r, 0), rows[i].at_0, 1e-9);
		assert_near(rank_at(&r, 0.5), rows[i].at_half, 1e-9);
		rank_finish(&r);
	}
}

/* ---- all of it ---- */

static size_t walk(struct prop *p, uint16_t *words, unsigned kinds, unsigned step)
{
	const size_t n = 50 + prop_below(p, 200);
	unsigned at = prop_below(p, kinds);

	for (size_t i = 0; i < n; i++) {
		words[i] = (uint16_t)(WORD_FIRST + at);
		at = (at * step + prop_below(p, 3)) % kinds;
	}
	words[n] = WORD_END;
	return n + 1;
}

static void what_is_not_usual_scores_higher(void **state)
{
	enum { KINDS = 30 };
	uint16_t words[300];
	char text[8];
	struct prop p = prop_round(0);
	struct usual_score score;
	double usual = 0, odd = 1e9;
	struct usual u;

	(void)state;
	assert_int_equal(usual_init(&u, key), 0);
	for (unsigned i = 0; i < KINDS; i++)
		(void)words_learn(&u.words, text, (size_t)snprintf(text, sizeof text, "w%u", i));
	usual_score(&u, words, 0, &(struct news){ .n = { 0 } }, &score);
	assert_near(score.score, 0, 0); /* nothing is known */
	for (unsigned i = 0; i < 300; i++)
		usual_learn(&u, words, walk(&p, words, KINDS, 7), &(struct news){ .n = { 0 } }, i >= 150);
	usual_score(&u, words, walk(&p, words, KINDS, 7), &(struct news){ .n = { 0 } }, &score);
	assert_near(score.score, 0, 0); /* and nothing counts before it is frozen */
	assert_int_equal(usual_freeze(&u), 0);
	for (unsigned i = 0; i < 50; i++) {
		usual_score(&u, words, walk(&p, words, KINDS, 7), &(struct news){ .n = { 0 } }, &score);
		usual = score.score > usual ? score.score : usual;
		usual_score(&u, words, walk(&p, words, KINDS, 11), &(struct news){ .n = { 0 } }, &score);
		odd = score.score < odd ? score.score : odd;
	}
	if (!(odd > usual))
		fail_msg("odd ones score %.2f at least, usual ones %.2f at most", odd, usual);
	usual_finish(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_have_numbers),
		cmocka_unit_test(witten_bell_by_hand),
		cmocka_unit_test(frozen_is_the_same),
		cmocka_unit_test(probabilities_add_up),
		cmocka_unit_test(a_full_tree_learns_on),
		cmocka_unit_test(windows_are_of_one_thread),
		cmocka_unit_test(padding_hides_no_window),
		cmocka_unit_test(a_sketch_knows_how_many_were_as_much),
		cmocka_unit_test(a_sketch_takes_any_number_and_forgets),
		cmocka_unit_test(promises_are_kept_under_drift),
		cmocka_unit_test(nothing_is_promised_below_what_was_seen),
		cmocka_unit_test(decoys_blind_nobody),
		cmocka_unit_test(debts_are_bounded),
		cmocka_unit_test(ranks_by_hand),
		cmocka_unit_test(what_is_not_usual_scores_higher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
