/* What a profile costs: a call of the model, a verdict on an event beside that, a lesson, and a full profile in memory and on disk.
 *
 *   bench_profile [PROFILE]      a text as `ambit profile export` writes it; without one it is made of drawn events */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "profile/form.h"
#include "series.h"

#define KINDS 300u  /* symbols */
#define CALLS 1000u /* of an event */
#define LEARNED 3000u
#define ROUNDS 200u
#define TIMES 50u /* that are timed together */

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One thing leads to one of a few others, now and then to any. */
static bool event_make(struct deeds *d, unsigned number)
{
	static char names[KINDS][SYMBOL_MAX];
	struct trace_step steps[CALLS];
	unsigned at = series_draw(KINDS);

	memset(d, 0, sizeof *d);
	for (unsigned i = 0; i < KINDS; i++)
		(void)snprintf(names[i], sizeof names[i], "read:/usr/p%u", i);
	for (unsigned i = 0; i < CALLS; i++) {
		steps[i] = (struct trace_step){ .symbol = (uint16_t)at };
		at = series_draw(40) == 0 ? series_draw(KINDS) : (at * 7 + series_draw(3)) % KINDS;
	}
	d->trace.observed = 2;
	d->trace.threads = 1;
	d->trace.calls = CALLS;
	(void)snprintf(d->tool, sizeof d->tool, "run");
	(void)snprintf(d->principal, sizeof d->principal, "s%u", number / 10);
	for (unsigned i = 0; i < AMOUNTS; i++)
		d->amounts[i] = series_draw(1000);
	return trace_make(&d->trace, (const char(*)[SYMBOL_MAX])names, KINDS, steps, CALLS) == 0 &&
	       deeds_add(d, DEED_PROGRAM, "/usr/bin/git", 12) && deeds_add(d, DEED_DIRECTORY, "./src", 5);
}

static void teach(struct profile *p)
{
	struct unusual f = { .young = true };

	for (unsigned i = 0; i < LEARNED; i++) {
		struct deeds d;

		if (!event_make(&d, i) || profile_learn(p, p, &d, &f) < 0)
			exit(1);
		p->n_pupils = p->n_pupils > 400 ? 0 : p->n_pupils;
		f.scores[LAYER_CALLS] = (double)series_draw(100);
		f.young = false;
		profile_calibrate(p, &f);
		f.young = true;
		deeds_finish(&d);
	}
	if (profile_freeze(p) < 0)
		exit(1);
}

/* Of the model alone: a sequence that is in order already. */
static void measure_calls(const struct profile *p, struct series *s)
{
	static struct sequence_symbol symbols[WORDS_MAX];
	static uint16_t steps[CALLS];
	const unsigned n = (unsigned)p->calls.words.n - WORD_FIRST;
	const struct sequence sequence = { symbols, n, steps, CALLS };
	struct usual_score score;
	double from;

	if (n == 0)
		return; /* nothing was learned */
	for (unsigned i = 0; i < n; i++)
		symbols[i] = (struct sequence_symbol){ p->calls.words.texts[WORD_FIRST + i],
						       strlen(p->calls.words.texts[WORD_FIRST + i]) };
	steps[0] = (uint16_t)series_draw(n);
	for (unsigned i = 1; i < CALLS; i++) /* mostly as usual */
		steps[i] = (uint16_t)(series_draw(20) > 0 ? (steps[i - 1] * 7u + series_draw(3)) % n : series_draw(n));
	steps[CALLS - 1] = SEQUENCE_END;
	from = now_ns();
	for (unsigned i = 0; i < TIMES; i++)
		(void)usual_score(&p->calls, NULL, 1, &sequence, &score);
	series_add(s, (now_ns() - from) / TIMES / CALLS);
}

static void measure_event(const struct profile *p, const struct deeds *d, struct series *s)
{
	const double from = now_ns();
	struct unusual f;

	for (unsigned i = 0; i < TIMES; i++)
		profile_score(p, NULL, d, &f);
	series_add(s, (now_ns() - from) / TIMES / 1000);
}

int main(int argc, char **argv)
{
	static const uint8_t secret[PROFILE_KEY] = { 9 };
	struct series calls, whole, verdict;
	auto_buf text = { .max = FORM_MAX };
	const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	size_t memory;
	struct profile p;
	struct deeds d, bare;

	(void)argv;
	if (argc > 1 || profile_init(&p, "\trun\tgit\t", secret) < 0 || series_init(&calls, ROUNDS) < 0 ||
	    series_init(&whole, ROUNDS) < 0 || series_init(&verdict, ROUNDS) < 0)
		return 2;
	teach(&p);
	if (!event_make(&d, 1))
		return 1;
	bare = d; /* without its order: what is told beside the calls */
	bare.trace.n_steps = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		measure_calls(&p, &calls);
		measure_event(&p, &d, &whole);
		measure_event(&p, &bare, &verdict);
	}
	memory = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	form_write(&p, &text);
	printf("a profile of %u events, %zu kinds of calls, %zu runs\n", p.events, p.calls.words.n - WORD_FIRST,
	       p.calls.grammar.n);
	figure_tell("profile.call", series_median(&calls), 50, "ns");
	figure_tell("profile.verdict", series_median(&verdict), 5,
		    "us"); /* beside its calls and their symbols, which are in the first figure */
	printf("an event of %u calls: median %.1f us, p99 %.1f us\n", CALLS, series_median(&whole),
	       series_at(&whole, 0.99));
	figure_tell("profile.memory", (double)(memory + sizeof p) / 1048576, 4, "MiB");
	figure_tell("profile.text", (double)text.len / 1048576, 4, "MiB");
	deeds_finish(&d);
	profile_finish(&p);
	series_finish(&calls);
	series_finish(&whole);
	series_finish(&verdict);
	return 0;
}
