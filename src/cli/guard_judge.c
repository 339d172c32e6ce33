/* What a gate says to one request: it is held against what is usual, asked of the authority, and recorded, before anything is done. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/found.h"
#include "cli/guard_gate.h"
#include "lib/event.h"
#include "lib/freeze.h"
#include "lib/halter.h"

/* What was asked, and the word on it, as the ledger is to have it. */
static int record(struct gate *g, const struct guard_ask *ask, const struct guard_word *w, const struct guard_grant *by,
		  const struct call_usual *usual, struct err *e)
{
	static struct record_call c;

	c = (struct record_call){
		.verdict = w->verdict, .bytes = ask->bytes, .arguments = ask->arguments, .usual = *usual
	};
	memcpy(c.event, w->event, sizeof c.event);
	memcpy(c.question, w->question, sizeof c.question);
	memcpy(c.sha256, ask->sha256, sizeof c.sha256);
	(void)text_copy(c.server, sizeof c.server, ambit_event_id(g->ev));
	(void)text_copy(c.agent, sizeof c.agent, g->use.agent);                   /* a policy's: they fit */
	(void)snprintf(c.object, sizeof c.object, "%s/%s", g->server, ask->name); /* both are bounded */
	if (by != NULL) {
		memcpy(c.grant, by->object, sizeof c.grant);
		memcpy(c.terms, by->terms, sizeof c.terms);
	}
	if (w->verdict != GUARD_YES)
		c.why = w->why;
	c.asked_ms = clock_unix_ms();
	return guard_log_asked(&g->log, ask->number, &c, e);
}

/* Nothing of it runs on until a person says so; where that cannot be had, nothing is asked of it any more. The word on the gate outlives this run of it. */
static void freeze(struct gate *g)
{
	struct link_halt q = { .deed = HALT_FREEZE, .reason = "a call was not like what is usual" };
	struct err e;

	(void)text_copy(q.what, sizeof q.what, ambit_event_id(g->ev)); /* an id */
	g->is_shut = halter_do(&q, &e) < 0;
	if (g->is_shut)
		(void)found_refuse(false, &e);
	if (gate_mark(g, &e) < 0)
		(void)found_refuse(false, &e);
}

/* Who was frozen, here or by a person, is asked nothing. */
static int check_frozen(const struct gate *g, struct err *e)
{
	char place[GRANT_OBJECT_MAX];

	if (g->usual.profile < PROFILE_HOLD || (!g->is_shut && freeze_place(place, NULL) == 0 &&
						frozen_refuse(place, "", ambit_event_id(g->ev), NULL) == 0))
		return 0;
	return err_set(e, AMBIT_DENIED, "a person looks at what was asked, and thaws it", "%s is frozen", g->server);
}

/* What one call did may be chance. When a person thawed the server without a yes to what was asked, or said no, the next such call is the second of two. */
static void hold(struct gate *g)
{
	freeze(g);
	g->is_over_it = g->usual.profile >= PROFILE_KILL && guard_usual_waiting(&g->usual) > 1;
}

int gate_judge(struct gate *g, const struct guard_ask *ask, struct guard_word *w, struct err *e)
{
	static struct call_usual usual;
	const struct guard_grant *by = NULL;
	const char *doubt;
	char object[2 * GUARD_NAME_MAX];
	int r = guard_usual_score(&g->usual, ask, (g->use.labels & LABEL_UNTRUSTED) != 0, &usual, &doubt, e);

	r = r < 0 ? r : check_frozen(g, e);
	if (r < 0)
		guard_use_refuse(e, w);
	r = r < 0 ? 0 : guard_use_ask(&g->use, ask, doubt, w, &by, e);
	r = r < 0 ? r : record(g, ask, w, by, &usual, e);
	if (r < 0)
		return r;
	(void)snprintf(object, sizeof object, "%s/%s", g->server, ask->name); /* both are bounded */
	guard_usual_tell(&g->usual, object, &usual, w);
	if (usual.profile > PROFILE_OFF && usual.error.code == AMBIT_OK)
		guard_usual_said(&g->usual, ask, w, doubt, g->use.untrusted);
	if (doubt[0] != 0 && w->verdict == GUARD_PERSON && g->usual.profile >= PROFILE_HOLD)
		hold(g);
	return 0;
}
