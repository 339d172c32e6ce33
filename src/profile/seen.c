#include "profile/seen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* ---- what is usual ---- */

const char *seen_plural(unsigned kind)
{
	static const char *const words[DEED_KINDS] = {
		[DEED_CALL] = "calls",       [DEED_PROGRAM] = "programs",     [DEED_DESTINATION] = "destinations",
		[DEED_REQUEST] = "requests", [DEED_DIRECTORY] = "changes in", [DEED_LABEL] = "labels"
	};

	return words[kind];
}

static int by_events(const void *a, const void *b)
{
	const struct seen_item *x = a, *y = b;

	return x->had < y->had ? 1 : x->had > y->had ? -1 : strcmp(x->text, y->text);
}

/* All of it, into room for as many items and habits as there are. */
static size_t gather(const struct profile *p, unsigned kind, struct seen_item *ret)
{
	const struct habits *h = &p->calls.habits;
	size_t n = 0;

	for (size_t i = 0; i < p->firsts.n; i++) {
		const struct first *f = &p->firsts.items[i];

		if (f->item.kind == kind)
			ret[n++] = (struct seen_item){ f->item.text, f->events, firsts_support(f) };
	}
	for (size_t i = 0; i < h->n && kind == DEED_CALL; i++)
		if (h->rows[i].program == HABITS_ANY)
			ret[n++] = (struct seen_item){ words_text(&p->calls.words, h->rows[i].word),
						       h->rows[i].sessions, 0 };
	return n;
}

size_t seen_items(const struct profile *p, unsigned kind, struct seen_item *ret, size_t most)
{
	auto_free struct seen_item *all = calloc(p->firsts.n + p->calls.habits.n + 1, sizeof *all);
	const size_t n = all != NULL ? gather(p, kind, all) : 0;

	if (n == 0)
		return 0;
	qsort(all, n, sizeof *all, by_events);
	memcpy(ret, all, (n < most ? n : most) * sizeof *all);
	return n;
}

uint32_t seen_all(const struct profile *p, unsigned kind)
{
	return kind == DEED_CALL ? p->calls.habits.all.sessions : p->events;
}

const char *seen_says(const struct profile *p, unsigned kind, char ret[SEEN_SAYS_MAX])
{
	if (kind == DEED_CALL)
		(void)snprintf(ret, SEEN_SAYS_MAX, "of %u sessions", seen_all(p, kind));
	else
		(void)snprintf(ret, SEEN_SAYS_MAX, "%u of %u events had a new one", p->firsts.fresh[kind],
			       p->firsts.events);
	return ret;
}

const struct sketch *seen_amount(const struct profile *p, enum amount which)
{
	return &p->amounts.of[which];
}

struct counted {
	uint32_t node, times;
};

/* Of those that are as frequent, the one that was seen first. */
static int by_times(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return x->times < y->times ? 1 : x->times > y->times ? -1 : x->node < y->node ? -1 : x->node > y->node;
}

static void spell(const struct profile *p, uint32_t node, uint8_t depth, struct seen_run *ret)
{
	const struct grammar *g = &p->calls.grammar;

	*ret = (struct seen_run){ .n = depth, .times = g->nodes[node].count };
	for (size_t i = depth; i > 0; i--) {
		ret->words[i - 1] = words_text(&p->calls.words, g->nodes[node].word);
		node = g->nodes[node].parent;
	}
}

size_t seen_runs(const struct profile *p, struct seen_run *ret, size_t most, size_t *ret_n)
{
	const struct grammar *g = &p->calls.grammar;
	auto_free uint8_t *depth = calloc(g->n, 1);
	auto_free struct counted *all = calloc(g->n, sizeof *all);
	uint8_t deepest = 0;
	size_t n = 0;

	*ret_n = 0;
	if (depth == NULL || all == NULL)
		return 0;
	for (uint32_t i = 1; i < g->n; i++) { /* a child stands behind its parent */
		depth[i] = (uint8_t)(depth[g->nodes[i].parent] + 1);
		deepest = depth[i] > deepest ? depth[i] : deepest;
	}
	for (uint32_t i = 1; i < g->n; i++)
		if (depth[i] == deepest && g->nodes[i].count > 0)
			all[n++] = (struct counted){ i, g->nodes[i].count };
	qsort(all, n, sizeof *all, by_times);
	for (size_t i = 0; i < n && i < most; i++)
		spell(p, all[i].node, deepest, &ret[i]);
	*ret_n = n;
	return n < most ? n : most;
}

/* ---- scores ---- */

static float score_at(const struct calibration *c, uint32_t i)
{
	return c->ring[(c->at + CALIBRATION_RING - c->n + i) % CALIBRATION_RING];
}

static int by_score(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* Where so few were as high, or none. */
static float flagged_above(const float *sorted, uint32_t n, double level)
{
	const double few = fmax(0, floor(level * (n + 1.0) + 1e-9) - 1);

	return few >= n ? -INFINITY : sorted[(uint32_t)few];
}

void seen_ring(const struct profile *p, size_t ring, struct seen_ring *ret)
{
	const struct calibration *c = &p->rings[ring];
	float sorted[CALIBRATION_RING];

	*ret = (struct seen_ring){ .word = ring == RING_WHOLE ? "together" : layer_word((enum layer)ring), .n = c->n };
	for (uint32_t i = 0; i < c->n; i++)
		ret->scores[i] = sorted[i] = score_at(c, i);
	qsort(sorted, c->n, sizeof *sorted, by_score);
	ret->most = c->n > 0 ? sorted[0] : 0;
	for (size_t i = 0; i < PROMISES; i++) {
		const struct promise_kept *k = &p->promises[i];
		const bool flags = ring == RING_WHOLE && k->alpha >= calibration_least(c);

		ret->above[i] = flags ? flagged_above(sorted, c->n, k->level) : INFINITY;
	}
}

/* ---- promises ---- */

void seen_promise(const struct profile *p, enum promised which, struct seen_promise *ret)
{
	const struct promise_kept *k = &p->promises[which];

	*ret = (struct seen_promise){ .alpha = k->alpha,
				      .level = k->level,
				      .ratio = promise_ratio(k),
				      .events = k->events,
				      .flagged = k->flagged,
				      .wants = (uint32_t)(1 / k->alpha - 0.5),
				      .is_made = k->alpha >= calibration_least(&p->rings[RING_WHOLE]) };
}

/* Of those before it, which scored as high: in a tree of counts by rank, since all pairs are 16 million. */
static void ps_of_ring(const struct calibration *c, double *ps)
{
	float sorted[CALIBRATION_RING];
	uint32_t counts[CALIBRATION_RING + 1] = { 0 };

	for (uint32_t i = 0; i < c->n; i++)
		sorted[i] = score_at(c, i);
	qsort(sorted, c->n, sizeof *sorted, by_score);
	for (uint32_t i = 0; i < c->n; i++) {
		const float score = score_at(c, i);
		uint32_t as_high = 0, low = 0, high = c->n;

		while (low < high) { /* how many of all are as high */
			const uint32_t middle = (low + high) / 2;

			if (sorted[middle] >= score)
				low = middle + 1;
			else
				high = middle;
		}
		for (uint32_t at = low; at > 0; at &= at - 1)
			as_high += counts[at];
		for (uint32_t at = low; at > 0 && at <= c->n; at += at & -at)
			counts[at]++;
		ps[i] = (as_high + 1.0) / (i + 1.0);
	}
}

void seen_ps(const struct profile *p, struct seen_ps *ret)
{
	*ret = (struct seen_ps){ .n = p->rings[RING_WHOLE].n };
	for (uint32_t i = 0; i < ret->n; i++)
		ret->least[i] = 1 / (i + 1.0);
	ps_of_ring(&p->rings[RING_WHOLE], ret->p);
}

bool seen_realised(const struct seen_ps *ps, double alpha, double *ret_part)
{
	uint32_t n = 0, flagged = 0;

	for (uint32_t i = 0; i < ps->n; i++) {
		n += ps->least[i] <= alpha;
		flagged += ps->least[i] <= alpha && ps->p[i] <= alpha;
	}
	*ret_part = n > 0 ? (double)flagged / n : 0;
	return n * alpha >= 1;
}
