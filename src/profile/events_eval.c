#include "profile/events_eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/events.h"
#include "profile/events_report.h"
#include "profile/names.h"
#include "profile/order.h"

#define ROWS_MIN (1u << 12)
#define ROUNDS 3 /* of which young profiles are an average */
static const unsigned YOUNG[REPORT_YOUNG] = { 1, 2, 5 };
static const double RATES[REPORT_RATES] = { 0.01, 0.05, 0.1 };

#define TRY(call)                                                                                                      \
	do {                                                                                                           \
		const int rc_ = (call);                                                                                \
		if (rc_ != 0)                                                                                          \
			return rc_;                                                                                    \
	} while (0)

/* What was found of one run. */
struct found {
	double bits, score;
	bool stopped, counted;
};

struct evaluation {
	const struct events_eval *how;
	const uint8_t *key;
	struct events test, own; /* own: of train, where there is one */
	const struct events *train;
	struct novelty *n;
	struct found *found;  /* owned, one for each run of test */
	struct verdict *said; /* owned */
	double *accept;       /* owned: by family, from how many bits on one of its runs is stopped */
	struct report report;
};

static struct scopes scopes_of(const struct evaluation *ev, const struct events *of, const struct event *one)
{
	const char *task = events_name(of, one->task), *suite = events_name(of, one->suite);

	return (struct scopes){ .n = 2,
				.hash = { call_hash(ev->key, 'T', 0, 0, task, strlen(task)),
					  call_hash(ev->key, 'S', 0, 0, suite, strlen(suite)) } };
}

static uint64_t principal_of(const struct evaluation *ev, const struct events *of, const struct event *one)
{
	const char *name = events_name(of, one->pipeline);

	return call_hash(ev->key, 'P', 0, 0, name, strlen(name));
}

static void learn(struct evaluation *ev, const struct event *one)
{
	const struct scopes s = scopes_of(ev, ev->train, one);
	const struct doings d = events_doings(ev->train, one);

	if (novelty_learn(ev->n, &s, principal_of(ev, ev->train, one), (uint32_t)one->line, &d) == 0)
		order_learn(ev->n, s.hash[0], &d);
}

/* Which good runs teach: none of two families (0: no family has that number), and of each task the first so many in that order (NULL: all). */
struct lesson {
	uint32_t without, nor;
	unsigned most;
	const uint32_t *order;
};

static bool teach(struct evaluation *ev, const struct lesson *l)
{
	auto_free unsigned *taught = calloc(names_count(ev->train->names), sizeof *taught);

	if (taught == NULL)
		return false;
	novelty_forget(ev->n);
	for (size_t i = 0; i < ev->train->n; i++) {
		const struct event *one = &ev->train->all[l->order != NULL ? l->order[i] : i];

		if (!event_is_good(one) || one->family == l->without || one->family == l->nor)
			continue;
		if (l->most > 0 && taught[one->task]++ >= l->most)
			continue;
		learn(ev, one);
	}
	ev->report.full = ev->report.full || novelty_is_full(ev->n);
	return true;
}

static struct found judge(struct evaluation *ev, const struct events *of, const struct event *one)
{
	const struct scopes s = scopes_of(ev, of, one);
	const struct doings d = events_doings(of, one);

	verdict_begin(ev->said, ev->n, &s);
	verdict_doings(ev->said, ev->n, &s, &ev->how->rules, &d);
	return (struct found){ .bits = ev->said->bits,
			       .score = ev->said->score,
			       .stopped = ev->said->bits >= ev->accept[of == &ev->test ? one->family : 0] };
}

/* --- counting: the only place that looks at what runs were --- */

/* One '*' is any run of characters. */
static bool is_like(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	const size_t before = star != NULL ? (size_t)(star - pattern) : 0, after = star != NULL ? strlen(star + 1) : 0;

	if (star == NULL)
		return strcmp(pattern, name) == 0;
	return strlen(name) >= before + after && strncmp(pattern, name, before) == 0 &&
	       strcmp(star + 1, name + strlen(name) - after) == 0;
}

static bool is_counted(const struct evaluation *ev, const struct event *one)
{
	char goal[2 * EVENTS_NAME_MAX];

	if (one->left_out)
		return false;
	(void)snprintf(goal, sizeof goal, "%s/%s", events_name(&ev->test, one->suite),
		       events_name(&ev->test, one->inj));
	for (size_t i = 0; one->attacked && i < ev->how->n_without; i++)
		if (is_like(ev->how->without[i], events_name(&ev->test, one->attack)) ||
		    is_like(ev->how->without[i], goal))
			return false;
	return true;
}

static void count(struct report_count *c, const struct event *one, bool stopped)
{
	c->attacked += one->attacked;
	c->reached += one->reached;
	c->missed += one->reached && !stopped;
	c->idle += one->reached && !stopped && one->n_marks == 0;
	c->good += event_is_good(one);
	c->stopped += event_is_good(one) && stopped;
	c->kept += one->attacked && one->useful && !one->reached;
	c->kept_stopped += one->attacked && one->useful && !one->reached && stopped;
}

static struct report_count *suite_count(struct report *r, const char *name)
{
	for (size_t i = 0; i < r->n_suites; i++)
		if (strcmp(r->suites[i].name, name) == 0)
			return &r->suites[i].count;
	if (r->n_suites == REPORT_SUITES_MAX)
		return NULL;
	r->suites[r->n_suites].name = name;
	return &r->suites[r->n_suites++].count;
}

static void count_goal(struct report_goal *goals, size_t *n, size_t most, const struct events *of,
		       const struct event *one)
{
	const char *suite = events_name(of, one->suite), *inj = events_name(of, one->inj);
	size_t i = 0;

	while (i < *n && (goals[i].suite != suite || goals[i].inj != inj))
		i++;
	if (i == most)
		return;
	if (i == *n)
		goals[(*n)++] = (struct report_goal){ .suite = suite, .inj = inj };
	goals[i].missed++;
	goals[i].idle += one->n_marks == 0;
}

static int by_missed(const void *a, const void *b)
{
	const struct report_goal *x = a, *y = b;

	return x->missed != y->missed ? (x->missed < y->missed ? 1 : -1) : strcmp(x->inj, y->inj);
}

#define GOALS_MAX 1024

static void count_all(struct evaluation *ev)
{
	struct report *r = &ev->report;
	auto_free struct report_goal *goals = calloc(GOALS_MAX, sizeof *goals);
	size_t n = 0;

	for (size_t i = 0; i < ev->test.n; i++) {
		const struct event *one = &ev->test.all[i];
		const bool stopped = ev->found[i].stopped;
		struct report_count *suite;

		ev->found[i].counted = is_counted(ev, one);
		r->not_counted += !ev->found[i].counted;
		if (!ev->found[i].counted)
			continue;
		count(&r->all, one, stopped);
		suite = suite_count(r, events_name(&ev->test, one->suite));
		if (suite != NULL)
			count(suite, one, stopped);
		if (goals != NULL && one->reached && !stopped)
			count_goal(goals, &n, GOALS_MAX, &ev->test, one);
	}
	if (n > 0)
		qsort(goals, n, sizeof *goals, by_missed);
	for (; goals != NULL && r->n_goals < n && r->n_goals < REPORT_GOALS; r->n_goals++)
		r->goals[r->n_goals] = goals[r->n_goals];
}

/* --- ranking --- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* How many of sorted values are below, and how many are the same. */
static size_t below(const double *sorted, size_t n, double value, size_t *ret_same)
{
	size_t low = 0, high = n, end;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < n && sorted[end] == value;)
		end++;
	*ret_same = end - low;
	return low;
}

static void rank(struct evaluation *ev)
{
	struct report *r = &ev->report;
	auto_free double *good = calloc(ev->test.n + 1, sizeof *good);
	double wins = 0;
	size_t n = 0, attacks = 0, same;

	for (size_t i = 0; good != NULL && i < ev->test.n; i++)
		if (ev->found[i].counted && event_is_good(&ev->test.all[i]))
			good[n++] = ev->found[i].score;
	r->auc = NAN;
	if (n == 0)
		return;
	qsort(good, n, sizeof *good, by_value);
	for (size_t k = 0; k < REPORT_RATES; k++)
		r->found[k] = 0;
	for (size_t i = 0; i < ev->test.n; i++) {
		if (!ev->found[i].counted || !ev->test.all[i].reached)
			continue;
		attacks++;
		wins += (double)below(good, n, ev->found[i].score, &same);
		wins += (double)same / 2;
		for (size_t k = 0; k < REPORT_RATES; k++)
			r->found[k] += ev->found[i].score > good[n - 1 - (size_t)(RATES[k] * (double)n)];
	}
	for (size_t k = 0; k < REPORT_RATES; k++)
		r->found[k] = attacks > 0 ? r->found[k] / (double)attacks : NAN;
	r->auc = attacks > 0 ? wins / (double)attacks / (double)n : NAN;
}

/* --- passes --- */

static bool is_family(const struct events *of, uint32_t name)
{
	for (size_t i = 0; i < of->n; i++)
		if (of->all[i].family == name)
			return true;
	return false;
}

/* The next family after that number; 0: no more. */
static uint32_t next_family(const struct events *of, uint32_t after)
{
	for (uint32_t name = after + 1; name < names_count(of->names); name++)
		if (is_family(of, name))
			return name;
	return 0;
}

struct example {
	struct evaluation *ev;
	struct scopes s;
};

static void say_call(void *into, const struct call *c)
{
	struct example *x = into;

	verdict_call(x->ev->said, x->ev->n, &x->s, &x->ev->how->rules, c);
}

/* A good run that is stopped, in words, while the profile that judged it is there. */
static void example(struct evaluation *ev, const struct event *one)
{
	struct example x = { .ev = ev, .s = scopes_of(ev, &ev->test, one) };
	struct report *r = &ev->report;

	if (r->n_examples == REPORT_EXAMPLES)
		return;
	verdict_begin(ev->said, ev->n, &x.s);
	if (events_calls(&ev->test, one, say_call, &x) && ev->said->n > 0)
		(void)snprintf(r->examples[r->n_examples++], sizeof r->examples[0], "line %zu (%.80s): %s", one->line,
			       events_name(&ev->test, one->task), ev->said->reasons[0].text);
}

/* Runs of one family, or all (0), by what was taught. */
static void judge_family(struct evaluation *ev, uint32_t family, struct found *into, bool in_words)
{
	for (size_t i = 0; i < ev->test.n; i++) {
		const struct event *one = &ev->test.all[i];

		if (family != 0 && one->family != family)
			continue;
		into[i] = judge(ev, &ev->test, one);
		if (in_words && event_is_good(one) && into[i].stopped)
			example(ev, one);
	}
}

/* All runs, each by a profile without its family. */
static bool pass(struct evaluation *ev, unsigned most, const uint32_t *order, struct found *into)
{
	struct lesson l = { .most = most, .order = order };

	if (ev->train != &ev->test) {
		if (!teach(ev, &l))
			return false;
		judge_family(ev, 0, into, most == 0);
		return true;
	}
	for (uint32_t f = next_family(&ev->test, 0); f != 0; f = next_family(&ev->test, f)) {
		l.without = f;
		if (!teach(ev, &l))
			return false;
		judge_family(ev, f, into, most == 0);
	}
	return true;
}

static uint64_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static void shuffle(uint32_t *order, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n; i > 1; i--) {
		const size_t k = random_next(&seed) % i;
		const uint32_t kept = order[i - 1];

		order[i - 1] = order[k];
		order[k] = kept;
	}
}

/* Profiles of so many runs: all tasks are as young. */
static bool young(struct evaluation *ev, struct report_young *ret)
{
	auto_free uint32_t *order = calloc(ev->train->n + 1, sizeof *order);
	auto_free struct found *found = calloc(ev->test.n + 1, sizeof *found);

	if (order == NULL || found == NULL)
		return false;
	for (ret->rounds = 0; ret->rounds < ROUNDS; ret->rounds++) {
		shuffle(order, ev->train->n, ev->how->seed + ret->rounds + 1);
		if (!pass(ev, ret->runs, order, found))
			return false;
		for (size_t i = 0; i < ev->test.n; i++)
			if (ev->found[i].counted)
				count(&ret->count, &ev->test.all[i], found[i].stopped);
	}
	return true;
}

/* --- what was to be expected --- */

/* Bits of the good runs that teach those of `without`: each family is judged by the others. */
static bool expect(struct evaluation *ev, uint32_t without, double *bits, size_t *ret_n)
{
	*ret_n = 0;
	for (uint32_t f = next_family(ev->train, 0); f != 0; f = next_family(ev->train, f)) {
		if (f == without)
			continue;
		if (!teach(ev, &(struct lesson){ .without = without, .nor = f }))
			return false;
		for (size_t i = 0; i < ev->train->n; i++)
			if (ev->train->all[i].family == f && event_is_good(&ev->train->all[i]))
				bits[(*ret_n)++] = judge(ev, ev->train, &ev->train->all[i]).bits;
	}
	return true;
}

/* Split-conformal: of n bits as usual as the next, at most alpha are above that one. */
static int accept_at(const struct events_eval *how, double *bits, size_t n, double *ret, struct err *e)
{
	const size_t k = (size_t)ceil(((double)n + 1) * (1 - how->alpha));

	*ret = how->rules.bits;
	if (how->alpha <= 0)
		return 0;
	if (k > n || k == 0)
		return err_set(e, AMBIT_LIMIT, "promise more, or give more runs",
			       "%zu runs cannot promise a false-alarm rate of %g", n, how->alpha);
	qsort(bits, n, sizeof *bits, by_value);
	*ret = fmax(*ret, nextafter(bits[k - 1], INFINITY));
	return 0;
}

static int accept_family(struct evaluation *ev, uint32_t family, double *bits, struct err *e)
{
	struct report *r = &ev->report;
	double *accept = &ev->accept[family];
	size_t n = 0;

	if (!expect(ev, family, bits, &n))
		return err_set(e, AMBIT_MEMORY, NULL, "the runs that teach");
	TRY(accept_at(ev->how, bits, n, accept, e));
	for (size_t i = 0; i < n; i++)
		r->taught_stopped += bits[i] >= *accept;
	r->taught += (uint32_t)n;
	r->bits_low = r->families == 0 ? *accept : fmin(r->bits_low, *accept);
	r->bits_high = r->families == 0 ? *accept : fmax(r->bits_high, *accept);
	r->families++;
	return 0;
}

static int accept_all(struct evaluation *ev, struct err *e)
{
	auto_free double *bits = calloc(ev->train->n + 1, sizeof *bits);

	if (bits == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "the runs that teach");
	if (ev->train != &ev->test) {
		TRY(accept_family(ev, 0, bits, e));
		for (uint32_t f = next_family(&ev->test, 0); f != 0; f = next_family(&ev->test, f))
			ev->accept[f] = ev->accept[0];
		return 0;
	}
	for (uint32_t f = next_family(&ev->test, 0); f != 0; f = next_family(&ev->test, f))
		TRY(accept_family(ev, f, bits, e));
	return 0;
}

/* --- all of it --- */

static uint32_t families_of(const struct events *of)
{
	uint32_t n = 0;

	for (uint32_t f = next_family(of, 0); f != 0; f = next_family(of, f))
		n++;
	return n;
}

static int check(struct evaluation *ev, struct err *e)
{
	size_t good = 0;

	for (size_t i = 0; i < ev->train->n; i++)
		good += event_is_good(&ev->train->all[i]);
	if (good == 0)
		return err_set(e, AMBIT_NOT_FOUND, "a good run has utility true, and no inj",
			       "no good run to learn from");
	if (ev->train != &ev->test)
		return 0;
	ev->report.by_pipeline = families_of(&ev->test) < 2;
	if (ev->report.by_pipeline)
		for (size_t i = 0; i < ev->test.n; i++)
			ev->test.all[i].family = ev->test.all[i].pipeline;
	return families_of(&ev->test) < 2 ? err_set(e, AMBIT_USAGE, "--train FILE gives runs to learn from",
						    "all runs are of one pipeline")
					  : 0;
}

static int evaluate(struct evaluation *ev, struct err *e)
{
	struct report *r = &ev->report;

	TRY(accept_all(ev, e));
	if (!pass(ev, 0, NULL, ev->found))
		return err_set(e, AMBIT_MEMORY, NULL, "the runs");
	count_all(ev);
	rank(ev);
	for (size_t k = 0; k < REPORT_YOUNG; k++) {
		r->young[k].runs = YOUNG[k];
		if (!young(ev, &r->young[k]))
			return err_set(e, AMBIT_MEMORY, NULL, "the runs");
	}
	r->alpha = ev->how->alpha;
	for (size_t k = 0; k < REPORT_RATES; k++)
		r->rates[k] = RATES[k];
	r->runs = (uint32_t)ev->test.n;
	return 0;
}

/* Enough for all that may be learned at once: what a run teaches in two scopes, if all of it is new. */
static uint32_t rows_for(const struct events *train)
{
	uint64_t most = 0;
	uint32_t rows = ROWS_MIN;

	for (size_t i = 0; i < train->n; i++)
		if (event_is_good(&train->all[i]))
			most += 4 * train->all[i].n_marks + 2 * (train->all[i].n_steps + 1) + 8;
	while (rows < NOVELTY_ROWS_MAX && rows / 2 < most)
		rows *= 2;
	return rows;
}

static int read_all(struct evaluation *ev, struct err *e)
{
	const struct events_eval *how = ev->how;
	int rc;

	TRY(events_read(&ev->test, ev->key, how->test.at, how->test.len, e));
	ev->train = &ev->test;
	if (how->train.at != NULL) {
		rc = events_read(&ev->own, ev->key, how->train.at, how->train.len, e);
		if (rc != 0)
			return err_context(e, rc, "runs to learn from");
		ev->train = &ev->own;
	}
	TRY(check(ev, e));
	ev->found = calloc(ev->test.n + 1, sizeof *ev->found);
	ev->said = calloc(1, sizeof *ev->said);
	ev->accept = calloc(names_count(ev->test.names), sizeof *ev->accept);
	if (ev->found == NULL || ev->said == NULL || ev->accept == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "the runs");
	return novelty_create(ev->key, rows_for(ev->train), &ev->n, e);
}

int events_eval(const struct events_eval *how, const uint8_t key[CALL_KEY_SIZE], struct buf *out, struct err *e)
{
	auto_free struct evaluation *ev = calloc(1, sizeof *ev);
	int rc;

	if (ev == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "an evaluation");
	ev->how = how;
	ev->key = key;
	rc = read_all(ev, e);
	if (rc == 0)
		rc = evaluate(ev, e);
	if (rc == 0)
		(how->json ? report_json : report_text)(&ev->report, out);
	events_finish(&ev->test);
	events_finish(&ev->own);
	novelty_destroy(ev->n);
	free(ev->found);
	free(ev->said);
	free(ev->accept);
	return rc;
}
