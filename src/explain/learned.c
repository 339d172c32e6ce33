#include "explain/learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cell/base.h"
#include "core/denial.h"
#include "explain/sensitive.h"
#include "policy/policy.h"

/* Lines of a policy that a person can still review, of POLICY_LINES_MAX that may be there. */
#define READS_MAX 100
#define WRITES_MAX 60
#define RUNS_MAX 40
#define OBJECTS_MAX (GRANT_POOL_MAX / 6) /* bytes of the paths of one verb: in quotes they may be four times that */
#define ENV_MAX 40

static const char too_much[] = "holds more than what was used of it";
static const char forgotten[] = "without it, this goes to the cell's own home and is forgotten";
static const char obeyed[] = "other programs run or obey what stands there";
static const char holds_it[] = "holds something sensitive that was used, see there";
static const char too_many[] = "one of more than a policy should name: grant what holds them, or fewer";
static const char looked_up[] = "a name was looked up: grant its host by name";
static const char leads_out[] = "whoever is there gets what the program sends";
static const char no_endpoint[] = "no grant can be written for it";
static const char host_socket[] = "its listener would act with its own authority";
static const char no_rule[] = "no rule of its grant means it, so it was not sent";
static const char no_request[] = "it was connected to, and no request was let pass";
static const char no_field[] = "its grant does not allow that field, so it was not sent";
static const char no_socket[] = "its listener would act with its own authority, and no grant can name it";

struct learner {
	const struct event_result *r;
	struct cell_spec *base; /* owned: what a cell shows without a grant */
	struct path_list avoid; /* every sensitive path that was seen, needed or not: no directory may bring it along */
	struct denial denial;   /* scratch */
	struct learned *ret;
};

/* ---- decisions ---- */

static int compare(const struct decision *a, enum grant_verb verb, const char *object)
{
	const int by_object = strcmp(a->object, object);

	return by_object != 0 ? by_object : (int)a->verb - (int)verb;
}

static bool make_room(struct decisions *d)
{
	const size_t cap = d->cap == 0 ? 16 : d->cap * 2; /* bounded by the effects of a record */
	struct decision *grown;

	if (d->n < d->cap)
		return true;
	grown = realloc(d->items, cap * sizeof *grown);
	if (grown == NULL)
		return false;
	d->items = grown;
	d->cap = cap;
	return true;
}

/* Which of two reasons for one thing is told: a table's, then these. */
static int rank(const char *reason)
{
	const char *const order[] = { obeyed, holds_it, too_much, forgotten, too_many };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (reason == order[i])
			return (int)i + 1;
	return 0;
}

static void decide(struct decisions *d, enum grant_verb verb, const char *object, const char *reason)
{
	size_t at = 0;
	char *copy;

	while (at < d->n && compare(&d->items[at], verb, object) < 0)
		at++;
	if (at < d->n && compare(&d->items[at], verb, object) == 0) {
		if (rank(reason) < rank(d->items[at].reason))
			d->items[at].reason = reason;
		return;
	}
	copy = d->failed ? NULL : strdup(object);
	if (copy == NULL || !make_room(d)) {
		free(copy);
		d->failed = true;
		return;
	}
	memmove(d->items + at + 1, d->items + at, (d->n - at) * sizeof *d->items);
	d->items[at] = (struct decision){
		.verb = verb,
		.object = copy,
		.reason = reason,
		.never = reason == looked_up || reason == no_endpoint || reason == no_socket,
		.is_part = reason == no_rule || reason == no_field || reason == no_request,
	};
	d->n++;
}

static void decisions_finish(struct decisions *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->items[i].object);
	free(d->items);
	*d = (struct decisions){ .n = 0 };
}

/* ---- what was needed ---- */

static bool in_workspace(const struct event_result *r, const char *path)
{
	return r->workdir != NULL && path_is_beneath(path, r->workdir);
}

static bool only_in_home(const struct event_result *r, const char *path)
{
	return r->home != NULL && path_is_beneath(path, r->home) && !in_workspace(r, path);
}

/* A directory may be granted: the workspace, which the person chose, unless it is or holds a home; else what is not broad.
 * Neither with a sensitive place in it. */
static bool is_thinkable(const struct event_result *r, const char *path)
{
	return !sensitive_is_beneath(path, r->home) && (in_workspace(r, path) || !is_broad(path, r->home));
}

/* Whether a cell would have allowed it without any grant. What lies in its own /tmp or home is not what lies in the host's:
 * a grant that was used there is needed. */
static bool needs_nothing(const struct learner *l, const struct effect *f, uint32_t right)
{
	if (f->verdict != EFFECT_ALLOWED)
		return false;
	if (f->base != 0 && l->r->base == CELL_BASE_SYSTEM)
		return true;
	if (f->base == 0 && f->grant == GRANT_NONE) /* the program that was asked for */
		return true;
	if (in_workspace(l->r, f->object) || only_in_home(l->r, f->object) ||
	    (f->grant != GRANT_NONE && base_is_private(l->base, f->object)))
		return false;
	return base_allows(l->base, f->object, right);
}

static struct path_list *list_of(struct learned *ret, enum grant_verb verb)
{
	if (verb == VERB_WRITE)
		return &ret->write;
	return verb == VERB_RUN ? &ret->run : &ret->read;
}

/* `verb path` is what would allow f. The rules, in this order. */
static void need(struct learner *l, enum grant_verb verb, const char *path, const struct effect *f)
{
	const char *reason = sensitive_reason(f->object, l->r->home);
	const bool denied = effect_is_denied(f->verdict);

	if (reason != NULL)
		path = f->object; /* the file itself, where its directory would do */
	else
		reason = sensitive_reason(path, l->r->home);
	if (reason == NULL && denied && denial_is_of_obeyed(l->denial.reason))
		reason = obeyed;
	if (reason == NULL && denied && verb == VERB_WRITE && only_in_home(l->r, f->object)) {
		reason = forgotten;
		path = is_thinkable(l->r, path) ? path : f->object; /* never home, even as a suggestion */
	}
	if (reason == NULL && !is_thinkable(l->r, path))
		reason = too_much;
	if (reason != NULL)
		decide(&l->ret->decide, verb, path, reason);
	else
		path_list_add(list_of(l->ret, verb), path);
}

/* What was allowed may have been a new name, or become one: its directory is needed, unless a grant of just this name
 * did. */
static struct effect as_denied(const struct event_result *r, const struct effect *f)
{
	struct effect g = *f;

	if (f->verdict != EFFECT_ALLOWED)
		return g;
	g.verdict = f->grant != GRANT_NONE && strcmp(grant_object(r->grants, f->grant), f->object) == 0
			    ? EFFECT_DENIED
			    : EFFECT_DENIED_NEW;
	return g;
}

static void collect_path(struct learner *l, const struct effect *f)
{
	const uint32_t right = effect_right(f->kind);
	const struct effect g = as_denied(l->r, f);

	if (needs_nothing(l, f, right))
		return;
	denial_of(l->r->grants, &g, &l->denial);
	if (!l->denial.grantable)
		return;
	if (l->denial.verb == VERB_WORK) /* of what `work: .` does not cover, the file alone is learned */
		need(l, VERB_RUN, f->object, f);
	else
		need(l, l->denial.verb, l->denial.object, f);
}

static void collect_runtime(struct learner *l, const struct effect *f)
{
	const char *slash = strrchr(f->object, '/');
	const struct program_traits *t = policy_program_traits(slash != NULL ? slash + 1 : f->object);

	if (t != NULL && t->jit)
		path_list_add(&l->ret->runtimes, t->name);
}

/* A budget is of all hosts that its grant leads to: told apart, each would have it. */
static struct learned_host *host_of(struct learner *l, uint32_t grant, const char *object)
{
	const struct grant_set *set = l->r->grants;
	const struct qualifiers *q = &set->grants[grant].qualifiers;

	return learned_hosts_of(&l->ret->hosts, set, grant,
				q->uses != 0 || q->bytes != 0 || q->rate != 0 ? grant_object(set, grant) : object);
}

/* "inet HOST:PORT", as an endpoint is written; of a socket, which may have been asked for by another name, and of a host with a key, what was granted. */
static void add_endpoint(struct learner *l, const struct effect *f)
{
	static const char inet[] = "inet ", ssh[] = "ssh://";
	const char *granted = grant_object(l->r->grants, f->grant);
	const bool by_host = strncmp(f->object, inet, sizeof inet - 1) == 0 &&
			     strncmp(granted, ssh, sizeof ssh - 1) != 0;
	const char *object = by_host ? f->object + sizeof inet - 1 : granted;

	if (grant_has_conditions(l->r->grants, f->grant))
		(void)host_of(l, f->grant, object);
	else
		path_list_add(&l->ret->connect, object);
}

static const char *reason_of_address(const struct denial *d)
{
	if (d->reason == DENIAL_SOCKET)
		return d->grantable ? host_socket : no_socket;
	if (d->grantable)
		return leads_out;
	return d->reason == DENIAL_LOOKUP ? looked_up : no_endpoint;
}

/* What was granted is learned as it was used; what was not is a person's to decide. */
static void collect_address(struct learner *l, const struct effect *f)
{
	if (f->verdict == EFFECT_ALLOWED) {
		if (f->grant != GRANT_NONE)
			add_endpoint(l, f);
		return;
	}
	denial_of(l->r->grants, f, &l->denial);
	decide(&l->ret->decide, VERB_CONNECT, l->denial.grantable ? l->denial.object : f->object,
	       reason_of_address(&l->denial));
}

static bool allows_operation(const struct terms *granted, const char *operation)
{
	struct terms with = *granted;

	return terms_set(&with, TERM_GRAPHQL, operation, NULL) == 0 && terms_are_within(&with, granted);
}

/* What it lacked, to be added to the grant that lets its host be connected to. */
static void decide_request(struct learner *l, const struct http_told *t)
{
	char rule[HTTP_RULE_TEXT_MAX], text[ENDPOINT_TEXT_MAX + HTTP_RULE_TEXT_MAX + 32];
	const struct grant_request want = { .verb = VERB_CONNECT, .object = t->endpoint };
	const struct grant_decision d = grant_check(l->r->grants, &want);
	struct terms granted;

	if (t->status != 403 || !d.allowed || terms_take(grant_terms(l->r->grants, d.grant), &granted, NULL) < 0)
		return;
	if (http_told_missing(&granted, t, false, rule)) {
		(void)snprintf(text, sizeof text, "%s with http: [%s]", t->endpoint, rule);
		decide(&l->ret->decide, VERB_CONNECT, text, no_rule);
	} else if (t->operation[0] != 0 && !allows_operation(&granted, t->operation)) {
		(void)snprintf(text, sizeof text, "%s with graphql: [%s]", t->endpoint, t->operation);
		decide(&l->ret->decide, VERB_CONNECT, text, no_field);
	}
}

static void collect_request(struct learner *l, const struct effect *f)
{
	struct http_told told;
	struct learned_host *h;

	if (!http_told_take(f->object, &told))
		return;
	if (f->verdict != EFFECT_ALLOWED) {
		decide_request(l, &told);
		return;
	}
	h = f->grant != GRANT_NONE ? host_of(l, f->grant, told.endpoint) : NULL;
	if (h != NULL)
		learned_host_use(h, &told);
}

static void collect(struct learner *l, const struct effect *f)
{
	const bool denied = effect_is_denied(f->verdict);

	if (f->kind == EFFECT_OPAQUE || (f->verdict != EFFECT_ALLOWED && !denied))
		return;
	if (f->kind == EFFECT_REQUEST) {
		collect_request(l, f);
		return;
	}
	if (f->kind == EFFECT_EXEC)
		collect_runtime(l, f);
	if (sensitive_reason(f->object, l->r->home) != NULL)
		path_list_add(&l->avoid, f->object);
	if (f->kind != EFFECT_CONNECT)
		collect_path(l, f);
	else
		collect_address(l, f);
}

/* Nobody knows what of it is needed: no rule at all would mean every request. */
static void decide_unused(struct learner *l)
{
	for (size_t i = 0; i < l->ret->hosts.n; i++) {
		const struct learned_host *h = l->ret->hosts.at[i];
		char terms[TERMS_TEXT_MAX], text[ENDPOINT_TEXT_MAX + TERMS_TEXT_MAX + 8];

		if (!learned_host_is_unused(h))
			continue;
		terms_format(&h->terms, terms);
		(void)snprintf(text, sizeof text, "%s with %s", h->object, terms);
		decide(&l->ret->decide, VERB_CONNECT, text, no_request);
	}
}

static void collect_grants(struct learner *l)
{
	const struct grant_set *set = l->r->grants;
	bool jit = false;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		jit = jit || set->grants[i].verb == VERB_JIT;
		if (set->grants[i].verb == VERB_ENV && l->ret->env.n < ENV_MAX) {
			auto_free char *name = strndup(object, strcspn(object, "="));

			if (name != NULL)
				path_list_add(&l->ret->env, name);
			else
				l->ret->env.failed = true;
		}
	}
	/* `ambit learn` itself grants it to whatever it watches */
	l->ret->jit_unexplained = jit && l->ret->runtimes.n == 0 && l->r->base != CELL_BASE_HOST;
}

/* ---- as few grants ---- */

static bool has_in_workspace(const struct learner *l, const struct path_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (in_workspace(l->r, list->paths[i]))
			return true;
	return false;
}

/* Takes out what another grant covers. */
static void drop_if(struct path_list *list, bool (*is_covered)(const struct learner *l, const char *path),
		    const struct learner *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (is_covered(l, list->paths[i]))
			free(list->paths[i]);
		else
			list->paths[kept++] = list->paths[i];
	}
	list->n = kept;
}

static bool covered_by_work(const struct learner *l, const char *path)
{
	return l->ret->work && in_workspace(l->r, path);
}

/* To write implies to read, and so does to run. */
static bool readable_anyway(const struct learner *l, const char *path)
{
	return covered_by_work(l, path) || path_list_covers(&l->ret->write, path) ||
	       path_list_covers(&l->ret->run, path);
}

/* Decisions about what `work: .` covers are made with it, but for what stays protected or hidden in it. */
static void note_what_work_covers(struct learner *l)
{
	struct decisions *d = &l->ret->decide;
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].verb == VERB_CONNECT || !covered_by_work(l, d->items[i].object) ||
		    d->items[i].reason == obeyed || sensitive_hidden(d->items[i].object) != NULL) {
			d->items[kept++] = d->items[i];
			continue;
		}
		decide(&l->ret->notes, d->items[i].verb, d->items[i].object, d->items[i].reason);
		free(d->items[i].object);
	}
	d->n = kept;
}

static bool holds_sensitive(const struct learner *l, const char *directory)
{
	for (size_t i = 0; i < l->avoid.n; i++)
		if (path_is_beneath(l->avoid.paths[i], directory))
			return true;
	return false;
}

/* A directory that was itself opened or written in, and holds something sensitive, cannot be granted without it. */
static void decide_what_holds_sensitive(struct learner *l, enum grant_verb verb)
{
	struct path_list *list = list_of(l->ret, verb);
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!holds_sensitive(l, list->paths[i])) {
			list->paths[kept++] = list->paths[i];
			continue;
		}
		decide(&l->ret->decide, verb, list->paths[i], holds_it);
		free(list->paths[i]);
	}
	list->n = kept;
}

static bool may_stand(const void *user, const char *directory)
{
	const struct learner *l = user;

	if (!is_thinkable(l->r, directory) || sensitive_reason(directory, l->r->home) != NULL ||
	    holds_sensitive(l, directory))
		return false;
	for (size_t i = 0; i < l->ret->decide.n; i++)
		if (path_is_beneath(l->ret->decide.items[i].object, directory))
			return false;
	return true;
}

/* What is beyond the lines or bytes of one verb is left to the person. */
static void cut(struct learner *l, struct path_list *list, enum grant_verb verb, size_t most)
{
	size_t bytes = 0, kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		bytes += strlen(list->paths[i]) + 1;
		if (kept < most && bytes <= OBJECTS_MAX) {
			list->paths[kept++] = list->paths[i];
			continue;
		}
		decide(&l->ret->decide, verb, list->paths[i], too_many);
		free(list->paths[i]);
	}
	list->n = kept;
}

static void group(struct learner *l, enum grant_verb verb, size_t most)
{
	const struct group_rules rules = {
		.workspace = l->r->workdir, .home = l->r->home, .may_stand = may_stand, .user = l, .most = most
	};

	path_list_group(list_of(l->ret, verb), &rules);
	cut(l, list_of(l->ret, verb), verb, most);
}

/* What another access brought is no longer to be decided. What is sensitive is never among it. */
static void drop_settled(struct learner *l)
{
	struct decisions *d = &l->ret->decide;
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct decision *one = &d->items[i];
		const bool settled = one->verb == VERB_READ ? readable_anyway(l, one->object) ||
								      path_list_covers(&l->ret->read, one->object)
							    : path_list_covers(list_of(l->ret, one->verb), one->object);

		if (settled && one->reason != obeyed && sensitive_hidden(one->object) == NULL)
			free(one->object);
		else
			d->items[kept++] = *one;
	}
	d->n = kept;
}

/* What writes into the workspace and executes from it works there. */
static void make_few(struct learner *l)
{
	struct learned *ret = l->ret;

	ret->work = has_in_workspace(l, &ret->write) && has_in_workspace(l, &ret->run) &&
		    is_thinkable(l->r, l->r->workdir);
	if (ret->work)
		note_what_work_covers(l);
	drop_if(&ret->write, covered_by_work, l);
	drop_if(&ret->run, covered_by_work, l);
	drop_if(&ret->read, covered_by_work, l);
	decide_what_holds_sensitive(l, VERB_WRITE);
	decide_what_holds_sensitive(l, VERB_RUN);
	decide_what_holds_sensitive(l, VERB_READ);
	group(l, VERB_WRITE, WRITES_MAX);
	group(l, VERB_RUN, RUNS_MAX);
	drop_if(&ret->read, readable_anyway, l);
	group(l, VERB_READ, READS_MAX);
	drop_settled(l);
}

/* ---- the whole ---- */

static struct cell_spec *default_base(const struct event_result *r)
{
	struct cell_spec *spec = malloc(sizeof *spec);
	bool full = false;

	if (spec == NULL)
		return NULL;
	spec_init(spec);
	spec->base = CELL_BASE_SYSTEM;
	spec->home = spec_add_text(spec, r->home != NULL ? r->home : "/home/user", &full); /* the first text: it fits */
	return spec;
}

static bool ran_out(const struct learner *by, const struct learned *l)
{
	return by->avoid.failed || l->read.failed || l->write.failed || l->run.failed || l->runtimes.failed ||
	       l->env.failed || l->connect.failed || l->hosts.failed || l->decide.failed || l->notes.failed;
}

int learned_from(const struct event_result *r, struct learned *ret, struct err *e)
{
	auto_free struct learner *l = calloc(1, sizeof *l);
	auto_free struct cell_spec *base = default_base(r);
	bool failed;

	*ret = (struct learned){ .work = false };
	if (l == NULL || base == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to learn a policy");
	l->r = r;
	l->base = base;
	l->ret = ret;
	for (size_t i = 0; i < r->n_effects; i++)
		collect(l, &r->effects[i]);
	collect_grants(l);
	learned_hosts_settle(&ret->hosts);
	decide_unused(l);
	make_few(l);
	failed = ran_out(l, ret);
	path_list_finish(&l->avoid);
	return failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory to learn a policy") : 0;
}

void learned_finish(struct learned *l)
{
	path_list_finish(&l->read);
	path_list_finish(&l->write);
	path_list_finish(&l->run);
	path_list_finish(&l->runtimes);
	path_list_finish(&l->env);
	path_list_finish(&l->connect);
	learned_hosts_finish(&l->hosts);
	decisions_finish(&l->decide);
	decisions_finish(&l->notes);
}
