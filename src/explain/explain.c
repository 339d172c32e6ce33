#include "explain/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cell/spec.h"
#include "core/denial.h"
#include "lib/record_usual.h"
#include "lib/summary_stage.h"
#include "policy/policy.h"

#define SHOWN_MAX 1000             /* of a name in a line */
#define LINE_BYTES (4 * SHOWN_MAX) /* of a flag or a policy line; longer ones are left out */
#define OBJECTS_SHOWN 8            /* of a group; more are counted */
#define GROUPS_SHOWN 500           /* likewise */
#define CHANGES_LINES 20           /* of what was changed; the rest is counted */

static void put_name(struct buf *out, const char *name)
{
	char shown[SHOWN_MAX];

	buf_printf(out, "%s", text_escape(shown, sizeof shown, name, strlen(name)));
}

/* ---- what was asked ---- */

static void put_command(const struct event_result *r, struct buf *out)
{
	buf_printf(out, "Asked\n ");
	for (size_t i = 0; r->argv != NULL && r->argv[i] != NULL; i++) {
		buf_printf(out, " ");
		put_name(out, r->argv[i][0] != 0 ? r->argv[i] : "''");
	}
	buf_printf(out, "\n");
	if (r->kernel.is)
		buf_printf(out, "  as a kernel: %llu step%s in one memory\n", (unsigned long long)r->kernel.steps,
			   text_plural(r->kernel.steps));
	if (r->workdir != NULL) {
		buf_printf(out, "  in ");
		put_name(out, r->workdir);
		buf_printf(out, "\n");
	}
}

static void put_grant(const struct event_result *r, uint32_t id, struct buf *out)
{
	const struct grant *g = &r->grants->grants[id];

	buf_printf(out, "  granted: %s", verb_word((enum grant_verb)g->verb));
	if (g->object_len > 0) {
		buf_printf(out, " ");
		put_name(out, grant_object(r->grants, id));
	}
	grant_put_conditions(r->grants, id, out);
	buf_printf(out, "\n");
}

static void put_asked(const struct event_result *r, struct buf *out)
{
	put_command(r, out);
	for (uint32_t i = 0; i < r->grants->count; i++)
		put_grant(r, i, out);
	if (r->grants->count == 0)
		buf_printf(out, "  granted: nothing\n");
	buf_printf(out, "  limits:");
	for (enum limit l = 0; l < LIMIT_COUNT; l++) {
		char text[32];

		if (r->limits.value[l] == 0)
			continue;
		limits_format(&r->limits, l, text, sizeof text);
		buf_printf(out, " %s=%s", limit_word(l), text);
	}
	buf_printf(out, "\n");
}

/* ---- how it ended ---- */

static void put_exit(const struct event_result *r, struct buf *out)
{
	if (r->signal > 0)
		buf_printf(out, "  ended by signal %d", r->signal);
	else
		buf_printf(out, "  exit status %d", r->exit_status);
}

static void put_cause(const struct event_result *r, struct buf *out)
{
	switch (r->cause) {
	case CAUSE_EXITED: put_exit(r, out); break;
	case CAUSE_LIMIT: buf_printf(out, "  ended by its limit: %s went over it", limit_text(r->limit)); break;
	case CAUSE_KILLED: buf_printf(out, "  killed as asked"); break;
	case CAUSE_LOST: buf_printf(out, "  lost: its warden or its supervisor ended before it"); break;
	case CAUSE_CANARY: buf_printf(out, "  ended since it touched a canary"); break;
	case CAUSE_REFUSED: buf_printf(out, "  refused, it never started"); break;
	}
}

static void put_line(struct buf *out, const char *head, const char *text)
{
	if (text[0] == 0)
		return;
	buf_printf(out, "  %s: ", head);
	put_name(out, text);
	buf_printf(out, "\n");
}

static void put_usual(const struct event_result *r, struct buf *out)
{
	const struct result_usual *u = &r->usual;
	char text[200];

	if (u->profile <= PROFILE_OFF)
		return;
	if (u->error.code != AMBIT_OK) {
		put_line(out, "usual", u->error.msg);
		return;
	}
	if (u->found.f.young)
		(void)snprintf(text, sizeof text, "not known yet: its profile has seen %u event%s", u->found.f.events,
			       text_plural(u->found.f.events));
	else
		(void)snprintf(text, sizeof text,
			       "at most %.3g in 1000 usual events are as unusual (of %u that are known)%s",
			       1000 * u->found.f.p, u->found.f.events,
			       u->found.f.flagged[PROMISED_ASK]   ? ": flagged"
			       : u->found.f.flagged[PROMISED_LOG] ? ": noted"
								  : "");
	put_line(out, "usual", text);
	for (size_t i = 0; i < u->found.f.n_reasons && (u->found.asks || u->found.f.flagged[PROMISED_LOG]); i++)
		put_line(out, i == 0 ? "unusual" : "and", u->found.f.reasons[i].text);
	usual_say_nearest(&u->found.nearest, "  nearest: ", out);
	if (u->holds)
		put_line(out, "held", "its changes, until a person commits or discards them");
	if (u->kills)
		put_line(out, "ended", "its session, since another of its events was held, too");
	if (u->pause_ms > 0)
		buf_printf(out, "  throttled: the next events of its stream began %u s apart\n", u->pause_ms / 1000);
}

static void put_ended(const struct event_result *r, struct buf *out)
{
	const struct event_usage *u = &r->usage;

	buf_printf(out, "\nEnded\n");
	put_cause(r, out);
	buf_printf(out, ", after %" PRIu64 ".%03u s\n", u->wall_ms / 1000, (unsigned int)(u->wall_ms % 1000));
	if (r->frozen_ms > 0)
		buf_printf(out, "  frozen for %" PRIu64 ".%03u s of its time, which counts for no limit\n",
			   r->frozen_ms / 1000, (unsigned int)(r->frozen_ms % 1000));
	for (size_t i = 0; i < r->n_canaries; i++)
		put_line(out, "canary", r->canaries[i]);
	if (r->revoked > 0)
		buf_printf(out, "  revoked: %u standing grant%s\n", r->revoked, text_plural(r->revoked));
	put_line(out, "what", r->error.msg);
	put_line(out, "why", r->error.why);
	put_line(out, "hint", r->error.hint);
	buf_printf(out,
		   "  used: %" PRIu64 " ms of processors, %" PRIu64 " KB of memory (%s), %" PRIu64
		   " tasks (%s), %" PRIu64 " KB written (%s)\n",
		   u->cpu_user_ms + u->cpu_system_ms, u->memory_peak_bytes >> 10,
		   u->memory_exact != 0 ? "exact" : "sampled", u->tasks_peak, u->tasks_exact != 0 ? "exact" : "sampled",
		   u->written_bytes >> 10, u->disk_exact != 0 ? "exact" : "sampled");
	put_line(out, "labels", labels_are_unknown(&r->labels) ? "nobody knows which" : r->labels.text);
	put_usual(r, out);
}

/* ---- what was changed ---- */

static const char *became(enum event_workspace w)
{
	switch (w) {
	case WORKSPACE_COMMITTED: return "committed";
	case WORKSPACE_KEPT: return "not committed, kept";
	case WORKSPACE_DISCARDED: return "thrown away";
	case WORKSPACE_STAGED: return "staged";
	case WORKSPACE_UNTOUCHED: return "nothing";
	case WORKSPACE_DIRECT: return "in place, and not compared";
	case WORKSPACE_NONE: break;
	}
	return "nothing: it could write none of your files";
}

static void put_sizes(const struct told_change *c, struct buf *out)
{
	if (c->type != CHANGE_FILE)
		return;
	if (c->kind == CHANGE_ADDED)
		buf_printf(out, " (%" PRIu64 " bytes)", c->size_new);
	else if (c->kind == CHANGE_MODIFIED && c->size_old != c->size_new)
		buf_printf(out, " (%" PRIu64 " bytes, %" PRIu64 " before)", c->size_new, c->size_old);
}

/* One line; of what is held two. */
static void put_change(const struct told_change *c, struct buf *out)
{
	buf_printf(out, "  %s%s ", c->held != HELD_NOT ? "held: " : "", change_word(c->kind));
	put_name(out, c->path);
	if (c->from != NULL) {
		buf_printf(out, " %s ", c->kind == CHANGE_RENAMED ? "from" : "to");
		put_name(out, c->from);
	}
	put_sizes(c, out);
	if (c->later != 0)
		buf_printf(out, " (executes later%s", c->reason != NULL && c->held == HELD_NOT ? ": " : ")");
	if (c->later != 0 && c->reason != NULL && c->held == HELD_NOT) {
		put_name(out, c->reason);
		buf_printf(out, ")");
	}
	buf_printf(out, "\n");
	if (c->held != HELD_NOT)
		put_line(out, "  why", c->reason != NULL ? c->reason : summary_held_why(c->held));
}

/* Those that are held, or those that are not, while there are lines. Gives how many were put. */
static size_t put_some_changes(const struct told *t, bool held, size_t *lines, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_changes; i++) {
		const size_t needs = held ? 2 : 1;

		if ((t->changes[i].held != HELD_NOT) != held || *lines < needs)
			continue;
		put_change(&t->changes[i], out);
		*lines -= needs;
		n++;
	}
	return n;
}

static void put_changes(const struct told *t, struct buf *out)
{
	const enum event_workspace w = t->result.workspace;
	size_t lines = CHANGES_LINES, shown;

	if (w == WORKSPACE_NONE && t->n_changes == 0)
		return;
	if (t->n_changes == 0) {
		buf_printf(out, "\nChanged: %s\n", became(w));
		return;
	}
	buf_printf(out, "\nChanged (%zu): %s\n", t->n_changes, became(w));
	shown = put_some_changes(t, true, &lines, out);
	shown += put_some_changes(t, false, &lines, out);
	if (shown < t->n_changes)
		buf_printf(out, "  and %zu more\n", t->n_changes - shown);
	if (t->result.stage.end.approval[0] != 0)
		buf_printf(out, "  a person was asked: `ambit approve %s`, unless it was answered\n",
			   t->result.stage.end.approval);
}

/* ---- the wall ---- */

static const char *property_name(enum property p)
{
	static const char *const words[] = {
#define PROPERTY(name, word, text) word,
#include "cell/properties.def"
#undef PROPERTY
	};

	return words[p];
}

static void put_wall(const struct told *t, struct buf *out)
{
	buf_printf(out, "\nWall\n");
	for (enum property p = 0; p < PROPERTY_COUNT; p++) {
		buf_printf(out, "  %-10s ", property_name(p));
		if (t->wall[p] != NULL)
			put_name(out, t->wall[p]);
		else if ((t->result.without >> p & 1) != 0)
			buf_printf(out, "not held: given up by name");
		else
			buf_printf(out, "not held");
		buf_printf(out, "\n");
	}
}

/* ---- denials ---- */

struct denied { /* an effect and its denial, as short as sorting needs them */
	const struct effect *f;
	enum denial_reason reason;
	bool grantable;
	bool writes_too;
	enum grant_verb verb;
	char *object; /* owned: of the request */
	char *rule;   /* owned: of a request of HTTP; "": none */
};

struct denials {
	struct denied *items; /* owned */
	size_t n;
};

static void denials_finish(struct denials *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->items[i].object);
		free(d->items[i].rule);
	}
	free(d->items);
}

/* By reason, then by the grant that would allow it, then by what was asked. */
static int compare(const void *a, const void *b)
{
	const struct denied *x = a, *y = b;
	int by = (int)x->reason - (int)y->reason;

	if (by == 0)
		by = (int)x->verb - (int)y->verb;
	if (by == 0)
		by = strcmp(x->object, y->object);
	if (by == 0)
		by = strcmp(x->f->object, y->f->object);
	return by != 0 ? by : (int)x->f->kind - (int)y->f->kind;
}

static bool add_denial(struct denials *d, const struct event_result *r, const struct effect *f, struct denial *scratch)
{
	struct denied *at = &d->items[d->n];

	denial_of(r->grants, f, scratch);
	*at = (struct denied){ .f = f,
			       .reason = scratch->reason,
			       .grantable = scratch->grantable,
			       .writes_too = scratch->writes_too,
			       .verb = scratch->verb };
	at->object = strdup(scratch->object);
	at->rule = strdup(scratch->rule);
	d->n++;
	return at->object != NULL && at->rule != NULL;
}

static bool find_denials(const struct event_result *r, struct denials *ret)
{
	auto_free struct denial *scratch = malloc(sizeof *scratch);

	*ret = (struct denials){ .items = calloc(r->n_effects + 1, sizeof *ret->items) };
	if (scratch == NULL || ret->items == NULL)
		return false;
	for (size_t i = 0; i < r->n_effects; i++)
		if (effect_is_denied(r->effects[i].verdict) && !add_denial(ret, r, &r->effects[i], scratch))
			return false;
	qsort(ret->items, ret->n, sizeof *ret->items, compare);
	return true;
}

static bool is_same_group(const struct denied *a, const struct denied *b)
{
	return a->reason == b->reason && a->grantable == b->grantable &&
	       (!a->grantable || (a->verb == b->verb && strcmp(a->object, b->object) == 0));
}

static void put_how(const struct denied *d, struct buf *out)
{
	char line[LINE_BYTES], flag[LINE_BYTES];

	grant_suggest(&(struct grant_request){ .verb = d->verb, .object = d->object }, line, sizeof line, flag,
		      sizeof flag);
	if (flag[0] != 0)
		buf_printf(out, "      flag:   %s\n", flag);
	if (line[0] != 0)
		buf_printf(out, "      policy: - %s\n", line);
	if (d->writes_too)
		buf_printf(out, "      note:   like all around it, it can then be written, too\n");
}

/* What one grant would allow, or what nothing would for one reason. Gives how many there are. */
static size_t put_group(const struct denials *d, size_t first, struct buf *out)
{
	size_t n = 0;

	for (; first + n < d->n && is_same_group(&d->items[first], &d->items[first + n]); n++) {
		const struct effect *f = d->items[first + n].f;

		if (n >= OBJECTS_SHOWN)
			continue;
		buf_printf(out, "    %s ", effect_word(f->kind));
		put_name(out, f->object);
		if (f->count > 1)
			buf_printf(out, " (%u times)", f->count);
		buf_printf(out, "\n");
		if (d->items[first + n].rule[0] != 0)
			buf_printf(out, "      rule:   http: %s\n", d->items[first + n].rule);
	}
	if (n > OBJECTS_SHOWN)
		buf_printf(out, "    and %zu more\n", n - OBJECTS_SHOWN);
	if (d->items[first].grantable)
		put_how(&d->items[first], out);
	else
		buf_printf(out, "      hint:   %s\n", denial_otherwise(d->items[first].reason));
	return n;
}

static void put_denials(const struct event_result *r, struct buf *out)
{
	struct denials d;

	if (!find_denials(r, &d)) {
		buf_printf(out, "\nno memory to say what was denied\n");
		denials_finish(&d);
		return;
	}
	if (d.n > 0)
		buf_printf(out, "\nDenied (%zu)\n", d.n);
	else
		buf_printf(out, "\nDenied: nothing that is watched\n");
	for (size_t i = 0, groups = 0; i < d.n; groups++) {
		if (groups == GROUPS_SHOWN) {
			buf_printf(out, "  and %zu more\n", d.n - i);
			break;
		}
		if (i == 0 || d.items[i - 1].reason != d.items[i].reason)
			buf_printf(out, "  %s\n", denial_why(d.items[i].reason));
		i += put_group(&d, i, out);
	}
	denials_finish(&d);
}

/* What limits how much the part above can know. */
static void put_doubts(const struct event_result *r, struct buf *out)
{
	size_t opaque = 0;

	for (size_t i = 0; i < r->n_effects; i++)
		opaque += r->effects[i].kind == EFFECT_OPAQUE;
	if (r->observe != CELL_OBSERVE_FULL)
		buf_printf(out, "  not every open was observed: there may have been more (--observe full)\n");
	if (r->effects_dropped > 0)
		buf_printf(out, "  %" PRIu64 " effects had no room in the record: there may have been more\n",
			   r->effects_dropped);
	if (opaque > 0)
		buf_printf(out, "  %zu calls had arguments that could not be read\n", opaque);
}

/* ---- connections ---- */

static void put_budget(const struct event_result *r, const struct effect *f, struct buf *out)
{
	static const struct qualifiers none;
	const struct qualifiers *q = r->grants != NULL && f->grant < r->grants->count
					     ? &r->grants->grants[f->grant].qualifiers
					     : &none;
	const char *lead = "by";

	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++) {
		char value[QUALIFIER_VALUE_MAX];

		if (!meter_is_stopped_by(&f->meter, i))
			continue;
		qualifier_format(q, i, value, sizeof value);
		buf_printf(out, " %s %s=%s", lead, qualifier_word(i), value);
		lead = "and";
	}
}

static void put_meter(const struct event_result *r, const struct effect *f, struct buf *out)
{
	const struct meter *m = &f->meter;

	buf_printf(out, "  ");
	put_name(out, f->object);
	buf_printf(out, ": %u opened, %" PRIu64 " bytes up, %" PRIu64 " bytes down\n", m->opened, m->up, m->down);
	if (m->failed > 0)
		buf_printf(out, "    %u failed, the last: %s\n", m->failed, meter_failure(m));
	if ((m->stopped & METER_BY_BUDGET) != 0) {
		buf_printf(out, "    stopped");
		put_budget(r, f, out);
		buf_printf(out, ": %u refused\n", m->refused);
	}
	if ((m->stopped & METER_BY_AUTHORITY) != 0) {
		buf_printf(out, "    not allowed: ");
		meter_put_whys(m, out);
		buf_printf(out, ": %u refused\n", m->refused);
	}
}

static void put_connections(const struct event_result *r, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_effects; i++) {
		if (!effect_has_meter(&r->effects[i]))
			continue;
		if (n++ == 0)
			buf_printf(out, "\nConnections\n");
		put_meter(r, &r->effects[i], out);
	}
	if (r->n_closing == 0)
		return;
	buf_printf(out, "  closed by labels: ");
	result_put_closing(r->closing, r->n_closing, out);
	buf_printf(out, "\n");
}

/* ---- grants that nobody used ---- */

static bool was_used(const struct event_result *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_effects; i++)
		if (r->effects[i].verdict == EFFECT_ALLOWED && r->effects[i].grant == id)
			return true;
	return false;
}

/* Only uses of paths are seen; and only under `full`, and if nothing was dropped, does silence say something. */
static void put_unused(const struct event_result *r, struct buf *out)
{
	size_t n = 0;

	if (r->observe != CELL_OBSERVE_FULL || r->effects_dropped > 0)
		return;
	for (uint32_t i = 0; i < r->grants->count; i++) {
		if (r->grants->grants[i].rights == 0 || was_used(r, i))
			continue;
		if (n++ == 0)
			buf_printf(out, "\nGranted and never used\n");
		buf_printf(out, "  %s ", verb_word((enum grant_verb)r->grants->grants[i].verb));
		put_name(out, grant_object(r->grants, i));
		buf_printf(out, "\n");
	}
}

void explain_write(const struct told *t, struct buf *out)
{
	put_asked(&t->result, out);
	put_ended(&t->result, out);
	put_changes(t, out);
	put_connections(&t->result, out);
	put_denials(&t->result, out);
	put_doubts(&t->result, out);
	put_unused(&t->result, out);
	put_wall(t, out);
}
