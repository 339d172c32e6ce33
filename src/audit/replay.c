#include "audit/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/over.h"
#include "audit/reading.h"
#include "audit/replay_say.h"
#include "audit/seen.h"
#include "audit/steps.h"
#include "base/cleanup.h"
#include "base/fd.h"

#define OUT_STEP (64u << 10) /* written out when there is so much */
#define END_MAX                                                                                                        \
	(8u << 20) /* what is said at the end: a hundred faults, grants that nothing used, each log that was closed */

struct open_event {
	struct past past;
	uint64_t touched;    /* when, as a count of entries */
	struct under *under; /* owned; NULL: not begun, or there is no policy */
	bool untried;        /* it was begun, and cannot be */
	uint64_t answers[UNDER_COUNT];
	struct said said;
};

struct replay {
	const struct audit_ask *ask;
	struct policy_asked *policy;              /* owned; NULL: none */
	struct open_event *open[REPLAY_OPEN_MAX]; /* owned */
	uint64_t clock;                           /* entries that were taken */
	struct steps *steps;                      /* owned */
	struct said steps_said;
	struct seen given_up; /* events of which only the end may still come */
	unsigned log;         /* as in past/N; 0: the present one */
	verify_progress_fn *progress;
	bool any_said, failed, is_signed; /* the entry at hand is */
	struct replay_counts n;
	struct past_effect effect; /* at hand */
	struct buf out;            /* owned */
	int rc;                    /* the first thing that went wrong: -errno */
};

static void flush(struct replay *r)
{
	const int rc = r->out.failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, r->out.data, r->out.len);

	r->rc = r->rc < 0 ? r->rc : rc;
	buf_reset(&r->out);
}

/* ---- events that are open ---- */

static struct open_event **find_open(struct replay *r, const char *event)
{
	for (size_t i = 0; i < REPLAY_OPEN_MAX; i++)
		if (r->open[i] != NULL && strcmp(r->open[i]->past.event, event) == 0)
			return &r->open[i];
	return NULL;
}

static void count_event(struct replay *r, const struct open_event *o)
{
	r->n.events++;
	if (o->untried)
		r->n.untried_events++;
	else if (o->answers[UNDER_DENIED] > 0)
		r->n.denied_events++;
	else if (o->answers[UNDER_LOST] > 0)
		r->n.lost_events++;
	else if (o->answers[UNDER_KEPT] + o->answers[UNDER_UNKNOWN] > 0)
		r->n.other_events++;
	else if (o->answers[UNDER_ALLOWED] > 0)
		r->n.allowed_events++;
	for (enum under_answer a = 0; a < UNDER_COUNT; a++)
		r->n.effects[a] += o->answers[a];
}

static void free_open(struct open_event *o)
{
	buf_finish(&o->said.text);
	free(o->under);
	free(o);
}

/* All that will be said of it was found. */
static void close_event(struct replay *r, struct open_event **slot)
{
	struct open_event *o = *slot;

	*slot = NULL;
	count_event(r, o);
	if (o->said.text.len > 0 || o->said.more > 0) {
		say_event(&r->out, &o->past, r->log, &o->said, !r->any_said);
		r->any_said = true;
	}
	free_open(o);
	if (r->out.len >= OUT_STEP || r->out.failed)
		flush(r);
}

static struct open_event **free_slot(struct replay *r)
{
	struct open_event **oldest = &r->open[0];

	for (size_t i = 0; i < REPLAY_OPEN_MAX; i++) {
		if (r->open[i] == NULL)
			return &r->open[i];
		if (r->open[i]->touched < (*oldest)->touched)
			oldest = &r->open[i];
	}
	seen_add(&r->given_up, (*oldest)->past.event, strlen((*oldest)->past.event));
	close_event(r, oldest);
	return oldest;
}

static bool was_given_up(const struct replay *r, const char *event)
{
	return seen_is_full(&r->given_up) || seen_has(&r->given_up, event, strlen(event));
}

/* Half of an event would be another one. NULL: it was given up, or memory is gone. */
static struct open_event *open_event(struct replay *r, const char *event)
{
	struct open_event **slot = find_open(r, event);

	if (slot == NULL && !was_given_up(r, event)) {
		slot = free_slot(r);
		*slot = calloc(1, sizeof **slot);
		if (*slot == NULL) {
			r->rc = -ENOMEM;
			return NULL;
		}
		past_begin(&(*slot)->past, event);
		buf_init(&(*slot)->said.text, SAID_MAX);
		(*slot)->said.json = (r->ask->flags & AUDIT_JSON) != 0;
	}
	return slot != NULL ? *slot : NULL;
}

/* ---- decisions ---- */

static bool noted(void *arg, enum fact f)
{
	return (((const struct past_effect *)arg)->facts & FACT_BIT(f)) != 0;
}

static bool is_tried(struct replay *r, struct open_event *o)
{
	const char *why;

	if (r->policy == NULL || o->untried)
		return false;
	if (o->under != NULL)
		return true;
	o->under = malloc(sizeof *o->under);
	if (o->under == NULL) {
		r->rc = -ENOMEM;
		return false;
	}
	why = under_begin(o->under, &o->past, r->policy);
	o->untried = why != NULL;
	if (why != NULL)
		say_not_tried(&o->said, why);
	return why == NULL;
}

static void try_policy(struct replay *r, struct open_event *o, uint64_t entry, const struct decision *was)
{
	struct under_told told;
	uint16_t line;

	if (!is_tried(r, o))
		return;
	under_decide(o->under, &o->past, &r->effect, was, &told);
	o->answers[told.answer]++;
	if (told.answer != UNDER_SAME)
		say_under(&o->said, &r->effect, entry, &o->under->grants, &told);
	if (told.decision.verdict != EFFECT_ALLOWED || told.decision.grant == GRANT_NONE)
		return;
	line = o->under->line[told.decision.grant];
	if (line != UNDER_NO_LINE)
		r->n.used[line] = true;
}

static void take_effect(struct replay *r, const struct entry *entry, struct open_event *o)
{
	const char *no = past_take_effect(entry, &r->effect);
	struct decide_ask ask;
	struct decision d;

	if (no == NULL && r->effect.proved) {
		r->n.skipped[SKIP_CONTENT]++;
		return;
	}
	if (o == NULL) {
		r->n.skipped[was_given_up(r, entry->event) ? SKIP_CROWD : SKIP_LOST]++;
		return;
	}
	if (no != NULL || o->past.no != NULL || !o->past.asked) {
		r->n.skipped[o->past.asked ? SKIP_FORM : SKIP_LOST]++;
		return;
	}
	ask = past_ask(&o->past, &o->past.grants, &r->effect);
	d = decide(&ask, noted, &r->effect);
	if (past_agrees(&o->past, &r->effect, entry->grant, &d)) {
		r->n.agree++;
	} else {
		r->n.differ++;
		say_differs(&o->said, &o->past, &r->effect, entry->seq, r->is_signed, entry->grant, &d);
	}
	try_policy(r, o, entry->seq, &d);
}

/* ---- entries ---- */

static void take_one(struct replay *r, const struct entry *entry, struct open_event *o)
{
	switch (entry->type) {
	case ENTRY_EFFECT: take_effect(r, entry, o); break;
	case ENTRY_DECISION: r->n.skipped[SKIP_START]++; break;
	case ENTRY_ASK:
	case ENTRY_APPROVE:
	case ENTRY_DECLASSIFY:
	case ENTRY_DERIVE:
	case ENTRY_REVOKE:
	case ENTRY_EXPIRE:
	case ENTRY_VERDICT: r->n.skipped[SKIP_ANSWER]++; break;
	case ENTRY_GRANT:
		if (o != NULL)
			past_take_grant(&o->past, entry);
		break;
	case ENTRY_REQUEST:
		if (o != NULL)
			past_take_request(&o->past, entry);
		break;
	case ENTRY_START:
	case ENTRY_STOP:
	case ENTRY_CRASH:
	case ENTRY_POLICY:
	case ENTRY_INTENT:
	case ENTRY_RESULT:
	case ENTRY_COMMIT:
	case ENTRY_DISCARD:
	case ENTRY_FREEZE:
	case ENTRY_THAW:
	case ENTRY_LABEL:
	case ENTRY_PRUNE:
	case ENTRY_KEY:
	case ENTRY_STEP:
	case ENTRY_TYPE_COUNT: break; /* these tell, and decide nothing */
	}
}

static void take_step(struct replay *r, const struct entry *entry)
{
	const char *why;

	switch (steps_take(r->steps, entry, &why)) {
	case STEPS_NOT: break;
	case STEPS_AGREES: r->n.steps_agree++; break;
	case STEPS_DIFFERS:
		r->n.steps_differ++;
		say_step_differs(&r->steps_said, entry, r->is_signed, why);
		break;
	case STEPS_LOST: r->n.skipped[SKIP_STEP_LOST]++; break;
	case STEPS_CROWD: r->n.skipped[SKIP_STEP_CROWD]++; break;
	case STEPS_NO_MEMORY: r->rc = -ENOMEM; break;
	}
}

static bool begins(enum entry_type type)
{
	return type == ENTRY_GRANT || type == ENTRY_REQUEST;
}

static bool ends(enum entry_type type)
{
	return type == ENTRY_STOP || type == ENTRY_CRASH || type == ENTRY_DECISION;
}

static int take_entry(void *arg, const struct reading_entry *given)
{
	const struct entry *entry = given->entry;
	struct replay *r = arg;
	struct open_event **slot;
	struct open_event *o;

	r->is_signed = given->is_signed;
	if (entry->event[0] == 0) {
		take_step(r, entry);
		return r->rc;
	}
	slot = begins(entry->type) ? NULL : find_open(r, entry->event);
	o = begins(entry->type) ? open_event(r, entry->event) : slot != NULL ? *slot : NULL;
	if (o != NULL)
		o->touched = ++r->clock;
	take_one(r, entry, o);
	if (ends(entry->type) && o != NULL && slot != NULL)
		close_event(r, slot);
	return r->rc;
}

/* ---- the whole ---- */

static int prepare(struct replay *r, struct err *e)
{
	r->steps = steps_create();
	if (r->steps == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to replay the log");
	if (r->ask->given.len > 0) {
		r->policy = malloc(sizeof *r->policy);
		if (r->policy == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for a policy");
	}
	if (r->policy != NULL && policy_asked_decode(r->ask->given, r->policy, e) < 0)
		return -AMBIT_PROTOCOL;
	return 0;
}

/* An event is in one log: a log is closed while none is recorded. */
static void close_all(struct replay *r)
{
	for (size_t i = 0; i < REPLAY_OPEN_MAX; i++)
		if (r->open[i] != NULL)
			close_event(r, &r->open[i]);
	r->given_up = (struct seen){ .n = 0 };
}

static int read_log(void *arg, const struct over_log *log, struct err *e)
{
	auto_free struct report *report = calloc(1, sizeof *report);
	struct replay *r = arg;
	struct reading reading = { .take = take_entry, .arg = r, .progress = r->progress };
	const struct report *found;
	int rc;

	if (report == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to replay the log");
	r->log = log->number;
	rc = reading_all(log->snapshot, log->ask, &reading, report, e);
	if (rc < 0 && r->rc >= 0)
		return rc;
	r->n.unsigned_entries += reading.unsigned_entries;
	close_all(r);
	found = over_found(log, report);
	if (log->last) {
		r->failed = found->n_faults > 0;
		say_end(&r->out, (r->ask->flags & AUDIT_JSON) != 0, &r->n, &r->steps_said, r->policy, found, log);
		flush(r);
	}
	return r->rc < 0 ? err_sys(e, AMBIT_SYSTEM, -r->rc, NULL, "cannot write what was found") : 0;
}

static void finish(struct replay *r)
{
	for (size_t i = 0; i < REPLAY_OPEN_MAX; i++)
		if (r->open[i] != NULL)
			free_open(r->open[i]);
	free(r->policy);
	steps_free(r->steps);
	buf_finish(&r->steps_said.text);
	buf_finish(&r->out);
}

int replay_logs(const struct audit_ask *ask, verify_progress_fn *progress, bool *ret_failed, struct err *e)
{
	auto_free struct replay *r = calloc(1, sizeof *r);
	int rc;

	if (r == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to replay the log");
	r->ask = ask;
	r->progress = progress;
	r->steps_said.json = (ask->flags & AUDIT_JSON) != 0;
	buf_init(&r->steps_said.text, SAID_MAX);
	buf_init(&r->out, OUT_STEP + 2 * SAID_MAX + END_MAX);
	say_begin(&r->out, (ask->flags & AUDIT_JSON) != 0);
	rc = prepare(r, e);
	rc = rc < 0 ? rc : over_logs(ask, progress, read_log, r, e);
	*ret_failed = r->failed || r->n.differ + r->n.steps_differ > 0 || r->n.denied_events + r->n.lost_events > 0;
	finish(r);
	return rc;
}
