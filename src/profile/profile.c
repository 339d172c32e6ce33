#include "profile/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/reasons.h"

_Static_assert(AMOUNTS <= 32, "each has a bit of `loud`");

#define RARE 0.1 /* of events that had something new of a kind */

/* So many bytes of it at most, and no part of a character: a key is text. */
static int cut(const char *text, size_t most)
{
	size_t n = strnlen(text, most), at;

	if (!text_is_utf8(text, n, &at))
		n = at;
	return (int)n;
}

void profile_key(const struct deeds *d, unsigned level, char ret[PROFILE_NAME_MAX])
{
	const int agent = cut(d->agent, 100), tool = cut(d->tool, 60), program = cut(d->program, 100);

	if (level == 0)
		(void)snprintf(ret, PROFILE_NAME_MAX, "%.*s\t%.*s\t%.*s\t%016llx", agent, d->agent, tool, d->tool,
			       program, d->program, (unsigned long long)d->shape);
	else if (level == PROFILE_OF_AGENT)
		(void)snprintf(ret, PROFILE_NAME_MAX, "%.*s\t%.*s\t\t", agent, d->agent, tool, d->tool);
	else if (level == 1)
		(void)snprintf(ret, PROFILE_NAME_MAX, "\t%.*s\t%.*s\t", tool, d->tool, program, d->program);
	else
		(void)text_copy(ret, PROFILE_NAME_MAX, "\t\t*\t"); /* an event has a tool */
}

int profile_init(struct profile *p, const char *key, const uint8_t secret[PROFILE_KEY])
{
	static const double alphas[PROMISES] = { PROMISE_LOG, PROMISE_ASK };
	int r;

	memset(p, 0, sizeof *p);
	memcpy(p->secret, secret, PROFILE_KEY);
	(void)text_copy(p->key, sizeof p->key, key); /* of profile_key */
	p->support = 1;
	amounts_init(&p->amounts);
	for (size_t i = 0; i < RINGS; i++)
		calibration_init(&p->rings[i]);
	for (size_t i = 0; i < PROMISES; i++)
		promise_init(&p->promises[i], alphas[i]);
	p->pupils = calloc(PROFILE_PUPILS_MAX, sizeof *p->pupils);
	r = p->pupils != NULL ? firsts_init(&p->firsts, secret) : -AMBIT_MEMORY;
	r = r < 0 ? r : usual_init(&p->calls, secret + FIRSTS_KEY);
	p->calls.grammar.most = PROFILE_RUNS_MAX;
	if (r < 0)
		profile_finish(p);
	return r;
}

void profile_finish(struct profile *p)
{
	firsts_finish(&p->firsts);
	usual_finish(&p->calls);
	free(p->pupils);
	p->pupils = NULL;
}

int profile_freeze(struct profile *p)
{
	amounts_freeze(&p->amounts);
	return p->calls.traces > 0 ? usual_freeze(&p->calls) : 0;
}

/* ---- the sequence of a trace ---- */

struct sorted {
	struct sequence sequence;
	struct sequence_symbol *symbols; /* owned */
	uint16_t *steps;                 /* owned */
};

static void sorted_finish(struct sorted *s)
{
	free(s->symbols);
	free(s->steps);
}

/* Each thread's in their order, one thread after the other. to, n: room for a number of each thread, zero. */
static void sort_steps(const struct trace *t, uint32_t *to, uint32_t *n, struct sorted *ret)
{
	for (size_t i = 0; i < t->n_steps; i++)
		n[t->steps[i].thread]++;
	for (size_t i = 0; i < t->threads; i++) {
		to[i] = (uint32_t)ret->sequence.n_steps;
		ret->sequence.n_steps += n[i] + (n[i] > 0);
	}
	for (size_t i = 0; i < t->n_steps; i++) {
		const uint16_t symbol = t->steps[i].symbol;

		ret->steps[to[t->steps[i].thread]++] = strcmp(t->symbols[symbol], SYMBOL_GAP) == 0 ? SEQUENCE_GAP
												   : symbol;
	}
	for (size_t i = 0; i < t->threads; i++)
		if (n[i] > 0)
			ret->steps[to[i]] = SEQUENCE_END;
}

/* False: no memory. */
static bool sort(const struct trace *t, struct sorted *ret)
{
	const size_t threads = t->threads > 0 ? t->threads : 1;
	auto_free uint32_t *numbers = calloc(2 * threads, sizeof *numbers);

	*ret = (struct sorted){ .symbols = malloc((t->n_symbols + 1) * sizeof *ret->symbols),
				.steps = malloc((t->n_steps + threads) * sizeof *ret->steps) };
	if (numbers == NULL || ret->symbols == NULL || ret->steps == NULL) {
		sorted_finish(ret);
		return false;
	}
	for (size_t i = 0; i < t->n_symbols; i++) /* no step is a gap's any more, and nothing is called so */
		ret->symbols[ret->sequence.n_symbols++] = (struct sequence_symbol){ t->symbols[i],
										    strlen(t->symbols[i]) };
	ret->sequence.symbols = ret->symbols;
	ret->sequence.steps = ret->steps;
	sort_steps(t, numbers, numbers + threads, ret);
	return true;
}

/* ---- layers ---- */

static bool is_known(const struct profile *p, const struct deeds_item *item)
{
	return firsts_support(firsts_find(&p->firsts, item)) >= p->support;
}

static double score_firsts(const struct profile *p, const struct deeds *d, struct unusual *ret)
{
	struct firsts_fresh fresh;
	const double sum = firsts_score(&p->firsts, d->items, d->n_items, p->support, &fresh);

	for (unsigned kind = 1; kind < DEED_KINDS; kind++) {
		if (fresh.n[kind] == 0)
			continue;
		ret->is_new[kind] = true;
		ret->is_first = ret->is_first || profile_is_first(p, kind);
		reason_of_first(p, fresh.first[kind], fresh.n[kind], ret);
	}
	return sum;
}

static double score_amounts(const struct profile *p, const struct deeds *d, struct unusual *ret)
{
	double each[AMOUNTS];
	const double sum = amounts_score(&p->amounts, d->amounts, each);

	for (size_t i = 0; i < AMOUNTS; i++)
		reason_of_amount(p, (enum amount)i, d->amounts[i], each[i], ret);
	return sum;
}

static double score_calls(const struct profile *p, const struct profile *base, const struct deeds *d,
			  struct unusual *ret)
{
	struct usual_score score;
	struct sorted sorted;

	if (d->trace.n_steps == 0 || !sort(&d->trace, &sorted))
		return 0;
	if (usual_score(&p->calls, base != NULL ? &base->calls : NULL, p->support, &sorted.sequence, &score)) {
		ret->is_new[DEED_CALL] = score.n_new > 0;
		reasons_of_calls(p, &score, &sorted.sequence, ret);
	}
	sorted_finish(&sorted);
	return usual_whole(&score);
}

bool profile_is_rare(const struct profile *p, enum deed_kind kind)
{
	return firsts_surprise(&p->firsts, kind) >= -log(RARE);
}

bool profile_is_first(const struct profile *p, enum deed_kind kind)
{
	return (kind == DEED_PROGRAM || kind == DEED_DESTINATION) &&
	       (p->firsts.fresh[kind] <= 1 || profile_is_rare(p, kind));
}

void profile_score_firsts(const struct profile *p, const struct deeds *d, struct unusual *ret)
{
	*ret = (struct unusual){ .events = p->events, .young = true, .p = 1, .least = 1 };
	for (size_t i = 0; i < LAYERS; i++)
		ret->ps[i] = 1;
	ret->scores[LAYER_FIRSTS] = score_firsts(p, d, ret);
}

void profile_score(const struct profile *p, const struct profile *base, const struct deeds *d, struct unusual *ret)
{
	profile_score_firsts(p, d, ret);
	ret->young = p->events < PROFILE_YOUNG;
	ret->scores[LAYER_CALLS] = score_calls(p, base, d, ret);
	if (ret->young)
		return;
	ret->scores[LAYER_AMOUNTS] = score_amounts(p, d, ret);
	ret->whole = rings_whole(p->rings, ret->scores, ret->ps);
	ret->p = calibration_p(&p->rings[RING_WHOLE], ret->whole);
	ret->least = calibration_least(&p->rings[RING_WHOLE]);
	for (size_t i = 0; i < PROMISES; i++)
		ret->flagged[i] = promise_flags(&p->promises[i], ret->p, ret->least);
}

/* ---- learning ---- */

void profile_calibrate(struct profile *p, const struct unusual *f)
{
	if (f->young)
		return;
	rings_add(p->rings, f->scores, f->whole);
	for (size_t i = 0; i < PROMISES; i++) {
		promise_learn(&p->promises[i], f->flagged[i]);
		if (p->promises[i].alpha < f->least)
			p->promises[i].level =
				p->promises[i].alpha; /* it is not in force yet, and has nothing to catch up with */
	}
}

static struct pupil *pupil_of(const struct profile *p, uint32_t principal)
{
	for (size_t i = 0; i < p->n_pupils; i++)
		if (p->pupils[i].principal == principal)
			return &p->pupils[i];
	return NULL;
}

bool profile_is_tainted(const struct deeds *d)
{
	return d->untrusted && d->acted;
}

const char *profile_refuses(const struct profile *shadow, const struct profile *scores, const struct deeds *d,
			    const struct unusual *by)
{
	const struct pupil *pupil = pupil_of(shadow, firsts_principal(&shadow->firsts, d->principal));

	if (profile_is_tainted(d))
		return "it had seen what is labelled untrusted, and then changed or sent something";
	if (pupil != NULL && pupil->lessons >= PROFILE_LESSONS_MAX)
		return "its session has taught this profile as much as one may";
	if (pupil == NULL && shadow->n_pupils == PROFILE_PUPILS_MAX)
		return "as many sessions as may have taught this profile since it was promoted";
	if (!by->young && calibration_p(&scores->rings[LAYER_CALLS], by->scores[LAYER_CALLS]) < 0.5)
		return "its calls are more unusual than half of those of usual events";
	return NULL;
}

int profile_learn(struct profile *shadow, const struct profile *scores, const struct deeds *d, const struct unusual *by)
{
	const uint32_t principal = firsts_principal(&shadow->firsts, d->principal);
	struct pupil *pupil = pupil_of(shadow, principal);
	struct sorted sorted;
	int r = 0;

	if (profile_refuses(shadow, scores, d, by) != NULL)
		return 0;
	if (pupil == NULL) {
		pupil = &shadow->pupils[shadow->n_pupils++];
		*pupil = (struct pupil){ .principal = principal };
	}
	pupil->lessons++;
	r = firsts_learn(&shadow->firsts, d->items, d->n_items, shadow->support, principal);
	amounts_learn(&shadow->amounts, scores->events < PROFILE_YOUNG ? NULL : &scores->amounts, d->amounts);
	if (r == 0 && d->trace.n_steps > 0) {
		if (!sort(&d->trace, &sorted))
			return -AMBIT_MEMORY;
		r = usual_learn(&shadow->calls, &sorted.sequence, principal);
		sorted_finish(&sorted);
	}
	nearest_add(&shadow->nearest, shadow->secret, d);
	shadow->events++;
	return r;
}

/* A person's word is worth as many principals as are ever asked for. */
int profile_accept(struct profile *p, const struct deeds *d)
{
	struct sorted sorted;
	int r = 0;

	for (size_t i = 0; i < d->n_items; i++)
		for (uint32_t principal = 1; principal <= FIRSTS_SUPPORT_MAX && r == 0 && !is_known(p, &d->items[i]);
		     principal++)
			r = firsts_add(&p->firsts, &d->items[i], principal);
	if (r < 0 || d->trace.n_steps == 0)
		return r;
	if (!sort(&d->trace, &sorted))
		return -AMBIT_MEMORY;
	r = usual_accept(&p->calls, &sorted.sequence, p->support);
	sorted_finish(&sorted);
	return r;
}
