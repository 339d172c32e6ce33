#include "profile/eval.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fnv.h"

enum use { USE_COUNT, USE_LEARN, USE_CALIBRATE, USE_HELD_BACK, USE_TEST };

static int no_memory(struct err *e)
{
	return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profiles");
}

static int key_begin(struct eval_key *k, const struct eval_ask *ask, const char *name, size_t n)
{
	int r;

	memset(k, 0, sizeof *k);
	memcpy(k->name, name, n);
	for (size_t i = 0; i < RINGS; i++)
		calibration_init(&k->rings[i]);
	amounts_init(&k->amounts);
	for (size_t i = 0; i < ask->n_alphas; i++)
		promise_init(&k->promises[i], ask->alphas[i]);
	r = firsts_init(&k->firsts, ask->key);
	return r < 0 ? r : usual_init(&k->model, ask->key);
}

static void key_finish(struct eval_key *k)
{
	usual_finish(&k->model);
	firsts_finish(&k->firsts);
	rank_finish(&k->rank);
}

/* There are few, and lines of one follow each other: the last one is looked at first. */
static struct eval_key *find_key(struct eval *ev, const struct trace_line *line)
{
	for (size_t i = ev->n_keys; i-- > 0;)
		if (strlen(ev->keys[i].name) == line->key_length &&
		    memcmp(ev->keys[i].name, line->key, line->key_length) == 0)
			return &ev->keys[i];
	return NULL;
}

static int make_key(struct eval *ev, const struct trace_line *line, struct eval_key **ret, struct err *e)
{
	*ret = find_key(ev, line);
	if (*ret != NULL)
		return 0;
	if (ev->n_keys == EVAL_KEYS_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d keys", EVAL_KEYS_MAX);
	if (ev->n_keys == ev->room) {
		const size_t room = ev->room == 0 ? 16 : 2 * ev->room;
		struct eval_key *more = realloc(ev->keys, room * sizeof *more);

		if (more == NULL)
			return no_memory(e);
		ev->keys = more;
		ev->room = room;
	}
	if (key_begin(&ev->keys[ev->n_keys], ev->ask, line->key, line->key_length) < 0)
		return no_memory(e);
	*ret = &ev->keys[ev->n_keys++];
	return 0;
}

/* ---- the sequence of a line ---- */

static bool put_step(struct eval *ev, uint16_t step)
{
	if (ev->n_steps == ev->steps_room) {
		const size_t room = ev->steps_room == 0 ? 4096 : 2 * ev->steps_room;
		uint16_t *more = realloc(ev->steps, room * sizeof *more);

		if (more == NULL)
			return false;
		ev->steps = more;
		ev->steps_room = room;
	}
	ev->steps[ev->n_steps++] = step;
	return true;
}

static uint16_t number_of(struct eval *ev, const char *text, size_t n)
{
	uint64_t hash;

	(void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)text, n, ev->ask->key);
	for (uint32_t at = hash % EVAL_SLOTS;; at = (at + 1) % EVAL_SLOTS) {
		const struct sequence_symbol *there = ev->slots[at] > 0 ? &ev->named[ev->slots[at] - 1] : NULL;

		if (there != NULL && (there->n != n || memcmp(there->text, text, n) != 0))
			continue;
		if (there != NULL)
			return ev->slots[at] - 1;
		if (ev->n_symbols == SEQUENCE_SYMBOLS_MAX)
			return SEQUENCE_GAP;
		ev->at[ev->n_symbols] = at;
		ev->named[ev->n_symbols++] = (struct sequence_symbol){ text, n };
		ev->slots[at] = (uint16_t)ev->n_symbols;
		return (uint16_t)(ev->n_symbols - 1);
	}
}

/* A thread without a symbol is none. */
static int take_sequence(struct eval *ev, struct trace_line line, size_t number, struct sequence *ret, struct err *e)
{
	bool open = false;
	const char *text;
	size_t length;
	int r;

	for (size_t i = 0; i < ev->n_symbols; i++)
		ev->slots[ev->at[i]] = 0;
	ev->n_symbols = ev->n_steps = 0;
	while ((r = line_symbol(&line, number, &text, &length, e)) > 0) {
		const bool ends = length == 1 && *text == '|';

		if (ends && !open)
			continue;
		open = !ends;
		if (!put_step(ev, ends ? (uint16_t)SEQUENCE_END : number_of(ev, text, length)))
			return no_memory(e);
	}
	if (r == 0 && open && !put_step(ev, SEQUENCE_END))
		return no_memory(e);
	*ret = (struct sequence){ ev->named, ev->n_symbols, ev->steps, ev->n_steps };
	return r;
}

/* What it named; what has no room is left out. */
static void take_items(struct eval *ev, struct trace_line line)
{
	ev->n_items = 0;
	while (ev->n_items < DEEDS_ITEMS_MAX && line_item(&line, &ev->items[ev->n_items]))
		ev->n_items++;
}

/* Sessions of two keys are two. */
static uint32_t session_of(const struct trace_line *line, size_t number)
{
	uint64_t hash = fnv(FNV_BASIS, line->key, line->key_length);

	if (line->session_length > 0)
		hash = fnv(fnv(hash, "=", 1), line->session, line->session_length);
	else
		hash = fnv(hash, &number, sizeof number);
	return (uint32_t)(hash ^ hash >> 32) | 1;
}

/* ---- what a line is used for ---- */

static int learn_by(struct eval *ev, struct eval_key *k, const struct trace_line *line, size_t number, struct err *e)
{
	struct sequence sequence = { .n_steps = 0 };
	const int r = take_sequence(ev, *line, number, &sequence, e);

	if (r < 0)
		return r;
	take_items(ev, *line);
	if (firsts_learn(&k->firsts, ev->items, ev->n_items, 1, session_of(line, number)) < 0)
		return no_memory(e);
	k->learned++;
	if (line->has_amounts)
		amounts_learn(&k->amounts, NULL, line->amounts);
	return usual_learn(&k->model, &sequence, session_of(line, number)) < 0 ? no_memory(e) : 0;
}

struct event_score {
	double layers[LAYERS], whole;
};

static int score_by(struct eval *ev, const struct eval_key *k, const struct trace_line *line, size_t number,
		    struct event_score *ret, struct err *e)
{
	const struct usual *base = k == &ev->wide ? NULL : &ev->wide.model;
	struct timespec from, to;
	double ps[LAYERS];
	struct usual_score score = { .n_firsts = 0 };
	struct firsts_fresh fresh;
	struct sequence sequence = { .n_steps = 0 };
	int r = take_sequence(ev, *line, number, &sequence, e);

	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	r = usual_score(&k->model, base, 1, &sequence, &score) ? 0 : no_memory(e);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	ev->scored_ns += (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec);
	ev->symbols += sequence.n_steps;
	take_items(ev, *line);
	ret->layers[LAYER_FIRSTS] = firsts_score(&k->firsts, ev->items, ev->n_items, 1, &fresh);
	ret->layers[LAYER_AMOUNTS] = line->has_amounts ? amounts_score(&k->amounts, line->amounts, NULL) : 0;
	ret->layers[LAYER_CALLS] = usual_whole(&score);
	ret->whole = rings_whole(k->rings, ret->layers, ps);
	return r;
}

/* One that has the profile of all keys: also where it is the only one. */
static bool is_young(const struct eval *ev, const struct eval_key *k)
{
	return k == NULL || ev->n_keys == 1 || k->learned < USUAL_YOUNG;
}

static struct eval_key *profile_of(struct eval *ev, struct eval_key *k)
{
	return is_young(ev, k) ? &ev->wide : k;
}

static int calibrate_by(struct eval *ev, struct eval_key *k, const struct trace_line *line, size_t number,
			struct err *e)
{
	struct event_score score;
	const int r = score_by(ev, profile_of(ev, k), line, number, &score, e);

	if (r < 0)
		return r;
	rings_add(ev->wide.rings, score.layers, score.whole);
	ev->wide.calibrated++;
	if (is_young(ev, k))
		return 0;
	rings_add(k->rings, score.layers, score.whole);
	k->calibrated++;
	return 0;
}

static struct eval_attack *attack_of(struct eval *ev, const struct trace_line *line)
{
	for (size_t i = ev->n_attacks; i-- > 0;)
		if (strlen(ev->attacks[i].name) == line->label_length &&
		    memcmp(ev->attacks[i].name, line->label, line->label_length) == 0)
			return &ev->attacks[i];
	if (ev->n_attacks == EVAL_ATTACKS_MAX)
		return NULL;
	memcpy(ev->attacks[ev->n_attacks].name, line->label, line->label_length);
	return &ev->attacks[ev->n_attacks++];
}

static void count(struct eval_count *c, bool is_attack, const bool *flagged, size_t n)
{
	*(is_attack ? &c->attacks : &c->usual) += 1;
	for (size_t i = 0; i < n; i++)
		(is_attack ? c->flagged_attacks : c->flagged_usual)[i] += flagged[i];
}

/* By the key's own calibration where that can promise as little; else by that of all. Of a stream a person releases what was flagged and is no attack; an attack that was not flagged is taken for usual. The last alpha says what
 * is calibrated with. */
static void judge(struct eval *ev, struct eval_key *k, const struct event_score *score, bool is_attack, bool *flagged)
{
	bool stopped = false;

	for (size_t i = 0; i < ev->ask->n_alphas; i++) {
		const bool own = calibration_least(&k->rings[RING_WHOLE]) <= ev->ask->alphas[i];
		struct eval_key *by = own ? k : &ev->wide;
		const double least = calibration_least(&by->rings[RING_WHOLE]);

		flagged[i] = promise_flags(&by->promises[i], calibration_p(&by->rings[RING_WHOLE], score->whole),
					   least);
		stopped = is_attack && flagged[i];
		if (ev->ask->streams && !stopped)
			promise_learn(&by->promises[i], flagged[i]);
	}
	if (!ev->ask->streams || stopped)
		return;
	rings_add(k->rings, score->layers, score->whole);
	if (k != &ev->wide)
		rings_add(ev->wide.rings, score->layers, score->whole);
}

static int test_by(struct eval *ev, struct eval_key *k, const struct trace_line *line, size_t number, struct err *e)
{
	struct eval_key *by = profile_of(ev, k);
	struct eval_attack *attack = line->is_attack ? attack_of(ev, line) : NULL;
	bool flagged[EVAL_ALPHAS_MAX] = { false };
	struct event_score score;
	const int r = score_by(ev, by, line, number, &score, e);

	if (r < 0)
		return r;
	judge(ev, by, &score, line->is_attack, flagged);
	ev->tested_by_wide += by == &ev->wide;
	count(&ev->count, line->is_attack, flagged, ev->ask->n_alphas);
	count(&by->count, line->is_attack, flagged, ev->ask->n_alphas);
	ev->other_attacks += line->is_attack && attack == NULL;
	for (size_t i = 0; i < ev->ask->n_alphas && attack != NULL; i++)
		attack->flagged[i] += flagged[i];
	if (attack != NULL)
		attack->n++;
	return rank_add(&ev->rank, score.whole, line->is_attack) && rank_add(&by->rank, score.whole, line->is_attack)
		       ? 0
		       : no_memory(e);
}

/* ---- a text ---- */

static bool is_held_back(const struct eval *ev, uint64_t number_of_key)
{
	return !ev->ask->has_calibrate && number_of_key % EVAL_HELD_BACK == EVAL_HELD_BACK - 1;
}

static int use_to_learn(struct eval *ev, struct eval_key *k, const struct trace_line *line, size_t number, enum use use,
			uint64_t of_key, struct err *e)
{
	int r;

	if (line->is_attack) {
		k->attacks_left_out += use == USE_LEARN;
		return 0;
	}
	if (use == USE_COUNT) {
		k->lines++;
		ev->wide.lines++;
		return 0;
	}
	if (is_held_back(ev, of_key))
		return use == USE_HELD_BACK ? calibrate_by(ev, k, line, number, e) : 0;
	if (use == USE_HELD_BACK)
		return 0;
	r = ev->n_keys > 1 ? learn_by(ev, k, line, number, e) : 0;
	return r < 0 ? r : learn_by(ev, &ev->wide, line, number, e);
}

/* Also of what is passed over. */
static int check_symbols(struct trace_line line, size_t number, struct err *e)
{
	const char *text;
	size_t n;
	int r;

	while ((r = line_symbol(&line, number, &text, &n, e)) > 0)
		;
	return r;
}

static int use_line(struct eval *ev, const struct trace_line *line, size_t number, enum use use, struct err *e)
{
	struct eval_key *k = find_key(ev, line);
	int r;

	if (k == NULL && (use == USE_LEARN || use == USE_HELD_BACK))
		return 0; /* each was counted, and so has one */
	switch (use) {
	case USE_COUNT:
		r = check_symbols(*line, number, e);
		r = r < 0 ? r : make_key(ev, line, &k, e);
		return r < 0 || k == NULL ? r : use_to_learn(ev, k, line, number, use, 0, e);
	case USE_LEARN:
	case USE_HELD_BACK: k->seen += !line->is_attack; return use_to_learn(ev, k, line, number, use, k->seen - 1, e);
	case USE_CALIBRATE:
		return line->is_attack ? check_symbols(*line, number, e) : calibrate_by(ev, k, line, number, e);
	case USE_TEST: return test_by(ev, k, line, number, e);
	}
	return 0;
}

static int use_text(struct eval *ev, const struct eval_text *text, const char *name, enum use use, struct err *e)
{
	const char *at = text->bytes;
	size_t left = text->n, number = 1;
	struct trace_line line;
	int r;

	for (; (r = line_next(&at, &left, number, &line, e)) > 0; number++) {
		r = use_line(ev, &line, number, use, e);
		if (r < 0)
			break;
	}
	for (size_t i = 0; i < ev->n_keys; i++)
		ev->keys[i].seen = 0;
	return r < 0 ? err_context(e, r, "%s", name) : 0;
}

static int freeze(struct eval *ev, struct err *e)
{
	int r = usual_freeze(&ev->wide.model);

	amounts_freeze(&ev->wide.amounts);
	for (size_t i = 0; i < ev->n_keys && r == 0; i++) {
		amounts_freeze(&ev->keys[i].amounts);
		if (!is_young(ev, &ev->keys[i]))
			r = usual_freeze(&ev->keys[i].model);
	}
	return r < 0 ? no_memory(e) : 0;
}

static int run(struct eval *ev, struct err *e)
{
	const struct eval_ask *ask = ev->ask;
	int r = use_text(ev, &ask->train, "--train", USE_COUNT, e);

	r = r < 0 ? r : use_text(ev, &ask->train, "--train", USE_LEARN, e);
	if (r == 0 && ev->wide.learned == 0)
		r = err_set(e, AMBIT_USAGE, "one trace a line, of usual events",
			    "--train has nothing that is usual to learn from");
	r = r < 0 ? r : freeze(ev, e);
	if (r == 0 && ask->has_calibrate)
		r = use_text(ev, &ask->calibrate, "--calibrate", USE_CALIBRATE, e);
	else if (r == 0)
		r = use_text(ev, &ask->train, "--train", USE_HELD_BACK, e);
	ev->scored_ns = ev->symbols = 0; /* of the test alone */
	r = r < 0 ? r : use_text(ev, &ask->test, "--test", USE_TEST, e);
	rank_sort(&ev->rank);
	rank_sort(&ev->wide.rank);
	for (size_t i = 0; i < ev->n_keys; i++)
		rank_sort(&ev->keys[i].rank);
	return r;
}

int eval_run(struct eval *ev, const struct eval_ask *ask, struct err *e)
{
	*ev = (struct eval){ .ask = ask };
	ev->attacks = calloc(EVAL_ATTACKS_MAX, sizeof *ev->attacks);
	ev->named = calloc(SEQUENCE_SYMBOLS_MAX, sizeof *ev->named);
	ev->slots = calloc(EVAL_SLOTS, sizeof *ev->slots);
	ev->at = calloc(SEQUENCE_SYMBOLS_MAX, sizeof *ev->at);
	ev->items = calloc(DEEDS_ITEMS_MAX, sizeof *ev->items);
	if (ev->items == NULL || ev->attacks == NULL || ev->named == NULL || ev->slots == NULL || ev->at == NULL ||
	    key_begin(&ev->wide, ask, "", 0) < 0)
		return no_memory(e);
	return run(ev, e);
}

void eval_finish(struct eval *ev)
{
	key_finish(&ev->wide);
	rank_finish(&ev->rank);
	for (size_t i = 0; i < ev->n_keys; i++)
		key_finish(&ev->keys[i]);
	free(ev->keys);
	free(ev->attacks);
	free(ev->steps);
	free(ev->named);
	free(ev->slots);
	free(ev->at);
	free(ev->items);
	*ev = (struct eval){ .n_keys = 0 };
}
