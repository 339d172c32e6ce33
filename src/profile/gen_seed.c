/* Makes a seed (profile/seed.h) out of the corpus of behaviour, by what trains every other profile; or tries one. Lines are as line.h has them, the key says what for.
 *
 *   gen_seed NAME < LINES > PROFILE       of lines `learned`: each fourth of their sessions by turns is scored by what the others taught, so all of them calibrate, and teach
 *   gen_seed --try NAME < LINES           what a seed of the lines `learned` says of those `test`: label, told, above all, connects, reason; a tab between */
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/form.h"
#include "profile/line.h"
#include "profile/seed.h"

#define FOLDS 4

static const uint8_t any[PROFILE_KEY]; /* the same lines make the same seed */

struct lesson {
	struct deeds d;
	char label[LINE_NAME_MAX + 1];
	bool tries;
	unsigned session; /* from 1 */
	double scores[LAYERS];
};

struct lessons {
	struct lesson *all; /* owned, with what is theirs; until the process ends */
	size_t n, room;
	unsigned sessions;
};

static void give_up(const char *why)
{
	(void)fprintf(stderr, "gen_seed: %s\n", why);
	exit(1);
}

static void *or_none(void *p)
{
	if (p == NULL)
		give_up("no memory");
	return p;
}

/* ---- lines ---- */

static char *read_all(size_t *ret_n)
{
	char *text = NULL;
	size_t n = 0, room = 1u << 20, got;

	do {
		room *= 2;
		text = or_none(realloc(text, room));
		got = fread(text + n, 1, room - n, stdin);
		n += got;
	} while (n == room);
	*ret_n = n;
	return text;
}

static bool is_key(const struct trace_line *line, const char *key)
{
	return strlen(key) == line->key_length && memcmp(key, line->key, line->key_length) == 0;
}

/* Sessions come one after the other. */
static unsigned session_of(struct lessons *l, const struct trace_line *line)
{
	const char *before = l->n > 1 ? l->all[l->n - 2].d.principal : "";

	if (strlen(before) != line->session_length || memcmp(before, line->session, line->session_length) != 0)
		l->sessions++;
	return l->sessions;
}

static void take_trace(struct trace_line line, size_t number, struct trace *ret)
{
	static char names[TRACE_SYMBOLS_MAX][SYMBOL_MAX];
	static struct trace_step steps[TRACE_STEPS_MAX];
	size_t n_names = 0, n = 0, length;
	bool open = false;
	const char *text;
	struct err e;

	ret->threads = 0;
	while (n < TRACE_STEPS_MAX && ret->threads < TRACE_THREADS_MAX && n_names < TRACE_SYMBOLS_MAX &&
	       line_symbol(&line, number, &text, &length, &e) > 0) {
		size_t at = 0;

		if (length == 1 && *text == '|') {
			open = false;
			continue;
		}
		ret->threads += !open;
		open = true;
		while (at < n_names && (strlen(names[at]) != length || memcmp(names[at], text, length) != 0))
			at++;
		if (at == n_names && length < SYMBOL_MAX) {
			memcpy(names[n_names], text, length);
			names[n_names++][length] = 0;
		}
		steps[n++] = (struct trace_step){ .thread = (uint16_t)(ret->threads - 1), .symbol = (uint16_t)at };
	}
	ret->observed = 2;
	if (trace_make(ret, (const char(*)[SYMBOL_MAX])names, n_names, steps, n) < 0)
		give_up("no memory");
}

static void take_line(struct lessons *l, const struct trace_line *line, size_t number)
{
	struct lesson *one;

	if (l->n == l->room)
		l->all = or_none(realloc(l->all, (l->room = 2 * l->room + 256) * sizeof *l->all));
	one = &l->all[l->n++];
	memset(one, 0, sizeof *one);
	one->tries = is_key(line, "test");
	memcpy(one->label, line->label, line->label_length);
	for (size_t i = 0; i < AMOUNTS; i++)
		one->d.amounts[i] = line->has_amounts ? line->amounts[i] : AMOUNT_UNKNOWN;
	(void)snprintf(one->d.principal, sizeof one->d.principal, "%.*s", (int)line->session_length, line->session);
	one->session = session_of(l, line);
	take_trace(*line, number, &one->d.trace);
}

static void take_lines(struct lessons *l)
{
	struct trace_line line;
	struct err e;
	size_t n, number = 1;
	const char *at = read_all(&n);
	int r;

	for (; (r = line_next(&at, &n, number, &line, &e)) > 0; number++)
		if (is_key(&line, "test") || (is_key(&line, "learned") && !line.is_attack))
			take_line(l, &line, number);
	if (r < 0)
		give_up(e.msg);
}

/* ---- training ---- */

/* Without the sessions of that fold; FOLDS: with all. By way of its form, as one that is kept. */
static void train(const struct lessons *l, const char *name, unsigned without, struct profile *ret)
{
	const struct unusual young = { .young = true };
	auto_buf text = { .max = FORM_MAX };
	char key[PROFILE_NAME_MAX];
	struct profile p, none;
	struct err e;

	seed_key(name, key);
	if (profile_init(&p, key, any) < 0 || profile_init(&none, key, any) < 0)
		give_up("no memory");
	p.calls.grammar.most = p.calls.grammar.n; /* no order */
	for (size_t i = 0; i < l->n; i++)
		if (!l->all[i].tries && l->all[i].session % FOLDS != without &&
		    profile_learn(&p, &none, &l->all[i].d, &young) < 0)
			give_up("no memory");
	seed_strip(&p);
	form_write(&p, &text);
	if (text.failed || form_read((const char *)text.data, text.len, any, ret, &e) < 0)
		give_up(text.failed ? "no memory" : e.msg);
	profile_finish(&p);
	profile_finish(&none);
}

static bool is_of(const struct lesson *l, unsigned session)
{
	return !l->tries && l->session == session;
}

/* Of each layer in that session. How many events that has. */
static size_t highest(const struct lessons *l, unsigned session, double most[LAYERS])
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		n += is_of(&l->all[i], session);
		for (size_t k = 0; k < LAYERS && is_of(&l->all[i], session); k++)
			most[k] = fmax(most[k], l->all[i].scores[k]);
	}
	return n;
}

/* Of each session the highest, since events of one are alike: a seed says of how many other tasks something was as unusual. Layers first: how unusual the most unusual one of an event is, is known when all are. */
static void calibrate(struct lessons *l, const char *name, struct profile *p)
{
	static struct calibration layers[RINGS];
	double ps[LAYERS];

	for (unsigned fold = 0; fold < FOLDS; fold++) {
		struct profile others;

		train(l, name, fold, &others);
		for (size_t i = 0; i < l->n; i++) {
			struct seed_found found;

			if (l->all[i].tries || l->all[i].session % FOLDS != fold)
				continue;
			if (!seed_score(&others, &l->all[i].d, &found))
				give_up("no memory");
			memcpy(l->all[i].scores, found.f.scores, sizeof l->all[i].scores);
		}
		profile_finish(&others);
	}
	for (unsigned session = 1; session <= l->sessions; session++) {
		double most[LAYERS] = { 0 };

		if (highest(l, session, most) > 0)
			rings_add(layers, most, 0);
	}
	for (unsigned session = 1; session <= l->sessions; session++) {
		double most[LAYERS] = { 0 }, whole = 0;

		if (highest(l, session, most) == 0)
			continue;
		for (size_t i = 0; i < l->n; i++)
			if (is_of(&l->all[i], session))
				whole = fmax(whole, rings_whole(layers, l->all[i].scores, ps));
		rings_add(p->rings, most, whole);
	}
}

static void try_all(const struct lessons *l, const struct profile *seed)
{
	for (size_t i = 0; i < l->n; i++) {
		struct seed_found found;

		if (!l->all[i].tries)
			continue;
		if (!seed_score(seed, &l->all[i].d, &found))
			give_up("no memory");
		(void)printf("%s\t%d\t%d\t%d\t%s\n", l->all[i].label, found.f.flagged[PROMISED_LOG], found.above,
			     found.connects, found.f.n_reasons > 0 ? found.f.reasons[0].text : "");
	}
}

int main(int argc, char **argv)
{
	const bool tries = argc == 3 && strcmp(argv[1], "--try") == 0;
	struct lessons l = { .n = 0 };
	auto_buf text = { .max = FORM_MAX };
	struct profile seed;
	struct err e;

	if ((argc != 2 && !tries) || sodium_init() < 0)
		return 2;
	take_lines(&l);
	train(&l, argv[argc - 1], FOLDS, &seed);
	calibrate(&l, argv[argc - 1], &seed);
	if (tries) {
		try_all(&l, &seed);
		return 0;
	}
	form_write(&seed, &text);
	if (text.failed || seed_check(&seed, &e) < 0)
		give_up(text.failed ? "no memory" : e.msg);
	if (text.len > SEED_BYTES_MAX)
		give_up("the seed is too long");
	return fwrite(text.data, 1, text.len, stdout) == text.len ? 0 : 1;
}
