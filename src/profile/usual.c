#include "profile/usual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"
#include "base/cleanup.h"

#define PARTS 1000 /* a sketch has whole numbers */
/* Of what is behind it each level counts as so many sessions: few, so that its own are believed soon, and more than one, so that one session is no habit. */
#define BEHIND 3.0
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
	r = r < 0 ? r : shapes_init(&u->shapes, key);
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
	shapes_finish(&u->shapes);
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

	for (size_t i = 0; i < s->n_symbols && known != NULL; i++) {
		const size_t before = u->words.n;

		known[i] = words_learn(&u->words, s->symbols[i].text, s->symbols[i].n);
		if (u->words.n > before && shapes_add(&u->shapes, s->symbols[i].text, s->symbols[i].n) < 0) {
			free(known);
			return NULL;
		}
	}
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
	const int r = costs_make(&made, &u->grammar, u->words.n);

	if (r < 0)
		return r;
	costs_finish(&u->costs);
	u->costs = made;
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
	const uint16_t *known, *based; /* words of each symbol in both */
	uint32_t *sessions;            /* that had the symbol, whatever program made it */
	float *least;                  /* how likely it is of the program of which it is least so; 1: it is not there */
	uint16_t *by;                  /* which that is */
};

static uint32_t sessions_of(const struct usual *u, uint16_t word)
{
	return word != WORD_UNKNOWN ? habits_of(&u->habits, HABITS_ANY, word) : 0;
}

static double behind(uint32_t sessions, uint32_t of, double likely)
{
	return (sessions + BEHIND * likely) / (of + BEHIND);
}

/* By what is known beyond this profile's sessions, of whatever program. */
static double likely_beyond(const struct firsts_of *f, size_t i)
{
	const double shape = f->known[i] != WORD_UNKNOWN
				     ? SHAPES_KNOWN
				     : shapes_of(&f->u->shapes, f->s->symbols[i].text, f->s->symbols[i].n);

	if (f->base == NULL)
		return shape;
	return 1 - (1 - shape) * (1 - sessions_of(f->base, f->based[i]) / /* either way */
					      (f->base->habits.all.sessions + BEHIND));
}

static uint32_t less(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

/* From what is farthest to what is nearest: beyond this profile; its sessions of other programs; that program's elsewhere; and here. program: a symbol, or SEQUENCE_END. */
static double likely_of(const struct firsts_of *f, size_t i, uint16_t program)
{
	const struct habits *h = &f->u->habits;
	const uint16_t here = program == SEQUENCE_END ? HABITS_BARE : f->known[program];
	const uint16_t there = program == SEQUENCE_END || f->base == NULL ? WORD_UNKNOWN : f->based[program];
	const bool known = here != WORD_UNKNOWN && f->known[i] != WORD_UNKNOWN;
	const uint32_t runs = here != WORD_UNKNOWN ? habits_of(h, here, HABITS_ITSELF) : 0;
	const uint32_t had = known ? habits_of(h, here, f->known[i]) : 0;
	const uint32_t others = less(h->all.sessions, runs), others_had = less(f->sessions[i], had);
	double likely = behind(others_had < others ? others_had : others, others, likely_beyond(f, i));

	if (there != WORD_UNKNOWN)
		likely = behind(f->based[i] != WORD_UNKNOWN ? habits_of(&f->base->habits, there, f->based[i]) : 0,
				habits_of(&f->base->habits, there, HABITS_ITSELF), likely);
	return behind(had < f->sessions[i] ? had : f->sessions[i], runs, likely);
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

static void weigh(struct firsts_of *f, uint16_t symbol, uint16_t program)
{
	const float likely = (float)likely_of(f, symbol, program);

	if (likely >= f->least[symbol])
		return;
	f->least[symbol] = likely;
	f->by[symbol] = program;
}

/* Each symbol by each program that made it, once. seen: a bit for each, and whether it begins one. */
static void weigh_firsts(struct firsts_of *f, uint64_t *seen)
{
	uint16_t programs[PROGRAMS_MAX] = { SEQUENCE_END }, program = SEQUENCE_END;
	unsigned n = 1, number = 0;

	for (size_t i = 0; i < f->s->n_steps; i++) {
		const uint16_t step = f->s->steps[i];

		if (step < SEQUENCE_GAP && (seen[step] >> number & 1) == 0) {
			seen[step] |= UINT64_C(1) << number;
			weigh(f, step, program);
		}
		if (step == SEQUENCE_GAP || (step != SEQUENCE_END && (seen[step] & IS_PROGRAM) == 0))
			continue;
		program = step;
		number = number_of(programs, &n, program);
	}
}

static void put_first(struct usual_score *ret, const struct firsts_of *f, size_t i)
{
	const struct usual_first first = { .surprise = -log((double)f->least[i]),
					   .symbol = (uint16_t)i,
					   .program = f->by[i],
					   .sessions = f->sessions[i],
					   .of = f->u->habits.all.sessions };
	size_t at = ret->n_firsts;

	if (at == USUAL_FIRSTS && ret->first[at - 1].surprise >= first.surprise)
		return;
	at -= at == USUAL_FIRSTS;
	for (; at > 0 && ret->first[at - 1].surprise < first.surprise; at--)
		ret->first[at] = ret->first[at - 1];
	ret->first[at] = first;
	ret->n_firsts += ret->n_firsts < USUAL_FIRSTS;
}

static bool score_firsts(const struct usual *u, const struct usual *base, unsigned support, const struct sequence *s,
			 const uint16_t *known, struct usual_score *ret)
{
	auto_free uint16_t *based = base != NULL ? words_known(base, s) : NULL;
	auto_free uint32_t *sessions = malloc((s->n_symbols + 1) * sizeof *sessions);
	auto_free float *least = malloc((s->n_symbols + 1) * sizeof *least);
	auto_free uint64_t *seen = calloc(s->n_symbols + 1, sizeof *seen);
	auto_free uint16_t *by = calloc(s->n_symbols + 1, sizeof *by);
	struct firsts_of f = { u, base, s, known, based, sessions, least, by };

	if ((base != NULL && based == NULL) || sessions == NULL || least == NULL || seen == NULL || by == NULL)
		return false;
	for (size_t i = 0; i < s->n_symbols; i++) {
		const uint32_t n = sessions_of(u, known[i]);

		ret->n_new += n < support;
		sessions[i] = n < support ? 0 : n;
		seen[i] = sequence_is_program(&s->symbols[i]) ? IS_PROGRAM : 0;
		least[i] = 1;
	}
	weigh_firsts(&f, seen);
	for (size_t i = 0; i < s->n_symbols; i++)
		if (f.least[i] < LIKELY)
			put_first(ret, &f, i);
	for (size_t i = ret->n_firsts; i-- > 0;)
		ret->firsts = ret->first[i].surprise + ret->firsts / 2;
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

const char *losses_word(enum losses_of of)
{
	static const char *const words[LOSSES_KINDS] = { "mean", "worst tenth", "window", "burst" };

	return of < LOSSES_KINDS ? words[of] : "?";
}
