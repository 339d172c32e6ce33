#include "cli/guard_usual.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define HINT "`ambit profile show` lists the profiles; `--profile off` goes on without them"

bool guard_usual_is_on(const struct guard_usual *u)
{
	return u->profile > PROFILE_OFF;
}

/* A run of the gate, from here on. */
static int begin(struct guard_usual *u, struct err *e)
{
	struct usual_begun begun;
	int r = usual_open(NULL, &u->k, e);

	u->n_past = 0;
	u->owes = u->is_spoiled;
	r = r < 0 ? r : usual_begin_calls(u->k, &u->who, &begun, e);
	if (r == 0 && u->begun.runs == UINT32_MAX)
		u->begun = begun;
	else if (r == 0 && memcmp(begun.key, u->begun.key, sizeof begun.key) != 0)
		r = err_set(e, AMBIT_CONFLICT, "start the gate again", "the profile of %s is another than before",
			    u->who.server);
	if (r < 0) {
		usual_close(u->k);
		u->k = NULL;
	}
	return r;
}

int guard_usual_open(struct guard_usual *u, uint32_t profile, const char *server, const char *agent, const char *event,
		     struct err *e)
{
	char shown[2 * ERR_MSG_MAX];
	int r;

	*u = (struct guard_usual){ .profile = profile, .begun = { .runs = UINT32_MAX } };
	if (!guard_usual_is_on(u))
		return 0;
	if (!text_copy(u->who.server, sizeof u->who.server, server) ||
	    !text_copy(u->who.agent, sizeof u->who.agent, agent) ||
	    !text_copy(u->who.event, sizeof u->who.event, event))
		return err_set(e, AMBIT_LIMIT, HINT, "the name of the server is too long for a profile");
	r = begin(u, e);
	if (r == 0 || profile >= PROFILE_ASK)
		return r < 0 ? err_context(e, r, "calls cannot be held against what is usual") : 0;
	(void)fprintf(stderr, "ambit: calls cannot be held against what is usual: %s\n  hint: " HINT "\n",
		      text_show(shown, sizeof shown, e->msg, strlen(e->msg)));
	u->profile = PROFILE_OFF;
	return 0;
}

static int score(struct guard_usual *u, struct usual_call *q, struct usual_verdict *ret, struct err *e)
{
	int r;

	q->before = u->before;
	u->before.fate = 0;
	r = u->k != NULL ? usual_score_call(u->k, q, ret, e) : -AMBIT_GONE;
	if (r != -AMBIT_GONE && r != -AMBIT_PROTOCOL)
		return r;
	usual_close(u->k);
	u->k = NULL;
	q->before = (struct usual_called){ .fate = 0 }; /* it is in no run any more */
	r = begin(u, e);
	r = r < 0 ? r : usual_score_call(u->k, q, ret, e);
	if (r == 0)
		*e = (struct err){ .code = AMBIT_OK }; /* it was compared, and what becomes of it counts */
	return r;
}

/* Of a call that has the same items as one before, from the same sources, the keeper would say the same as of that: nothing of it is new in this run. */
static bool is_past(struct guard_usual *u, const struct usual_call *q)
{
	const size_t n = u->n_past < USUAL_PAST_MAX ? u->n_past : USUAL_PAST_MAX;
	const uint8_t untrusted = q->untrusted;
	struct sha256 s;

	if (q->n > USUAL_PAST_BYTES)
		return false;
	sha256_init(&s);
	sha256_add(&s, &untrusted, sizeof untrusted);
	sha256_add(&s, q->items, q->n);
	sha256_end(&s, u->now.sha256);
	for (size_t i = 0; i < n; i++)
		if (memcmp(&u->past[i], &u->now, sizeof u->now) == 0)
			return true;
	return false;
}

static void let_past(struct guard_usual *u, size_t n)
{
	if (n <= USUAL_PAST_BYTES)
		u->past[u->n_past++ % USUAL_PAST_MAX] = u->now;
}

/* Nothing waits for the next call that the keeper is asked about: that may be long. */
static void tell_before(struct guard_usual *u)
{
	struct err e;

	if (u->k != NULL && u->before.fate != 0)
		(void)usual_said_call(u->k, &u->before, &e); /* a keeper that is gone is seen at the next call */
	u->before.fate = 0;
}

static struct doubt *doubt_of(struct guard_usual *u, const struct guard_ask *ask)
{
	for (size_t i = 0; i < USUAL_DOUBTS_MAX; i++)
		if (u->doubts[i].used && memcmp(u->doubts[i].sha256, ask->sha256, SHA256_BYTES) == 0)
			return &u->doubts[i];
	return NULL;
}

/* One line for a person; what it says of a call is escaped. */
static struct doubt *doubt_about(struct guard_usual *u, const struct guard_ask *ask, const struct usual_verdict *v)
{
	struct doubt *d = doubt_of(u, ask);

	if (d != NULL)
		return d;
	d = &u->doubts[u->next++ % USUAL_DOUBTS_MAX];
	*d = (struct doubt){ .used = true };
	memcpy(d->sha256, ask->sha256, sizeof d->sha256);
	for (unsigned i = 0; i < v->n && i < 2; i++) {
		const size_t n = strlen(d->text);

		(void)snprintf(d->text + n, sizeof d->text - n, "%s", i == 0 ? "" : ", and ");
		(void)text_escape(d->text + strlen(d->text), sizeof d->text - strlen(d->text), v->reasons[i].text,
				  strlen(v->reasons[i].text));
	}
	return d;
}

int guard_usual_score(struct guard_usual *u, const struct guard_ask *ask, bool untrusted, struct call_usual *ret,
		      const char **ret_doubt, struct err *e)
{
	struct usual_call q = { .untrusted = untrusted, .items = ask->items.bytes, .n = ask->items.n };
	char object[TOOL_OBJECT_MAX];
	int r;

	(void)snprintf(object, sizeof object, "%s/%.128s", u->who.server, ask->name);
	*ret_doubt = "";
	u->doubt = NULL;
	*ret = (struct call_usual){ .profile = PROFILE_OFF };
	if (!guard_usual_is_on(u) || tool_is_of_client(object)) /* what a server asks for is not compared */
		return 0;
	ret->profile = (uint8_t)u->profile;
	u->is_past = ask->canary == 0 && is_past(u, &q);
	if (u->is_past) {
		tell_before(u);
		ret->v = (struct usual_verdict){ .runs = u->begun.runs, .young = u->is_young };
		return 0;
	}
	r = score(u, &q, &ret->v, &ret->error);
	if (r < 0) {
		(void)err_context(&ret->error, r, "the call could not be held against what is usual");
		*e = ret->error;
		return u->profile >= PROFILE_ASK ? r : 0;
	}
	u->is_young = ret->v.young;
	if (ret->v.asks && u->profile >= PROFILE_ASK) {
		u->doubt = doubt_about(u, ask, &ret->v);
		*ret_doubt = u->doubt->text;
	}
	return 0;
}

void guard_usual_said(struct guard_usual *u, const struct guard_ask *ask, const struct guard_word *w, const char *doubt,
		      bool untrusted)
{
	struct usual_called q = { .fate = USUAL_LET, .untrusted = untrusted };
	struct doubt *d;
	struct err e;

	if (u->is_past || u->k == NULL || (w->verdict == GUARD_NO && doubt[0] == 0 && ask->canary == 0))
		return;
	if (ask->canary != 0) /* such a run teaches nothing */
		q.fate = USUAL_NEVER;
	else if (w->verdict == GUARD_PERSON)
		q.fate = USUAL_WAITS;
	else if (w->verdict == GUARD_NO)
		q.fate = USUAL_NEVER;
	else if (doubt[0] != 0)
		q.fate = USUAL_RELEASED;
	if (doubt[0] != 0 && (d = doubt_of(u, ask)) != NULL)
		d->waits = w->verdict != GUARD_YES;
	u->is_spoiled = u->is_spoiled || q.fate == USUAL_WAITS || q.fate == USUAL_NEVER;
	if (q.fate == USUAL_LET && u->owes) {
		u->owes = false;
		q.fate = USUAL_NEVER; /* that is what spoils a run */
	}
	if (q.fate == USUAL_WAITS && u->doubt != NULL) {
		if (u->doubt->event[0] == 0)
			memcpy(u->doubt->event, w->event, sizeof u->doubt->event);
		memcpy(q.event, u->doubt->event, sizeof q.event);
	}
	if (w->verdict == GUARD_YES && q.fate != USUAL_NEVER)
		let_past(u, ask->items.n);
	if (q.fate == USUAL_LET)
		u->before = q;
	else
		(void)usual_said_call(u->k, &q, &e); /* a keeper that is gone is seen at the next call */
}

size_t guard_usual_waiting(const struct guard_usual *u)
{
	size_t n = 0;

	for (size_t i = 0; i < USUAL_DOUBTS_MAX; i++)
		n += u->doubts[i].used && u->doubts[i].waits;
	return n;
}

static void say_known(const struct usual_verdict *v)
{
	char shown[2 * USUAL_REASON_MAX];

	for (unsigned i = 1; i < v->n; i++)
		(void)fprintf(stderr, "  and: %s\n",
			      text_escape(shown, sizeof shown, v->reasons[i].text, strlen(v->reasons[i].text)));
}

void guard_usual_tell(const struct guard_usual *u, const char *object, const struct call_usual *c,
		      const struct guard_word *w)
{
	char shown[2 * USUAL_REASON_MAX], line[ERR_LINE_MAX];
	const char *hint = c->error.hint[0] != 0 ? c->error.hint : HINT;

	if (c->profile <= PROFILE_OFF)
		return;
	if (c->error.code != AMBIT_OK) {
		err_line(&c->error, line);
		(void)fprintf(stderr, "ambit: %s: %s\n", object, text_show(shown, sizeof shown, line, strlen(line)));
		(void)fprintf(stderr, "  hint: %s\n", text_show(shown, sizeof shown, hint, strlen(hint)));
		return;
	}
	if (!c->v.unusual || c->v.young)
		return;
	(void)fprintf(stderr, "ambit: unusual: %s: %s\n", object,
		      text_escape(shown, sizeof shown, c->v.reasons[0].text, strlen(c->v.reasons[0].text)));
	say_known(&c->v);
	if (w->verdict == GUARD_PERSON)
		(void)fprintf(
			stderr,
			"  hint: `ambit approve %s` shows it and asks the person; when the client is gone, `ambit profile release %s` says that it was right\n",
			w->question, u->doubt != NULL && u->doubt->event[0] != 0 ? u->doubt->event : w->event);
	else if (u->profile < PROFILE_ASK)
		(void)fprintf(stderr, "  hint: it is only told: `profile: ask` in the policy asks first\n");
}

void guard_usual_close(struct guard_usual *u)
{
	tell_before(u);
	usual_close(u->k);
	u->k = NULL;
}
