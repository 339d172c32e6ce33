#include "authority_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"

/* Rows of one kind, in the order in which they were seen first. */
#define SEEN(type)                                                                                                     \
	struct {                                                                                                       \
		type *at;                                                                                              \
		size_t n;                                                                                              \
	}
#define SEE(list) ((list)->at = more((list)->at, (list)->n, sizeof *(list)->at), &(list)->at[(list)->n++])

static void *more(void *old, size_t n, size_t each)
{
	uint8_t *at = old;

	if (n % 16 == 0) {
		at = realloc(old, (n + 16) * each);
		if (at == NULL)
			abort();
	}
	memset(at + n * each, 0, each);
	return at;
}

struct badge_seen {
	struct authority_badge_told told; /* as it was last */
	char agent[AUTHORITY_NAME_MAX];
	bool is_there;
};

struct grant_seen {
	struct authority_grant_told told; /* as it was last */
	char *object, *terms;             /* owned */
	bool is_there, was_revoked;       /* by what was asked, it or one above */
};

struct ask_seen {
	struct authority_ask_told told;
	bool is_there;
};

/* What a person approved, by the answer. */
struct approval {
	authority_ref ask, badge, grant;
	uint8_t digest[AUTHORITY_DIGEST];
	uint64_t until_ms;
	bool session, is_over;
};

struct used {
	authority_ref badge, grant;
	uint8_t key[AUTHORITY_DIGEST], digest[AUTHORITY_DIGEST];
	uint64_t bytes, rows, at_ms;
	bool keyed, passes; /* by a grant `declassify` */
};

struct agent_seen {
	char name[AUTHORITY_NAME_MAX];
	bool is_over;
	struct authority_bounds bounds;
	uint64_t uses;
	double bytes, rows; /* less what was given back: no more than the authority has counted */
};

struct mark_seen {
	char *path;                   /* owned */
	uint64_t labels, now, gained; /* before this step, after it, in it */
};

/* Of one label of a badge: it stays as it is. */
struct origin_seen {
	struct authority_origin_told told; /* but its object */
	char *object;                      /* owned */
};

struct watch {
	uint64_t clock_ms;
	bool all_frozen;
	SEEN(struct badge_seen) badges;
	SEEN(struct grant_seen) grants;
	SEEN(struct ask_seen) asks;
	SEEN(struct approval) approvals;
	SEEN(struct used) used;
	SEEN(struct agent_seen) agents;
	SEEN(struct mark_seen) marks;
	SEEN(struct origin_seen) origins;
	SEEN(authority_ref) frozen; /* 0: thawed since */
	char *said;                 /* borrowed, during a call */
};

struct watch *watch_create(void)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		abort();
	return w;
}

void watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->grants.n; i++) {
		free(w->grants.at[i].object);
		free(w->grants.at[i].terms);
	}
	for (size_t i = 0; i < w->marks.n; i++)
		free(w->marks.at[i].path);
	for (size_t i = 0; i < w->origins.n; i++)
		free(w->origins.at[i].object);
	free(w->badges.at);
	free(w->grants.at);
	free(w->asks.at);
	free(w->approvals.at);
	free(w->used.at);
	free(w->agents.at);
	free(w->marks.at);
	free(w->origins.at);
	free(w->frozen.at);
	free(w);
}

static bool broken(struct watch *w, const char *what, authority_ref ref)
{
	(void)snprintf(w->said, WATCH_SAID_MAX, "%s (%#" PRIx64 ")", what, ref);
	return false;
}

static char *own(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		abort();
	return copy;
}

static struct badge_seen *badge_seen(struct watch *w, authority_ref ref)
{
	for (size_t i = 0; i < w->badges.n; i++)
		if (ref != 0 && w->badges.at[i].told.ref == ref)
			return &w->badges.at[i];
	return NULL;
}

static struct grant_seen *grant_seen(struct watch *w, authority_ref ref)
{
	for (size_t i = 0; i < w->grants.n; i++)
		if (ref != 0 && w->grants.at[i].told.ref == ref)
			return &w->grants.at[i];
	return NULL;
}

static struct ask_seen *ask_seen(struct watch *w, authority_ref ref)
{
	for (size_t i = 0; i < w->asks.n; i++)
		if (ref != 0 && w->asks.at[i].told.ref == ref)
			return &w->asks.at[i];
	return NULL;
}

static bool is_digest(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, AUTHORITY_DIGEST) == 0;
}

/* Whether `ref` is the grant, or one that it was derived from. */
static bool grant_is_of(struct watch *w, authority_ref grant, authority_ref ref)
{
	for (struct grant_seen *g = grant_seen(w, grant); g != NULL; g = grant_seen(w, g->told.parent))
		if (g->told.ref == ref)
			return true;
	return false;
}

static bool badge_is_of(struct watch *w, authority_ref badge, authority_ref ref)
{
	for (struct badge_seen *b = badge_seen(w, badge); b != NULL; b = badge_seen(w, b->told.parent))
		if (b->told.ref == ref)
			return true;
	return false;
}

/* ---- a grant and what it was derived from ---- */

enum level { GOES, ASKS, STOPS };

static enum level level_under(const struct authority_grant_told *g, uint64_t labels)
{
	for (unsigned i = 0; i < g->n_unless; i++)
		if ((g->unless[i] & ~labels) == 0)
			return (g->flags & AUTHORITY_ASK_LABELLED) != 0 ? ASKS : STOPS;
	return (g->flags & AUTHORITY_ASK) != 0 ? ASKS : GOES;
}

/* For whoever has these labels: those that come by a connection are there as well. */
static enum level level_of(const struct authority_grant_told *g, uint64_t labels)
{
	return level_under(g, labels | (g->verb == VERB_CONNECT || g->verb == VERB_LISTEN ? g->labels : 0));
}

/* Under each label that changes something for the parent. */
static bool asks_no_less(const struct authority_grant_told *child, const struct authority_grant_told *parent)
{
	for (unsigned i = 0; i < parent->n_unless; i++)
		if (level_of(child, parent->unless[i]) < level_of(parent, parent->unless[i]))
			return false;
	return level_of(child, 0) >= level_of(parent, 0);
}

static bool minute_is_in(const struct window *w, unsigned minute)
{
	const bool wraps = w->to < w->from;

	if (w->from == w->to)
		return true;
	return wraps ? !(minute >= w->to && minute < w->from) : minute >= w->from && minute < w->to;
}

static bool hours_are_fewer(const struct window *child, const struct window *parent)
{
	for (unsigned minute = 0; minute < WINDOW_DAY && parent->from != parent->to; minute++)
		if (minute_is_in(child, minute) && !minute_is_in(parent, minute))
			return false;
	return parent->from == parent->to || strcmp(child->zone, parent->zone) == 0;
}

static bool bounds_less(uint64_t child, uint64_t parent)
{
	return parent != 0 && (child == 0 || child > parent);
}

static bool numbers_are_fewer(const struct authority_bounds *child, const struct authority_bounds *parent)
{
	const struct qualifiers *c = &child->q, *p = &parent->q;

	if (bounds_less(c->uses, p->uses) || bounds_less(c->bytes, p->bytes) ||
	    bounds_less(child->rows, parent->rows) || bounds_less(c->until_s, p->until_s) || c->ech > p->ech)
		return false;
	return p->rate == 0 ||
	       (c->rate != 0 && c->rate <= p->rate && (double)c->rate / c->period_s <= (double)p->rate / p->period_s);
}

/* The rights on what is at the object, as bits of RIGHT_*. */
static uint32_t rights_at(const struct authority_grant_told *g, const char *path)
{
	const size_t n = strlen(g->object);

	if (g->object[0] != '/' || strncmp(path, g->object, n) != 0)
		return 0;
	return n == 1 || path[n] == 0 || path[n] == '/' ? verb_rights((enum grant_verb)g->verb) : 0;
}

static bool object_is_narrower(const struct authority_grant_told *child, const struct authority_grant_told *parent)
{
	const uint32_t rights = rights_at(child, child->object);
	struct endpoint in, out;

	if (rights != 0)
		return (rights_at(parent, child->object) & rights) == rights;
	if (child->verb != parent->verb)
		return false;
	if (child->verb == VERB_DELEGATE && strcmp(parent->object, "*") == 0)
		return true;
	if (child->verb == VERB_TOOL &&
	    parent->object[strlen(parent->object) - 1] == '*') /* what stands before it is the same */
		return memcmp(child->object, parent->object, strlen(parent->object) - 1) == 0;
	if (child->verb == VERB_CONNECT)
		return endpoint_take(child->object, &in, NULL) == 0 && endpoint_take(parent->object, &out, NULL) == 0 &&
		       endpoint_is_within(&in, &out);
	return strcmp(child->object, parent->object) == 0;
}

static bool terms_are_narrower(const char *child, const char *parent)
{
	struct terms in, out;

	if (strcmp(child, parent) == 0 || parent[0] == 0)
		return true;
	return child[0] != 0 && terms_take(child, &in, NULL) == 0 && terms_take(parent, &out, NULL) == 0 &&
	       terms_are_within(&in, &out);
}

static const char *wider(const struct authority_grant_told *child, const struct authority_grant_told *parent)
{
	const bool takes_off = child->verb == VERB_DECLASSIFY;

	if (!object_is_narrower(child, parent))
		return "a derived grant has a wider object than its parent";
	if (!terms_are_narrower(child->terms, parent->terms))
		return "a derived grant has wider terms than its parent";
	if (!numbers_are_fewer(&child->bounds, &parent->bounds))
		return "a derived grant has larger numbers than its parent";
	if (!hours_are_fewer(&child->bounds.window, &parent->bounds.window))
		return "a derived grant has more hours than its parent";
	if (!asks_no_less(child, parent))
		return "a derived grant is refused or asks where its parent is and does not";
	if (((takes_off ? child->labels & ~parent->labels : parent->labels & ~child->labels)) != 0)
		return "a derived grant lost labels of its parent, or takes off more";
	if (child->depth + (child->badge != parent->badge) > parent->depth + (child->verb != VERB_DELEGATE))
		return "a derived grant is deeper than its parent";
	return NULL;
}

/* ---- what is true at a moment ---- */

struct sums {
	uint64_t uses, bytes, rows;
};

static bool are_over(const struct sums *s, const struct authority_bounds *b)
{
	return (b->q.uses != 0 && s->uses > b->q.uses) || (b->q.bytes != 0 && s->bytes > b->q.bytes) ||
	       (b->rows != 0 && s->rows > b->rows);
}

static bool add_up(struct sums *sum, uint64_t uses, uint64_t bytes, uint64_t rows)
{
	return !__builtin_add_overflow(sum->uses, uses, &sum->uses) &&
	       !__builtin_add_overflow(sum->bytes, bytes, &sum->bytes) &&
	       !__builtin_add_overflow(sum->rows, rows, &sum->rows);
}

static bool grant_makes_sense(struct watch *w, const struct grant_seen *g)
{
	const struct authority_grant_told *t = &g->told;
	const struct grant_seen *parent = grant_seen(w, t->parent);
	const struct badge_seen *badge = badge_seen(w, t->badge);
	const char *what;
	struct sums children = { .uses = 0 };

	if (badge == NULL || !badge->is_there || (t->parent != 0 && (parent == NULL || !parent->is_there)))
		return broken(w, "a grant of nobody, or derived from nothing", t->ref);
	if (are_over(&(struct sums){ t->uses, t->bytes, t->rows }, &t->bounds))
		return broken(w, "more was used of a grant than its bound", t->ref);
	if (t->lent_bytes > t->bytes || t->lent_rows > t->rows)
		return broken(w, "more was lent of a grant than was used", t->ref);
	for (size_t i = 0; i < w->grants.n; i++)
		if (w->grants.at[i].is_there && w->grants.at[i].told.parent == t->ref &&
		    !add_up(&children, w->grants.at[i].told.uses, w->grants.at[i].told.bytes,
			    w->grants.at[i].told.rows))
			return broken(w, "what was used of derived grants is no number", t->ref);
	if (children.uses > t->uses || children.bytes > t->bytes || children.rows > t->rows)
		return broken(w, "derived grants used more than what they were derived from", t->ref);
	if (parent == NULL)
		return badge->told.parent == 0 || broken(w, "a sub-agent has a grant that was not derived", t->ref);
	if (parent->told.revoked && !t->revoked)
		return broken(w, "a grant is not revoked with its parent", t->ref);
	if (parent->told.expired && !t->expired && !t->revoked)
		return broken(w, "a grant is not expired with its parent", t->ref);
	if (parent->told.badge != t->badge && badge->told.parent != parent->told.badge)
		return broken(w, "a grant was derived for no sub-agent of its own", t->ref);
	what = wider(t, &parent->told);
	return what == NULL || broken(w, what, t->ref);
}

static bool badge_makes_sense(struct watch *w, const struct badge_seen *b)
{
	const struct badge_seen *parent = badge_seen(w, b->told.parent);
	struct sums children = { .uses = 0 };

	if (b->told.parent != 0 && (parent == NULL || !parent->is_there))
		return broken(w, "a sub-agent of nobody", b->told.ref);
	if (b->told.depth != (parent != NULL ? parent->told.depth + 1 : 0) || b->told.depth > AUTHORITY_DEPTH_MAX)
		return broken(w, "a badge has a depth that is not its own, or too deep", b->told.ref);
	if (parent != NULL && parent->told.frozen && !b->told.frozen)
		return broken(w, "a sub-agent is not frozen with its parent", b->told.ref);
	if (are_over(&(struct sums){ b->told.uses, b->told.bytes, b->told.rows }, &b->told.bounds))
		return broken(w, "a badge used more than its bound", b->told.ref);
	for (size_t i = 0; i < w->badges.n; i++)
		if (w->badges.at[i].is_there && w->badges.at[i].told.parent == b->told.ref &&
		    !add_up(&children, w->badges.at[i].told.uses, w->badges.at[i].told.bytes,
			    w->badges.at[i].told.rows))
			return broken(w, "what sub-agents used is no number", b->told.ref);
	if (children.uses > b->told.uses || children.bytes > b->told.bytes || children.rows > b->told.rows)
		return broken(w, "sub-agents used more than their parent", b->told.ref);
	return true;
}

static bool ask_makes_sense(struct watch *w, const struct ask_seen *s)
{
	const struct grant_seen *grant = grant_seen(w, s->told.grant);
	struct badge_seen *top = badge_seen(w, s->told.badge);
	unsigned waiting = 0;

	if (top == NULL || !top->is_there || grant == NULL || !grant->is_there || grant->told.badge != s->told.badge)
		return broken(w, "a question of nobody, or for another's grant", s->told.ref);
	if (grant->told.revoked)
		return broken(w, "a question for a grant that is revoked", s->told.ref);
	if (s->told.state < ASK_WAITS || s->told.state > ASK_REFUSED ||
	    (s->told.session && s->told.state != ASK_APPROVED))
		return broken(w, "a question in no state", s->told.ref);
	for (struct badge_seen *above = top; above != NULL; above = badge_seen(w, above->told.parent))
		top = above;
	for (size_t i = 0; i < w->asks.n; i++)
		waiting += w->asks.at[i].is_there && w->asks.at[i].told.state == ASK_WAITS &&
			   badge_is_of(w, w->asks.at[i].told.badge, top->told.ref);
	return waiting <= AUTHORITY_WAITING_MAX || broken(w, "too many questions wait", top->told.ref);
}

static bool all_makes_sense(struct watch *w)
{
	for (size_t i = 0; i < w->badges.n; i++)
		if (w->badges.at[i].is_there && !badge_makes_sense(w, &w->badges.at[i]))
			return false;
	for (size_t i = 0; i < w->grants.n; i++)
		if (w->grants.at[i].is_there && !grant_makes_sense(w, &w->grants.at[i]))
			return false;
	for (size_t i = 0; i < w->asks.n; i++)
		if (w->asks.at[i].is_there && !ask_makes_sense(w, &w->asks.at[i]))
			return false;
	return true;
}

/* ---- what may not change from one moment to the next ---- */

static bool badge_goes_on(struct watch *w, const struct authority_badge_told *t)
{
	struct badge_seen *b = badge_seen(w, t->ref);

	if (b == NULL) {
		b = SEE(&w->badges);
		b->told = *t;
		(void)snprintf(b->agent, sizeof b->agent, "%s", t->agent);
	} else if (b->is_there) {
		return broken(w, "two badges have one reference", t->ref);
	}
	if (b->told.bounds.q.uses != t->bounds.q.uses || b->told.bounds.q.bytes != t->bounds.q.bytes ||
	    b->told.bounds.rows != t->bounds.rows || b->told.bounds.q.rate != t->bounds.q.rate)
		return broken(w, "a badge has other bounds than it had", t->ref);
	if (b->told.parent != t->parent || memcmp(b->told.id, t->id, AUTHORITY_ID) != 0 ||
	    strcmp(b->agent, t->agent) != 0)
		return broken(w, "a badge's reference means another one", t->ref);
	if ((b->told.labels & ~t->labels) != 0)
		return broken(w, "labels of a badge are gone", t->ref);
	if (b->told.uses > t->uses)
		return broken(w, "uses of a badge are forgotten", t->ref);
	b->told = *t;
	b->told.agent = b->agent;
	b->is_there = true;
	return true;
}

static bool is_same_grant(const struct grant_seen *g, const struct authority_grant_told *t)
{
	const struct authority_grant_told *o = &g->told;

	return o->parent == t->parent && o->badge == t->badge && memcmp(o->id, t->id, AUTHORITY_ID) == 0 &&
	       o->verb == t->verb && o->flags == t->flags && o->depth == t->depth && o->labels == t->labels &&
	       o->n_unless == t->n_unless && memcmp(o->unless, t->unless, t->n_unless * sizeof t->unless[0]) == 0 &&
	       qualifiers_are_same(&o->bounds.q, &t->bounds.q) && o->bounds.rows == t->bounds.rows &&
	       o->bounds.window.from == t->bounds.window.from && o->bounds.window.to == t->bounds.window.to &&
	       strcmp(g->object, t->object) == 0 && strcmp(g->terms, t->terms) == 0;
}

/* `back`: the grant of which something is given back in this step, or 0. */
static bool grant_goes_on(struct watch *w, const struct authority_grant_told *t, authority_ref back)
{
	struct grant_seen *g = grant_seen(w, t->ref);
	char *object, *terms;

	if (g == NULL) {
		g = SEE(&w->grants);
		g->told = *t;
		g->object = own(t->object);
		g->terms = own(t->terms);
	} else if (g->is_there) {
		return broken(w, "two grants have one reference", t->ref);
	}
	if (!is_same_grant(g, t))
		return broken(w, "a grant's reference means another one", t->ref);
	if ((g->told.revoked && !t->revoked) || (g->told.expired && !t->expired))
		return broken(w, "what ended has not", t->ref);
	if (g->told.uses > t->uses ||
	    ((g->told.bytes > t->bytes || g->told.rows > t->rows) && (back == 0 || !grant_is_of(w, back, t->ref))))
		return broken(w, "what was used of a grant is forgotten", t->ref);
	object = g->object;
	terms = g->terms;
	g->told = *t;
	g->told.object = object;
	g->told.terms = terms;
	g->is_there = true;
	return true;
}

static bool ask_goes_on(struct watch *w, const struct authority_ask_told *t)
{
	struct ask_seen *s = ask_seen(w, t->ref);

	if (s == NULL) {
		s = SEE(&w->asks);
		s->told = *t;
		if (t->state != ASK_WAITS && w->clock_ms != UINT64_MAX)
			return broken(w, "a question begins with an answer", t->ref);
	}
	if (s->told.grant != t->grant || s->told.badge != t->badge || !is_digest(s->told.digest, t->digest) ||
	    (s->told.state != ASK_WAITS && s->told.state != t->state))
		return broken(w, "a question became another, or has another answer", t->ref);
	s->told = *t;
	s->is_there = true;
	return true;
}

static bool mark_goes_on(struct watch *w, const struct authority_mark_told *t)
{
	size_t i = 0;

	while (i < w->marks.n && strcmp(w->marks.at[i].path, t->path) != 0)
		i++;
	if (i == w->marks.n)
		SEE(&w->marks)->path = own(t->path);
	w->marks.at[i].gained = t->labels & ~w->marks.at[i].labels;
	w->marks.at[i].now = t->labels;
	return true;
}

static bool is_at_or_in(const char *path, const char *directory)
{
	const size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && (n == 1 || path[n] == 0 || path[n] == '/');
}

/* What is labelled stays so, by its own mark or one above, but for what a person takes off: of that path. */
/* A sub-agent, and who asked for it. */
static bool trees_share_their_labels(struct watch *w)
{
	for (size_t i = 0; i < w->badges.n; i++) {
		const struct badge_seen *b = &w->badges.at[i];
		const struct badge_seen *above = b->is_there && b->told.parent != 0 ? badge_seen(w, b->told.parent)
										    : NULL;

		if (above != NULL && above->told.labels != b->told.labels)
			return broken(w, "a badge and the one above it have other labels", b->told.ref);
	}
	return true;
}

static bool paths_keep_their_labels(struct watch *w, const struct authority_request *q)
{
	for (size_t i = 0; i < w->marks.n; i++) {
		struct mark_seen *m = &w->marks.at[i];
		uint64_t there = q->op == AUTHORITY_UNMARK && strcmp(m->path, q->object) == 0 ? q->labels : 0;

		for (size_t k = 0; k < w->marks.n; k++)
			if (is_at_or_in(m->path, w->marks.at[k].path))
				there |= w->marks.at[k].now;
		if ((m->labels & ~there) != 0)
			return broken(w, "labels of a path are gone", i);
	}
	for (size_t i = 0; i < w->marks.n; i++)
		w->marks.at[i].labels = w->marks.at[i].now;
	return true;
}

static bool origin_goes_on(struct watch *w, const struct authority_origin_told *t)
{
	const struct badge_seen *badge = badge_seen(w, t->badge);
	struct origin_seen *o;
	size_t i = 0;

	if (badge == NULL || !badge->is_there || (badge->told.labels >> t->label & 1) == 0)
		return broken(w, "a label that is not there came from somewhere", t->badge);
	while (i < w->origins.n && (w->origins.at[i].told.badge != t->badge || w->origins.at[i].told.label != t->label))
		i++;
	if (i == w->origins.n)
		*SEE(&w->origins) = (struct origin_seen){ *t, own(t->object) };
	o = &w->origins.at[i];
	if (o->told.by == AUTHORITY_BY_MARK && t->by == AUTHORITY_BY_MARK && is_at_or_in(o->object, t->object)) {
		free(o->object); /* its mark was joined */
		o->object = own(t->object);
	}
	if (o->told.by != t->by || o->told.verb != t->verb || strcmp(o->object, t->object) != 0 ||
	    memcmp(o->told.event, t->event, AUTHORITY_ID) != 0 || memcmp(o->told.from, t->from, AUTHORITY_ID) != 0)
		return broken(w, "a label came from elsewhere before", t->badge);
	return true;
}

static bool lists_go_on(struct watch *w, const struct authority *a, const struct authority_request *q)
{
	const struct authority_size *size = authority_size(a);
	struct authority_badge_told badge;
	struct authority_grant_told grant;
	struct authority_ask_told question;
	struct authority_mark_told mark;
	const authority_ref back = q->op == AUTHORITY_RETURN ? q->grant : 0;
	struct authority_origin_told origin;

	for (size_t i = 0; i < w->badges.n; i++)
		w->badges.at[i].is_there = false;
	for (size_t i = 0; i < w->grants.n; i++)
		w->grants.at[i].is_there = false;
	for (size_t i = 0; i < w->asks.n; i++)
		w->asks.at[i].is_there = false;
	for (size_t i = 0; i < w->marks.n; i++)
		w->marks.at[i].now = w->marks.at[i].gained = 0;
	for (uint32_t row = 0; row < size->badges; row++)
		if (authority_badge_at(a, row, &badge) && !badge_goes_on(w, &badge))
			return false;
	for (uint32_t row = 0; row < size->grants; row++)
		if (authority_grant_at(a, row, &grant) && !grant_goes_on(w, &grant, back))
			return false;
	for (uint32_t row = 0; row < size->asks; row++)
		if (authority_ask_at(a, row, &question) && !ask_goes_on(w, &question))
			return false;
	for (uint32_t row = 0; row < size->marks; row++)
		if (authority_mark_at(a, row, &mark) && !mark_goes_on(w, &mark))
			return false;
	for (uint32_t row = 0; row < size->origins; row++)
		if (authority_origin_at(a, row, &origin) && !origin_goes_on(w, &origin))
			return false;
	return trees_share_their_labels(w) && paths_keep_their_labels(w, q);
}

/* ---- what was answered ---- */

static bool is_frozen(struct watch *w, authority_ref badge)
{
	for (size_t i = 0; i < w->frozen.n; i++)
		if (w->frozen.at[i] != 0 && badge_is_of(w, badge, w->frozen.at[i]))
			return true;
	return w->all_frozen;
}

/* That it may be used at all, or derived from. */
static bool is_usable(struct watch *w, const struct authority_request *q)
{
	const struct badge_seen *badge = badge_seen(w, q->badge);
	const struct grant_seen *grant = grant_seen(w, q->grant);

	if (badge == NULL || !badge->is_there || grant == NULL || !grant->is_there || grant->told.badge != q->badge)
		return broken(w, "what is not held was allowed", q->grant);
	if (is_frozen(w, q->badge))
		return broken(w, "what is frozen was allowed", q->badge);
	for (const struct grant_seen *g = grant; g != NULL; g = grant_seen(w, g->told.parent)) {
		if (g->was_revoked)
			return broken(w, "what was revoked, or derived from it, was allowed", g->told.ref);
		if (g->told.expired || (g->told.bounds.q.until_s != 0 && g->told.bounds.q.until_s <= q->now_ms / 1000))
			return broken(w, "what expired, or was derived from it, was allowed", g->told.ref);
	}
	return true;
}

/* Whether a person approved just this; it is used up by that. */
static bool use_approval(struct watch *w, const struct authority_request *q)
{
	for (size_t i = 0; i < w->approvals.n; i++) {
		struct approval *p = &w->approvals.at[i];

		if (p->is_over || p->badge != q->badge || p->grant != q->grant || !is_digest(p->digest, q->digest))
			continue;
		p->is_over = !p->session;
		return true;
	}
	return false;
}

static bool labels_let_it(struct watch *w, const struct authority_request *q, const struct grant_seen *g)
{
	const struct badge_seen *badge = badge_seen(w, q->badge);
	enum level level = level_of(&g->told, badge != NULL ? badge->told.labels : 0);

	for (size_t i = 0; i < w->used.n; i++) /* what a pass may have taken off is not looked at */
		if (w->used.at[i].passes && w->used.at[i].badge == q->badge &&
		    is_digest(w->used.at[i].digest, q->digest))
			level = level_under(&g->told, 0);
	if (level == STOPS)
		return broken(w, "what labels refuse was allowed", q->grant);
	return level == GOES || use_approval(w, q) ||
	       broken(w, "what asks was allowed without an approval of it", q->grant);
}

/* In a period no more than twice as many as at once. */
static bool rate_is_kept(struct watch *w, const struct grant_seen *grant)
{
	for (const struct grant_seen *g = grant; g != NULL; g = grant_seen(w, g->told.parent)) {
		const struct qualifiers *q = &g->told.bounds.q;
		uint64_t n = 0;

		if (q->rate == 0)
			continue;
		for (size_t i = 0; i < w->used.n; i++)
			n += w->clock_ms - w->used.at[i].at_ms < q->period_s * UINT64_C(1000) &&
			     grant_is_of(w, w->used.at[i].grant, g->told.ref);
		if (n > UINT64_C(2) * q->rate)
			return broken(w, "a grant was used faster than its rate", g->told.ref);
	}
	return true;
}

static bool agent_is_of(struct watch *w, authority_ref badge, const char *name)
{
	const struct badge_seen *b = badge_seen(w, badge);

	while (b != NULL && b->told.parent != 0)
		b = badge_seen(w, b->told.parent);
	return b != NULL && strcmp(b->agent, name) == 0;
}

static bool agents_are_charged(struct watch *w, const struct authority_request *q, double bytes, double rows)
{
	const struct grant_seen *grant = grant_seen(w, q->grant);

	if (grant != NULL && grant->told.verb == VERB_DELEGATE) /* it counts by itself */
		return true;
	for (size_t i = 0; i < w->agents.n; i++) {
		struct agent_seen *agent = &w->agents.at[i];

		if (agent->is_over || !agent_is_of(w, q->badge, agent->name))
			continue;
		agent->uses += bytes >= 0 && rows >= 0 && q->op != AUTHORITY_RETURN && q->op != AUTHORITY_MORE;
		agent->bytes += bytes;
		agent->rows += rows;
		if (q->op == AUTHORITY_RETURN)
			continue;
		if ((q->op != AUTHORITY_MORE && agent->bounds.q.uses != 0 && agent->uses > agent->bounds.q.uses) ||
		    (agent->bounds.q.bytes != 0 && agent->bytes > (double)agent->bounds.q.bytes) ||
		    (agent->bounds.rows != 0 && agent->rows > (double)agent->bounds.rows))
			return broken(w, "an agent used more than its bound", q->badge);
	}
	return true;
}

static bool is_as_recorded(const struct used *u, const struct authority_request *q)
{
	return u->grant == q->grant && is_digest(u->digest, q->digest) && u->bytes == q->bytes && u->rows == q->rows;
}

static const struct used *used_by_key(struct watch *w, const struct authority_request *q)
{
	for (size_t i = 0; i < w->used.n; i++)
		if (w->used.at[i].keyed && w->used.at[i].badge == q->badge && is_digest(w->used.at[i].key, q->key))
			return &w->used.at[i];
	return NULL;
}

static bool use_is_right(struct watch *w, const struct authority_request *q, const struct authority_answer *answer)
{
	const bool opens = q->op == AUTHORITY_OPEN, keyed = !opens && (q->flags & AUTHORITY_KEYED) != 0;
	const struct used *before = keyed ? used_by_key(w, q) : NULL;
	const struct grant_seen *grant = grant_seen(w, q->grant);
	struct used *u;

	if (!is_usable(w, q))
		return false;
	if ((answer->why == WHY_RECORDED) != (before != NULL) || (before != NULL && !is_as_recorded(before, q)))
		return broken(w, "a key does not mean what was recorded with it", q->grant);
	if (before != NULL)
		return true;
	if (!minute_is_in(&grant->told.bounds.window, q->minute) ||
	    (grant->told.bounds.window.from != grant->told.bounds.window.to && q->minute >= WINDOW_DAY))
		return broken(w, "a use at another time of day was allowed", q->grant);
	if (!labels_let_it(w, q, grant) ||
	    !agents_are_charged(w, q, opens ? 0 : (double)q->bytes, opens ? 0 : (double)q->rows))
		return false;
	u = SEE(&w->used);
	*u = (struct used){ .badge = q->badge, .grant = q->grant, .at_ms = w->clock_ms, .keyed = keyed };
	u->bytes = opens ? 0 : q->bytes;
	u->rows = opens ? 0 : q->rows;
	u->passes = grant->told.verb == VERB_DECLASSIFY;
	memcpy(u->digest, q->digest, AUTHORITY_DIGEST);
	memcpy(u->key, q->key, AUTHORITY_DIGEST);
	return rate_is_kept(w, grant);
}

static void agent_is_set(struct watch *w, const struct authority_request *q)
{
	const bool none = q->bounds.q.uses == 0 && q->bounds.q.bytes == 0 && q->bounds.rows == 0 &&
			  q->bounds.q.rate == 0;
	size_t i = 0;

	while (i < w->agents.n && (w->agents.at[i].is_over || strcmp(w->agents.at[i].name, q->object) != 0))
		i++;
	if (i == w->agents.n)
		(void)snprintf(SEE(&w->agents)->name, AUTHORITY_NAME_MAX, "%s", q->object);
	w->agents.at[i].bounds = q->bounds;
	w->agents.at[i].is_over = none;
}

static bool is_answered(struct watch *w, const struct authority_request *q)
{
	const struct ask_seen *s = ask_seen(w, q->ask);
	struct approval *p;

	if (s == NULL || !s->is_there || s->told.state != ASK_WAITS || !is_digest(s->told.digest, q->digest))
		return broken(w, "an answer was taken for no question that waits", q->ask);
	if ((q->flags & AUTHORITY_YES) == 0)
		return true;
	p = SEE(&w->approvals);
	*p = (struct approval){
		.ask = q->ask, .badge = s->told.badge, .grant = s->told.grant, .until_ms = q->until_ms
	};
	p->session = (q->flags & AUTHORITY_SESSION) != 0;
	memcpy(p->digest, q->digest, AUTHORITY_DIGEST);
	return true;
}

static void is_revoked(struct watch *w, authority_ref ref)
{
	for (size_t i = 0; i < w->grants.n; i++)
		if (grant_is_of(w, w->grants.at[i].told.ref, ref))
			w->grants.at[i].was_revoked = true;
}

/* A person's word, for one that does not hang on what ended. */
static bool is_restored(struct watch *w, authority_ref ref)
{
	struct grant_seen *g = grant_seen(w, ref), *parent = g != NULL ? grant_seen(w, g->told.parent) : NULL;

	if (g == NULL || !g->is_there || (parent != NULL && (parent->was_revoked || parent->told.expired)))
		return broken(w, "what hangs on what ended was restored", ref);
	g->was_revoked = g->told.revoked = false;
	return true;
}

static void is_thawed(struct watch *w, authority_ref ref)
{
	for (size_t i = 0; i < w->frozen.n; i++)
		if (w->frozen.at[i] == ref)
			w->frozen.at[i] = 0;
}

/* By what was seen before this step. */
static bool answer_is_right(struct watch *w, const struct authority_request *q, const struct authority_answer *answer)
{
	const bool goes = answer->verdict == AUTHORITY_ALLOWED;

	for (size_t i = 0; i < w->approvals.n; i++)
		if (w->approvals.at[i].until_ms <= q->now_ms)
			w->approvals.at[i].is_over = true;
	if ((answer->verdict == AUTHORITY_DENIED) != (answer->why >= WHY_NOT_HELD) ||
	    (answer->verdict == AUTHORITY_DENIED && answer->made != 0 && answer->why != WHY_TAKEN &&
	     !((q->op == AUTHORITY_GIVE || q->op == AUTHORITY_DERIVE) &&
	       (answer->why == WHY_REVOKED || answer->why == WHY_EXPIRED))))
		return broken(w, "a verdict that its reason does not mean", answer->why);
	if (!goes)
		return true;
	switch ((enum authority_op)q->op) {
	case AUTHORITY_USE: return use_is_right(w, q, answer);
	case AUTHORITY_OPEN: return q->badge == 0 || use_is_right(w, q, answer);
	case AUTHORITY_DERIVE: return is_usable(w, q);
	case AUTHORITY_MORE: return is_usable(w, q) && agents_are_charged(w, q, (double)q->bytes, (double)q->rows);
	case AUTHORITY_RETURN: return agents_are_charged(w, q, -(double)q->bytes, -(double)q->rows);
	case AUTHORITY_ANSWER: return is_answered(w, q);
	case AUTHORITY_FORGET:
		for (size_t i = 0; i < w->approvals.n; i++)
			if (w->approvals.at[i].ask == q->ask)
				w->approvals.at[i].is_over = true;
		return true;
	case AUTHORITY_REVOKE: is_revoked(w, q->grant); return true;
	case AUTHORITY_RESTORE: return answer->why == WHY_ALREADY || is_restored(w, q->grant);
	case AUTHORITY_AGENT: agent_is_set(w, q); return true;
	case AUTHORITY_FREEZE:
		w->all_frozen = w->all_frozen || q->badge == 0;
		*SEE(&w->frozen) = q->badge;
		return true;
	case AUTHORITY_THAW:
		w->all_frozen = w->all_frozen && q->badge != 0;
		is_thawed(w, q->badge);
		return true;
	case AUTHORITY_TIME:
	case AUTHORITY_GIVE:
	case AUTHORITY_END:
	case AUTHORITY_EVENT_END:
	case AUTHORITY_HAND_OVER:
	case AUTHORITY_LABEL:
	case AUTHORITY_TAKE:
	case AUTHORITY_ENTER:
	case AUTHORITY_MARK:
	case AUTHORITY_UNMARK:
	case AUTHORITY_JOIN:
	case AUTHORITY_RESTART:
	case AUTHORITY_OP_COUNT: break;
	}
	return true;
}

/* It may be read while it is marked; a cell has what it was shown until it ends. */
static bool is_within_reach(const struct authority_grant_told *g, const char *path)
{
	const size_t n = strlen(path);

	if (verb_rights((enum grant_verb)g->verb) == 0)
		return false;
	return rights_at(g, path) != 0 || (g->object[0] == '/' && strncmp(g->object, path, n) == 0 &&
					   (n == 1 || g->object[n] == 0 || g->object[n] == '/'));
}

static bool marks_reach_everybody(struct watch *w)
{
	for (size_t i = 0; i < w->marks.n; i++)
		for (size_t k = 0; k < w->grants.n && w->marks.at[i].gained != 0; k++) {
			const struct grant_seen *g = &w->grants.at[k];
			const struct badge_seen *b = badge_seen(w, g->told.badge);

			if (g->is_there && b != NULL && is_within_reach(&g->told, w->marks.at[i].path) &&
			    (w->marks.at[i].gained & ~b->told.labels) != 0)
				return broken(w, "a path got a label that who may reach it lacks", g->told.ref);
		}
	return true;
}

bool watch_sees(struct watch *w, const struct authority_request *q, const struct authority_answer *answer,
		const struct authority *a, char said[WATCH_SAID_MAX])
{
	const bool opened = q->op == AUTHORITY_OPEN && answer->verdict == AUTHORITY_ALLOWED;
	const struct badge_seen *new, *parent;

	w->said = said;
	w->clock_ms += q->passed_ms;
	if (!answer_is_right(w, q, answer) || !lists_go_on(w, a, q) ||
	    (q->op != AUTHORITY_JOIN && !marks_reach_everybody(w))) /* that puts them on what they are in, too */
		return false;
	new = opened ? badge_seen(w, answer->made) : NULL;
	if (opened && new == NULL)
		return broken(w, "what was opened is not there", answer->made);
	parent = new != NULL ? badge_seen(w, new->told.parent) : NULL;
	if (parent != NULL && (parent->told.labels & ~new->told.labels) != 0)
		return broken(w, "a sub-agent lacks labels of its parent", new->told.ref);
	return all_makes_sense(w);
}

bool watch_allows(const struct authority *a, char said[WATCH_SAID_MAX])
{
	struct watch *w = watch_create();
	bool allows;

	w->said = said;
	w->clock_ms = UINT64_MAX; /* nothing was seen before: questions may have answers */
	allows = lists_go_on(w, a, &(const struct authority_request){ .op = AUTHORITY_TIME }) && all_makes_sense(w);
	watch_destroy(w);
	return allows;
}
