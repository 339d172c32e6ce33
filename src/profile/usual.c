#include "profile/usual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"
#include "base/cleanup.h"
#include "profile/amounts.h"

#define PARTS 1000 /* a sketch has whole numbers */
#define BEHIND 3.0
#define MORE 0.25 /* of its surprise each doubling of how many are new of a sort adds */
/* Of what is in a tail of surprises before any is there. */
#define LOSSES_SPREAD 0.7
#define LIKELY 0.5       /* what so many sessions have says nothing */
#define PROGRAMS_MAX 63u /* of one trace that are told apart; further ones are taken for one */
#define IS_PROGRAM (UINT64_C(1) << PROGRAMS_MAX)

/* Odd, and with bits everywhere, whatever the key is (the end of splitmix64). */
static uint64_t multiplier(uint64_t key)
{
	key = (key ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return (key ^ key >> 31) | 1;
}

int usual_init(struct usual *u, const uint8_t key[USUAL_KEY])
{
	uint64_t of_runs;
	int r;

	memset(u, 0, sizeof *u);
	memcpy(&of_runs, key + WORDS_KEY, sizeof of_runs);
	r = words_init(&u->words, key);
	r = r < 0 ? r : habits_init(&u->habits, multiplier(~of_runs));
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
	sorts_finish(&u->sorts);
	habits_finish(&u->habits);
	grammar_finish(&u->grammar);
	costs_finish(&u->costs);
	u->is_frozen = false;
}

/* ---- words ---- */

static uint16_t word_of_step(const uint16_t *known, uint16_t step)
{
	return step >= SEQUENCE_GAP ? WORD_END
				    : known[step]; /* what was left out follows nothing, and nothing follows it */
}

/* Owned: the word of each symbol. NULL: no memory. */
static uint16_t *words_known(const struct usual *u, const struct sequence *s)
{
	uint16_t *known = malloc((s->n_symbols + 1) * sizeof *known);

	for (size_t i = 0; i < s->n_symbols && known != NULL; i++)
		known[i] = words_find(&u->words, s->symbols[i].text, s->symbols[i].n);
	return known;
}

static uint16_t *words_learned(struct usual *u, const struct sequence *s)
{
	uint16_t *known = malloc((s->n_symbols + 1) * sizeof *known);

	for (size_t i = 0; i < s->n_symbols && known != NULL; i++)
		known[i] = words_learn(&u->words, s->symbols[i].text, s->symbols[i].n);
	return known;
}

/* ---- learning ---- */

static uint64_t amount(double bits)
{
	return (uint64_t)(bits * PARTS);
}

/* By what was learned so far, before this is. */
static void refer(struct usual *u, const uint16_t *known, const struct sequence *s)
{
	struct grammar_place place = grammar_begin();
	double ends[LOSSES_KINDS];
	struct losses l;

	losses_init(&l);
	for (size_t i = 0; i < s->n_steps; i++) {
		const uint16_t word = word_of_step(known, s->steps[i]);
		const double units = grammar_loss(&u->grammar, &place, word, u->words.n) * COSTS_BIT;

		losses_add(&l, units > COSTS_MAX ? COSTS_MAX : (uint16_t)units);
		if (word != WORD_END)
			continue;
		losses_thread(&l);
		place = grammar_begin();
	}
	losses_end(&l, ends);
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		sketch_add(&u->refers[i], amount(ends[i]));
}

static void learn_order(struct usual *u, const uint16_t *known, const struct sequence *s)
{
	struct grammar_place place = grammar_begin();

	for (size_t i = 0; i < s->n_steps; i++) {
		const uint16_t word = word_of_step(known, s->steps[i]);

		grammar_learn(&u->grammar, &place, word);
		if (word == WORD_END)
			place = grammar_begin();
	}
}

static int add_habit(struct usual *u, uint16_t program, uint16_t word, uint32_t session)
{
	return word == WORD_UNKNOWN ? 0 : habits_add(&u->habits, program, word, session);
}

/* A program is executed by the one before it. What is beyond all words is none. */
static int learn_habits(struct usual *u, const uint16_t *known, const struct sequence *s, uint32_t session)
{
	uint16_t program = HABITS_BARE;
	int r = 0;

	for (size_t i = 0; i < s->n_symbols && r == 0; i++)
		r = add_habit(u, HABITS_ANY, known[i], session);
	for (size_t i = 0; i < s->n_steps && r == 0; i++) {
		const uint16_t step = s->steps[i];

		if (step < SEQUENCE_GAP && program != WORD_UNKNOWN) {
			r = habits_add(&u->habits, program, HABITS_ITSELF, session);
			r = r < 0 ? r : add_habit(u, program, known[step], session);
		}
		if (step == SEQUENCE_END)
			program = HABITS_BARE;
		else if (step < SEQUENCE_GAP && sequence_is_program(&s->symbols[step]))
			program = known[step];
	}
	return r;
}

int usual_learn(struct usual *u, const struct sequence *s, uint32_t session)
{
	auto_free uint16_t *known = words_learned(u, s);

	if (known == NULL)
		return -AMBIT_MEMORY;
	if (habits_event(&u->habits, session) && u->traces >= USUAL_YOUNG)
		refer(u, known, s);
	learn_order(u, known, s);
	u->traces++;
	u->calls += s->n_steps;
	return learn_habits(u, known, s, session);
}

int usual_accept(struct usual *u, const struct sequence *s, uint32_t sessions)
{
	auto_free uint16_t *known = words_learned(u, s);
	int r = known == NULL ? -AMBIT_MEMORY : 0;

	for (size_t i = 0; i < s->n_symbols && r == 0; i++)
		for (uint32_t k = 1; k <= sessions && r == 0 && known[i] != WORD_UNKNOWN &&
				     habits_of(&u->habits, HABITS_ANY, known[i]) < sessions;
		     k++)
			r = add_habit(u, HABITS_ANY, known[i], k);
	return r;
}

/* ---- what scores ---- */

static void freeze_refers(struct usual *u)
{
	for (size_t i = 0; i < LOSSES_KINDS; i++) {
		const struct sketch *s = &u->refers[i];
		uint32_t above = s->n;

		tail_of(s, LOSSES_SPREAD, &u->tails[i]);
		for (unsigned bin = 0; bin <= s->highest && s->n > 0; bin++) {
			u->below[i][bin] = (float)-log((above + 1.0) / (s->n + 1.0));
			above -= s->bins[bin];
		}
	}
}

int usual_freeze(struct usual *u)
{
	struct costs made;
	struct sorts sorts;
	int r = costs_make(&made, &u->grammar, u->words.n);

	if (r < 0)
		return r;
	r = sorts_make(&sorts, &u->words, &u->habits);
	if (r < 0) {
		costs_finish(&made);
		return r;
	}
	costs_finish(&u->costs);
	u->costs = made;
	sorts_finish(&u->sorts);
	u->sorts = sorts;
	freeze_refers(u);
	u->is_frozen = true;
	return 0;
}

static double order_surprise(const struct usual *u, enum losses_of of, uint64_t amount)
{
	const double in_tail = tail_surprise(&u->tails[of], amount);

	return u->refers[of].n == 0 ? 0 : in_tail > 0 ? in_tail : (double)u->below[of][sketch_bin(amount)];
}

static void score_order(const struct usual *u, const uint16_t *known, const struct sequence *s, struct usual_score *ret)
{
	struct costs_place place = costs_begin(&u->costs);
	struct losses l;

	losses_init(&l);
	for (size_t i = 0; i < s->n_steps; i++) {
		const uint16_t word = word_of_step(known, s->steps[i]);

		losses_add(&l, costs_of(&u->costs, &place, word));
		if (word != WORD_END)
			continue;
		losses_thread(&l);
		place = costs_begin(&u->costs);
	}
	losses_end(&l, ret->bits);
	ret->window_at = l.window.at;
	ret->burst_at = l.burst.at;
	for (size_t i = 0; i < LOSSES_KINDS; i++) {
		const double surprise = order_surprise(u, (enum losses_of)i, amount(ret->bits[i]));

		if (surprise <= ret->order)
			continue;
		ret->order = surprise;
		ret->of = (enum losses_of)i;
	}
}

/* ---- what is new ---- */

struct firsts_of {
	const struct usual *u, *base; /* base: NULL, there is none */
	const struct sequence *s;
	const uint16_t *known; /* words of each symbol */
	uint32_t *sessions;    /* that had the symbol, whatever program made it */
	struct usual_score *ret;
};

static uint32_t sessions_of(const struct usual *u, uint16_t word)
{
	return word != WORD_UNKNOWN ? habits_of(&u->habits, HABITS_ANY, word) : 0;
}

/* One of each sort, the least likely first. */
static void put_first(struct usual_score *ret, const struct usual_first *first)
{
	size_t at = 0;

	while (at < ret->n_firsts && ret->first[at].sort != first->sort)
		at++;
	if (at < ret->n_firsts) {
		const size_t n = ret->first[at].n + first->n;

		if (ret->first[at].surprise < first->surprise)
			ret->first[at] = *first;
		ret->first[at].n = n;
	} else if (at < USUAL_FIRSTS) {
		ret->first[ret->n_firsts++] = *first;
	} else if (ret->first[--at].surprise < first->surprise) {
		ret->first[at] = *first;
	}
	for (; at > 0 && ret->first[at].surprise > ret->first[at - 1].surprise; at--) {
		const struct usual_first was = ret->first[at - 1];

		ret->first[at - 1] = ret->first[at];
		ret->first[at] = was;
	}
}

/* Of any program, and of this one elsewhere. Its tables may have another key. */
static double likely_before(const struct firsts_of *f, uint16_t symbol, uint16_t program, bool by_program,
			    double likely)
{
	const struct sequence_symbol *text = &f->s->symbols[symbol], *by = &f->s->symbols[program];
	const struct habits *h;
	struct sort sort;
	uint16_t word, of;
	double had;

	if (f->base == NULL)
		return likely;
	h = &f->base->habits;
	sort = sort_of(f->base->words.key, text->text, text->n, by_program);
	word = words_find(&f->base->words, text->text, text->n);
	of = !by_program               ? HABITS_ANY
	     : program == SEQUENCE_END ? HABITS_BARE
				       : words_find(&f->base->words, by->text, by->n);
	likely = sorts_likely(&f->base->sorts, &sort, 0, likely);
	had = word == WORD_UNKNOWN || (by_program && of == WORD_UNKNOWN) ? 0 : habits_of(h, of, word);
	had /= (by_program ? (of != WORD_UNKNOWN ? habits_of(h, of, HABITS_ITSELF) : 0) : h->all.sessions) + BEHIND;
	return had > likely ? had : likely;
}

/* had: sessions that had it, or those of the program if by_program. */
static void weigh_as(struct firsts_of *f, uint16_t symbol, uint16_t program, bool by_program, uint32_t had)
{
	const struct sequence_symbol *text = &f->s->symbols[symbol];
	const struct sort sort = sort_of(f->u->words.key, text->text, text->n, by_program);
	const double before = likely_before(f, symbol, program, by_program, sort.likely);
	const double likely = sorts_likely(&f->u->sorts, &sort, had, before);

	if (likely < 1)
		put_first(f->ret, &(struct usual_first){ .surprise = -log(likely),
							 .sort = sort.hash,
							 .n = had == 0,
							 .by_program = by_program,
							 .symbol = symbol,
							 .program = program,
							 .sessions = f->sessions[symbol],
							 .of = f->u->habits.all.sessions });
}

/* What a program that is new here does is not new once more. */
static void weigh(struct firsts_of *f, uint16_t symbol, uint16_t program, bool again)
{
	const struct habits *h = &f->u->habits;
	const uint16_t by = program == SEQUENCE_END ? HABITS_BARE : f->known[program];
	const uint32_t sessions = f->sessions[symbol];
	uint32_t runs, had;

	if (!again && sessions < LIKELY * h->all.sessions)
		weigh_as(f, symbol, program, false, sessions);
	if (sessions == 0 || by == WORD_UNKNOWN || f->known[symbol] == WORD_UNKNOWN)
		return;
	runs = habits_of(h, by, HABITS_ITSELF);
	had = habits_of(h, by, f->known[symbol]);
	if (had < sessions && had < LIKELY * runs)
		weigh_as(f, symbol, program, true, had);
}

/* Which of the trace's programs that is; the last number is of all that are too many. */
static unsigned number_of(uint16_t *programs, unsigned *n, uint16_t program)
{
	for (unsigned i = 0; i < *n; i++)
		if (programs[i] == program)
			return i;
	if (*n == PROGRAMS_MAX - 1)
		return PROGRAMS_MAX - 1;
	programs[*n] = program;
	return (*n)++;
}

/* Each symbol by each program that made it, once. seen: a bit for each, and whether it begins one. */
static void weigh_firsts(struct firsts_of *f, uint64_t *seen)
{
	uint16_t programs[PROGRAMS_MAX] = { SEQUENCE_END }, program = SEQUENCE_END;
	unsigned n = 1, number = 0;

	for (size_t i = 0; i < f->s->n_steps; i++) {
		const uint16_t step = f->s->steps[i];

		if (step < SEQUENCE_GAP && (seen[step] >> number & 1) == 0) {
			weigh(f, step, program, (seen[step] & ~IS_PROGRAM) != 0);
			seen[step] |= UINT64_C(1) << number;
		}
		if (step == SEQUENCE_GAP || (step != SEQUENCE_END && (seen[step] & IS_PROGRAM) == 0))
			continue;
		program = step;
		number = number_of(programs, &n, program);
	}
}

static bool score_firsts(const struct usual *u, const struct usual *base, unsigned support, const struct sequence *s,
			 const uint16_t *known, struct usual_score *ret)
{
	auto_free uint32_t *sessions = malloc((s->n_symbols + 1) * sizeof *sessions);
	auto_free uint64_t *seen = calloc(s->n_symbols + 1, sizeof *seen);
	struct firsts_of f = { u, base, s, known, sessions, ret };
	double surprises[USUAL_FIRSTS];

	if (sessions == NULL || seen == NULL)
		return false;
	for (size_t i = 0; i < s->n_symbols; i++) {
		const uint32_t n = sessions_of(u, known[i]);

		ret->n_new += n < support;
		sessions[i] = n < support ? 0 : n;
		seen[i] = sequence_is_program(&s->symbols[i]) ? IS_PROGRAM : 0;
	}
	weigh_firsts(&f, seen);
	for (size_t i = 0; i < ret->n_firsts; i++)
		surprises[i] = ret->first[i].surprise *
			       (1 + MORE * log2((double)(ret->first[i].n > 0 ? ret->first[i].n : 1)));
	ret->firsts = fading_sum(surprises, ret->n_firsts);
	return true;
}

bool usual_score(const struct usual *u, const struct usual *base, unsigned support, const struct sequence *s,
		 struct usual_score *ret)
{
	auto_free uint16_t *known = words_known(u, s);

	*ret = (struct usual_score){ .n_firsts = 0 };
	if (known == NULL || !score_firsts(u, base, support, s, known, ret))
		return false;
	if (u->is_frozen)
		score_order(u, known, s, ret);
	return true;
}

double usual_whole(const struct usual_score *score)
{
	double both[] = { score->firsts, score->order };

	return fading_sum(both, 2);
}

const char *losses_word(enum losses_of of)
{
	static const char *const words[LOSSES_KINDS] = { "mean", "worst tenth", "window", "burst" };

	return of < LOSSES_KINDS ? words[of] : "?";
}
