#include "profile/reasons.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profile/spoken.h"

#define SHOWN 4 /* calls at the end of a window */

static bool goes_before(const struct reason_of *a, const struct reason_of *b)
{
	return a->asks != b->asks ? a->asks : a->surprise > b->surprise;
}

static void add(struct unusual *f, const struct reason_of *new)
{
	size_t at = f->n_reasons;

	while (at > 0 && goes_before(new, &f->reasons[at - 1]))
		at--;
	if (at == REASONS_MAX)
		return;
	f->n_reasons += f->n_reasons < REASONS_MAX;
	memmove(&f->reasons[at + 1], &f->reasons[at], (f->n_reasons - at - 1) * sizeof f->reasons[0]);
	f->reasons[at] = *new;
}

void reason_of_first(const struct profile *p, const struct deeds_item *first, size_t n, struct unusual *ret)
{
	struct reason_of new = { .layer = LAYER_FIRSTS,
				 .surprise = firsts_surprise(&p->firsts, first->kind),
				 .asks = profile_is_first(p, first->kind) };
	char more[40] = "";

	if (n > 1)
		(void)snprintf(more, sizeof more, ", and %zu more", n - 1);
	(void)snprintf(new.text, sizeof new.text, "%s %s%s; %u of %u earlier events had a new one",
		       deed_text(first->kind), first->text, more, p->firsts.fresh[first->kind], p->firsts.events);
	add(ret, &new);
}

void reason_of_amount(const struct profile *p, enum amount a, uint64_t amount, double surprise, struct unusual *ret)
{
	const struct sketch *s = &p->amounts.of[a];
	const double as_many = sketch_above(s, amount) * (s->n + 1) - 1;
	struct reason_of new = { .layer = LAYER_AMOUNTS, .surprise = surprise };
	char part[40] = "none";

	if (surprise < REASON_FROM)
		return;
	ret->loud |= 1u << a;
	if (as_many >= 0.5)
		(void)snprintf(part, sizeof part, "%.3g %%", 100 * as_many / (s->n > 0 ? s->n : 1));
	(void)snprintf(new.text, sizeof new.text,
		       "%llu %s; %s of %llu earlier events had as many, half had at most %llu, nearly all at most %llu",
		       (unsigned long long)amount, amount_text(a), part, (unsigned long long)s->n,
		       (unsigned long long)sketch_quantile(s, 0.5), (unsigned long long)sketch_quantile(s, 0.99));
	add(ret, &new);
}

/* The least likely one. */
static void say_first(const struct usual_score *score, const struct sequence *s, struct unusual *ret)
{
	const struct usual_first *first = &score->first[0];
	const char *by = first->program != SEQUENCE_END ? s->symbols[first->program].text + strlen("exec:") : "";
	struct reason_of new = { .layer = LAYER_CALLS, .surprise = first->surprise };
	char call[SPOKEN_MAX], more[60] = "";

	symbol_speak(s->symbols[first->symbol].text, call, sizeof call);
	if (first->sessions == 0 && score->n_new > 1)
		(void)snprintf(more, sizeof more, ", and %zu more that are new", score->n_new - 1);
	(void)snprintf(new.text, sizeof new.text, "%s%s%s%s%s%s; %u of %u earlier sessions had it",
		       first->sessions == 0 ? "first " : "", call, by[0] != 0 ? " by " : "", by,
		       !first->by_program ? ""
		       : first->n > 0     ? ", which never did that"
					  : ", which seldom did that",
		       more, first->sessions, first->of);
	add(ret, &new);
}

static void say_order(const struct profile *p, const struct usual_score *score, const struct sequence *s,
		      struct unusual *ret)
{
	const enum losses_of of = score->of == LOSSES_IN_BURST ? LOSSES_IN_BURST : LOSSES_IN_WINDOW;
	const uint64_t length = of == LOSSES_IN_BURST ? LOSSES_BURST : LOSSES_WINDOW;
	const uint64_t to = of == LOSSES_IN_BURST ? score->burst_at : score->window_at;
	struct reason_of new = { .layer = LAYER_CALLS, .surprise = score->order };
	size_t at;

	at = (size_t)snprintf(
		new.text, sizeof new.text,
		"calls %llu to %llu follow each other as they did not: %.1f bits each, where %.1f are usual:",
		(unsigned long long)(to > length ? to - length : 0) + 1, (unsigned long long)to, score->bits[of],
		(double)sketch_quantile(&p->calls.refers[of], 0.5) / 1000);
	for (uint64_t i = to > SHOWN ? to - SHOWN : 0; i < to && i < s->n_steps && at < sizeof new.text - 1; i++)
		at += (size_t)snprintf(new.text + at, sizeof new.text - at, " %s",
				       s->steps[i] >= SEQUENCE_GAP ? "$" : s->symbols[s->steps[i]].text);
	add(ret, &new);
}

void reasons_of_calls(const struct profile *p, const struct usual_score *score, const struct sequence *s,
		      struct unusual *ret)
{
	if (score->n_firsts > 0 && (score->n_new > 0 || score->first[0].surprise > REASON_FROM))
		say_first(score, s, ret);
	if (score->order > REASON_FROM)
		say_order(p, score, s, ret);
}
