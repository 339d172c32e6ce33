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
#define COLUMNS 24     /* of a drawing of amounts */
#define BESIDE_SCORES 30

void show_key(struct buf *out, const char *key)
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

static void put_items(struct buf *out, const struct profile *p, unsigned kind)
{
	struct seen_item items[ITEMS_SHOWN];
	const size_t n = seen_items(p, kind, items, ITEMS_SHOWN);
	char says[SEEN_SAYS_MAX];

	if (n == 0)
		return;
	buf_printf(out, "  %-13s", seen_plural(kind));
	for (size_t i = 0; i < n && i < ITEMS_SHOWN; i++)
		buf_printf(out, "%s%s (%u)", i > 0 ? ", " : "", items[i].text, items[i].had);
	if (n > ITEMS_SHOWN)
		buf_printf(out, ", and %zu more", n - ITEMS_SHOWN);
	buf_printf(out, "; %s\n", seen_says(p, kind, says));
}

/* How wide names and numbers are. */
static void widths_of(const struct profile *p, int *ret_name, int *ret_number)
{
	*ret_name = 0;
	*ret_number = (int)strlen("99 in 100");
	for (size_t i = 0; i < AMOUNTS; i++) {
		const struct sketch *s = seen_amount(p, (enum amount)i);
		const int name = (int)strlen(amount_text((enum amount)i));
		const int number = snprintf(NULL, 0, "%" PRIu64, sketch_quantile(s, 0.99));

		if (s->highest == 0)
			continue;
		*ret_name = name > *ret_name ? name : *ret_name;
		*ret_number = number > *ret_number ? number : *ret_number;
	}
}

static void put_amounts(struct buf *out, const struct draw_face *f, const struct profile *p)
{
	int name, wide;
	uint32_t columns;

	widths_of(p, &name, &wide);
	columns = draw_room(f, (uint32_t)(2 + name + 3 * (wide + 1) + 2), COLUMNS);
	buf_printf(out, "\n  %-*s %*s %*s %*s\n", name, "how much", wide, "half", wide, "9 in 10", wide, "99 in 100");
	for (size_t i = 0; i < AMOUNTS; i++) {
		const struct sketch *s = seen_amount(p, (enum amount)i);

		if (s->highest == 0)
			continue; /* never any */
		buf_printf(out, "  %-*s %*" PRIu64 " %*" PRIu64 " %*" PRIu64 "  ", name, amount_text((enum amount)i),
			   wide, sketch_quantile(s, 0.5), wide, sketch_quantile(s, 0.9), wide,
			   sketch_quantile(s, 0.99));
		draw_line_amounts(out, f, s, columns);
		buf_printf(out, "\n");
	}
}

static void put_rings(struct buf *out, const struct draw_face *f, const struct profile *p)
{
	const uint32_t columns = draw_room(f, BESIDE_SCORES, DRAW_LINE_MAX);

	if (p->rings[0].n == 0)
		return;
	buf_printf(out, "\n  how unusual the last ones were\n");
	for (size_t i = 0; i < SEEN_RINGS; i++) {
		struct seen_ring r;

		seen_ring(p, i, &r);
		buf_printf(out, "  %-13s", r.word);
		draw_line_scores(out, f, &r, columns);
		buf_printf(out, "  %.1f at most\n", r.most);
	}
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

void show_text(const struct profile *p, const struct draw_face *f, struct buf *out)
{
	show_key(out, p->key);
	buf_printf(out, ": %u events, epoch %u%s\n", p->events, p->epoch,
		   p->events < PROFILE_YOUNG ? "; it is young, and promises nothing" : "");
	put_promises(out, p);
	buf_printf(out, "\n");
	for (unsigned kind = 1; kind < DEED_KINDS; kind++)
		put_items(out, p, kind);
	buf_printf(out, "  %-13s%" PRIu64 " in %" PRIu64 " events, %zu kinds, %zu runs of up to %d\n", "order",
		   p->calls.calls, p->calls.traces, p->calls.words.n - WORD_FIRST, p->calls.grammar.n, GRAMMAR_ORDER);
	put_amounts(out, f, p);
	put_rings(out, f, p);
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

	show_key(out, to->key);
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
