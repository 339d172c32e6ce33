#include "profile/usual.h"

#include <math.h>
#include <string.h>

#include "base/fnv.h"

#define PARTS 1000 /* a sketch has whole numbers */

int usual_init(struct usual *u, const uint8_t key[USUAL_KEY])
{
	uint64_t of_runs;
	int r;

	memset(u, 0, sizeof *u);
	memcpy(&of_runs, key + WORDS_KEY, sizeof of_runs);
	r = words_init(&u->words, key);
	r = r < 0 ? r : grammar_init(&u->grammar, of_runs);
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		sketch_init(&u->refers[i]);
	if (r < 0)
		usual_finish(u);
	return r;
}

void usual_finish(struct usual *u)
{
	words_finish(&u->words);
	grammar_finish(&u->grammar);
	costs_finish(&u->costs);
	u->is_frozen = false;
}

void news_add(struct news *news, const char *word, size_t n)
{
	const char *colon = memchr(word, ':', n);
	const size_t head = colon != NULL ? (size_t)(colon - word) : n;
	const char mark = word[n - 1] == '!' || word[n - 1] == '?' ? word[n - 1] : 0;

	news->n[fnv(fnv(FNV_BASIS, word, colon != NULL ? head : 0), &mark, 1) % NEWS_KINDS]++;
}

static double news_bits(const struct usual *u, const struct news *news)
{
	double sum = 0;

	for (size_t i = 0; i < NEWS_KINDS; i++)
		if (news->n[i] > 0)
			sum += news->n[i] * -log2((u->fresh[i] + 1.0) / ((double)u->traces + 2));
	return sum;
}

static uint64_t amount(double bits)
{
	return (uint64_t)(bits * PARTS);
}

/* By what was learned so far, before this is. */
static void refer(struct usual *u, const uint16_t *words, size_t n, const struct news *news)
{
	struct grammar_place place = grammar_begin();
	double ends[LOSSES_KINDS];
	struct losses l;

	losses_init(&l);
	for (size_t i = 0; i < n; i++) {
		const double bits = grammar_loss(&u->grammar, &place, words[i], u->words.n);
		const double units = bits * COSTS_BIT;

		losses_add(&l, units > COSTS_MAX ? COSTS_MAX : (uint16_t)units);
		if (words[i] != WORD_END)
			continue;
		losses_thread(&l);
		place = grammar_begin();
	}
	losses_end(&l, ends);
	ends[LOSSES_NEW] = news_bits(u, news);
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		sketch_add(&u->refers[i], amount(ends[i]));
}

void usual_learn(struct usual *u, const uint16_t *words, size_t n, const struct news *news, bool refers)
{
	struct grammar_place place = grammar_begin();

	if (refers)
		refer(u, words, n, news);
	for (size_t i = 0; i < n; i++) {
		grammar_learn(&u->grammar, &place, words[i]);
		if (words[i] == WORD_END)
			place = grammar_begin();
	}
	for (size_t i = 0; i < NEWS_KINDS; i++)
		u->fresh[i] += news->n[i] > 0;
	u->traces++;
	u->calls += n;
}

int usual_freeze(struct usual *u)
{
	struct costs made;
	const int r = costs_make(&made, &u->grammar, u->words.n);

	if (r < 0)
		return r;
	costs_finish(&u->costs);
	u->costs = made;
	u->is_frozen = true;
	return 0;
}

void usual_score(const struct usual *u, const uint16_t *words, size_t n, const struct news *news,
		 struct usual_score *ret)
{
	struct costs_place place;
	struct losses l;

	*ret = (struct usual_score){ .calls = n };
	if (!u->is_frozen)
		return;
	place = costs_begin(&u->costs);
	losses_init(&l);
	for (size_t i = 0; i < n; i++) {
		losses_add(&l, costs_of(&u->costs, &place, words[i]));
		if (words[i] != WORD_END)
			continue;
		losses_thread(&l);
		place = costs_begin(&u->costs);
	}
	losses_end(&l, ret->bits);
	ret->bits[LOSSES_NEW] = news_bits(u, news);
	ret->window_at = l.window.at;
	ret->burst_at = l.burst.at;
	for (size_t i = 0; i < LOSSES_KINDS; i++) {
		const double surprise = sketch_surprise(&u->refers[i], amount(ret->bits[i]));

		if (surprise <= ret->score)
			continue;
		ret->score = surprise;
		ret->of = (enum losses_of)i;
	}
}

const char *losses_word(enum losses_of of)
{
	static const char *const words[LOSSES_KINDS] = { "mean", "worst tenth", "window", "burst", "new" };

	return of < LOSSES_KINDS ? words[of] : "?";
}
