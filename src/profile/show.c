#include "profile/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "profile/tripwire.h"

#define ITEMS_SHOWN 12 /* of a kind */
#define COLUMNS 24     /* of a drawing */

static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static void put_bar(struct buf *out, double part)
{
	const int at = part <= 0 ? 0 : 1 + (int)(part * 7.999);

	buf_printf(out, "%s", bars[at > 8 ? 8 : at]);
}

/* Agent, tool, program, in words. */
static void put_key(struct buf *out, const char *key)
{
	char parts[3][PROFILE_NAME_MAX];

	for (size_t i = 0; i < 3; i++) {
		const size_t n = strcspn(key, "\t");

		(void)snprintf(parts[i], sizeof parts[i], "%.*s", (int)n, key);
		key += n + (key[n] != 0);
	}
	buf_printf(out, "%s%s%s", parts[2][0] != 0 ? parts[2] : parts[1], parts[0][0] != 0 ? " by " : "",
		   parts[0][0] != 0 ? parts[0] : "");
	if (parts[2][0] != 0 && strcmp(parts[1], "run") != 0)
		buf_printf(out, " (%s)", parts[1]);
	if (parts[1][0] == 0)
		buf_printf(out, ": all programs");
	else if (key[0] == 0)
		buf_printf(out, ", whoever runs it");
}

/* ---- what is usual ---- */

struct named {
	const char *text;
	uint32_t n; /* events; of calls sessions */
};

static int by_events(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : strcmp(x->text, y->text);
}

static const char *plural_of(uint8_t kind)
{
	static const char *const words[DEED_KINDS] = {
		[DEED_CALL] = "calls",       [DEED_PROGRAM] = "programs",     [DEED_DESTINATION] = "destinations",
		[DEED_REQUEST] = "requests", [DEED_DIRECTORY] = "changes in", [DEED_LABEL] = "labels"
	};

	return words[kind];
}

static size_t names_of(const struct profile *p, uint8_t kind, struct named *ret)
{
	const struct habits *h = &p->calls.habits;
	size_t n = 0;

	for (size_t i = 0; i < p->firsts.n; i++)
		if (p->firsts.items[i].item.kind == kind)
			ret[n++] = (struct named){ p->firsts.items[i].item.text, p->firsts.items[i].events };
	for (size_t i = 0; i < h->n && kind == DEED_CALL; i++)
		if (h->rows[i].program == HABITS_ANY)
			ret[n++] = (struct named){ words_text(&p->calls.words, h->rows[i].word), h->rows[i].sessions };
	return n;
}

static void put_items(struct buf *out, const struct profile *p, uint8_t kind)
{
	auto_free struct named *of = calloc(p->firsts.n + p->calls.habits.n + 1, sizeof *of);
	const size_t n = of != NULL ? names_of(p, kind, of) : 0;

	if (n == 0)
		return;
	qsort(of, n, sizeof *of, by_events);
	buf_printf(out, "  %-13s", plural_of(kind));
	for (size_t i = 0; i < n && i < ITEMS_SHOWN; i++)
		buf_printf(out, "%s%s (%u)", i > 0 ? ", " : "", of[i].text, of[i].n);
	if (n > ITEMS_SHOWN)
		buf_printf(out, ", and %zu more", n - ITEMS_SHOWN);
	if (kind == DEED_CALL)
		buf_printf(out, "; of %u sessions\n", p->calls.habits.all.sessions);
	else
		buf_printf(out, "; %u of %u events had a new one\n", p->firsts.fresh[kind], p->firsts.events);
}

/* Where its amounts lie, from the least to the most, each column as many bins. */
static void put_histogram(struct buf *out, const struct sketch *s)
{
	uint32_t columns[COLUMNS] = { 0 }, most = 0;
	unsigned least = 0;
	double wide;

	while (least < s->highest && s->bins[least] == 0)
		least++;
	wide = (s->highest - least + 1.0) / COLUMNS;
	for (unsigned i = least; i <= s->highest; i++) {
		const unsigned at = (unsigned)((i - least) / wide);

		columns[at < COLUMNS ? at : COLUMNS - 1] += s->bins[i];
	}
	for (size_t i = 0; i < COLUMNS; i++)
		most = columns[i] > most ? columns[i] : most;
	for (size_t i = 0; i < COLUMNS && most > 0; i++)
		put_bar(out, (double)columns[i] / most);
}

static void put_amounts(struct buf *out, const struct profile *p)
{
	buf_printf(out, "\n  %-34s %12s %12s %12s\n", "how much", "half", "9 in 10", "99 in 100");
	for (size_t i = 0; i < AMOUNTS; i++) {
		const struct sketch *s = &p->amounts.of[i];

		if (s->highest == 0)
			continue; /* never any */
		buf_printf(out, "  %-34s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "  ", amount_text((enum amount)i),
			   sketch_quantile(s, 0.5), sketch_quantile(s, 0.9), sketch_quantile(s, 0.99));
		put_histogram(out, s);
		buf_printf(out, "\n");
	}
}

/* The last ones, the newest last. */
static void put_ring(struct buf *out, const struct calibration *c, const char *of)
{
	const uint32_t n = c->n < 2 * COLUMNS ? c->n : 2 * COLUMNS;
	double most = 0;

	for (uint32_t i = 0; i < c->n; i++)
		most = c->ring[i] > most ? c->ring[i] : most;
	buf_printf(out, "  %-13s", of);
	for (uint32_t i = n; i > 0; i--)
		put_bar(out, most > 0 ? c->ring[(c->at + CALIBRATION_RING - i) % CALIBRATION_RING] / most : 0);
	buf_printf(out, "  %.1f at most\n", most);
}

static void put_promises(struct buf *out, const struct profile *p)
{
	static const double alphas[PROMISES] = { PROMISE_LOG, PROMISE_ASK };

	for (size_t i = 0; i < PROMISES; i++) {
		const struct promise_kept *k = &p->promises[i];

		buf_printf(out, "  promised %g %% false alarms at most: ", 100 * alphas[i]);
		if (alphas[i] < calibration_least(&p->rings[RING_WHOLE]))
			buf_printf(out, "not yet; that takes %.0f events, and there are %u\n", 1 / alphas[i] - 1,
				   p->rings[RING_WHOLE].n);
		else
			buf_printf(out, "%" PRIu64 " of %" PRIu64 " were flagged, %.2f of what was promised%s\n",
				   k->flagged, k->events, promise_ratio(k), promise_ratio(k) > 1.5 ? " (!)" : "");
	}
}

void show_text(const struct profile *p, struct buf *out)
{
	put_key(out, p->key);
	buf_printf(out, ": %u events, epoch %u%s\n", p->events, p->epoch,
		   p->events < PROFILE_YOUNG ? "; it is young, and promises nothing" : "");
	put_promises(out, p);
	buf_printf(out, "\n");
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		put_items(out, p, (uint8_t)kind);
	buf_printf(out, "  %-13s%" PRIu64 " in %" PRIu64 " events, %zu kinds, %zu runs of up to %d\n", "order",
		   p->calls.calls, p->calls.traces, p->calls.words.n - WORD_FIRST, p->calls.grammar.n, GRAMMAR_ORDER);
	put_amounts(out, p);
	if (p->rings[0].n == 0)
		return;
	buf_printf(out, "\n  how unusual the last ones were\n");
	for (size_t i = 0; i < LAYERS; i++)
		put_ring(out, &p->rings[i], layer_word((enum layer)i));
	put_ring(out, &p->rings[RING_WHOLE], "together");
}

/* ---- JSON ---- */

static void put_number(struct json *j, const char *key, double value)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%.6g", value);

	json_put_made(json_put_key(j, key), text, (size_t)n);
}

static void put_sketches(struct json *j, const struct profile *p)
{
	json_put_object(json_put_key(j, "amounts"));
	for (size_t i = 0; i < AMOUNTS; i++) {
		json_put_object(json_put_key(j, amount_word((enum amount)i)));
		json_put_count(json_put_key(j, "half"), sketch_quantile(&p->amounts.of[i], 0.5));
		json_put_count(json_put_key(j, "p90"), sketch_quantile(&p->amounts.of[i], 0.9));
		json_put_count(json_put_key(j, "p99"), sketch_quantile(&p->amounts.of[i], 0.99));
		json_put_object_end(j);
	}
	json_put_object_end(j);
}

/* Of a call sessions count, and each is a principal. */
static void put_calls(struct json *j, const struct profile *p)
{
	const struct habits *h = &p->calls.habits;

	for (size_t i = 0; i < h->n; i++) {
		if (h->rows[i].program != HABITS_ANY)
			continue;
		json_put_object(j);
		json_put_word(json_put_key(j, "kind"), deed_word(DEED_CALL));
		json_put_name(json_put_key(j, "text"), words_text(&p->calls.words, h->rows[i].word));
		json_put_count(json_put_key(j, "sessions"), h->rows[i].sessions);
		json_put_object_end(j);
	}
}

void show_json(const struct profile *p, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_name(json_put_key(&j, "key"), p->key);
	json_put_count(json_put_key(&j, "epoch"), p->epoch);
	json_put_count(json_put_key(&j, "events"), p->events);
	json_put_bool(json_put_key(&j, "young"), p->events < PROFILE_YOUNG);
	json_put_array(json_put_key(&j, "promises"));
	for (size_t i = 0; i < PROMISES; i++) {
		json_put_object(&j);
		put_number(&j, "alpha", p->promises[i].alpha);
		json_put_count(json_put_key(&j, "events"), p->promises[i].events);
		json_put_count(json_put_key(&j, "flagged"), p->promises[i].flagged);
		put_number(&j, "ratio", promise_ratio(&p->promises[i]));
		json_put_object_end(&j);
	}
	json_put_array_end(&j);
	json_put_array(json_put_key(&j, "items"));
	for (size_t i = 0; i < p->firsts.n; i++) {
		json_put_object(&j);
		json_put_word(json_put_key(&j, "kind"), deed_word(p->firsts.items[i].item.kind));
		json_put_name(json_put_key(&j, "text"), p->firsts.items[i].item.text);
		json_put_count(json_put_key(&j, "events"), p->firsts.items[i].events);
		json_put_count(json_put_key(&j, "principals"), firsts_support(&p->firsts.items[i]));
		json_put_object_end(&j);
	}
	put_calls(&j, p);
	json_put_array_end(&j);
	put_sketches(&j, p);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}

/* ---- a difference ---- */

static size_t calls_that_are_new(const struct profile *from, const struct profile *to, struct buf *out)
{
	size_t n = 0;

	for (size_t i = WORD_FIRST; i < to->calls.words.n; i++) {
		const char *text = to->calls.words.texts[i];
		const uint32_t sessions = habits_of(&to->calls.habits, HABITS_ANY, (uint16_t)i);

		if (words_find(&from->calls.words, text, strlen(text)) != WORD_UNKNOWN)
			continue;
		buf_printf(out, "+ %s %s (%u session%s)\n", deed_word(DEED_CALL), text, sessions,
			   sessions == 1 ? "" : "s");
		n++;
	}
	return n;
}

void show_difference(const struct profile *from, const struct profile *to, struct buf *out)
{
	size_t n = 0;

	put_key(out, to->key);
	buf_printf(out, ": %u events score, %u were learned\n", from->events, to->events);
	for (size_t i = 0; i < to->firsts.n; i++) {
		const struct first *item = &to->firsts.items[i];

		if (firsts_find(&from->firsts, &item->item) != NULL)
			continue;
		buf_printf(out, "+ %s %s (%u events, %u principal%s)\n", deed_word(item->item.kind), item->item.text,
			   item->events, firsts_support(item), firsts_support(item) == 1 ? "" : "s");
		n++;
	}
	n += calls_that_are_new(from, to, out);
	for (size_t i = 0; i < AMOUNTS; i++) {
		const uint64_t was = sketch_quantile(&from->amounts.of[i], 0.99),
			       is = sketch_quantile(&to->amounts.of[i], 0.99);

		if (was == is)
			continue;
		buf_printf(out, "~ %s: 99 in 100 had at most %" PRIu64 ", and now %" PRIu64 "\n",
			   amount_text((enum amount)i), was, is);
		n++;
	}
	if (n == 0)
		buf_printf(out, "nothing else is known\n");
}

int show_tripwires(const struct profile *from, const struct profile *to, struct buf *out, struct err *e)
{
	uint32_t before, after = 0;
	int r = tripwires_flagged(from, &before, e);

	r = r < 0 ? r : tripwires_flagged(to, &after, e);
	if (r < 0 || before == 0)
		return r;
	buf_printf(out, "of %zu attacks of the suite %d are noticed, and %d by what was learned", tripwires(),
		   __builtin_popcount(before), __builtin_popcount(after));
	if ((before & ~after) != 0) {
		buf_printf(out, ": no more ");
		tripwires_lost(before, after, out);
		buf_printf(out, "; so it does not take its place by itself (`ambit profile promote`, `reset`)");
	}
	buf_printf(out, "\n");
	return 0;
}
