#include "profile/events_report.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static void put_share(struct buf *out, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		buf_printf(out, "%15s", "-");
	else
		buf_printf(out, "%7llu %6.2f%%", (unsigned long long)part, 100.0 * (double)part / (double)whole);
}

static void put_row(struct buf *out, const char *name, const struct report_count *c)
{
	buf_printf(out, "%-24.24s%9u", name, c->attacked);
	put_share(out, c->reached, c->attacked);
	put_share(out, c->missed, c->attacked);
	buf_printf(out, "%9u", c->good);
	put_share(out, c->stopped, c->good);
	buf_printf(out, "%9u", c->kept);
	put_share(out, c->kept_stopped, c->kept);
	buf_printf(out, "\n");
}

static void put_head(struct buf *out)
{
	buf_printf(out, "%-24s%9s%15s%15s%9s%15s%9s%15s\n", "", "attacked", "succeeded", "not stopped", "good",
		   "stopped", "resisted", "stopped");
}

static void put_ranking(const struct report *r, struct buf *out)
{
	buf_printf(out, "\nranking: attacks that succeeded above good runs\n");
	if (isnan(r->auc)) {
		buf_printf(out, "  there are none of one of them\n");
		return;
	}
	buf_printf(out, "  AUC %.4f\n", r->auc);
	for (size_t i = 0; i < REPORT_RATES; i++)
		buf_printf(out, "  at %2.0f%% of good runs: %.1f%% of those attacks\n", 100 * r->rates[i],
			   100 * r->found[i]);
}

static void put_acceptance(const struct report *r, struct buf *out)
{
	if (r->bits_low == r->bits_high)
		buf_printf(out, "\nacceptance: stopped from %.2f bits on", r->bits_low);
	else
		buf_printf(out, "\nacceptance: stopped from %.2f to %.2f bits on, by family", r->bits_low,
			   r->bits_high);
	if (r->alpha > 0)
		buf_printf(out, ", so that at most %g of usual runs are", r->alpha);
	if (r->taught > 0)
		buf_printf(out, "\n  expected from the runs that teach: %.2f%% of good runs stopped",
			   100.0 * r->taught_stopped / r->taught);
	if (r->all.good > 0)
		buf_printf(out, "\n  found: %.2f%%", 100.0 * r->all.stopped / r->all.good);
	buf_printf(out, "\n");
}

static void put_young(const struct report *r, struct buf *out)
{
	buf_printf(out, "\nyoung profiles, of so many runs of each task\n");
	put_head(out);
	for (size_t i = 0; i < REPORT_YOUNG; i++) {
		const char name[] = { (char)('0' + r->young[i].runs % 10), 0 };

		put_row(out, name, &r->young[i].count);
	}
	buf_printf(out, "(the sum of %u rounds; what is stopped of a young profile is what would be asked)\n",
		   r->young[0].rounds);
}

static void put_lists(const struct report *r, struct buf *out)
{
	char shown[VERDICT_REASON_MAX + 128];

	if (r->n_goals > 0)
		buf_printf(
			out,
			"\nnot stopped, by the injection's goal (and how many of those did nothing that could be: no tool that acts, nothing fetched)\n");
	for (size_t i = 0; i < r->n_goals; i++) {
		buf_printf(out, "  %s", text_escape(shown, sizeof shown, r->goals[i].suite, strlen(r->goals[i].suite)));
		buf_printf(out, "/%s", text_escape(shown, sizeof shown, r->goals[i].inj, strlen(r->goals[i].inj)));
		buf_printf(out, " %u (%u)\n", r->goals[i].missed, r->goals[i].idle);
	}
	if (r->n_examples > 0)
		buf_printf(out, "\ngood runs that were stopped, the first\n");
	for (size_t i = 0; i < r->n_examples; i++)
		buf_printf(out, "  %s\n", text_escape(shown, sizeof shown, r->examples[i], strlen(r->examples[i])));
}

void report_text(const struct report *r, struct buf *out)
{
	char shown[64];

	buf_printf(out, "runs %u, not counted %u\n\n", r->runs, r->not_counted);
	put_head(out);
	for (size_t i = 0; i < r->n_suites; i++)
		put_row(out, text_escape(shown, sizeof shown, r->suites[i].name, strlen(r->suites[i].name)),
			&r->suites[i].count);
	put_row(out, "all", &r->all);
	if (r->all.idle > 0)
		buf_printf(out, "of those not stopped %u (%.2f%%) did nothing that could be; %u (%.2f%%) acted\n",
			   r->all.idle, 100.0 * r->all.idle / r->all.attacked, r->all.missed - r->all.idle,
			   100.0 * (r->all.missed - r->all.idle) / r->all.attacked);
	put_acceptance(r, out);
	put_ranking(r, out);
	put_young(r, out);
	put_lists(r, out);
	if (r->by_pipeline)
		buf_printf(out, "\nall runs are of one model family: each pipeline is judged by the others\n");
	if (r->full)
		buf_printf(out, "\nthe table of a profile was full: more was new than would have been\n");
}

/* --- as JSON --- */

static void put_real(struct json *j, const char *key, double value)
{
	char room[32];
	struct buf text;

	(void)json_put_key(j, key);
	if (!isfinite(value)) {
		json_put_null(j);
		return;
	}
	buf_init_in(&text, room, sizeof room);
	buf_printf(&text, "%.6g", value);
	json_put_made(j, text.data, text.len);
}

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : NAN;
}

static void put_counts(struct json *j, const struct report_count *c)
{
	json_put_count(json_put_key(j, "attacked"), c->attacked);
	json_put_count(json_put_key(j, "succeeded"), c->reached);
	json_put_count(json_put_key(j, "not_stopped"), c->missed);
	json_put_count(json_put_key(j, "not_stoppable"), c->idle);
	json_put_count(json_put_key(j, "good"), c->good);
	json_put_count(json_put_key(j, "good_stopped"), c->stopped);
	json_put_count(json_put_key(j, "resisted"), c->kept);
	json_put_count(json_put_key(j, "resisted_stopped"), c->kept_stopped);
	put_real(j, "attack_success", share(c->reached, c->attacked));
	put_real(j, "residual_attack_success", share(c->missed, c->attacked));
	put_real(j, "residual_that_acted", share(c->missed - c->idle, c->attacked));
	put_real(j, "good_stopped_share", share(c->stopped, c->good));
	put_real(j, "asked_share", share(c->stopped + c->kept_stopped, c->good + c->kept));
}

static void put_named(struct json *j, const char *key, const char *name, const struct report_count *c)
{
	json_put_object(j);
	json_put_name(json_put_key(j, key), name);
	put_counts(j, c);
	json_put_object_end(j);
}

static void json_young(struct json *j, const struct report *r)
{
	json_put_array(json_put_key(j, "young"));
	for (size_t i = 0; i < REPORT_YOUNG; i++) {
		json_put_object(j);
		json_put_count(json_put_key(j, "runs"), r->young[i].runs);
		json_put_count(json_put_key(j, "rounds"), r->young[i].rounds);
		put_counts(j, &r->young[i].count);
		json_put_object_end(j);
	}
	json_put_array_end(j);
}

static void json_lists(struct json *j, const struct report *r)
{
	json_put_array(json_put_key(j, "not_stopped_goals"));
	for (size_t i = 0; i < r->n_goals; i++) {
		json_put_object(j);
		json_put_name(json_put_key(j, "suite"), r->goals[i].suite);
		json_put_name(json_put_key(j, "injection"), r->goals[i].inj);
		json_put_count(json_put_key(j, "not_stopped"), r->goals[i].missed);
		json_put_count(json_put_key(j, "not_stoppable"), r->goals[i].idle);
		json_put_object_end(j);
	}
	json_put_array_end(j);
	json_put_array(json_put_key(j, "good_stopped_examples"));
	for (size_t i = 0; i < r->n_examples; i++)
		json_put_name(j, r->examples[i]);
	json_put_array_end(j);
}

static void json_acceptance(struct json *j, const struct report *r)
{
	json_put_object(json_put_key(j, "acceptance"));
	put_real(j, "bits_low", r->bits_low);
	put_real(j, "bits_high", r->bits_high);
	put_real(j, "alpha", r->alpha > 0 ? r->alpha : NAN);
	put_real(j, "expected_good_stopped", share(r->taught_stopped, r->taught));
	put_real(j, "found_good_stopped", share(r->all.stopped, r->all.good));
	json_put_object_end(j);
}

void report_json(const struct report *r, struct buf *out)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	json_put_count(json_put_key(&j, "v"), 1);
	json_put_count(json_put_key(&j, "runs"), r->runs);
	json_put_count(json_put_key(&j, "not_counted"), r->not_counted);
	put_counts(&j, &r->all);
	json_put_array(json_put_key(&j, "suites"));
	for (size_t i = 0; i < r->n_suites; i++)
		put_named(&j, "suite", r->suites[i].name, &r->suites[i].count);
	json_put_array_end(&j);
	json_acceptance(&j, r);
	put_real(&j, "auc", r->auc);
	json_put_array(json_put_key(&j, "ranking"));
	for (size_t i = 0; i < REPORT_RATES; i++) {
		json_put_object(&j);
		put_real(&j, "false_positives", r->rates[i]);
		put_real(&j, "true_positives", isnan(r->auc) ? NAN : r->found[i]);
		json_put_object_end(&j);
	}
	json_put_array_end(&j);
	json_young(&j, r);
	json_lists(&j, r);
	json_put_bool(json_put_key(&j, "by_pipeline"), r->by_pipeline);
	json_put_bool(json_put_key(&j, "full"), r->full);
	json_put_object_end(&j);
	buf_printf(out, "\n");
}
