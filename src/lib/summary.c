#include "lib/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/denial.h"
#include "lib/record_usual.h"
#include "lib/summary_named.h"
#include "lib/summary_stage.h"
#include "policy/policy.h"

#define SUMMARY_MAX (64u << 10)
#define SHOWN_MAX 300 /* of a name in a line */
#define FLAG_MAX 400  /* of a flag in a line: longer ones stand in the record */

/* ---- how it ended ---- */

static void put_error(const struct err *e, struct buf *out)
{
	char text[2 * ERR_MSG_MAX];

	buf_printf(out, "ambit: %s\n", text_show(text, sizeof text, e->msg, strlen(e->msg)));
	if (e->why[0] != 0)
		buf_printf(out, "  why: %s\n", text_show(text, sizeof text, e->why, strlen(e->why)));
	if (e->hint[0] != 0)
		buf_printf(out, "  hint: %s\n", text_show(text, sizeof text, e->hint, strlen(e->hint)));
}

static void end_lost(const struct event_result *r, struct buf *out)
{
	char line[ERR_LINE_MAX], text[2 * ERR_LINE_MAX];

	err_line(&r->error, line);
	buf_printf(out, "ambit: the event was lost: its warden or its supervisor ended before it\n");
	if (r->error.code != AMBIT_OK)
		buf_printf(out, "  why: %s\n", text_show(text, sizeof text, line, strlen(line)));
	else
		buf_printf(out, "  why: it was killed from outside, or the machine had no memory left (see dmesg)\n");
	buf_printf(out, "  hint: nothing of the cell runs on; look at what it changed, then run it again\n");
}

static void end_limit(const struct event_result *r, struct buf *out)
{
	struct err e;

	limits_tell(&r->limits, r->limit, "a limit of a policy is raised there", &e);
	put_error(&e, out);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The program of the cell that was most lately seen to start and needs memory that is written and executed. */
static const struct program_traits *jit_program(const struct event_result *r)
{
	for (size_t i = r->n_effects; i-- > 0;) {
		const struct effect *f = &r->effects[i];
		const struct program_traits *t = f->kind == EFFECT_EXEC && f->verdict == EFFECT_ALLOWED
							 ? policy_program_traits(base_name(f->object))
							 : NULL;

		if (t != NULL && t->jit)
			return t;
	}
	return NULL;
}

static bool has_jit(const struct event_result *r)
{
	for (uint32_t i = 0; r->grants != NULL && i < r->grants->count; i++)
		if (r->grants->grants[i].verb == VERB_JIT)
			return true;
	return (r->without >> PROPERTY_CODE & 1) != 0;
}

/* Where nothing is kept that would say so. */
static void end_strict(const struct event_result *r, struct buf *out)
{
	buf_printf(out, "ambit: failed: %s\n", r->error.msg);
	if (r->workspace == WORKSPACE_DIRECT)
		buf_printf(out, "  why: what it wrote was written in place (--direct), and stays\n");
	if (r->error.hint[0] != 0)
		buf_printf(out, "  hint: %s\n", r->error.hint);
}

static void end_exited(const struct event_result *r, struct buf *out)
{
	const int crash = outcome_crash(r->signal, r->exit_status);
	const struct program_traits *t = crash != 0 && !has_jit(r) ? jit_program(r) : NULL;

	if (r->error.code != AMBIT_OK && r->workspace != WORKSPACE_KEPT)
		end_strict(r, out);
	if (t == NULL)
		return;
	buf_printf(out, "ambit: %s crashed (signal %d), likely since it may not write machine code here\n", t->name,
		   crash);
	buf_printf(out, "  why: %s; no grant allows that in this cell\n", t->reason);
	buf_printf(out, "  hint: --run %s\n", t->name);
}

static void how_it_ended(const struct event_result *r, struct buf *out)
{
	switch (r->cause) {
	case CAUSE_EXITED: end_exited(r, out); break;
	case CAUSE_LIMIT: end_limit(r, out); break;
	case CAUSE_KILLED: /* as asked */ break;
	case CAUSE_LOST: end_lost(r, out); break;
	case CAUSE_CANARY: break; /* what_was_touched tells it */
	case CAUSE_REFUSED: put_error(&r->error, out); break;
	}
}

static void what_was_touched(const struct event_result *r, struct buf *out)
{
	char path[SHOWN_MAX];

	for (size_t i = 0; i < r->n_canaries; i++)
		buf_printf(out, "ambit: canary: touched %s\n",
			   text_escape(path, sizeof path, r->canaries[i], strlen(r->canaries[i])));
	if (r->cause == CAUSE_CANARY && r->n_canaries == 0)
		buf_printf(out, "ambit: canary: touched by a sub-agent of it\n");
	if (r->cause == CAUSE_CANARY)
		buf_printf(
			out,
			"  why: it looks like a secret, and nobody has a reason to touch it: the event was ended\n"
			"  hint: `ambit explain %s` says what else it did; `--canary tell` does not end what may look there\n",
			r->event);
}

static void what_was_revoked(const struct event_result *r, struct buf *out)
{
	if (r->revoked > 0)
		buf_printf(
			out,
			"ambit: %u standing grant%s of its agent %s revoked for that\n  hint: `ambit grant list --standing` shows them, `ambit grant restore` gives one back\n",
			r->revoked, text_plural(r->revoked), r->revoked == 1 ? "is" : "are");
	if (r->unrevoked.code != AMBIT_OK)
		put_error(&r->unrevoked, out);
}

/* ---- what was withdrawn ---- */

static void what_was_withdrawn(const struct event_result *r, struct buf *out)
{
	char object[SHOWN_MAX];

	for (uint32_t i = 0; r->grants != NULL && r->withdrawn_ns != NULL && i < r->grants->count; i++) {
		if (r->withdrawn_ns[i] == 0)
			continue;
		buf_printf(out, "ambit: withdrawn: %s %s\n", verb_word((enum grant_verb)r->grants->grants[i].verb),
			   text_escape(object, sizeof object, grant_object(r->grants, i), grant_told(r->grants, i)));
		buf_printf(out, "  why: somebody withdrew it while the command ran (ambit grant revoke)\n");
	}
}

/* ---- what was denied ---- */

struct listed { /* three lines: effects that the same grant would allow */
	const struct effect *first;
	struct denial denial;
	size_t others;
};

struct list {
	size_t n, total, shown; /* of the lines; denials; denials that are listed */
	struct listed lines[SUMMARY_DENIALS];
	struct denial next; /* scratch */
};

static bool is_same(const struct listed *l, const struct denial *d, const struct effect *f)
{
	if (l->denial.reason != d->reason || l->denial.grantable != d->grantable)
		return false;
	if (d->grantable)
		return l->denial.verb == d->verb && strcmp(l->denial.object, d->object) == 0;
	return l->first->kind == f->kind && strcmp(l->first->object, f->object) == 0;
}

/* f, whose denial is list->next. */
static void list_denial(struct list *list, const struct effect *f)
{
	list->total++;
	for (size_t i = 0; i < list->n; i++)
		if (is_same(&list->lines[i], &list->next, f)) {
			list->lines[i].others++;
			list->shown++;
			return;
		}
	if (list->n == SUMMARY_DENIALS)
		return;
	list->lines[list->n++] = (struct listed){ .first = f, .denial = list->next };
	list->shown++;
}

/* What was touched is told as that, and nobody is told how to allow it. */
static bool is_canary(const struct event_result *r, const char *object)
{
	for (size_t i = 0; i < r->n_canaries; i++)
		if (strcmp(r->canaries[i], object) == 0)
			return true;
	return false;
}

/* What a grant could change comes first: programs look into /proc all day. */
static void list_all(struct list *list, const struct event_result *r)
{
	static const struct grant_set nothing;
	const struct grant_set *grants = r->grants != NULL ? r->grants : &nothing;

	for (int grantable = 1; grantable >= 0; grantable--)
		for (size_t i = 0; i < r->n_effects; i++) {
			if (!effect_is_denied(r->effects[i].verdict) || is_canary(r, r->effects[i].object))
				continue;
			denial_of(grants, &r->effects[i], &list->next);
			if (list->next.grantable == (grantable != 0))
				list_denial(list, &r->effects[i]);
		}
}

/* A directory of the root: /var, /srv. */
static bool is_wide(const char *path)
{
	return path[0] == '/' && strchr(path + 1, '/') == NULL;
}

static void put_denial(const struct listed *l, struct buf *out)
{
	char object[SHOWN_MAX], flag[FLAG_MAX] = "", line[8];
	const struct effect *f = l->first;
	const struct grant_request want = denial_request(&l->denial);

	buf_printf(out, "ambit: denied: %s %s", effect_word(f->kind),
		   text_escape(object, sizeof object, f->object, strlen(f->object)));
	if (f->count > 1)
		buf_printf(out, " (%u times)", f->count);
	if (l->others > 0)
		buf_printf(out, " and %zu more there", l->others);
	buf_printf(out, "\n  why: %s\n", denial_why(l->denial.reason));
	if (l->denial.rule[0] != 0) {
		buf_printf(out,
			   "  hint: added to the http rules of its grant, behind a comma, this one allows it: %s\n",
			   l->denial.rule);
		return;
	}
	if (!l->denial.grantable) {
		buf_printf(out, "  hint: %s\n", denial_otherwise(l->denial.reason));
		return;
	}
	grant_suggest(&want, line, sizeof line, flag, sizeof flag);
	if (flag[0] != 0) /* fit to be pasted: it has nothing left to escape */
		buf_printf(out, "  hint: %s%s allows it%s%s\n",
			   denial_is_of_obeyed(l->denial.reason) ? "if you trust this program as yourself: " : "", flag,
			   is_wide(l->denial.object) ? ", and much besides" : "",
			   l->denial.writes_too ? "; like all around it, it can then be written, too" : "");
	else
		buf_printf(out, "  hint: grant a directory above it: its own name is too long to show\n");
}

static void put_rest(const struct list *list, const char *record, struct buf *out)
{
	char shown[SHOWN_MAX];

	if (list->shown == list->total)
		return;
	buf_printf(out, "ambit: denied: %zu more\n", list->total - list->shown);
	if (record != NULL)
		buf_printf(out, "  hint: ambit explain %s\n", text_escape(shown, sizeof shown, record, strlen(record)));
	else
		buf_printf(out, "  hint: run it with --record FILE, then ambit explain FILE\n");
}

static void what_was_denied(const struct event_result *r, const char *record, struct buf *out)
{
	auto_free struct list *list = calloc(1, sizeof *list);

	if (list == NULL) {
		buf_printf(out, "ambit: no memory to say what was denied\n");
		return;
	}
	list_all(list, r);
	for (size_t i = 0; i < list->n; i++)
		put_denial(&list->lines[i], out);
	put_rest(list, record, out);
}

/* ---- what a budget stopped ---- */

/* Of all its endpoints together. */
static struct meter meter_of(const struct event_result *r, uint32_t grant)
{
	struct meter sum = { .opened = 0 };

	for (size_t i = 0; i < r->n_effects; i++)
		if (effect_has_meter(&r->effects[i]) && r->effects[i].grant == grant)
			meter_add(&sum, &r->effects[i].meter);
	return sum;
}

/* What is spent, as text, and in *ret_more twice as much of it. */
static void list_spent(const struct qualifiers *q, const struct meter *m, struct buf *out, struct qualifiers *ret_more)
{
	const char *lead = "";

	*ret_more = *q;
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++) {
		char value[QUALIFIER_VALUE_MAX];

		if (!meter_is_stopped_by(m, i))
			continue;
		qualifier_format(q, i, value, sizeof value);
		buf_printf(out, "%s%s=%s", lead, qualifier_word(i), value);
		lead = " and ";
	}
	ret_more->uses *= meter_is_stopped_by(m, QUALIFIER_USES) ? 2 : 1;
	ret_more->bytes *= meter_is_stopped_by(m, QUALIFIER_BYTES) ? 2 : 1;
	ret_more->rate *= meter_is_stopped_by(m, QUALIFIER_RATE) ? 2 : 1;
}

/* No number would help: the moment of `until` has passed. */
static void put_passed(const struct qualifiers *q, const struct meter *m, struct buf *out)
{
	char value[QUALIFIER_VALUE_MAX];

	qualifier_format(q, QUALIFIER_UNTIL, value, sizeof value);
	buf_printf(out, "until=%s has passed: %u connection%s refused, and those that were open ended\n", value,
		   m->refused, m->refused == 1 ? " was" : "s were");
	buf_printf(out, "  hint: a later moment, or none, allows more\n");
}

static void put_spent(const struct event_result *r, uint32_t grant, const struct meter *m, struct buf *out)
{
	const struct qualifiers *q = &r->grants->grants[grant].qualifiers;
	const char *object = grant_object(r->grants, grant);
	const uint32_t spent = m->stopped & METER_BY_BUDGET;
	char shown[SHOWN_MAX], text[QUALIFIERS_TEXT_MAX];
	struct qualifiers more;
	char quote;

	buf_printf(out, "ambit: stopped by its budget: connect %s\n  why: ",
		   text_escape(shown, sizeof shown, object, strlen(object)));
	if (meter_is_stopped_by(m, QUALIFIER_UNTIL)) {
		put_passed(q, m, out);
		return;
	}
	list_spent(q, m, out, &more);
	buf_printf(out, " of this event %s spent: %u connection%s refused%s\n",
		   (spent & (spent - 1)) != 0 ? "are" : "is", m->refused, m->refused == 1 ? " was" : "s were",
		   meter_is_stopped_by(m, QUALIFIER_BYTES) ? ", and those that were open ended" : "");
	qualifiers_format(&more, text);
	quote = strchr(text, '\'') != NULL ? '"' : '\'';
	if (strcmp(shown, object) == 0 && strpbrk(object, "'\" \\$`!") == NULL) /* fit to be pasted */
		buf_printf(out,
			   "  hint: --connect %c%s %s%c allows twice as much; a grant of a policy is changed there\n",
			   quote, object, text, quote);
	else
		buf_printf(out, "  hint: %s allows twice as much\n", text);
}

static void put_not_allowed(const struct event_result *r, uint32_t grant, const struct meter *m, struct buf *out)
{
	const char *object = grant_object(r->grants, grant);
	char shown[SHOWN_MAX];

	buf_printf(out, "ambit: not allowed by the authority: connect %s\n  why: ",
		   text_escape(shown, sizeof shown, object, strlen(object)));
	meter_put_whys(m, out);
	buf_printf(out, ": %u connection%s refused\n", m->refused, m->refused == 1 ? " was" : "s were");
	if ((m->stopped & METER_BY(METER_REFUSED)) != 0)
		buf_printf(out, "  hint: `ambit approve --answers` lists what you said, and --take-back forgets it\n");
	else if ((m->stopped & METER_BY(METER_SPENT)) != 0)
		buf_printf(out,
			   "  hint: `ambit grant list --standing` tells what was used; `uses`, `bytes`, `rate` and "
			   "`budgets` of the policy bound it\n");
	else if ((m->stopped & METER_BY(METER_NOT_NOW)) != 0)
		buf_printf(out, "  hint: `between` beside that grant in the policy says when\n");
}

static void what_closed_it(const struct event_result *r, struct buf *out)
{
	if (r->n_closing == 0)
		return;
	buf_printf(out, "ambit: closed by labels: ");
	result_put_closing(r->closing, r->n_closing, out);
	buf_printf(
		out,
		"\n  why: who has all of these could pass on what nobody meant to send there\n"
		"  hint: leave out what brings them, or give that to another agent; `unless` beside that grant in the "
		"policy says what closes it");
	for (size_t i = 0; i < r->n_closing; i++)
		if (strcmp(r->closing[i].by, "path") == 0) {
			buf_printf(out, "; `ambit labels --unmark PATH` takes them off a path");
			break;
		}
	if (r->stream[0] != 0)
		buf_printf(out, "; `ambit labels --forget %s` begins anew", r->stream);
	buf_printf(out, "\n");
}

/* The program saw a connection that was reset, and nothing of why. Of many one is told, best one that a person can do something about; of what is there and did not answer, where the program failed. */
static void what_led_nowhere(const struct event_result *r, struct buf *out)
{
	const bool is_told = r->cause == CAUSE_EXITED && r->exit_status != 0;
	struct meter m = { .failed = 0 };
	char object[SHOWN_MAX];
	uint32_t at = 0;

	for (uint32_t i = 0; r->grants != NULL && i < r->grants->count && m.sys_errno != EPERM; i++) {
		const struct meter of = meter_of(r, i);

		if (of.failed == 0 || of.opened > 0 || (of.sys_errno != EPERM && (!is_told || m.failed > 0)))
			continue;
		m = of;
		at = i;
	}
	if (m.failed == 0)
		return;
	buf_printf(out, "ambit: not connected: %s\n",
		   text_escape(object, sizeof object, grant_object(r->grants, at), grant_told(r->grants, at)));
	buf_printf(out, "  why: %s\n", meter_failure(&m));
	if (m.sys_errno == EPERM)
		buf_printf(
			out,
			"  hint: an address of your own network is granted by its number alone: --connect ADDRESS:PORT\n");
}

static void what_was_spent(const struct event_result *r, struct buf *out)
{
	for (uint32_t i = 0; r->grants != NULL && i < r->grants->count; i++) {
		const struct meter m = meter_of(r, i);

		if ((m.stopped & METER_BY_BUDGET) != 0)
			put_spent(r, i, &m, out);
		if ((m.stopped & METER_BY_AUTHORITY) != 0)
			put_not_allowed(r, i, &m, out);
	}
}

/* ---- what went with the cell ---- */

static bool is_gone(const struct effect *f)
{
	return f->base == EFFECT_BASE_GONE && f->kind != EFFECT_DELETE && f->kind != EFFECT_MODE;
}

/* Whether the event took it away itself, or it was told. */
static bool is_settled(const struct event_result *r, size_t at)
{
	const struct effect *f = &r->effects[at];

	for (size_t i = 0; i < r->n_effects; i++) {
		const struct effect *other = &r->effects[i];

		if (other->base == EFFECT_BASE_GONE && strcmp(other->object, f->object) == 0 &&
		    (other->kind == EFFECT_DELETE || (i < at && is_gone(other))))
			return true;
	}
	return false;
}

static void put_gone(const struct event_result *r, const struct effect *f, size_t others, struct buf *out)
{
	char object[SHOWN_MAX], above[GRANT_OBJECT_MAX], line[8], flag[FLAG_MAX] = "";
	const struct grant_request want = { .verb = VERB_WRITE, .object = above };

	buf_printf(out, "ambit: gone with the cell: %s",
		   text_escape(object, sizeof object, f->object, strlen(f->object)));
	if (others > 0)
		buf_printf(out, " and %zu more", others);
	buf_printf(out, "\n  why: no grant covers it, and that directory was the cell's own\n");
	(void)text_copy(above, sizeof above, f->object); /* no longer */
	*strrchr(above, '/') = 0;                        /* it is absolute, and beneath home or /tmp */
	grant_suggest(&want, line, sizeof line, flag, sizeof flag);
	if (flag[0] != 0 && (r->home == NULL || strcmp(above, r->home) != 0))
		buf_printf(out, "  hint: %s keeps it\n", flag);
	else
		buf_printf(out, "  hint: write it beneath what is granted, or grant the directory that is for it\n");
}

static void what_is_gone(const struct event_result *r, struct buf *out)
{
	const struct effect *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_effects; i++)
		if (is_gone(&r->effects[i]) && !is_settled(r, i)) {
			first = first != NULL ? first : &r->effects[i];
			n++;
		}
	if (first != NULL)
		put_gone(r, first, n - 1, out);
}

/* A program can hide a denial among more effects than the record takes: then silence says nothing. */
static void what_is_not_known(const struct event_result *r, struct buf *out)
{
	if (r->effects_dropped > 0)
		buf_printf(out,
			   "ambit: %" PRIu64 " effects had no room in the record: denials may be among them\n"
			   "  why: there were more than a record takes, or who counts them had ended\n"
			   "  hint: split the command%s\n",
			   r->effects_dropped, r->strict ? "" : ", or watch less of it: --observe effects");
}

/* What a person may have sent, or a program met; of others the number is enough. */
static const char *signal_word(int signal_number)
{
	static const char *const words[] = {
		[1] = "HUP",   [2] = "INT",   [3] = "QUIT",  [4] = "ILL",   [5] = "TRAP",  [6] = "ABRT",
		[7] = "BUS",   [8] = "FPE",   [9] = "KILL",  [10] = "USR1", [11] = "SEGV", [12] = "USR2",
		[13] = "PIPE", [14] = "ALRM", [15] = "TERM", [24] = "XCPU", [25] = "XFSZ", [31] = "SYS"
	};

	return (size_t)signal_number < sizeof words / sizeof words[0] ? words[signal_number] : NULL;
}

/* Why its changes are kept, where the stage does not know it; NULL where it does. */
static const char *how_it_failed(const struct event_result *r, char *room, size_t size)
{
	const int signal_number = outcome_signal(r->signal, r->exit_status);
	const char *word = signal_word(signal_number);

	if (r->cause == CAUSE_EXITED && r->error.code != AMBIT_OK)
		return r->error.msg;
	if (r->stage.end.why != STAGE_WHY_FAILED || signal_number <= 0)
		return NULL;
	(void)snprintf(room, size, "signal %d%s%s%s ended it", signal_number, word != NULL ? " (SIG" : "",
		       word != NULL ? word : "", word != NULL ? ")" : ""); /* it fits */
	return room;
}

void summary_labels(const struct labels *l, struct buf *out)
{
	if (labels_are_unknown(l))
		buf_printf(out, "ambit: labels: nobody knows which it has\n");
	else if (l->text[0] != 0)
		buf_printf(out, "ambit: labels: %s\n", l->text);
}

void summary_text(const struct event_result *r, const char *record, bool quiet, struct buf *out)
{
	char room[64];

	how_it_ended(r, out);
	what_was_touched(r, out);
	if (r->unrecorded.code != AMBIT_OK)
		put_error(&r->unrecorded, out);
	if (!quiet) {
		what_was_withdrawn(r, out);
		what_was_denied(r, record, out);
		summary_named(r, out);
		what_led_nowhere(r, out);
		what_was_spent(r, out);
		what_closed_it(r, out);
		what_is_gone(r, out);
		what_is_not_known(r, out);
		summary_labels(&r->labels, out);
	}
	summary_usual(r, out);
	what_was_revoked(r, out);
	if (r->asked[0] != 0)
		buf_printf(
			out,
			"ambit: a person is asked first\n  hint: `ambit approve %s` shows it, and asks you; after a yes run it again\n",
			r->asked);
	if (r->workspace == WORKSPACE_KEPT || (r->workspace == WORKSPACE_COMMITTED && r->stage.end.dropped > 0))
		summary_stage_ended(&r->stage, &r->stage_error, how_it_failed(r, room, sizeof room), out);
}

void summary_write(FILE *out, const struct event_result *r, const char *record, bool quiet)
{
	auto_buf text = { .max = 0 };

	buf_init(&text, SUMMARY_MAX);
	summary_text(r, record, quiet, &text);
	if (text.len > 0)
		(void)fwrite(text.data, 1, text.len, out); /* nobody is left to be told */
}
