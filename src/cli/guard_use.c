#include "cli/guard_use.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/flow.h"
#include "core/tool.h"
#include "lib/stage.h"

#define SHOWN_MAX (40u << 10)

/* ---- names of labels ---- */

static int bits_of(struct keeper *k, const struct flow_set *set, uint64_t *ret, struct err *e)
{
	int r = 0;

	*ret = 0;
	for (uint32_t i = 0; i < set->n && r == 0; i++) {
		unsigned bit;

		r = keeper_label(k, set->names[i], &bit, e);
		*ret |= r == 0 ? UINT64_C(1) << bit : 0;
	}
	return r;
}

static int take_flow(struct keeper *k, const char *text, struct standing_grant *g, struct err *e)
{
	struct flow_set closes[FLOW_UNLESS_MAX];
	struct flow f;
	int r;

	if (flow_take(text, &f) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what a grant says of labels is not well-formed");
	r = bits_of(k, &f.label, &g->labels, e);
	g->n_unless = (uint8_t)flow_closes(&f, closes);
	for (uint8_t i = 0; i < g->n_unless && r == 0; i++)
		r = bits_of(k, &closes[i], &g->unless[i], e);
	if (f.ask)
		g->flags |= AUTHORITY_ASK_LABELLED;
	return r;
}

/* ---- the grants ---- */

/* The agent's own, without numbers; and this guard's, derived from it, with them: what is revoked stays so, what is used up is this guard's alone. */
static int add_grant(struct guard_use *u, const struct grant_set *set, uint32_t i, struct err *e)
{
	const struct qualifiers *q = &set->grants[i].qualifiers;
	struct guard_grant *to = &u->grants[u->n];
	struct standing_grant g = { .verb = VERB_TOOL, .object = to->object, .terms = to->terms };
	auto_buf conditions = { .max = sizeof to->conditions };
	int r;

	if (u->n == GUARD_GRANTS_MAX || !text_copy(to->object, sizeof to->object, grant_object(set, i)) ||
	    !text_copy(to->terms, sizeof to->terms, grant_terms(set, i)))
		return err_set(e, AMBIT_LIMIT, NULL, "more grants of tools than %d, or one that is too long",
			       GUARD_GRANTS_MAX);
	if (to->terms[0] != 0 && where_take(to->terms, &to->where, e) < 0)
		return -(int)e->code;
	grant_put_conditions(set, i, &conditions);
	if (buf_cstr(&conditions) == NULL ||
	    !text_copy(to->conditions, sizeof to->conditions, (const char *)conditions.data))
		return err_set(e, AMBIT_LIMIT, NULL, "what stands behind the grant of '%s' is too long to be shown",
			       to->object); /* whoever is asked would be shown a wider one */
	to->asks = q->ask != 0;
	to->counts = q->bytes != 0;
	to->until_ms = q->until_s != 0 ? clock_unix_ms() + (uint64_t)q->until_s * 1000 : 0;
	g.flags = to->asks ? AUTHORITY_ASK : 0;
	r = take_flow(u->k, grant_flow(set, i), &g, e);
	to->may_ask = g.flags != 0;
	r = r < 0 ? r : standing_grant(u->k, &u->above, &g, &g.from, e);
	g.bounds.q.uses = q->uses;
	g.bounds.q.bytes = q->bytes;
	g.bounds.q.rate = q->rate;
	g.bounds.q.period_s = q->period_s;
	g.bounds.window = q->between;
	r = r < 0 ? r : standing_grant(u->k, &u->who, &g, &to->ref, e);
	to->as = g;
	u->n += r == 0;
	return r;
}

static int end_badge(struct guard_use *u, struct err *e)
{
	const struct authority_request q = {
		.op = AUTHORITY_END, .badge = u->who.badge, .object = "", .terms = "", .minute = AUTHORITY_MINUTE_NONE
	};
	struct keeper_answer a;

	return keeper_step(u->k, &q, &a, e);
}

/* Each guard has a badge of its own: numbers begin anew with it. Clients kill servers, and who is killed ends nothing: so a badge is of a place, and who has it next ends what was left there. */
static int take_badge(struct guard_use *u, unsigned place, const char *event, struct err *e)
{
	const struct standing_grant delegate = { .verb = VERB_DELEGATE, .object = "*", .terms = "", .depth = 1 };
	char stream[ID_TEXT_MAX], below[ID_TEXT_MAX], name[AUTHORITY_NAME_MAX];
	authority_ref ref;
	int r;

	(void)snprintf(name, sizeof name, "guard.%.40s.%u", u->server, place);
	standing_stream(NULL, u->agent, u->workspace, stream);
	standing_stream_below(stream, name, below);
	r = standing_take(u->k, stream, u->agent, NULL, &u->above, e);
	r = r < 0 ? r : standing_grant(u->k, &u->above, &delegate, &ref, e);
	r = r < 0 ? r : standing_take_below(u->k, &u->above, ref, below, name, event, &u->who, e);
	if (r < 0 || u->who.is_new)
		return r;
	r = end_badge(u, e);
	u->who.badge = 0;
	return r < 0 ? r : standing_take_below(u->k, &u->above, ref, below, name, event, &u->who, e);
}

int guard_use_open(struct guard_use *u, const struct policy *p, const char *server, const char *agent,
		   const char *workspace, unsigned place, const char *event, struct err *e)
{
	static struct grant_set set; /* a quarter of a megabyte, and one thread */
	struct stage_ask times;
	int r = stage_ask_init(&times, STAGE_OP_SETTLE, e);

	*u = (struct guard_use){ .server = server, .agent = agent, .workspace = workspace };
	u->keep_ms = r < 0 ? 0 : times.keep_ns / 1000000;
	u->many = p->n_servers > 0;
	r = r < 0 ? r : keeper_open(NULL, NULL, &u->k, e);
	r = r < 0 ? r : take_badge(u, place, event, e);
	grant_set_init(&set);
	r = r < 0 ? r : policy_resolve_tools(p, &set, e);
	for (uint32_t i = 0; i < set.count && r == 0; i++)
		r = add_grant(u, &set, i, e);
	return r;
}

uint32_t guard_use_names(struct guard_use *u, struct buf *out)
{
	static struct guard_grant_of of; /* four kilobytes, and one thread */
	char all[TOOL_OBJECT_MAX];
	const int n = snprintf(all, sizeof all, "%s/%s", u->server, TOOL_ANY) - (int)strlen(TOOL_ANY);
	uint32_t count = 0;

	for (uint32_t i = 0; i < u->n; i++) {
		struct guard_grant *g = &u->grants[i];
		const bool is_all = grant_object_covers(VERB_TOOL, g->object, VERB_TOOL, all);

		g->is_here = (is_all || strncmp(g->object, all, (size_t)n) == 0) &&
			     text_copy(of.name, sizeof of.name, is_all ? TOOL_ANY : g->object + n);
		if (!g->is_here)
			continue;
		memcpy(of.terms, g->terms, sizeof of.terms);
		if (u->many && strcmp(g->object, TOOL_ANY) == 0)
			of.terms[0] = 0; /* of the servers together nobody knows */
		guard_grant_put(out, &of);
		count++;
	}
	return count;
}

bool guard_use_lacks(struct guard_use *u, const struct guard_lacks *l, const struct guard_grant **ret_by,
		     char ret_path[TERMS_TEXT_MAX])
{
	uint32_t left = l->grant;

	for (uint32_t i = 0; i < u->n; i++) {
		struct guard_grant *g = &u->grants[i];
		const char *path;

		if (!g->is_here || left-- > 0)
			continue;
		if (l->condition >= g->where.n_conditions)
			return false;
		path = g->where.text + g->where.conditions[l->condition].path;
		(void)text_escape(ret_path, TERMS_TEXT_MAX, path, strlen(path));
		g->lacks = true;
		*ret_by = g;
		return true;
	}
	return false;
}

uint32_t guard_use_others(const struct guard_use *u, const char **ret_object)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < u->n; i++) {
		const char *object = u->grants[i].object;
		const size_t server = strcspn(object, "/");

		if (strncmp(object, TOOL_ANY "/", 2) == 0 ||
		    (server == strlen(u->server) && memcmp(object, u->server, server) == 0))
			continue;
		*ret_object = n++ == 0 ? object : *ret_object;
	}
	return n;
}

bool guard_use_minds_risk(const struct guard_use *u)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (u->grants[i].where.calm)
			return true;
	return false;
}

void guard_use_close(struct guard_use *u)
{
	struct err e;

	if (u->k != NULL && u->who.badge != 0)
		(void)end_badge(u, &e); /* what fails is left to who has the place next */
	keeper_close(u->k);
	u->k = NULL;
}

/* ---- a use ---- */

static void name_event(char ret[ID_TEXT_MAX])
{
	uint8_t bytes[ID_RANDOM];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		memset(bytes, 0, sizeof bytes);
	id_write('e', clock_unix_ms(), bytes, ret);
}

/* What a person is asked about: all of it that there is room for, and the digest of all. */
static void put_shown(const struct guard_use *u, const struct guard_grant *g, const char *object,
		      const struct guard_ask *ask, const char *unusual, struct buf *out)
{
	char shown[4200], conditions[sizeof g->conditions];
	struct where_argument a;
	struct rbuf in;

	buf_printf(out, "what: tool\nto: %s\n", text_escape(shown, sizeof shown, object, strlen(object)));
	if (u->agent[0] != 0)
		buf_printf(out, "agent: %s\n", u->agent);
	if (unusual[0] != 0)
		buf_printf(out, "unusual: %s\n", unusual);
	buf_printf(out, "asked for by a grant of: %s", g->object); /* a policy's: it is plain */
	buf_printf(out, "%s\n", text_escape(conditions, sizeof conditions, g->conditions, strlen(g->conditions)));
	buf_printf(out, "workspace: %s\n", text_escape(shown, sizeof shown, u->workspace, strlen(u->workspace)));
	buf_printf(out, "waits: as long as that client and its gate are there\n");
	rbuf_init(&in, ask->arguments.bytes, ask->arguments.n);
	while (out->len < SHOWN_MAX - 2 * sizeof shown && where_next(&in, &a)) {
		buf_printf(out, "argument: %s", text_escape(shown, sizeof shown, a.path, a.path_n));
		buf_printf(out, a.kind == WHERE_LONG ? " = a text of %s characters\n" : " = %s\n",
			   text_escape(shown, sizeof shown, a.value, a.n));
	}
	buf_printf(out, "all of it: %llu bytes, sha256 ", (unsigned long long)ask->bytes);
	buf_put_hex(out, ask->sha256, sizeof ask->sha256);
	buf_printf(out, "\n");
}

static bool covers(const struct guard_grant *g, const char *object, const struct guard_ask *ask)
{
	return grant_object_covers(VERB_TOOL, g->object, VERB_TOOL, object) &&
	       (g->terms[0] == 0 ||
		(where_allows(&g->where, &ask->arguments) && !where_is_evaded(&g->where, &ask->arguments)));
}

/* The same grant once more, derived from it, so that both are charged: each use of that asks. */
static int take_asking(struct guard_use *u, struct guard_grant *g, authority_ref *ret, struct err *e)
{
	struct standing self = u->who;
	int r = 0;

	self.above = self.badge;
	if (g->asking == 0 && !g->asks) {
		g->as.from = g->ref;
		g->as.flags |= AUTHORITY_ASK;
		r = standing_grant(u->k, &self, &g->as, &g->asking, e);
	}
	*ret = g->asks ? g->ref : g->asking;
	return r;
}

/* What the answer to this one brings was not there before. */
static void note_labels(struct guard_use *u, const struct guard_grant *g, uint64_t labels)
{
	const uint64_t brought = g->as.labels & ~u->labels;

	u->untrusted = (labels & ~brought & LABEL_UNTRUSTED) != 0;
	u->labels = labels;
}

static int use(struct guard_use *u, struct guard_grant *g, const char *object, const struct guard_ask *ask,
	       const char *unusual, const char *event, struct keeper_answer *ret, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_USE,
				       .badge = u->who.badge,
				       .grant = g->ref,
				       .verb = VERB_TOOL,
				       .object = object,
				       .terms = "",
				       .bytes = g->counts ? ask->bytes : 0,
				       .arguments = ask->arguments };
	auto_buf shown = { .max = SHOWN_MAX };
	int r = unusual[0] != 0 ? take_asking(u, g, &q.grant, e) : 0;

	id_read(event, q.event);
	if (r < 0)
		return r;
	if (!g->may_ask && unusual[0] == 0)
		return keeper_step(u->k, &q, ret, e);
	put_shown(u, g, object, ask, unusual, &shown);
	standing_digest(&shown, q.digest);
	r = standing_name_question(q.id, e);
	q.until_ms = clock_unix_ms() + u->keep_ms;
	return r < 0 ? r : keeper_step_shown(u->k, &q, shown.data, shown.len, ret, e);
}

/* How near its object is: its own name, all of the server, all there is (doc/AUTHORITY.md, FIND). */
static unsigned level_of(const struct guard_grant *g)
{
	return !tool_is_star(g->object) ? 0 : strcmp(g->object, "*") == 0 ? 2 : 1;
}

/* What of a call one grant does not cover, which is of that tool. */
static void say_refused(const struct guard_grant *g, const struct guard_ask *ask, char *ret, size_t size)
{
	static const char *const says[] = {
		[WHERE_NO_NAME] = "not with the argument",
		[WHERE_NO_VALUE] = "not with this",
		[WHERE_NO_GIVEN] = "not without the argument",
	};
	const char *path = "";
	char shown[128];
	size_t n = 0;
	const enum where_no no = where_refuses(&g->where, &ask->arguments, &path, &n);

	if (g->lacks)
		(void)snprintf(ret, size,
			       "by a condition on an argument that it does not have, which would narrow nothing");
	else if (n > 0)
		(void)snprintf(ret, size, "%s '%s'", says[no], text_escape(shown, sizeof shown, path, n));
	else
		(void)snprintf(ret, size,
			       no == WHERE_NO_RISK ? "only where its server calls it harmless"
						   : "not with these arguments");
}

static void none_covers(const struct guard_use *u, const char *object, const struct guard_ask *ask, struct err *e)
{
	char hint[ERR_HINT_MAX], but[256];
	const struct guard_grant *near = NULL;

	for (uint32_t i = 0; i < u->n; i++) {
		const struct guard_grant *g = &u->grants[i];

		if (grant_object_covers(VERB_TOOL, g->object, VERB_TOOL, object) &&
		    (near == NULL || level_of(g) < level_of(near)))
			near = g;
	}
	(void)snprintf(hint, sizeof hint, "the person can allow it in the policy by the line `tool: %s`%s", object,
		       near != NULL ? ", or by another `where` beside it" : "");
	if (near == NULL) {
		(void)err_set(e, AMBIT_DENIED, hint, "'%s' is not granted", object);
		return;
	}
	say_refused(near, ask, but, sizeof but);
	(void)err_set(e, AMBIT_DENIED, hint, "'%s' is granted, but %s", object, but);
}

static void denied(const struct keeper_answer *a, const char *object, struct err *e)
{
	(void)standing_refused(a, e);
	if (a->why == WHY_SPENT)
		(void)err_set(e, AMBIT_DENIED, "wait, or go on without it", "the grant of '%s' is used up (%s)", object,
			      a->limit == AUTHORITY_RATE    ? "rate"
			      : a->limit == AUTHORITY_USES  ? "uses"
			      : a->limit == AUTHORITY_BYTES ? "bytes"
							    : "a budget");
	else if (a->why == WHY_LABELLED)
		(void)err_set(e, AMBIT_DENIED, "the person sees by `ambit labels` what brought them",
			      "'%s' is closed by labels: what was read may not go there", object);
	else if (a->why == WHY_REFUSED)
		(void)err_set(e, AMBIT_DENIED, NULL, "a person said no to '%s'", object);
}

static bool is_over(const struct guard_grant *g)
{
	return g->until_ms != 0 && clock_unix_ms() >= g->until_ms;
}

static void note_counted(struct guard_use *u, uint32_t number, struct guard_grant *g)
{
	for (size_t i = 0; i < GUARD_COUNTED_MAX; i++)
		if (u->counted[i].by == NULL) {
			u->counted[i] = (struct guard_counted){ .number = number, .by = g };
			return;
		}
	g->spent = true; /* a gate has fewer: what is not counted is not gone on with */
}

void guard_use_over(struct guard_use *u, const struct guard_over *over)
{
	struct authority_request q = { .op = AUTHORITY_MORE,
				       .badge = u->who.badge,
				       .object = "",
				       .terms = "",
				       .minute = AUTHORITY_MINUTE_NONE,
				       .bytes = over->bytes };
	struct keeper_answer a = { .verdict = AUTHORITY_DENIED };
	struct err e;

	for (size_t i = 0; i < GUARD_COUNTED_MAX; i++) {
		struct guard_counted *c = &u->counted[i];

		if (c->by == NULL || c->number != over->number)
			continue;
		q.grant = c->by->ref;
		c->by->spent = c->by->spent || keeper_step(u->k, &q, &a, &e) < 0 || a.verdict != AUTHORITY_ALLOWED;
		c->by = NULL;
		return;
	}
}

/* By one grant. 1: that decided; 0: another may. */
static int try_one(struct guard_use *u, struct guard_grant *g, const char *object, const struct guard_ask *ask,
		   const char *unusual, struct keeper_answer *a, struct guard_word *ret, struct err *e)
{
	char hint[ERR_HINT_MAX];
	int r;

	if (g->spent) {
		*a = (struct keeper_answer){ .verdict = AUTHORITY_DENIED, .why = WHY_SPENT, .limit = AUTHORITY_BYTES };
		return 0;
	}
	r = use(u, g, object, ask, unusual, ret->event, a, e);
	if (r < 0)
		return r;
	if (a->verdict == AUTHORITY_ALLOWED) {
		ret->verdict = GUARD_YES;
		note_labels(u, g, a->labels);
		if (g->counts)
			note_counted(u, ask->number, g);
		return 1;
	}
	if (a->verdict != AUTHORITY_ASKS)
		return 0;
	ret->verdict = GUARD_PERSON;
	standing_question(u->k, a->made, ret->question);
	(void)snprintf(hint, sizeof hint, "`ambit approve %s` shows it and asks the person; then call it again",
		       ret->question);
	(void)err_set(&ret->why, AMBIT_DENIED, hint, "a person is asked first: tool %s", object);
	(void)text_show(ret->why.why, sizeof ret->why.why, unusual, strlen(unusual));
	return 1;
}

/* Those of the nearest level that covers it decide, first those that do not ask. One that is not used for what it lacks is not passed over for a wider one, either: its server could have that so. */
int guard_use_ask(struct guard_use *u, const struct guard_ask *ask, const char *unusual, struct guard_word *ret,
		  const struct guard_grant **ret_by, struct err *e)
{
	char object[256];
	struct keeper_answer a = { .verdict = AUTHORITY_DENIED, .why = WHY_NOT_HELD };
	bool lacks = false;

	*ret_by = NULL;
	(void)snprintf(object, sizeof object, "%s/%s", u->server, ask->name); /* both are bounded */
	name_event(ret->event);
	ret->verdict = GUARD_NO;
	if (ask->canary != 0) { /* whatever is granted */
		(void)err_set(&ret->why, AMBIT_DENIED, NULL, "the call of %s was refused: it has a secret", object);
		return 0;
	}
	for (unsigned level = 0; level < 3 && *ret_by == NULL && !lacks; level++)
		for (uint32_t i = 0; i < 2 * u->n; i++) {
			struct guard_grant *g = &u->grants[i < u->n ? i : i - u->n];
			int r;

			if (level_of(g) != level || g->asks != (i >= u->n) || !covers(g, object, ask) || is_over(g))
				continue;
			lacks = lacks || g->lacks;
			if (g->lacks)
				continue;
			*ret_by = g;
			r = try_one(u, g, object, ask, unusual, &a, ret, e);
			if (r != 0)
				return r < 0 ? r : 0;
		}
	if (*ret_by != NULL)
		denied(&a, object, &ret->why);
	else
		none_covers(u, object, ask, &ret->why);
	return 0;
}

void guard_use_refuse(const struct err *why, struct guard_word *ret)
{
	name_event(ret->event);
	ret->verdict = GUARD_NO;
	ret->why = *why;
	ret->why.code = AMBIT_DENIED; /* who called is to see it */
}
