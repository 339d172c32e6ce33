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

	(void)state;
	sketch_init(&s);
	assert_near(sketch_above(&s, 5), 1, 0);
	for (uint64_t i = 1; i <= 1000; i++)
		sketch_add(&s, 1000 * i);
	assert_near(sketch_above(&s, 0), 1, 1e-9);
	assert_near(sketch_above(&s, 500000), 0.5, 0.04);
	assert_near(sketch_above(&s, UINT64_MAX), 1 / 1001.0, 1e-9);
	assert_near((double)sketch_quantile(&s, 0.5), 500000, 35000);
}

static void a_tail_goes_on(void **state)
{
	struct tail t;
	struct sketch s;
	double before = 0;

	(void)state;
	sketch_init(&s);
	tail_of(&s, 0.7, &t);
	assert_near(tail_surprise(&t, 5), 0, 0); /* nothing is known */
	for (unsigned i = 0; i < 1000; i++)
		sketch_add(&s, 0);
	tail_of(&s, 0.7, &t);
	assert_near(tail_surprise(&t, 0), 0, 0);
	assert_near(tail_surprise(&t, 1), log(1001), 1e-6);
	assert_near(tail_surprise(&t, 1000000), log(1001), 1e-6); /* there is no scale */
	sketch_init(&s);
	for (uint64_t i = 1; i <= 1000; i++)
		sketch_add(&s, 1000 * i);
	tail_of(&s, 0.7, &t);
	assert_near(tail_surprise(&t, 850000), 0, 0);
	for (uint64_t amount = 1000; amount < UINT64_C(1) << 60; amount += amount / 8) {
		const double surprise = tail_surprise(&t, amount);

		if (surprise < before)
			fail_msg("%.4f below %.4f at %" PRIu64, surprise, before, amount);
		before = surprise;
	}
	assert_true(tail_surprise(&t, 100000000) > tail_surprise(&t, 2000000) + 5);
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

enum { KINDS = 30 };

struct walked {
	char texts[KINDS + 1][48];
	struct sequence_symbol symbols[KINDS + 1];
	uint16_t steps[300];
	struct sequence sequence;
};

/* A thread that goes from one thing to one of three others; with: another symbol somewhere in it, or NULL. */
static const struct sequence *walk(struct prop *p, struct walked *w, unsigned step, const char *with)
{
	const size_t n = 50 + prop_below(p, 200);
	unsigned at = prop_below(p, KINDS);

	w->sequence = (struct sequence){ w->symbols, KINDS + (with != NULL), w->steps, n + 1 };
	for (unsigned i = 0; i <= KINDS; i++) {
		const int length = i < KINDS
					   ? snprintf(w->texts[i], sizeof w->texts[i], "read:/usr/p%u", i)
					   : snprintf(w->texts[i], sizeof w->texts[i], "%s", with != NULL ? with : "");

		w->symbols[i] = (struct sequence_symbol){ w->texts[i], (size_t)length };
	}
	for (size_t i = 0; i < n; i++) {
		w->steps[i] = (uint16_t)at;
		at = (at * step + prop_below(p, 3)) % KINDS;
	}
	if (with != NULL)
		w->steps[prop_below(p, (uint32_t)n)] = KINDS;
	w->steps[n] = SEQUENCE_END;
	return &w->sequence;
}

static double scored(const struct usual *u, const struct usual *base, const struct sequence *s)
{
	struct usual_score score;

	assert_true(usual_score(u, base, 1, s, &score));
	return score.firsts + score.order;
}

static void grow(struct prop *p, struct usual *u, unsigned n)
{
	struct walked w;

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(usual_learn(u, walk(p, &w, 7, NULL), i + 1), 0);
}

static void what_is_not_usual_scores_higher(void **state)
{
	struct prop p = prop_round(0);
	struct usual_score score;
	double usual = 0, odd = 1e9;
	struct walked w;
	struct usual u;

	(void)state;
	assert_int_equal(usual_init(&u, key), 0);
	grow(&p, &u, 300);
	assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, NULL), &score));
	assert_near(score.order, 0, 0); /* no order counts before it is frozen */
	assert_int_equal(usual_freeze(&u), 0);
	for (unsigned i = 0; i < 50; i++) {
		usual = fmax(usual, scored(&u, NULL, walk(&p, &w, 7, NULL)));
		odd = fmin(odd, scored(&u, NULL, walk(&p, &w, 11, NULL)));
	}
	if (!(odd > usual))
		fail_msg("odd ones score %.2f at least, usual ones %.2f at most", odd, usual);
	usual_finish(&u);
}

/* Each of these is nearer to what is known than the next. */
static void what_is_new_is_as_unlikely_as_it_is_far(void **state)
{
	static const char *const news[] = { "read:work.py", "write:tmp.py",   "read:/etc/shadow",
					    "exec:new",     "write:~/.cache", "connect:net.web!" };
	struct prop p = prop_round(0);
	struct usual_score score;
	double before = 0;
	struct walked w;
	struct usual u;

	(void)state;
	assert_int_equal(usual_init(&u, key), 0);
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(usual_learn(&u, walk(&p, &w, 7, i % 2 > 0 ? "read:work.doc" : "write:/dev/null"), i),
				 0);
	assert_int_equal(usual_freeze(&u), 0);
	for (size_t i = 0; i < COUNT_OF(news); i++) {
		assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, news[i]), &score));
		assert_true(score.n_new == 1 && score.first[0].symbol == KINDS && score.first[0].sessions == 0);
		if (score.firsts <= before)
			fail_msg("%s: %.2f, and the one before %.2f", news[i], score.firsts, before);
		before = score.firsts;
	}
	assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, "read:work.doc"), &score));
	assert_true(score.n_new == 0 && score.firsts < 2); /* every other one had it */
	usual_finish(&u);
}

/* What other programs do makes nothing known here, and less unlikely. */
static void others_make_nothing_known(void **state)
{
	struct prop p = prop_round(0);
	struct usual_score alone, beside;
	struct usual u, base;
	struct walked w;

	(void)state;
	assert_int_equal(usual_init(&u, key) | usual_init(&base, key), 0);
	grow(&p, &u, 100);
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(usual_learn(&base, walk(&p, &w, 7, i % 4 > 0 ? "delete:work.doc" : NULL), i), 0);
	assert_int_equal(usual_freeze(&u) | usual_freeze(&base), 0);
	(void)walk(&p, &w, 7, "delete:work.doc");
	assert_true(usual_score(&u, NULL, 1, &w.sequence, &alone) && usual_score(&u, &base, 1, &w.sequence, &beside));
	assert_true(beside.n_new == 1 && alone.firsts > beside.firsts + 1.5 && beside.firsts > 2);
	(void)walk(&p, &w, 7, "delete:work.c"); /* the twin: nobody did that */
	assert_true(usual_score(&u, NULL, 1, &w.sequence, &alone) && usual_score(&u, &base, 1, &w.sequence, &beside));
	assert_true(beside.firsts >= alone.firsts - 0.1);
	usual_finish(&u);
	usual_finish(&base);
}

/* A call is a program's: what one of them always does is odd of another. */
static void a_call_is_of_its_program(void **state)
{
	static const char *const texts[] = { "exec:git", "read:work/.git", "exec:cat", "read:work.doc" };
	struct sequence_symbol symbols[COUNT_OF(texts)];
	uint16_t steps[] = { 0, 1, SEQUENCE_END, 2, 3, SEQUENCE_END };
	const struct sequence s = { symbols, COUNT_OF(texts), steps, COUNT_OF(steps) };
	struct usual_score score;
	struct usual u;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		symbols[i] = (struct sequence_symbol){ texts[i], strlen(texts[i]) };
	assert_int_equal(usual_init(&u, key), 0);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(usual_learn(&u, &s, i), 0);
	assert_int_equal(usual_freeze(&u), 0);
	assert_true(usual_score(&u, NULL, 1, &s, &score));
	assert_near(score.firsts, 0, 0);
	steps[4] = 1; /* cat reads what git does */
	assert_true(usual_score(&u, NULL, 1, &s, &score));
	assert_true(score.n_new == 0 && score.firsts > 3 && score.first[0].symbol == 1 && score.first[0].program == 2 &&
		    score.first[0].by_program);
	usual_finish(&u);
}

/* Where each session runs a program of its own, another one is nothing; a destination is, and so is a program where all run the same. */
static void what_is_often_new_is_little_news(void **state)
{
	struct prop p = prop_round(0);
	char name[24] = "exec:same";
	double program, destination;
	struct usual_score score;
	struct walked w;

	(void)state;
	for (unsigned varied = 0; varied < 2; varied++) {
		struct usual u;

		assert_int_equal(usual_init(&u, key), 0);
		for (unsigned i = 1; i <= 100; i++) {
			if (varied > 0)
				(void)snprintf(name, sizeof name, "exec:tool%u", i);
			assert_int_equal(usual_learn(&u, walk(&p, &w, 7, name), i), 0);
		}
		assert_int_equal(usual_freeze(&u), 0);
		assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, "exec:other"), &score));
		assert_true(score.n_new == 1);
		program = score.firsts;
		assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, "connect:net.web"), &score));
		destination = score.firsts;
		assert_true(varied > 0 ? program < 0.5 : program > 3);
		assert_true(destination > 8);
		usual_finish(&u);
	}
}

static void put_habit(struct habits *h, uint16_t program, uint16_t word, uint32_t session)
{
	assert_int_equal(habits_add(h, program, word, session), 0);
	(void)habits_event(h, session);
}

/* A session counts once of each sort, by the rarest that it had; what a program does is counted apart. */
static void sorts_count_sessions(void **state)
{
	static const char *const texts[] = { "read:/etc/a", "read:/etc/b", "read:/etc/c", "read:/usr/lib",
					     "read:/etc/a!" };
	static const struct {
		const char *symbol;
		bool by_program;
		uint32_t had;
		double sessions; /* of four */
	} rows[] = {
		{ "read:/etc/x", false, 0, 1 },  { "read:/etc/x", false, 1, 3 }, { "read:/etc/x!", false, 0, 0 },
		{ "write:/etc/x", false, 1, 0 }, { "read:/usr/x", false, 1, 0 }, { "read:/etc/x", true, 0, 1 },
		{ "read:/etc/x", true, 1, 1 },   { "read:/etc/x", false, 3, 3 },
	};
	struct words w;
	struct habits h;
	struct sorts s;
	uint16_t word[COUNT_OF(texts)];

	(void)state;
	assert_int_equal(words_init(&w, key) | habits_init(&h, 1), 0);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		word[i] = words_learn(&w, texts[i], strlen(texts[i]));
	for (uint32_t session = 1; session <= 4; session++)
		put_habit(&h, HABITS_ANY, word[3], session); /* all had it */
	put_habit(&h, HABITS_ANY, word[0], 1);
	put_habit(&h, HABITS_ANY, word[1], 1);
	put_habit(&h, HABITS_ANY, word[2], 2);
	put_habit(&h, HABITS_ANY, word[2], 3);
	put_habit(&h, word[3], word[2], 2);
	h.all.sessions = 4;
	assert_int_equal(sorts_make(&s, &w, &h), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct sort sort = sort_of(key, rows[i].symbol, strlen(rows[i].symbol), rows[i].by_program);

		if (fabs(sorts_likely(&s, &sort, rows[i].had, 0) * (4 + 20) -
			 (rows[i].had < 2 ? rows[i].sessions : rows[i].sessions / 4 * 24)) > 1e-9)
			fail_msg("row %zu: %.3f", i, sorts_likely(&s, &sort, rows[i].had, 0) * 24);
	}
	assert_true(sort_of(key, "exec:a", 6, false).hash == sort_of(key, "exec:b", 6, false).hash);
	assert_true(sort_of(key, "exec:a", 6, false).hash != sort_of(key, "exec:new", 8, false).hash);
	assert_true(sort_of(key, "read:work.py", 12, false).hash == sort_of(key, "read:work.c", 11, false).hash);
	assert_true(sort_of(key, "read:work.py", 12, false).hash != sort_of(key, "read:work/.git", 14, false).hash);
	assert_true(sort_of(key, "read:work.secret.key", 20, false).hash !=
		    sort_of(key, "read:work.key", 13, false).hash);
	assert_true(sort_of(key, "read:~/.a?", 10, false).hash == sort_of(key, "read:~/.b?", 10, false).hash);
	assert_true(sort_of(key, "write:~/.a", 10, false).hash == sort_of(key, "write:~/.b", 10, false).hash);
	assert_true(sort_of(key, "write:~/.a.obeyed", 17, false).hash !=
		    sort_of(key, "write:~/.b.obeyed", 17, false).hash);
	assert_true(sort_of(key, "read:/etc/a!", 12, false).likely > sort_of(key, "write:/etc/a!", 13, false).likely);
	sorts_finish(&s);
	habits_finish(&h);
	words_finish(&w);
}

static void a_session_counts_once(void **state)
{
	struct habits h;

	(void)state;
	assert_int_equal(habits_init(&h, 12345), 0);
	for (unsigned i = 0; i < 100; i++) /* two that take turns are two */
		assert_int_equal(habits_add(&h, HABITS_ANY, 7, 1 + i % 2), 0);
	assert_int_equal(habits_of(&h, HABITS_ANY, 7), 2);
	assert_int_equal(habits_of(&h, HABITS_BARE, 7), 0);
	assert_int_equal(habits_add(&h, HABITS_ANY, 7, 3), 0);
	assert_int_equal(habits_of(&h, HABITS_ANY, 7), 3);
	for (uint32_t i = 0; i < HABITS_MAX + 10; i++) /* full: what is known counts on, and nothing else is learned */
		assert_int_equal(habits_add(&h, (uint16_t)(3 + i / 4000), (uint16_t)(3 + i % 4000), 1), 0);
	assert_int_equal(h.n, HABITS_MAX);
	assert_int_equal(h.left_out, 11);
	assert_int_equal(habits_add(&h, HABITS_ANY, 7, 4), 0);
	assert_int_equal(habits_of(&h, HABITS_ANY, 7), 4);
	habits_finish(&h);
}

/* However long the usual work around it is, what is new in it weighs the same. */
static void padding_hides_nothing_new(void **state)
{
	enum { TIMES = 100 };
	static uint16_t steps[TIMES * 300];
	struct prop p = prop_round(0);
	struct usual_score plain, padded;
	struct sequence s;
	struct walked w;
	struct usual u;
	size_t n = 0;

	(void)state;
	assert_int_equal(usual_init(&u, key), 0);
	grow(&p, &u, 300);
	assert_int_equal(usual_freeze(&u), 0);
	for (unsigned i = 0; i < TIMES; i++) {
		s = *walk(&p, &w, 7, NULL);
		memcpy(steps + n, w.steps, s.n_steps * sizeof *steps);
		n += s.n_steps;
	}
	assert_true(usual_score(&u, NULL, 1, walk(&p, &w, 7, "connect:net.web"), &plain));
	s = w.sequence;
	memcpy(steps + n, w.steps, s.n_steps * sizeof *steps);
	s.steps = steps;
	s.n_steps += n;
	assert_true(usual_score(&u, NULL, 1, &s, &padded));
	assert_true(padded.firsts >= plain.firsts - 0.001);
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
		cmocka_unit_test(a_tail_goes_on),
		cmocka_unit_test(what_is_not_usual_scores_higher),
		cmocka_unit_test(what_is_new_is_as_unlikely_as_it_is_far),
		cmocka_unit_test(others_make_nothing_known),
		cmocka_unit_test(a_call_is_of_its_program),
		cmocka_unit_test(what_is_often_new_is_little_news),
		cmocka_unit_test(sorts_count_sessions),
		cmocka_unit_test(a_session_counts_once),
		cmocka_unit_test(padding_hides_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
