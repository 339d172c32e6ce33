#include "authority_draw.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define HUGE_AMOUNT (UINT64_C(1) << 60)
#define TERMS_GET "http='GET /a'"
#define TERMS_BOTH "http='GET /a, POST /b'"

static const char *const names[] = { "a", "b", "root" };
static const char *const paths[] = { "/", "/a", "/a/b", "/a/b/c", "/ab", "/d" };
static const char *const programs[] = { "git", "/a/b", "/usr/bin", "/usr/bin/git", "make" };
static const char *const variables[] = { "HOME", "PATH=/bin", "PATH", "_1" };
static const char *const endpoints[] = { "example.org:443", "*.example.org:443", "a.example.org:443", "*:443",
					 "10.0.0.0/8:80",   "10.1.2.3:80",       "unix:/run/x" };
static const char *const ports[] = { "8080", "0:8080", "80:8080" };
static const char *const words[] = { "search", "mail", "/a" };
static const char *const tools[] = {
	"a/x", "a/x", "a/y", "b/x", "a/resources/read", "a/roots/list", "a/*", "b/*", "*"
};
static const char *const bad[] = {
	"",
	"/a/",
	"/a/../b",
	"//a",
	"a b",
	"..",
	"1X",
	"Example.org:443",
	"example.org:0443",
	"08080",
	"8080:8080",
	"a/b",
	"a",
	"*/x",
	"a/**",
	"a/b/c",
	"a/roots/read",
	"0123456789012345678901234567890123456789012345678901234567890123", /* 64 */
};

void draw_init(struct draw *d, struct prop *p)
{
	*d = (struct draw){ .p = p, .now_ms = UINT64_C(1700000000000) };
	d->asks = prop_below(p, 3) == 0 ? 90 : 15;
	d->unless = prop_below(p, 3) == 0 ? 70 : 25;
	d->bounds = prop_below(p, 3) == 0 ? 60 : 15;
	d->digests = prop_below(p, 3) == 0 ? 12 : 3;
	d->silent = prop_below(p, 6) == 0;
	if (d->silent) {
		d->asks = 95;
		d->digests = 20;
	}
	d->family = prop_below(p, 2) == 0;
	d->huge = prop_below(p, 10) == 0;
}

static bool chance(struct draw *d, uint32_t of_hundred)
{
	return prop_below(d->p, 100) < of_hundred;
}

static uint32_t up_to(struct draw *d, uint32_t most)
{
	return prop_below(d->p, most + 1);
}

#define ONE_OF(d, pool) ((pool)[prop_below((d)->p, COUNT_OF(pool))])

struct authority_size draw_size(struct prop *p)
{
	const struct authority_size large = { 40, 120, 40, 40, 12, 12, 4, 60, 4000 };
	struct authority_size small;

	if (prop_below(p, 2) == 0)
		return large;
	small.badges = 2 + prop_below(p, 7);
	small.grants = 2 + prop_below(p, 13);
	small.asks = 1 + prop_below(p, 10);
	small.keys = 1 + prop_below(p, 4);
	small.passes = 1 + prop_below(p, 3);
	small.marks = 1 + prop_below(p, 3);
	small.agents = 1 + prop_below(p, 2);
	small.origins = 1 + prop_below(p, 5);
	small.text = 20 + prop_below(p, 301);
	return small;
}

void draw_was_made(struct draw *d, authority_ref ref)
{
	if (ref != 0 && d->n_made < DRAW_MADE_MAX)
		d->made[d->n_made++] = ref;
}

static void draw_bytes(struct draw *d, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)prop_next(d->p);
}

static void draw_digest(struct draw *d, uint8_t ret[AUTHORITY_DIGEST], uint32_t of)
{
	memset(ret, 0, AUTHORITY_DIGEST);
	ret[AUTHORITY_DIGEST - 1] = (uint8_t)prop_below(d->p, of);
}

static void draw_event(struct draw *d, uint8_t ret[AUTHORITY_ID])
{
	memset(ret, 0, AUTHORITY_ID);
	ret[AUTHORITY_ID - 1] = (uint8_t)prop_below(d->p, 4);
}

static uint64_t draw_labels(struct draw *d)
{
	static const uint64_t bits[] = { 1, 2, 4, 8, UINT64_C(1) << 63 };

	return ONE_OF(d, bits) | (chance(d, 30) ? ONE_OF(d, bits) : 0);
}

static void keep_object(struct draw *d, struct authority_request *q, const char *text)
{
	(void)snprintf(d->object, sizeof d->object, "%s", text);
	q->object = d->object;
}

static void keep_terms(struct draw *d, struct authority_request *q, const char *text)
{
	(void)snprintf(d->terms, sizeof d->terms, "%s", text);
	q->terms = d->terms;
}

/* ---- references ---- */

static bool some_badge(struct draw *d, const struct authority *a, struct authority_badge_told *ret)
{
	const uint32_t rows = authority_size(a)->badges, from = prop_below(d->p, rows);

	for (uint32_t i = 0; i < rows; i++)
		if (authority_badge_at(a, (from + i) % rows, ret))
			return true;
	return false;
}

/* Of that verb, if there is one; VERB_COUNT: of any. Mostly one that did not end. */
static bool some_grant(struct draw *d, const struct authority *a, unsigned verb, struct authority_grant_told *ret)
{
	const uint32_t rows = authority_size(a)->grants, from = prop_below(d->p, rows);
	const bool ended = chance(d, 10);

	for (uint32_t i = 0; i < rows; i++)
		if (authority_grant_at(a, (from + i) % rows, ret) && (verb == VERB_COUNT || ret->verb == verb) &&
		    (ended || !(ret->revoked || ret->expired)))
			return true;
	for (uint32_t i = 0; i < rows; i++)
		if (authority_grant_at(a, (from + i) % rows, ret))
			return true;
	return false;
}

/* Revoked, and then what it was derived from expired: there are few. */
static bool some_below_expired(const struct authority *a, struct authority_grant_told *ret)
{
	struct authority_grant_told above;

	for (uint32_t i = 0; i < authority_size(a)->grants; i++)
		if (authority_grant_at(a, i, ret) && ret->revoked && authority_grant_by(a, ret->parent, &above) &&
		    above.expired)
			return true;
	return false;
}

static bool some_ask(struct draw *d, const struct authority *a, struct authority_ask_told *ret)
{
	const uint32_t rows = authority_size(a)->asks, from = prop_below(d->p, rows);

	for (uint32_t i = 0; i < rows; i++)
		if (authority_ask_at(a, (from + i) % rows, ret))
			return true;
	return false;
}

/* Below the badge, directly. */
static bool some_sub_agent(struct draw *d, const struct authority *a, authority_ref badge,
			   struct authority_badge_told *ret)
{
	const uint32_t rows = authority_size(a)->badges, from = prop_below(d->p, rows);

	for (uint32_t i = 0; i < rows; i++)
		if (authority_badge_at(a, (from + i) % rows, ret) && ret->parent == badge)
			return true;
	return false;
}

/* Wrong ones: ended or of another kind, guessed, of nobody. */
static authority_ref wrong(struct draw *d, authority_ref right)
{
	const authority_ref old = d->n_made > 0 ? d->made[prop_below(d->p, d->n_made)] : 1;

	switch (prop_below(d->p, 6)) {
	case 0: return right ^ UINT64_C(1) << prop_below(d->p, 64);
	case 1: return right + 1;
	case 2: return right + (UINT64_C(1) << 32);
	case 3: return prop_below(d->p, 50);
	default: return old;
	}
}

static authority_ref perhaps(struct draw *d, authority_ref right)
{
	return chance(d, 3) ? wrong(d, right) : right;
}

static authority_ref a_badge(struct draw *d, const struct authority *a)
{
	struct authority_badge_told told;

	return perhaps(d, some_badge(d, a, &told) ? told.ref : 0);
}

/* ---- values ---- */

static void draw_window(struct draw *d, struct window *ret)
{
	static const struct window pool[] = {
		{ 540, 1080, "Europe/Berlin" }, { 600, 720, "Europe/Berlin" }, { 600, 720, "UTC" },
		{ 1320, 360, "UTC" },           { 1380, 60, "UTC" },           { 0, 1439, "UTC" }
	};

	*ret = ONE_OF(d, pool);
}

static void draw_numbers(struct draw *d, struct authority_bounds *ret)
{
	static const uint32_t periods[] = { 1, 60, 3600 };

	if (chance(d, d->bounds))
		ret->q.uses = 1 + up_to(d, 6);
	if (chance(d, d->bounds))
		ret->q.bytes = 1 + up_to(d, 500);
	if (chance(d, d->bounds))
		ret->rows = 1 + up_to(d, 300);
	if (chance(d, d->bounds)) {
		ret->q.rate = 1 + up_to(d, 2);
		ret->q.period_s = ONE_OF(d, periods);
	}
}

static void draw_bounds(struct draw *d, struct authority_bounds *ret)
{
	draw_numbers(d, ret);
	if (chance(d, 12))
		ret->q.until_s = d->now_ms / 1000 + up_to(d, 400);
	if (chance(d, 10))
		ret->q.ech = 1;
	if (chance(d, 8))
		draw_window(d, &ret->window);
}

static const char *draw_object(struct draw *d, unsigned verb)
{
	switch (verb) {
	case VERB_WORK:
	case VERB_READ:
	case VERB_WRITE: return ONE_OF(d, paths);
	case VERB_RUN: return ONE_OF(d, programs);
	case VERB_ENV: return ONE_OF(d, variables);
	case VERB_CONNECT: return ONE_OF(d, endpoints);
	case VERB_LISTEN: return ONE_OF(d, ports);
	case VERB_DELEGATE: return chance(d, 50) ? "*" : ONE_OF(d, names);
	case VERB_TOOL: return ONE_OF(d, tools);
	case VERB_JIT: return "";
	default: return ONE_OF(d, words);
	}
}

static unsigned draw_verb(struct draw *d)
{
	static const uint8_t pool[] = { VERB_DELEGATE, VERB_DELEGATE,   VERB_DELEGATE,  VERB_DELEGATE, VERB_WORK,
					VERB_READ,     VERB_WRITE,      VERB_RUN,       VERB_ENV,      VERB_JIT,
					VERB_CONNECT,  VERB_CONNECT,    VERB_LISTEN,    VERB_QUERY,    VERB_TOOL,
					VERB_TOOL,     VERB_DECLASSIFY, VERB_DECLASSIFY };

	return ONE_OF(d, pool);
}

static void spoil(struct draw *d, struct authority_request *q)
{
	struct authority_bounds *b = &q->bounds;

	switch (prop_below(d->p, 17)) {
	case 0: keep_object(d, q, ONE_OF(d, bad)); break;
	case 1: keep_object(d, q, ONE_OF(d, bad)); break;
	case 2: q->depth = (uint8_t)(1 + up_to(d, 9)); break;
	case 3: q->verb = (uint8_t)(chance(d, 50) ? VERB_COUNT : prop_below(d->p, VERB_COUNT)); break;
	case 4: q->flags |= (uint8_t)(1u << prop_below(d->p, 8)); break;
	case 5: q->unless[q->n_unless % AUTHORITY_UNLESS_MAX] = 0; break;
	case 6: q->n_unless = (uint8_t)up_to(d, 5); break;
	case 7: b->q.period_s = up_to(d, 70); break;
	case 8: b->rows = HUGE_AMOUNT + up_to(d, 1); break;
	case 9: b->q.bytes = HUGE_AMOUNT + up_to(d, 1); break;
	case 10: b->q.uses = (1u << 30) + up_to(d, 1); break;
	case 11: b->q.ech = 2; break;
	case 12: b->window.from = (uint16_t)up_to(d, 1440); break;
	case 13: b->q.until_s = chance(d, 50) ? UINT64_MAX : UINT64_C(253402300799) + up_to(d, 1); break;
	case 14: memset(q->id, 0, sizeof q->id); break;
	case 15: keep_terms(d, q, chance(d, 50) ? TERMS_GET : "no terms"); break;
	default: b->window.to = (uint16_t)up_to(d, 1440); break;
	}
}

static void draw_id(struct draw *d, const struct authority *a, uint8_t ret[AUTHORITY_ID])
{
	struct authority_badge_told badge;
	struct authority_grant_told grant;

	draw_bytes(d, ret, AUTHORITY_ID);
	if (chance(d, 3) && some_badge(d, a, &badge))
		memcpy(ret, badge.id, AUTHORITY_ID);
	if (chance(d, 3) && some_grant(d, a, VERB_COUNT, &grant))
		memcpy(ret, grant.id, AUTHORITY_ID);
}

static uint64_t draw_amount(struct draw *d)
{
	if (chance(d, 1))
		return HUGE_AMOUNT + 1;
	if (d->huge && chance(d, 70))
		return HUGE_AMOUNT - up_to(d, 1);
	return chance(d, 50) ? 0 : up_to(d, 200);
}

static uint16_t draw_minute(struct draw *d)
{
	if (chance(d, 4))
		return chance(d, 50) ? 1440 : AUTHORITY_MINUTE_NONE;
	return (uint16_t)prop_below(d->p, WINDOW_DAY);
}

/* Mostly later. */
static uint64_t draw_until(struct draw *d)
{
	return d->now_ms + (chance(d, 4) ? 0 : 1 + up_to(d, chance(d, 50) ? 100000 : 1000000000));
}

/* ---- grants ---- */

static void draw_give(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_badge_told badge;
	struct authority_grant_told other;

	for (int tries = 0; some_badge(d, a, &badge) && badge.parent != 0 && tries < 8; tries++)
		;
	q->badge = perhaps(d, some_badge(d, a, &badge) ? badge.ref : 0);
	for (int tries = 0; tries < 6; tries++)
		if (some_badge(d, a, &badge) && badge.parent == 0)
			q->badge = perhaps(d, badge.ref);
	draw_id(d, a, q->id);
	q->verb = (uint8_t)draw_verb(d);
	if (d->family && chance(d, 80) && !(some_grant(d, a, VERB_DELEGATE, &other) && other.verb == VERB_DELEGATE))
		q->verb = VERB_DELEGATE;
	keep_object(d, q, draw_object(d, q->verb));
	if (q->verb == VERB_DELEGATE) {
		q->depth = (uint8_t)(1 + up_to(d, chance(d, 50) ? 2 : AUTHORITY_DEPTH_MAX - 1));
		if (chance(d, 5))
			q->depth = 0;
	}
	if (q->verb == VERB_DELEGATE && chance(d, d->family ? 85 : 30))
		return; /* bounded by nothing, so that families grow */
	draw_bounds(d, &q->bounds);
	q->flags = (uint8_t)((chance(d, d->asks) ? AUTHORITY_ASK : 0) |
			     (chance(d, d->asks) ? AUTHORITY_ASK_LABELLED : 0));
	if (q->verb == VERB_DECLASSIFY || chance(d, 25))
		q->labels = draw_labels(d);
	if (q->verb == VERB_CONNECT && chance(d, 40))
		keep_terms(d, q, chance(d, 50) ? TERMS_GET : TERMS_BOTH);
	for (; q->n_unless < AUTHORITY_UNLESS_MAX && chance(d, d->unless); q->n_unless++)
		q->unless[q->n_unless] = draw_labels(d);
	if (chance(d, 4))
		spoil(d, q);
}

/* As the parent; then one thing or another is less. */
static void tighten(struct draw *d, struct authority_request *q, const struct authority_grant_told *parent)
{
	struct authority_bounds more = { .rows = 0 };

	draw_bounds(d, &more);
	if (more.q.uses != 0 && (q->bounds.q.uses == 0 || more.q.uses < q->bounds.q.uses))
		q->bounds.q.uses = more.q.uses;
	if (more.q.bytes != 0 && (q->bounds.q.bytes == 0 || more.q.bytes < q->bounds.q.bytes))
		q->bounds.q.bytes = more.q.bytes;
	if (more.rows != 0 && (q->bounds.rows == 0 || more.rows < q->bounds.rows))
		q->bounds.rows = more.rows;
	if (more.q.rate != 0 && q->bounds.q.rate == 0) {
		q->bounds.q.rate = more.q.rate;
		q->bounds.q.period_s = more.q.period_s;
	}
	if (more.q.until_s != 0 && (q->bounds.q.until_s == 0 || more.q.until_s < q->bounds.q.until_s))
		q->bounds.q.until_s = more.q.until_s;
	if (!window_is_none(&more.window) && window_is_within(&more.window, &q->bounds.window))
		q->bounds.window = more.window;
	if (chance(d, 30) && parent->verb == VERB_WORK)
		q->verb = (uint8_t)(chance(d, 50) ? VERB_READ : VERB_WRITE);
	if (chance(d, 30))
		keep_object(d, q, draw_object(d, q->verb));
	if (chance(d, 20) && q->verb != VERB_DECLASSIFY)
		q->labels |= draw_labels(d);
	if (chance(d, 10))
		q->flags |= AUTHORITY_ASK;
	if (chance(d, 15) && q->n_unless < AUTHORITY_UNLESS_MAX)
		q->unless[q->n_unless++] = draw_labels(d);
	if (chance(d, 15) && q->n_unless > 1)
		q->unless[0] &= q->unless[1] != 0 && (q->unless[0] & q->unless[1]) != 0 ? q->unless[1] : q->unless[0];
}

static void loosen(struct draw *d, struct authority_request *q)
{
	switch (q->terms[0] != 0 && chance(d, 40) ? 13 : prop_below(d->p, 14)) {
	case 0: q->bounds.q.uses = chance(d, 50) ? 0 : q->bounds.q.uses + 1; break;
	case 1: q->bounds.q.bytes = chance(d, 50) ? 0 : q->bounds.q.bytes + 1; break;
	case 2: q->bounds.rows = chance(d, 50) ? 0 : q->bounds.rows + 1; break;
	case 3: q->bounds.q.rate += q->bounds.q.rate != 0; break;
	case 4: q->bounds.q.period_s = q->bounds.q.rate != 0 ? 1 : 0; break;
	case 5: q->bounds.q.until_s = chance(d, 50) ? 0 : q->bounds.q.until_s + 1; break;
	case 6: q->bounds.q.ech = 1; break;
	case 7: draw_window(d, &q->bounds.window); break;
	case 8: q->flags &= (uint8_t)~AUTHORITY_ASK; break;
	case 9: q->flags |= AUTHORITY_ASK_LABELLED; break;
	case 10: q->n_unless = (uint8_t)(q->n_unless > 0 ? q->n_unless - 1 : 0); break;
	case 11: q->labels = draw_labels(d); break;
	case 12: q->depth = (uint8_t)(q->verb == VERB_DELEGATE ? q->depth + 1 : 0); break;
	default: keep_terms(d, q, q->verb != VERB_CONNECT ? "" : chance(d, 50) ? TERMS_BOTH : ""); break;
	}
}

static void draw_derive(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told parent;
	struct authority_badge_told sub;

	if (!some_grant(d, a, chance(d, d->family ? 70 : 30) ? VERB_DELEGATE : VERB_COUNT, &parent)) {
		draw_give(d, a, q);
		q->to = wrong(d, 1);
		return;
	}
	q->grant = perhaps(d, parent.ref);
	q->badge = perhaps(d, parent.badge);
	q->to = chance(d, 30) ? parent.badge : 0;
	if (chance(d, d->family ? 85 : 50) && some_sub_agent(d, a, parent.badge, &sub))
		q->to = perhaps(d, sub.ref);
	else if (chance(d, 4))
		q->to = a_badge(d, a);
	draw_id(d, a, q->id);
	q->verb = parent.verb;
	q->flags = parent.flags;
	q->labels = parent.labels;
	q->bounds = parent.bounds;
	q->n_unless = parent.n_unless;
	memcpy(q->unless, parent.unless, parent.n_unless * sizeof q->unless[0]);
	q->depth = (uint8_t)(parent.depth > 0 && chance(d, 90) ? parent.depth - 1 : parent.depth);
	keep_object(d, q, parent.object);
	keep_terms(d, q, parent.terms);
	if (chance(d, d->family && q->verb == VERB_DELEGATE ? 20 : 60))
		tighten(d, q, &parent);
	if (chance(d, 20))
		loosen(d, q);
	if (chance(d, 4))
		spoil(d, q);
}

/* ---- uses ---- */

static void draw_use(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told grant;

	if (!some_grant(d, a, chance(d, 20) ? VERB_DECLASSIFY : VERB_COUNT, &grant)) {
		q->badge = a_badge(d, a);
		q->grant = wrong(d, 1);
		return;
	}
	q->grant = perhaps(d, grant.ref);
	q->badge = perhaps(d, grant.badge);
	q->verb = grant.verb;
	if (chance(d, 30))
		keep_object(d, q, grant.object);
	else if (chance(d, 30))
		keep_object(d, q, chance(d, 12) ? ONE_OF(d, bad) : draw_object(d, q->verb));
	if (chance(d, 5))
		q->verb = (uint8_t)prop_below(d->p, VERB_COUNT + 1);
	q->bytes = draw_amount(d);
	q->rows = draw_amount(d);
	if (chance(d, 20)) {
		q->flags = AUTHORITY_KEYED;
		draw_digest(d, q->key, 3);
	}
	if (chance(d, 1))
		q->flags = (uint8_t)(1u << prop_below(d->p, 8));
	draw_digest(d, q->digest, d->digests);
	draw_event(d, q->event);
	if (q->flags == AUTHORITY_KEYED && chance(d, 80)) { /* one of few that come again */
		q->bytes = q->rows = 0;
		memcpy(q->digest, q->key, AUTHORITY_DIGEST);
	}
	q->minute = draw_minute(d);
	draw_bytes(d, q->id, sizeof q->id);
	if (chance(d, 2))
		memset(q->id, 0, sizeof q->id);
	q->until_ms = draw_until(d);
}

static void draw_more(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told grant;

	if (!some_grant(d, a, VERB_COUNT, &grant))
		return;
	q->grant = perhaps(d, grant.ref);
	q->badge = perhaps(d, grant.badge);
	q->bytes = draw_amount(d);
	q->rows = draw_amount(d);
	q->minute = draw_minute(d);
}

static void draw_return(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told grant;

	if (!some_grant(d, a, VERB_COUNT, &grant))
		return;
	for (int tries = 0; tries < 8 && grant.lent_bytes == 0 && grant.lent_rows == 0; tries++)
		(void)some_grant(d, a, VERB_COUNT, &grant);
	q->grant = perhaps(d, grant.ref);
	q->badge = perhaps(d, grant.badge);
	q->bytes = grant.lent_bytes > 0 ? prop_next(d->p) % (grant.lent_bytes + 1) : 0;
	q->rows = chance(d, 50) ? grant.lent_rows : 0;
	if (chance(d, 10))
		q->bytes = grant.lent_bytes + up_to(d, 1);
	if (chance(d, 10))
		q->rows = grant.lent_rows + 1;
}

static unsigned depth_of(const struct authority *a, authority_ref badge)
{
	struct authority_badge_told told;

	for (uint32_t row = 0; row < authority_size(a)->badges; row++)
		if (authority_badge_at(a, row, &told) && told.ref == badge)
			return told.depth;
	return 0;
}

/* Rather of a sub-agent, so that there are long chains. */
static bool some_delegate(struct draw *d, const struct authority *a, struct authority_grant_told *ret)
{
	struct authority_grant_told other;

	if (!some_grant(d, a, VERB_DELEGATE, ret))
		return false;
	for (int tries = d->family ? 4 : 0; tries > 0; tries--)
		if (some_grant(d, a, VERB_DELEGATE, &other) && other.verb == VERB_DELEGATE && other.depth > 0 &&
		    depth_of(a, other.badge) >= depth_of(a, ret->badge))
			*ret = other;
	return ret->verb == VERB_DELEGATE || chance(d, 10);
}

static void draw_open(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told grant;

	keep_object(d, q, ONE_OF(d, names));
	draw_id(d, a, q->id);
	if (chance(d, 40))
		draw_numbers(d, &q->bounds);
	if (chance(d, 20))
		q->labels = draw_labels(d);
	if (chance(d, d->family ? 96 : 60) && some_delegate(d, a, &grant)) {
		q->grant = perhaps(d, grant.ref);
		q->badge = perhaps(d, grant.badge);
		if (chance(d, 60) && grant.object[0] != '*')
			keep_object(d, q, grant.object);
		draw_event(d, q->event);
		draw_digest(d, q->digest, d->digests);
		q->minute = draw_minute(d);
		q->until_ms = draw_until(d);
	} else if (chance(d, 5)) {
		draw_event(d, q->event);
	}
	if (chance(d, 4))
		spoil(d, q);
}

/* ---- the rest ---- */

static void draw_answer(struct draw *d, const struct authority *a, struct authority_request *q)
{
	static const uint8_t flags[] = {
		AUTHORITY_YES, AUTHORITY_YES, AUTHORITY_YES, AUTHORITY_YES | AUTHORITY_SESSION, 0, 0, AUTHORITY_STOP
	};
	struct authority_ask_told told;

	if (!some_ask(d, a, &told)) {
		q->ask = wrong(d, 1);
		return;
	}
	for (int tries = 0; tries < 4 && told.state != ASK_WAITS; tries++)
		(void)some_ask(d, a, &told);
	q->ask = perhaps(d, told.ref);
	memcpy(q->digest, told.digest, sizeof q->digest);
	if (chance(d, 6))
		draw_digest(d, q->digest, d->digests);
	q->flags = ONE_OF(d, flags);
	if (chance(d, 4))
		q->flags = (uint8_t)prop_next(d->p);
	q->until_ms = draw_until(d);
}

static void draw_ice(struct draw *d, const struct authority *a, struct authority_request *q, bool thaw)
{
	struct authority_badge_told told;

	q->badge = a_badge(d, a);
	for (int tries = 0; tries < 6 && some_badge(d, a, &told); tries++)
		if (told.frozen == thaw)
			q->badge = perhaps(d, told.ref);
	if (chance(d, 15) || (thaw && authority_is_frozen(a)))
		q->badge = 0;
}

static void draw_agent(struct draw *d, struct authority_request *q)
{
	keep_object(d, q, ONE_OF(d, names));
	if (chance(d, 75))
		draw_numbers(d, &q->bounds);
	if (chance(d, 4))
		spoil(d, q);
}

static void draw_fields(struct draw *d, const struct authority *a, struct authority_request *q)
{
	struct authority_grant_told grant;
	struct authority_badge_told sub, below;
	struct authority_ask_told asked;

	switch ((enum authority_op)q->op) {
	case AUTHORITY_OPEN: draw_open(d, a, q); break;
	case AUTHORITY_GIVE: draw_give(d, a, q); break;
	case AUTHORITY_DERIVE: draw_derive(d, a, q); break;
	case AUTHORITY_REVOKE: q->grant = perhaps(d, some_grant(d, a, VERB_COUNT, &grant) ? grant.ref : 0); break;
	case AUTHORITY_RESTORE:
		for (int tries = 0; tries < 20 && some_grant(d, a, VERB_COUNT, &grant); tries++)
			if (tries == 0 || grant.revoked)
				q->grant = perhaps(d, grant.ref);
		if (some_below_expired(a, &grant))
			q->grant = perhaps(d, grant.ref);
		break;
	case AUTHORITY_EVENT_END:
	case AUTHORITY_END:
		q->badge = a_badge(d, a);
		if (q->op == AUTHORITY_END && chance(d, 75) && some_badge(d, a, &sub) &&
		    !some_sub_agent(d, a, sub.ref, &below))
			q->badge = sub.ref;
		draw_event(d, q->event);
		break;
	case AUTHORITY_HAND_OVER:
		q->to = a_badge(d, a);
		q->badge = a_badge(d, a);
		for (int tries = 0; tries < 8; tries++)
			if (some_badge(d, a, &sub) && sub.parent != 0) {
				q->to = perhaps(d, sub.ref);
				q->badge = perhaps(d, sub.parent);
			}
		break;
	case AUTHORITY_USE: draw_use(d, a, q); break;
	case AUTHORITY_RETURN: draw_return(d, a, q); break;
	case AUTHORITY_MORE: draw_more(d, a, q); break;
	case AUTHORITY_ANSWER: draw_answer(d, a, q); break;
	case AUTHORITY_FORGET: q->ask = perhaps(d, some_ask(d, a, &asked) ? asked.ref : 0); break;
	case AUTHORITY_FREEZE: draw_ice(d, a, q, false); break;
	case AUTHORITY_THAW: draw_ice(d, a, q, true); break;
	case AUTHORITY_LABEL:
		q->badge = a_badge(d, a);
		if (chance(d, 40) && some_grant(d, a, VERB_COUNT, &grant)) {
			q->grant = perhaps(d, grant.ref);
			q->badge = perhaps(d, grant.badge);
		}
		q->labels = chance(d, 90) ? draw_labels(d) : 0;
		draw_event(d, q->event);
		break;
	case AUTHORITY_TAKE:
		q->badge = a_badge(d, a);
		q->to = a_badge(d, a);
		draw_event(d, q->event);
		break;
	case AUTHORITY_ENTER:
		q->badge = a_badge(d, a);
		draw_event(d, q->event);
		break;
	case AUTHORITY_MARK:
		q->badge = a_badge(d, a);
		keep_object(d, q, chance(d, 94) ? ONE_OF(d, paths) : ONE_OF(d, bad));
		draw_digest(d, q->digest, d->digests);
		q->labels = chance(d, 40) ? draw_labels(d) : 0;
		draw_event(d, q->event);
		break;
	case AUTHORITY_UNMARK:
	case AUTHORITY_JOIN:
		keep_object(d, q, chance(d, 94) ? ONE_OF(d, paths) : ONE_OF(d, bad));
		if (q->op == AUTHORITY_UNMARK && chance(d, 96))
			q->labels = chance(d, 30) ? UINT64_MAX : draw_labels(d);
		break;
	case AUTHORITY_AGENT: draw_agent(d, q); break;
	case AUTHORITY_TIME:
	case AUTHORITY_RESTART:
	case AUTHORITY_OP_COUNT: break;
	}
}

static const uint8_t weights[AUTHORITY_OP_COUNT] = {
	[AUTHORITY_TIME] = 2,   [AUTHORITY_OPEN] = 14,   [AUTHORITY_GIVE] = 14,     [AUTHORITY_DERIVE] = 22,
	[AUTHORITY_REVOKE] = 2, [AUTHORITY_END] = 1,     [AUTHORITY_EVENT_END] = 1, [AUTHORITY_HAND_OVER] = 2,
	[AUTHORITY_USE] = 50,   [AUTHORITY_RETURN] = 5,  [AUTHORITY_ANSWER] = 9,    [AUTHORITY_FORGET] = 2,
	[AUTHORITY_FREEZE] = 1, [AUTHORITY_THAW] = 2,    [AUTHORITY_LABEL] = 2,     [AUTHORITY_TAKE] = 2,
	[AUTHORITY_ENTER] = 2,  [AUTHORITY_MARK] = 4,    [AUTHORITY_AGENT] = 3,     [AUTHORITY_RESTART] = 1,
	[AUTHORITY_MORE] = 8,   [AUTHORITY_RESTORE] = 3, [AUTHORITY_UNMARK] = 1,    [AUTHORITY_JOIN] = 1,
};

static uint8_t draw_op(struct draw *d, const struct authority *a)
{
	struct authority_badge_told told;
	struct authority_grant_told grant;
	struct authority_ask_told asked;
	uint32_t sum = 0, at;
	uint8_t op = 0;

	if (!some_badge(d, a, &told))
		return chance(d, 70) ? AUTHORITY_OPEN : (uint8_t)prop_below(d->p, AUTHORITY_OP_COUNT);
	if (told.frozen && chance(d, 20))
		return AUTHORITY_THAW;
	if (some_ask(d, a, &asked) && asked.state == ASK_WAITS && chance(d, d->silent ? 0 : 10))
		return AUTHORITY_ANSWER;
	for (size_t i = 0; i < AUTHORITY_OP_COUNT; i++)
		sum += weights[i];
	for (at = prop_below(d->p, sum); at >= weights[op]; op++)
		at -= weights[op];
	if (op == AUTHORITY_OPEN && d->family && chance(d, 95) &&
	    !(some_grant(d, a, VERB_DELEGATE, &grant) && grant.verb == VERB_DELEGATE))
		return AUTHORITY_GIVE;
	if ((op == AUTHORITY_ANSWER || op == AUTHORITY_FORGET) && chance(d, 90) &&
	    (d->silent || !some_ask(d, a, &asked)))
		return AUTHORITY_USE;
	return op;
}

/* By nothing, by little, by much, and back. */
static void draw_clocks(struct draw *d, struct authority_request *q)
{
	const uint32_t how = prop_below(d->p, 100);

	if (how >= 98)
		d->now_ms -= up_to(d, 3600000);
	else if (how >= 96)
		d->now_ms += 86400000;
	else if (how >= 90)
		d->now_ms += up_to(d, 600000);
	else if (how >= 60)
		d->now_ms += up_to(d, 3000);
	q->now_ms = d->now_ms;
	if (chance(d, 50))
		q->passed_ms = up_to(d, chance(d, 20) ? 1000000 : 1500);
	if (chance(d, 1))
		q->passed_ms = UINT32_MAX;
}

void draw_request(struct draw *d, const struct authority *a, struct authority_request *ret)
{
	*ret = (struct authority_request){ .object = "", .terms = "" };
	draw_clocks(d, ret);
	ret->op = draw_op(d, a);
	draw_fields(d, a, ret);
}

/* ---- in words ---- */

const char *draw_op_word(unsigned op)
{
	static const char *const all[AUTHORITY_OP_COUNT] = { "time",   "open",      "give",      "derive", "revoke",
							     "end",    "event end", "hand over", "use",    "return",
							     "answer", "forget",    "freeze",    "thaw",   "label",
							     "take",   "enter",     "mark",      "agent",  "restart",
							     "more",   "restore",   "unmark",    "join" };

	return op < AUTHORITY_OP_COUNT ? all[op] : "?";
}

static void tell_number(struct buf *out, const char *word, uint64_t number)
{
	if (number != 0)
		buf_printf(out, " %s=%#" PRIx64, word, number);
}

void draw_tell(struct buf *out, const struct authority_request *q, const struct authority_answer *answer)
{
	static const char *const verdicts[] = { "allowed", "denied", "asks" };
	char numbers[QUALIFIERS_TEXT_MAX], hours[WINDOW_TEXT_MAX];

	qualifiers_format(&q->bounds.q, numbers);
	window_put(&q->bounds.window, hours);
	buf_printf(out, "%" PRIu64 " +%" PRIu32 " %s", q->now_ms, q->passed_ms, draw_op_word(q->op));
	tell_number(out, "badge", q->badge);
	tell_number(out, "to", q->to);
	tell_number(out, "grant", q->grant);
	tell_number(out, "ask", q->ask);
	if (q->verb != 0 || q->object[0] != 0)
		buf_printf(out, " %s:%s %s", verb_word((enum grant_verb)q->verb), q->object, q->terms);
	tell_number(out, "flags", q->flags);
	tell_number(out, "depth", q->depth);
	tell_number(out, "minute", q->minute);
	tell_number(out, "digest", q->digest[AUTHORITY_DIGEST - 1]);
	tell_number(out, "key", q->key[AUTHORITY_DIGEST - 1]);
	tell_number(out, "bytes", q->bytes);
	tell_number(out, "rows", q->rows);
	tell_number(out, "until", q->until_ms);
	tell_number(out, "event", q->event[AUTHORITY_ID - 1]);
	tell_number(out, "labels", q->labels);
	for (unsigned i = 0; i < q->n_unless && i < AUTHORITY_UNLESS_MAX; i++)
		tell_number(out, "unless", q->unless[i]);
	tell_number(out, "max-rows", q->bounds.rows);
	buf_printf(out, " %s %s", numbers, hours);
	if (answer != NULL)
		buf_printf(out, " -> %s, %s, made %#" PRIx64 ", labels %#" PRIx64 ", %u actions",
			   verdicts[answer->verdict % 3], authority_why_word((enum authority_why)answer->why),
			   answer->made, answer->labels, answer->n_actions);
	buf_printf(out, "\n");
}
