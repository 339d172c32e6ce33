/* What came of an evaluation: as text, as JSON, and the curve as a drawing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "profile/eval.h"

static const double alarm_rates[] = { 0.001, 0.01, 0.05, 0.1, 0.2 };
#define RATES (sizeof alarm_rates / sizeof alarm_rates[0])
#define KEYS_SHOWN 40

static double part(uint64_t n, uint64_t of)
{
	return of == 0 ? 0 : (double)n / (double)of;
}

/* Attacks of which one trace at least was flagged. */
static size_t incidents(const struct eval *ev, size_t alpha)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->n_attacks; i++)
		n += ev->attacks[i].flagged[alpha] > 0;
	return n;
}

static double ns_a_symbol(const struct eval *ev)
{
	return ev->symbols == 0 ? 0 : (double)ev->scored_ns / (double)ev->symbols;
}

static uint64_t left_out(const struct eval *ev)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ev->n_keys; i++)
		n += ev->keys[i].attacks_left_out;
	return n;
}

/* ---- text ---- */

static void say_part(struct buf *out, double part)
{
	if (part < 0)
		buf_printf(out, " %9s", "-");
	else
		buf_printf(out, " %7.2f %%", 100 * part);
}

static void say_rank(struct buf *out, const struct rank *r)
{
	if (rank_area(r) < 0)
		buf_printf(out, " %7s", "-");
	else
		buf_printf(out, " %7.4f", rank_area(r));
	for (size_t i = 0; i < RATES; i++)
		say_part(out, rank_at(r, alarm_rates[i]));
}

static void say_curve(const struct eval *ev, struct buf *out)
{
	buf_printf(out, "attacks flagged, where the threshold flags so many of what is usual\n%-24s %7s", "", "AUC");
	for (size_t i = 0; i < RATES; i++)
		buf_printf(out, " %7g %%", 100 * alarm_rates[i]);
	buf_printf(out, "\n%-24s", "all");
	say_rank(out, &ev->rank);
	buf_printf(out, "\n");
	for (size_t i = 0; i < ev->n_keys && i < KEYS_SHOWN && ev->n_keys > 1; i++) {
		char name[32];

		if (ev->keys[i].rank.n == 0)
			continue;
		buf_printf(out, "%-24.24s", text_escape(name, sizeof name, ev->keys[i].name, strlen(ev->keys[i].name)));
		say_rank(out, &ev->keys[i].rank);
		buf_printf(out, "\n");
	}
	if (ev->n_keys > KEYS_SHOWN)
		buf_printf(out, "... and %zu more keys (--json has them)\n", ev->n_keys - KEYS_SHOWN);
}

static void say_promises(const struct eval *ev, struct buf *out)
{
	buf_printf(out, "\n%9s %10s %9s %10s %10s\n", "promised", "realised", "ratio", "attacks", "incidents");
	for (size_t i = 0; i < ev->ask->n_alphas; i++) {
		const double alpha = ev->ask->alphas[i], realised = part(ev->count.flagged_usual[i], ev->count.usual);

		buf_printf(out, "%7g %%", 100 * alpha);
		if (alpha < calibration_least(&ev->wide.rings[RING_WHOLE])) {
			buf_printf(out, "  no promise: %u traces to calibrate with allow %.2g %% at least\n",
				   ev->wide.rings[RING_WHOLE].n, 100 * calibration_least(&ev->wide.rings[RING_WHOLE]));
			continue;
		}
		say_part(out, realised);
		buf_printf(out, " %9.2f", realised / alpha);
		say_part(out, ev->count.attacks > 0 ? part(ev->count.flagged_attacks[i], ev->count.attacks) : -1);
		buf_printf(out, " %4zu / %zu\n", incidents(ev, i), ev->n_attacks);
	}
}

void eval_say(const struct eval *ev, struct buf *out)
{
	buf_printf(
		out,
		"learned %llu traces, %llu symbols of %zu kinds, %zu key%s; calibrated with %llu; tested %llu usual, %llu attacks\n",
		(unsigned long long)ev->wide.learned, (unsigned long long)ev->wide.model.calls,
		ev->wide.model.words.n - WORD_FIRST, ev->n_keys, ev->n_keys == 1 ? "" : "s",
		(unsigned long long)ev->wide.calibrated, (unsigned long long)ev->count.usual,
		(unsigned long long)ev->count.attacks);
	if (left_out(ev) > 0)
		buf_printf(out, "%llu traces of --train are labelled as attacks, and were not learned\n",
			   (unsigned long long)left_out(ev));
	if (ev->tested_by_wide > 0 && ev->n_keys > 1)
		buf_printf(out,
			   "%llu were tested by the profile of all keys, since theirs is young (less than %d traces)\n",
			   (unsigned long long)ev->tested_by_wide, USUAL_YOUNG);
	buf_printf(out, "\n");
	say_curve(ev, out);
	say_promises(ev, out);
	buf_printf(out, "\n%.1f ns a symbol, %llu symbols\n", ns_a_symbol(ev), (unsigned long long)ev->symbols);
}

/* ---- JSON ---- */

static void put_number(struct json *j, const char *key, double value)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%.6g", value);

	json_put_key(j, key);
	if (value < 0)
		json_put_null(j);
	else
		json_put_made(j, text, (size_t)n);
}

static void put_rank(struct json *j, const struct rank *r)
{
	put_number(j, "auc", rank_area(r));
	json_put_array(json_put_key(j, "at"));
	for (size_t i = 0; i < RATES; i++) {
		json_put_object(j);
		put_number(j, "fpr", alarm_rates[i]);
		put_number(j, "tpr", rank_at(r, alarm_rates[i]));
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void put_promises(struct json *j, const struct eval *ev, const struct eval_count *c,
			 const struct calibration *calibration, bool all)
{
	json_put_array(json_put_key(j, "promises"));
	for (size_t i = 0; i < ev->ask->n_alphas; i++) {
		const double alpha = ev->ask->alphas[i], realised = part(c->flagged_usual[i], c->usual);

		json_put_object(j);
		put_number(j, "alpha", alpha);
		json_put_bool(json_put_key(j, "promised"), alpha >= calibration_least(calibration));
		put_number(j, "realised", realised);
		put_number(j, "ratio", realised / alpha);
		json_put_count(json_put_key(j, "flagged_usual"), c->flagged_usual[i]);
		json_put_count(json_put_key(j, "flagged_attacks"), c->flagged_attacks[i]);
		put_number(j, "tpr", c->attacks > 0 ? part(c->flagged_attacks[i], c->attacks) : -1);
		if (all)
			json_put_count(json_put_key(j, "incidents"), incidents(ev, i));
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void put_keys(struct json *j, const struct eval *ev)
{
	json_put_array(json_put_key(j, "keys"));
	for (size_t i = 0; i < ev->n_keys; i++) {
		const struct eval_key *k = ev->n_keys > 1 ? &ev->keys[i] : &ev->wide; /* the only one is that of all */

		json_put_object(j);
		json_put_name(json_put_key(j, "key"), ev->keys[i].name);
		json_put_count(json_put_key(j, "learned"), k->learned);
		json_put_count(json_put_key(j, "calibrated"), k->calibrated);
		json_put_count(json_put_key(j, "usual"), k->count.usual);
		json_put_count(json_put_key(j, "attacks"), k->count.attacks);
		put_rank(j, &k->rank);
		put_promises(j, ev, &k->count, &k->rings[RING_WHOLE], false);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void put_attacks(struct json *j, const struct eval *ev)
{
	json_put_array(json_put_key(j, "attacks_by_name"));
	for (size_t i = 0; i < ev->n_attacks; i++) {
		const struct eval_attack *a = &ev->attacks[i];

		json_put_object(j);
		json_put_name(json_put_key(j, "name"), a->name);
		json_put_count(json_put_key(j, "n"), a->n);
		json_put_array(json_put_key(j, "flagged"));
		for (size_t k = 0; k < ev->ask->n_alphas; k++)
			json_put_count(j, a->flagged[k]);
		json_put_array_end(j);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

void eval_say_json(const struct eval *ev, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_count(json_put_key(&j, "v"), 1);
	json_put_count(json_put_key(&j, "learned"), ev->wide.learned);
	json_put_count(json_put_key(&j, "learned_symbols"), ev->wide.model.calls);
	json_put_count(json_put_key(&j, "not_learned_attacks"), left_out(ev));
	json_put_count(json_put_key(&j, "kinds"), ev->wide.model.words.n - WORD_FIRST);
	json_put_count(json_put_key(&j, "runs"), ev->wide.model.grammar.n);
	json_put_count(json_put_key(&j, "runs_left_out"), ev->wide.model.grammar.left_out);
	json_put_count(json_put_key(&j, "calibrated"), ev->wide.calibrated);
	json_put_count(json_put_key(&j, "usual"), ev->count.usual);
	json_put_count(json_put_key(&j, "attacks"), ev->count.attacks);
	json_put_count(json_put_key(&j, "tested_by_all_keys"), ev->n_keys > 1 ? ev->tested_by_wide : 0);
	json_put_bool(json_put_key(&j, "stream"), ev->ask->streams);
	put_rank(&j, &ev->rank);
	put_promises(&j, ev, &ev->count, &ev->wide.rings[RING_WHOLE], true);
	json_put_count(json_put_key(&j, "symbols"), ev->symbols);
	put_number(&j, "ns_a_symbol", ns_a_symbol(ev));
	put_keys(&j, ev);
	put_attacks(&j, ev);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}

/* ---- the drawing ---- */

#define SIDE 400
#define EDGE 50

static void point(void *arg, double x, double y)
{
	buf_printf(arg, "%.2f,%.2f ", EDGE + SIDE * x, EDGE + SIDE * (1 - y));
}

void eval_draw(const struct eval *ev, struct buf *out)
{
	const double area = rank_area(&ev->rank);

	buf_printf(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<title>Attacks flagged against false alarms</title>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		SIDE + 2 * EDGE, SIDE + 2 * EDGE);
	for (int i = 0; i <= 5; i++) {
		const int at = EDGE + SIDE * i / 5;

		buf_printf(
			out,
			"<path d=\"M%d %d V%d M%d %d H%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%d %%</text>"
			"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d %%</text>\n",
			at, EDGE, EDGE + SIDE, EDGE, at, EDGE + SIDE, at, EDGE + SIDE + 18, 20 * i, EDGE - 6, at + 4,
			100 - 20 * i);
	}
	buf_printf(out, "<polyline fill=\"none\" stroke=\"#06c\" stroke-width=\"2\" points=\"");
	if (area >= 0)
		rank_walk(&ev->rank, point, out);
	buf_printf(out,
		   "\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">false alarms</text>\n"
		   "<text x=\"%d\" y=\"30\" text-anchor=\"middle\">attacks flagged",
		   EDGE + SIDE / 2, EDGE + SIDE + 38, EDGE + SIDE / 2);
	if (area >= 0)
		buf_printf(out, ", AUC %.4f", area);
	buf_printf(out, "</text>\n</svg>\n");
}
