#include "profile/sorts.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"
#include "base/cleanup.h"

/* What is known beside its own sessions counts as so many of them. */
#define BEFORE 20.0

/* Orders of magnitude, and no more. What is staged, or goes with the cell, is nobody's loss; and what a cell may read of the system is nobody's secret. */
#define IN_WORK 0.1
#define OF_CELL 0.05
#define SYSTEM_READ 0.03
#define PROGRAM 0.1   /* of the system's */
#define SETTINGS 0.01 /* denied where programs look for what they are told: a cell shows only some of it */
#define OWN_PROGRAM 0.003
#define ELSEWHERE 0.001 /* the home, destinations, what else is changed; what others obey, which is held or shown */
#define GUARDED 0.0003  /* denied, or likely a secret */
#define BY_PROGRAM 0.05

struct parts {
	const char *what, *place;
	size_t n_what, n_place;
	char mark; /* '!', '?' or 0 */
};

static bool begins(const char *text, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static bool is(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(text, word, n) == 0;
}

/* A place up to its first part: "/etc" of the system, what stands before the first dot or slash of the rest. Of the home it is all that is told of what others obey, since each is obeyed by somebody else; and "~" of what programs keep there. */
static size_t place_of(const char *at, size_t n, bool whole)
{
	size_t end = n > 0 && at[0] == '/';

	if (n > 0 && at[0] == '~')
		return whole ? n : 1;
	while (end < n && at[end] != '/' && (at[end] != '.' || at[0] == '/'))
		end++;
	return end;
}

static struct parts parts_of(const char *symbol, size_t n)
{
	const bool marked = n > 1 && (symbol[n - 1] == '!' || symbol[n - 1] == '?');
	const char *end = symbol + n - marked, *colon = memchr(symbol, ':', (size_t)(end - symbol));
	struct parts p = { .what = symbol, .mark = marked ? *end : (char)0 };

	p.n_what = colon != NULL ? (size_t)(colon - symbol) : 0; /* what is no symbol of ours is all of one sort */
	p.place = colon != NULL ? colon + 1 : end;
	p.n_place = (size_t)(end - p.place);
	return p;
}

enum trait { TRAIT_NONE, TRAIT_SECRET, TRAIT_OBEYED };

static enum trait trait_of(const struct parts *p)
{
	if (is(p->what, p->n_what, "exec"))
		return TRAIT_NONE;
	return memmem(p->place, p->n_place, ".secret", 7) != NULL   ? TRAIT_SECRET
	       : memmem(p->place, p->n_place, ".obeyed", 7) != NULL ? TRAIT_OBEYED
								    : TRAIT_NONE;
}

static double likely_of(const struct parts *p, const char *place, size_t n, enum trait trait)
{
	if (p->mark == '!' && trait == TRAIT_NONE && is(p->what, p->n_what, "read") &&
	    (is(place, n, "/etc") || is(place, n, "/usr")))
		return SETTINGS;
	if (p->mark == '!' || trait == TRAIT_SECRET)
		return GUARDED;
	if (trait == TRAIT_OBEYED)
		return ELSEWHERE;
	if (is(p->what, p->n_what, "exec"))
		return is(place, n, "new") ? OWN_PROGRAM : PROGRAM;
	if (is(p->what, p->n_what, "connect"))
		return ELSEWHERE;
	if (begins(place, n, "/"))
		return is(p->what, p->n_what, "read") ? SYSTEM_READ : ELSEWHERE;
	if (is(place, n, "tmp") || is(place, n, "shm"))
		return OF_CELL;
	return is(place, n, "work") || is(place, n, "given") ? IN_WORK : ELSEWHERE;
}

struct sort sort_of(const uint8_t key[WORDS_KEY], const char *symbol, size_t n, bool by_program)
{
	const struct parts p = parts_of(symbol, n);
	const bool program = is(p.what, p.n_what, "exec");
	const enum trait trait = trait_of(&p);
	const size_t n_place = program && !is(p.place, p.n_place, "new")
				       ? 0
				       : place_of(p.place, p.n_place, trait == TRAIT_OBEYED);
	const bool inner = !program && n_place < p.n_place && p.place[0] != '~' && p.place[0] != '/' &&
			   memchr(p.place, '/', p.n_place) != NULL;
	uint8_t bytes[4 + 2 * (WORD_MAX + 1)] = { by_program, (uint8_t)p.mark, (uint8_t)trait, inner };
	struct sort ret = { .likely = likely_of(&p, p.place, n_place, trait) };
	size_t at = 4;

	memcpy(bytes + at, p.what, p.n_what);
	at += p.n_what + 1; /* a NUL between */
	memcpy(bytes + at, p.place, n_place);
	(void)crypto_shorthash((uint8_t *)&ret.hash, bytes, at + n_place, key);
	if (by_program && ret.likely < BY_PROGRAM)
		ret.likely = BY_PROGRAM;
	return ret;
}

/* ---- what is rare ---- */

struct rare {
	uint64_t hash;
	uint32_t session, others;
};

static int by_hash(const void *a, const void *b)
{
	const struct rare *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->session != y->session)
		return x->session < y->session ? -1 : 1;
	return x->others < y->others ? -1 : x->others > y->others;
}

static size_t rare_of(const struct words *w, const struct habits *h, struct rare *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct habit *row = &h->rows[i];
		const char *text = words_text(w, row->word);
		struct sort sort;

		if (row->word < WORD_FIRST || row->sessions > SORTS_RARE)
			continue;
		sort = sort_of(w->key, text, strlen(text), row->program != HABITS_ANY);
		for (uint32_t k = 0; k < row->sessions; k++)
			ret[n++] = (struct rare){ sort.hash, row->last[k], row->sessions - 1 };
	}
	return n;
}

/* Each session once, by the rarest that it had: that comes first. */
static void add_rows(struct sorts *s, const struct rare *rare, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || rare[i].hash != rare[i - 1].hash)
			s->rows[s->n++] = (struct sorts_row){ .hash = rare[i].hash };
		else if (rare[i].session == rare[i - 1].session)
			continue;
		for (uint32_t k = rare[i].others; k < SORTS_RARE; k++)
			s->rows[s->n - 1].sessions[k]++;
	}
}

int sorts_make(struct sorts *ret, const struct words *w, const struct habits *h)
{
	auto_free struct rare *rare = malloc((h->n * SORTS_RARE + 1) * sizeof *rare);
	const size_t n = rare != NULL ? rare_of(w, h, rare) : 0;
	struct sorts made = { .rows = malloc((n + 1) * sizeof *made.rows), .of = h->all.sessions };

	if (rare == NULL || made.rows == NULL) {
		free(made.rows);
		return -AMBIT_MEMORY;
	}
	qsort(rare, n, sizeof *rare, by_hash);
	add_rows(&made, rare, n);
	*ret = made;
	return 0;
}

void sorts_finish(struct sorts *s)
{
	free(s->rows);
	*s = (struct sorts){ .rows = NULL };
}

static uint32_t sessions_of(const struct sorts *s, uint64_t hash, uint32_t had)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (s->rows[middle].hash == hash)
			return s->rows[middle].sessions[had < SORTS_RARE ? had : SORTS_RARE - 1];
		if (s->rows[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

double sorts_likely(const struct sorts *s, const struct sort *sort, uint32_t had, double before)
{
	const double likely = (sessions_of(s, sort->hash, had) + BEFORE * before) / (s->of + BEFORE);
	const double at_least = had >= SORTS_RARE && s->of > 0 ? (double)had / s->of : 0;

	return likely > at_least ? likely : at_least;
}
