#include "lib/judged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "cell/base.h"
#include "core/endpoint.h"
#include "core/flow.h"
#include "lib/closing.h"
#include "lib/delegate.h"
#include "lib/ledger.h"
#include "lib/stage.h"
#include "supervisor/judge_shown.h"
#include "wire/wire.h"

void judged_finish(struct judged *j)
{
	keeper_close(j->k);
	j->k = NULL;
	free(j->grants);
	j->grants = NULL;
}

static bool asks(const struct event_request *q, uint32_t grant)
{
	return q->grants.grants[grant].verb == VERB_CONNECT && q->grants.grants[grant].qualifiers.ask != 0;
}

/* A grant that the cell has from its start on, or not: then it is asked for. What is written waits in the stage for its answer, and labels are taken off there. */
static bool asks_to_begin(const struct event_request *q, uint32_t grant)
{
	switch ((enum grant_verb)q->grants.grants[grant].verb) {
	case VERB_READ:
	case VERB_RUN:
	case VERB_ENV:
	case VERB_LISTEN:
	case VERB_DELEGATE: return q->grants.grants[grant].qualifiers.ask != 0;
	case VERB_WORK:
	case VERB_WRITE:
	case VERB_JIT:
	case VERB_CONNECT:
	case VERB_QUERY:
	case VERB_TOOL:
	case VERB_DECLASSIFY:
	case VERB_COUNT: break;
	}
	return false;
}

static bool any_asks(const struct event_request *q)
{
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (asks(q, i) || asks_to_begin(q, i))
			return true;
	return false;
}

static bool has_budget(const struct event_request *q, enum policy_budget which)
{
	return !qualifiers_are_none(&q->budgets[which]);
}

/* A bound that is not the event's alone, or that the cell's roles cannot tell. */
static bool is_bounded(const struct event_request *q, uint32_t grant)
{
	const struct qualifiers *of = &q->grants.grants[grant].qualifiers;

	return q->grants.grants[grant].verb == VERB_CONNECT &&
	       (!window_is_none(&of->between) || (q->kept && (of->uses != 0 || of->bytes != 0 || of->rate != 0)));
}

static bool any_is_bounded(const struct event_request *q)
{
	if (has_budget(q, BUDGET_SESSION) || has_budget(q, BUDGET_AGENT))
		return true;
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (is_bounded(q, i))
			return true;
	return false;
}

/* Of a grant: what counts for all of its session, and when a connection may begin. */
static void take_bounds(const struct event_request *q, uint32_t grant, struct authority_bounds *ret)
{
	const struct qualifiers *of = &q->grants.grants[grant].qualifiers;

	ret->window = of->between;
	if (!q->kept)
		return;
	ret->q.bytes = of->bytes;
	if (grant_terms(&q->grants, grant)[0] != 0)
		return; /* they are of requests, which who judges those counts for the event */
	ret->q.uses = of->uses;
	ret->q.rate = of->rate;
	ret->q.period_s = of->period_s;
}

static bool says_of_labels(const struct event_request *q)
{
	if (q->given.n > 0)
		return true;
	for (uint32_t i = 0; i < q->grants.count; i++)
		if (grant_flow(&q->grants, i)[0] != 0)
			return true;
	return false;
}

/* ---- labels by their names ---- */

static bool is_sub_agent(const struct event_request *q)
{
	return q->parent[0] != 0;
}

/* There are few for all that a person will ever name, and they stay: what runs in a cell makes none. */
static int find_bit(const struct keeper_labels *names, const char *name, unsigned *ret, struct err *e)
{
	for (*ret = 0; *ret < names->n; ++*ret)
		if (strcmp(names->names[*ret], name) == 0)
			return 0;
	return err_why(
		e, err_set(e, AMBIT_DENIED, "name one that a grant of the caller has", "'%s' is not a label yet", name),
		"a sub-agent makes none");
}

/* Two have theirs from the beginning on (core/authority.h), and nobody has to be asked. */
static bool is_usual(const char *name, unsigned *ret)
{
	*ret = strcmp(name, "untrusted") == 0 ? 1 : 0;
	_Static_assert(LABEL_PRIVATE == 1 && LABEL_UNTRUSTED == 2, "their bits");
	return *ret == 1 || strcmp(name, "private") == 0;
}

static int bits_of(struct judged *j, const struct event_request *q, const struct flow_set *set, uint64_t *ret,
		   struct err *e)
{
	unsigned bit;
	int r = 0;

	*ret = 0;
	for (uint32_t i = 0; i < set->n && r == 0; i++) {
		r = is_usual(set->names[i], &bit) ? 0
		    : is_sub_agent(q)             ? find_bit(&j->names, set->names[i], &bit, e)
						  : keeper_label(j->k, set->names[i], &bit, e);
		*ret |= r == 0 ? UINT64_C(1) << bit : 0;
	}
	return r;
}

/* ---- the grants, as the authority has them ---- */

struct beginning {
	struct judged *j;
	struct event_request *q;
	const struct judged_caller *caller; /* NULL: it is no sub-agent */
	struct standing who;
	bool labelled;          /* something was, or may be */
	uint64_t labels, later; /* of grants: from the start on; of connections, when they are used */
	uint32_t n;
	struct {
		authority_ref ref;
		uint64_t labels;
	} brings[GRANTS_MAX]; /* grants of which a label is new */
};

/* One grant. Labels of paths and variables are the event's (LABEL): what another one of the stream is granted has none by itself. So the authority has the grant
 * without them: by it it is found whose files they are (ENTER, MARK), and told what brought them. */
struct described {
	struct standing_grant g;
	uint64_t labels; /* that it brings */
	char object[GRANT_OBJECT_MAX];
};

/* With its object as it was granted, and no flag, label or bound. */
static struct described describe_bare(const struct event_request *q, uint32_t grant)
{
	const struct grant *from = &q->grants.grants[grant];
	const uint32_t depth = from->verb == VERB_DELEGATE ? qualifiers_depth(&from->qualifiers) : 0; /* at most 8 */

	return (struct described){ .g = { .verb = (enum grant_verb)from->verb,
					  .object = grant_object(&q->grants, grant),
					  .terms = "",
					  .depth = (uint8_t)depth } };
}

/* What a grant says of labels, in the authority's bits. */
static int take_flow(struct judged *j, const struct event_request *q, uint32_t grant, struct standing_grant *ret,
		     struct err *e)
{
	struct flow_set closes[FLOW_UNLESS_MAX];
	struct flow f;
	int r;

	if (flow_take(grant_flow(&q->grants, grant), &f) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "what a grant says of labels is not well-formed");
	r = bits_of(j, q, &f.label, &ret->labels, e);
	ret->n_unless = (uint8_t)flow_closes(&f, closes);
	for (uint8_t i = 0; i < ret->n_unless && r == 0; i++)
		r = bits_of(j, q, &closes[i], &ret->unless[i], e);
	if (f.ask)
		ret->flags |= AUTHORITY_ASK_LABELLED;
	return r;
}

static int describe_connect(const struct event_request *q, uint32_t grant, struct described *ret, struct err *e)
{
	struct endpoint p;

	if (endpoint_take(ret->g.object, &p, e) < 0)
		return -(int)e->code;
	p = endpoint_connection(&p); /* without a key that may come with it */
	_Static_assert(sizeof ret->object >= ENDPOINT_TEXT_MAX, "an endpoint is no longer than an object");
	endpoint_put(&p, ret->object);
	ret->g.object = ret->object;
	ret->g.terms = grant_terms(&q->grants, grant);
	take_bounds(q, grant, &ret->g.bounds);
	ret->g.flags |= asks(q, grant) ? AUTHORITY_ASK : 0;
	return 0;
}

/* Of an event, or of who asked for it. */
static int describe(const struct beginning *b, const struct event_request *q, uint32_t grant, struct described *ret,
		    struct err *e)
{
	int r;

	*ret = describe_bare(q, grant);
	r = take_flow(b->j, q, grant, &ret->g,
		      e); /* also where nothing is labelled: it is the same grant when something is */
	ret->labels = ret->g.labels;
	if (r < 0 || ret->g.verb == VERB_LISTEN)
		return r;
	if (ret->g.verb == VERB_CONNECT)
		return describe_connect(q, grant, ret, e);
	(void)text_copy(ret->object, sizeof ret->object, ret->g.object); /* no longer */
	ret->object[grant_told(&q->grants, grant)] = 0; /* the value of a variable is nobody's affair */
	ret->g.object = ret->object;
	ret->g.labels = ret->g.n_unless = 0;
	return 0;
}

/* Before an event begins, of what is shown with its value. */
static void describe_asking(const struct event_request *q, uint32_t grant, struct described *ret)
{
	*ret = describe_bare(q, grant);
	ret->g.flags = AUTHORITY_ASK;
}

static int is_too_old(struct err *e)
{
	return err_why(
		e,
		err_set(e, AMBIT_CONFLICT, "let the caller end, and begin it again",
			"what the sub-agent gets is not known to the person's authority"),
		"its caller, a sub-agent as well, began before there was anything to judge, or has it without being asked");
}

enum which { ASKS, HOLDS };

static authority_ref *slot_of(struct judged_grants *set, uint32_t grant, enum which which)
{
	return which == ASKS ? &set->of[grant].asks : &set->of[grant].holds;
}

/* Of a sub-agent's caller: it is there since that began, or is given now, where the caller itself is no sub-agent. */
static int caller_has(const struct beginning *b, uint32_t grant, enum which which, authority_ref *ret, struct err *e)
{
	struct judged_grants *set = *b->caller->grants;
	authority_ref *slot = slot_of(set, grant, which);
	struct described d;
	int r = 0;

	if (*slot == 0 && which == ASKS && set->who.above != 0) /* asking is less than not asking */
		slot = slot_of(set, grant, HOLDS);
	if (*slot == 0 && set->who.above != 0)
		return is_too_old(e);
	if (*slot == 0 && which == ASKS)
		describe_asking(b->caller->q, grant, &d);
	else if (*slot == 0)
		r = describe(b, b->caller->q, grant, &d, e);
	if (r == 0 && *slot == 0)
		r = standing_grant(b->j->k, &set->who, &d.g, slot, e);
	*ret = *slot;
	return r;
}

static int stand(const struct beginning *b, uint32_t grant, enum which which, struct standing_grant *g,
		 authority_ref *ret, struct err *e)
{
	int r = b->caller != NULL ? caller_has(b, b->caller->from[grant], which, &g->from, e) : 0;

	r = r < 0 ? r : standing_grant(b->j->k, &b->who, g, ret, e);
	if (r == 0)
		*slot_of(b->j->grants, grant, which) = *ret;
	return r;
}

/* By a connection, until that is closed: who holds nothing could go where room is made. */
static int stay(const struct judged_caller *c, authority_ref badge, struct err *e)
{
	struct keeper *k = NULL;
	int r = *c->held < 0 ? standing_open(c->q->store, c->q->ledger, &k, e) : 0;

	r = r < 0 || k == NULL ? r : keeper_bind(k, badge, e);
	if (r < 0)
		keeper_close(k);
	else if (k != NULL)
		*c->held = keeper_hand_on(k);
	return r;
}

/* The caller acts in its own name from its start on, or from now on. */
static int take_caller(const struct beginning *b, struct err *e)
{
	const struct judged_caller *c = b->caller;
	struct judged_grants *made;
	int r;

	if (*c->grants != NULL)
		return 0;
	if (is_sub_agent(c->q))
		return is_too_old(e);
	made = calloc(1, sizeof *made);
	if (made == NULL)
		return err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "no memory for a sub-agent");
	r = standing_take(b->j->k, c->q->stream, c->q->agent, &c->q->budgets[BUDGET_SESSION], &made->who, e);
	r = r < 0 ? r : stay(c, made->who.badge, e);
	if (r < 0)
		free(made);
	else
		*c->grants = made;
	return r;
}

static int take_who(struct beginning *b, struct err *e)
{
	const struct event_request *q = b->q;
	char stream[ID_TEXT_MAX];
	authority_ref delegate = 0;
	const struct standing *above;
	int r;

	if (b->caller == NULL)
		return standing_take(b->j->k, q->stream, q->agent, &q->budgets[BUDGET_SESSION], &b->who, e);
	r = take_caller(b, e);
	r = r < 0 ? r : caller_has(b, b->caller->delegate, HOLDS, &delegate, e);
	if (r < 0)
		return r;
	above = &(*b->caller->grants)->who;
	standing_stream_below(above->stream, q->agent, stream);
	return standing_take_below(b->j->k, above, delegate, stream, q->agent, q->parent, &b->who, e);
}

static bool counts_bytes(const struct event_request *q, uint32_t grant)
{
	return q->grants.grants[grant].verb == VERB_CONNECT &&
	       ((q->kept && q->grants.grants[grant].qualifiers.bytes != 0) || q->budgets[BUDGET_SESSION].bytes != 0 ||
		q->budgets[BUDGET_AGENT].bytes != 0);
}

/* What leads out of the cell, or into it. */
static int give_door(struct beginning *b, uint32_t grant, struct described *d, struct err *e)
{
	struct judge_told *told = &b->j->told;
	struct judge_told_grant *t = &told->grants[told->n];

	t->grant = grant;
	t->asks = d->g.flags != 0;
	t->counted = counts_bytes(b->q, grant);
	t->n_unless = d->g.n_unless;
	memcpy(t->unless, d->g.unless, sizeof t->unless);
	told->n++;
	return stand(b, grant, HOLDS, &d->g, &t->ref, e);
}

static int give_connect(struct beginning *b, uint32_t grant, struct described *d, struct err *e)
{
	struct endpoint p;

	if (endpoint_take(d->g.object, &p, e) < 0)
		return -(int)e->code;
	if (p.kind == ENDPOINT_UNIX && counts_bytes(b->q, grant))
		return err_set(e, AMBIT_UNAVAILABLE, "leave the bytes, or the socket, out",
			       "'connect: %s' is a socket, of which nobody counts the bytes", d->g.object);
	b->later |= d->labels;
	return give_door(b, grant, d, e);
}

/* Of a sub-agent all that its own may be derived from. */
static bool is_held(const struct beginning *b, const struct described *d, uint64_t new)
{
	const bool is_path = d->g.object[0] == '/' && verb_rights(d->g.verb) != 0;

	if (d->g.verb == VERB_DELEGATE || (is_path && b->caller != NULL && delegate_is_granted(&b->q->grants)))
		return true;
	return b->labelled && (is_path || (new != 0 && b->caller == NULL));
}

static int hold(struct beginning *b, uint32_t grant, struct described *d, struct err *e)
{
	const uint64_t new = d->labels & ~b->q->labels;
	authority_ref ref;
	int r;

	b->labels |= d->labels;
	if (!is_held(b, d, new))
		return 0;
	r = stand(b, grant, HOLDS, &d->g, &ref, e);
	if (r == 0 && new != 0) {
		b->brings[b->n].ref = ref;
		b->brings[b->n++].labels = new;
	}
	return r;
}

static int give(struct beginning *b, uint32_t grant, struct err *e)
{
	struct described d;
	int r;

	if (b->q->grants.grants[grant].verb == VERB_DECLASSIFY)
		return 0;
	r = describe(b, b->q, grant, &d, e);
	if (r < 0)
		return r;
	if (d.g.verb == VERB_CONNECT)
		return give_connect(b, grant, &d, e);
	return d.g.verb == VERB_LISTEN ? give_door(b, grant, &d, e) : hold(b, grant, &d, e);
}

/* What is seen without a grant can be labelled, too, by who may write there. Of /etc the base shows nothing that anybody works in. */
static int give_base(struct beginning *b, struct err *e)
{
	struct standing_grant g = { .verb = VERB_READ, .object = "/usr", .terms = "" };
	struct judged_grants *above = b->caller != NULL ? *b->caller->grants : NULL;
	int r = 0;

	if (!b->labelled || !base_shows((enum cell_base)b->q->base, g.object, RIGHT_READ))
		return 0;
	if (above != NULL && above->base == 0)
		r = above->who.above != 0 ? is_too_old(e) : standing_grant(b->j->k, &above->who, &g, &above->base, e);
	g.from = above != NULL ? above->base : 0;
	return r < 0 ? r : standing_grant(b->j->k, &b->who, &g, &b->j->grants->base, e);
}

static int step(const struct beginning *b, const struct authority_request *what, uint64_t *ret, struct err *e)
{
	struct authority_request q = *what;
	struct keeper_answer a;
	int r;

	q.badge = b->who.badge;
	q.terms = "";
	id_read(b->q->event, q.event);
	r = keeper_step(b->j->k, &q, &a, e);
	if (r == 0 && a.verdict != AUTHORITY_ALLOWED)
		r = standing_refused(&a, e);
	if (r == 0 && a.n_late > 0)
		r = standing_late(e);
	if (r == 0)
		*ret = a.labels;
	return r;
}

/* A pipe holds nothing that could be staged. */
static bool is_written_in_place(const struct event_request *q, uint32_t grant)
{
	struct stat st;

	return (q->grants.grants[grant].rights & RIGHT_WRITE) != 0 &&
	       (q->staged == 0 || (stat(grant_object(&q->grants, grant), &st) == 0 && S_ISFIFO(st.st_mode)));
}

/* What is written in place is there at once, also what comes to be written with labels that it does not have yet. */
static int mark_in_place(const struct beginning *b, struct err *e)
{
	uint64_t ignored;
	int r = 0;

	for (uint32_t i = 0; i < b->q->grants.count && r == 0; i++)
		if (is_written_in_place(b->q, i))
			r = step(b,
				 &(struct authority_request){ .op = AUTHORITY_MARK,
							      .labels = b->q->labels_most,
							      .object = grant_object(&b->q->grants, i) },
				 &ignored, e);
	return r;
}

static int label(const struct beginning *b, authority_ref grant, uint64_t labels, struct err *e)
{
	return step(
		b, &(struct authority_request){ .op = AUTHORITY_LABEL, .grant = grant, .labels = labels, .object = "" },
		&b->q->labels, e);
}

static int refuse_listen(const struct beginning *b, uint32_t grant, uint64_t labels, struct err *e)
{
	struct closing c = { .grants = &b->q->grants, .labels = b->q->labels, .more = labels };
	auto_buf from = { .max = 1u << 16 };

	if (closing_init(&c, b->j->k)) {
		closing_add(&c, grant);
		closing_find(&c, b->j->k, b->who.badge);
		result_put_closing(c.found, c.n, &from);
	}
	closing_finish(&c);
	return err_why(e,
		       err_set(e, AMBIT_DENIED, "leave the listen out, or begin another session without these labels",
			       "'listen: %s' is closed by labels", grant_object(&b->q->grants, grant)),
		       "whoever connects could have what is %s",
		       from.len > 0 && buf_cstr(&from) != NULL ? buf_cstr(&from) : "private and untrusted");
}

/* A port of the host's that leads into the cell is open as long as the cell is there. */
static int check_listen(const struct beginning *b, uint64_t labels, struct err *e)
{
	const uint64_t closes = LABEL_PRIVATE | LABEL_UNTRUSTED;

	for (uint32_t i = 0; i < b->q->grants.count; i++)
		if (b->q->grants.grants[i].verb == VERB_LISTEN && (labels & closes) == closes)
			return refuse_listen(b, i, labels, e);
	return 0;
}

static int waits(const struct beginning *b, authority_ref asked, const char *what, struct err *e)
{
	char hint[ERR_HINT_MAX], id[ID_TEXT_MAX];

	standing_question(b->j->k, asked, id);
	(void)snprintf(hint, sizeof hint, "`ambit approve %s` shows it and asks you; then run it again", id);
	return err_set(e, AMBIT_DENIED, hint, "a person is asked first: %s", what);
}

/* One question for each grant: a yes to one is none to the next. */
static int ask_to_begin(struct beginning *b, char *const *argv, uint32_t grant, struct err *e)
{
	const struct grant_set *set = &b->q->grants;
	const enum grant_verb verb = (enum grant_verb)set->grants[grant].verb;
	struct authority_request q = { .op = AUTHORITY_USE, .verb = (uint8_t)verb, .object = "", .terms = "" };
	auto_buf shown = { .max = JUDGE_SHOWN_MAX };
	char what[GRANT_OBJECT_MAX + 16];
	struct described d;
	struct stage_ask times;
	struct keeper_answer a;
	int r = stage_ask_init(&times, STAGE_OP_SETTLE, e);

	describe_asking(b->q, grant, &d);
	(void)snprintf(what, sizeof what, "%s %.*s", verb_word(verb), (int)grant_told(set, grant), d.g.object);
	q.badge = b->who.badge;
	r = r < 0 ? r : stand(b, grant, ASKS, &d.g, &q.grant, e);
	r = r < 0 ? r : standing_name_question(q.id, e);
	if (r < 0)
		return r;
	judge_shown_put(&shown, "begin", what, b->q, argv, grant);
	standing_digest(&shown, q.digest);
	id_read(b->q->event, q.event);
	q.until_ms = clock_unix_ms() + times.keep_ns / 1000000;
	r = keeper_step_shown(b->j->k, &q, shown.data, shown.len, &a, e);
	if (r < 0 || a.verdict == AUTHORITY_ALLOWED)
		return r;
	return a.verdict == AUTHORITY_ASKS
		       ? waits(b, a.made, what, e)
		       : err_set(e, AMBIT_DENIED, NULL, "%s: %s", what,
				 a.why == WHY_REFUSED ? "a person said no"
						      : authority_why_word((enum authority_why)a.why));
}

static int begin(struct beginning *b, char *const *argv, struct err *e)
{
	struct event_request *q = b->q;
	uint64_t given = 0;
	int r = b->caller != NULL ? keeper_labels(b->j->k, &b->j->names, e) : 0;

	r = r < 0 ? r : take_who(b, e);
	if (r == 0 && has_budget(q, BUDGET_AGENT) && b->caller == NULL) /* a sub-agent's is its caller's */
		r = standing_bound(b->j->k, q->agent, &q->budgets[BUDGET_AGENT], e);
	b->j->told.badge = b->who.badge;
	b->j->grants->who = b->who;
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		if (asks_to_begin(q, i)) /* first: what does not begin labels nothing */
			r = ask_to_begin(b, argv, i, e);
	r = r < 0 ? r : label(b, 0, 0, e);
	for (uint32_t i = 0; i < q->grants.count && r == 0; i++)
		r = give(b, i, e);
	r = r < 0 ? r : give_base(b, e);
	r = r < 0 ? r : bits_of(b->j, q, &q->given, &given, e);
	/* what does not begin labels nothing, but by files that are looked for with the rest */
	r = r < 0 ? r : check_listen(b, q->labels | b->labels | given | b->later, e);
	for (uint32_t i = 0; i < b->n && r == 0; i++)
		r = label(b, b->brings[i].ref, b->brings[i].labels, e);
	r = r < 0 ? r : label(b, 0, b->labels | given, e);
	if (r == 0 && b->labelled)
		r = step(b, &(struct authority_request){ .op = AUTHORITY_ENTER, .object = "" }, &q->labels, e);
	q->labels_most = q->labels | b->later;
	r = r < 0 ? r : check_listen(b, q->labels_most, e);
	if (r == 0 && q->own == 0 && q->labels_most != 0)
		r = mark_in_place(b, e);
	return r < 0 ? r : keeper_labels(b->j->k, &b->j->names, e);
}

static bool writes_in_place(const struct event_request *q)
{
	for (uint32_t i = 0; i < q->grants.count && q->own == 0; i++)
		if (is_written_in_place(q, i))
			return true;
	return false;
}

int judged_over(struct event_request *q, struct err *e)
{
	__attribute__((cleanup(judged_finish))) struct judged j = { .k = NULL };
	struct beginning b = { .j = &j, .q = q };
	int r;

	if (!writes_in_place(q) || !standing_is_labelled(q->store))
		return 0;
	r = standing_open(q->store, q->ledger, &j.k, e);
	r = r < 0 ? r : standing_take(j.k, q->stream, q->agent, NULL, &b.who, e);
	r = r < 0 ? r : label(&b, 0, 0, e);
	q->labels_most = q->labels;
	if (r == 0 && q->labels != 0)
		r = mark_in_place(&b, e);
	return r < 0 ? err_context(e, r, "what it wrote in place may lack labels") : 0;
}

int judged_begin(struct judged *j, struct event_request *q, char *const *argv, const struct judged_caller *caller,
		 struct err *e)
{
	struct beginning b = {
		.j = j, .q = q, .caller = caller, .labelled = says_of_labels(q) || standing_is_labelled(q->store)
	};
	int r;

	q->labels = q->labels_most = 0;
	if (!b.labelled && !any_asks(q) && !any_is_bounded(q) && (caller == NULL || !delegate_is_granted(&q->grants)))
		return 0;
	j->grants = calloc(1, sizeof *j->grants);
	r = j->grants != NULL ? standing_open(q->store, q->ledger, &j->k, e)
			      : err_sys(e, AMBIT_MEMORY, ENOMEM, NULL, "no memory for its grants");
	r = r < 0 ? r : begin(&b, argv, e);
	return r < 0 ? err_context(e, r, "what it may do is the person's authority's to say") : 0;
}

/* ---- while it runs ---- */

/* Another connection, by which the supervisor hears what is closed. */
static int open_watch(const struct judged *j, const struct event_request *q, int *ret, struct err *e)
{
	struct keeper *k = NULL;
	uint32_t number;
	int r = standing_open(q->store, q->ledger, &k, e);

	r = r < 0 ? r : keeper_bind(k, j->told.badge, e);
	r = r < 0 ? r : keeper_watch(k, &number, e);
	if (r < 0)
		keeper_close(k);
	else
		*ret = keeper_hand_on(k);
	return r;
}

int judged_tell(struct judged *j, int sock, const struct event_request *q, uint64_t keep_ms, struct err *e)
{
	auto_buf b = { .max = 8192 };
	auto_fd int fd = -1, watch = -1, ledger = -1;
	struct ledger_hello ignored;
	int r;

	if (j->k == NULL || j->told.n == 0)
		return 0;
	j->told.keep_ms = keep_ms;
	r = open_watch(j, q, &watch, e);
	r = r < 0 ? r : keeper_bind(j->k, j->told.badge, e);
	if (r == 0 && q->ledger[0] != 0) /* the event's own is for its entries alone */
		r = ledger_reconnect(q->ledger, &ledger, &ignored, e);
	if (r < 0)
		return err_context(e, r, "what it connects to is the person's authority's to say");
	fd = keeper_hand_on(steal_ptr(&j->k));
	judge_told_put(&b, &j->told);
	r = wire_send(sock, WIRE_EVENT_AUTHORITY, &b, (int[]){ fd, watch, ledger }, ledger < 0 ? 2 : 3);
	return r < 0 ? err_sys(e, AMBIT_GONE, -r, NULL, "the supervisor ended at once") : 0;
}

int judged_hold(struct judged *j, int *ret_fd, struct err *e)
{
	const int r = j->k != NULL ? keeper_bind(j->k, j->told.badge, e) : 0;

	if (r < 0)
		return err_context(e, r, "who acts is the person's authority's to know");
	*ret_fd = j->k != NULL ? keeper_hand_on(steal_ptr(&j->k)) : -1;
	return 0;
}
