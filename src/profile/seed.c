#include "profile/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/words.h"

/* What of a machine's amounts is the same on another. Of files and names the corpus counts what came of the event, and a record what was asked for. */
static const enum amount counted[] = { AMOUNT_CALLS,         AMOUNT_LEFT_OUT, AMOUNT_DENIED,     AMOUNT_PROGRAMS,
				       AMOUNT_WRITES,        AMOUNT_UP_BYTES, AMOUNT_DOWN_BYTES, AMOUNT_DESTINATIONS,
				       AMOUNT_WRITTEN_BYTES, AMOUNT_TASKS,    AMOUNT_THREADS };

#define CONNECT "connect:"
#define CLEARLY 1.2 /* times the most unusual of its tasks: other work is unlike them, too */

/* ---- which one ---- */

static const struct {
	const char *program, *seed;
} seeds[] = {
#define SEED(program, seed) { program, seed },
#include "profile/seeds.def"
#undef SEED
};

/* "python3.11" is python, and "gcc-12" gcc. */
static size_t without_version(const char *program)
{
	size_t n = strlen(program);

	while (n > 1 && strchr("0123456789.-", program[n - 1]) != NULL)
		n--;
	return n;
}

const char *seed_of(const char *tool, const char *program, size_t nth)
{
	const size_t n = without_version(program);

	if (strcmp(tool, "run") != 0)
		return NULL;
	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++)
		if (strlen(seeds[i].program) == n && memcmp(seeds[i].program, program, n) == 0 && nth-- == 0)
			return seeds[i].seed;
	return NULL;
}

void seed_key(const char *name, char ret[PROFILE_NAME_MAX])
{
	(void)snprintf(ret, PROFILE_NAME_MAX, "\t" SEED_TOOL "\t%.100s\t", name);
}

/* "\tKIND\tPROGRAM\t" */
bool seed_is_of(const char *key)
{
	const char *program = key[0] == '\t' ? strchr(key + 1, '\t') : NULL;
	const char *end = program != NULL ? strchr(program + 1, '\t') : NULL;

	return end != NULL && program > key + 1 && end > program + 1 && end[1] == 0 && key[1] != '*' &&
	       program[1] != '*';
}

int seed_check(const struct profile *p, struct err *e)
{
	const uint32_t scores = p->rings[RING_WHOLE].n;

	if (p->events < PROFILE_YOUNG || scores < SEED_SCORES_MIN)
		return err_set(e, AMBIT_MALFORMED, "export it when it knows more",
			       "it knows %u events, and was calibrated with %u: a seed wants %d and %d", p->events,
			       scores, PROFILE_YOUNG, SEED_SCORES_MIN);
	return 0;
}

/* ---- what it says ---- */

/* Borrowed from d: nobody finishes it. What the seed does not know of amounts was never counted. */
static void view(const struct profile *seed, const struct deeds *d, struct deeds *ret)
{
	*ret = *d;
	ret->items = NULL;
	ret->n_items = 0;
	for (size_t i = 0; i < AMOUNTS; i++)
		ret->amounts[i] = AMOUNT_UNKNOWN;
	for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
		if (seed->amounts.of[counted[i]].n > 0)
			ret->amounts[counted[i]] = d->amounts[counted[i]];
}

static bool is_connect(const char *word)
{
	return strncmp(word, CONNECT, strlen(CONNECT)) == 0;
}

static bool ever_connects(const struct usual *u, uint16_t program)
{
	for (size_t i = WORD_FIRST; i < u->words.n; i++)
		if (is_connect(u->words.texts[i]) && habits_of(&u->habits, program, (uint16_t)i) > 0)
			return true;
	return false;
}

/* Whether it has habits, and connecting is none of them. */
static bool never_connects(const struct usual *u, uint16_t program)
{
	return program != WORD_UNKNOWN && habits_of(&u->habits, program, HABITS_ITSELF) >= SEED_SESSIONS_MIN &&
	       !ever_connects(u, program);
}

static uint16_t word_of(const struct usual *u, const char *symbol)
{
	return words_find(&u->words, symbol, strlen(symbol));
}

static bool is_program(const char *symbol)
{
	const struct sequence_symbol s = { symbol, strlen(symbol) };

	return sequence_is_program(&s);
}

/* What a thread executed last, and what it did before it executed anything. */
struct thread {
	uint16_t program; /* its symbol, from 1; 0: nothing yet */
	bool connected;
};

/* What it runs connects, and it does not; a language's interpreter may, whatever its tasks here were. */
static bool is_shell(const char *symbol)
{
	static const char *const shells[] = { "exec:bash", "exec:dash", "exec:sh", "exec:zsh", "exec:ksh" };

	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
		if (strcmp(symbol, shells[i]) == 0)
			return true;
	return false;
}

/* The rules, in the order of the steps:
 * 1. A shell connects by itself that never did.
 * 2. A process that executed nothing is another's fork, and whose nobody knows: it is told if no program was executed so far that is known to connect, or of which nothing is known.
 * 3. One that connected before it executes something is told then: what is executed has that connection.
 * The name of what connects; "": a process that executed nothing; NULL: none of it. */
static const char *first_connect(const struct usual *u, const struct trace *t, bool *ret_memory)
{
	auto_free struct thread *threads = calloc(t->threads + 1, sizeof *threads);
	bool any = false, others = false; /* was executed; and what may connect */

	*ret_memory = threads != NULL;
	for (size_t i = 0; i < t->n_steps && threads != NULL; i++) {
		const uint16_t symbol = t->steps[i].symbol;
		struct thread *of = &threads[t->steps[i].thread];

		if (is_program(t->symbols[symbol])) {
			if (of->connected && of->program == 0)
				return "";
			any = true;
			others = others || !never_connects(u, word_of(u, t->symbols[symbol]));
			of->program = (uint16_t)(symbol + 1);
		} else if (is_connect(t->symbols[symbol])) {
			const char *program = of->program > 0 ? t->symbols[of->program - 1] : NULL;

			if (program == NULL ? any && !others
					    : is_shell(program) && never_connects(u, word_of(u, program)))
				return program != NULL ? program + strlen("exec:") : "";
			of->connected = true;
		}
	}
	return NULL;
}

/* What is flagged has a reason. */
static void say_whole(const struct profile *seed, struct unusual *f)
{
	f->n_reasons = 1;
	f->reasons[0] = (struct reason_of){ .layer = LAYER_CALLS, .surprise = f->whole };
	(void)snprintf(f->reasons[0].text, sizeof f->reasons[0].text,
		       "many things that are a little unusual: together more than what a seed of %u events knows",
		       seed->events);
}

static void say_connects(const struct profile *seed, const char *by, struct unusual *f)
{
	struct reason_of *r = &f->reasons[0];

	memmove(r + 1, r, (REASONS_MAX - 1) * sizeof *r);
	f->n_reasons += f->n_reasons < REASONS_MAX;
	*r = (struct reason_of){ .layer = LAYER_CALLS, .surprise = f->n_reasons > 1 ? r[1].surprise : 0, .asks = true };
	(void)snprintf(r->text, sizeof r->text, "%s connects, which it never does in %u sessions of a seed",
		       by[0] != 0 ? by : "a process that executed nothing", seed->calls.habits.all.sessions);
}

bool seed_score(const struct profile *seed, const struct deeds *d, struct seed_found *ret)
{
	const char *by;
	struct deeds seen;
	bool good, few;

	*ret = (struct seed_found){ .above = false };
	view(seed, d, &seen);
	profile_score(seed, NULL, &seen, &ret->f);
	ret->above = calibration_p(&seed->rings[RING_WHOLE], ret->f.whole / CLEARLY) <=
		     ret->f.least; /* by so much more than any */
	few = ret->f.p <= 2 * ret->f.least;
	by = first_connect(&seed->calls, &d->trace, &good);
	ret->connects = by != NULL;
	if (by != NULL)
		say_connects(seed, by, &ret->f);
	ret->f.young = true;
	ret->f.p = ret->f.least = 1;
	memset(ret->f.flagged, 0, sizeof ret->f.flagged);
	if (few && ret->f.n_reasons == 0)
		say_whole(seed, &ret->f);
	ret->f.flagged[PROMISED_LOG] = few || ret->connects;
	return good;
}

/* ---- making one ---- */

void seed_strip(struct profile *p)
{
	for (size_t i = 0; i < AMOUNTS; i++) {
		bool keeps = false;

		for (size_t k = 0; k < sizeof counted / sizeof counted[0]; k++)
			keeps = keeps || counted[k] == (enum amount)i;
		if (!keeps)
			sketch_init(&p->amounts.of[i]);
	}
	for (size_t i = 0; i < LOSSES_KINDS; i++)
		sketch_init(&p->calls.refers[i]);
	p->calls.grammar.left_out = 0;
	p->n_pupils = 0;
}
