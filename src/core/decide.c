#include "core/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/endpoint.h"

static const char *const fact_words[FACT_COUNT] = {
#define FACT_WORD(name, word) [FACT_##name] = (word),
	FACTS(FACT_WORD)
#undef FACT_WORD
};

const char *fact_word(enum fact f)
{
	return f < FACT_COUNT ? fact_words[f] : "?";
}

bool fact_of(const char *word, enum fact *ret)
{
	for (enum fact f = 0; f < FACT_COUNT; f++) {
		if (strcmp(fact_words[f], word) != 0)
			continue;
		*ret = f;
		return true;
	}
	return false;
}

struct deciding {
	const struct decide_ask *ask;
	decide_fact_fn *fact;
	void *arg;
	struct decision d;
};

static bool is(struct deciding *g, enum fact f)
{
	const bool holds = g->fact(g->arg, f);

	g->d.used |= FACT_BIT(f);
	g->d.facts |= holds ? FACT_BIT(f) : 0;
	return holds;
}

/* ---- what follows from the grants and the name alone ---- */

static enum grant_verb verb_of(uint32_t right)
{
	return right == RIGHT_READ ? VERB_READ : right == RIGHT_WRITE ? VERB_WRITE : VERB_RUN;
}

bool decide_is_granted_place(const struct grant_set *set, const char *path)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);

		if (set->grants[i].rights != 0 && object[0] == '/' && path_is_beneath(path, object))
			return true;
	}
	return false;
}

static bool is_in(const char *path, const char *directory)
{
	return path_is_beneath(path, directory) && strcmp(path, directory) != 0;
}

static bool has_grant_in(const struct grant_set *set, const char *directory)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].rights != 0 && is_in(grant_object(set, i), directory))
			return true;
	return false;
}

/* Whether a part of the path that lies beneath `above` begins with a dot. */
static bool has_dot(const char *path, const char *above)
{
	return strstr(path + strlen(above), "/.") != NULL;
}

/* In a directory of the cell's own that stands for one of the host's, since something in it is granted: there a person would look for it. What
 * programs keep for themselves, in /tmp or beneath names with a dot, nobody looks for. */
static bool is_beside(const struct decide_ask *ask)
{
	const char *above = path_is_beneath(ask->object, ask->home) ? ask->home : "/tmp";
	char parent[EFFECT_OBJECT_MAX];
	char *slash;

	if (ask->shows_host || !is_in(ask->object, above) || has_dot(ask->object, above))
		return false;
	(void)text_copy(parent, sizeof parent, ask->object); /* same size */
	slash = strrchr(parent, '/');                        /* it lies in something */
	slash[slash == parent ? 1 : 0] = 0;
	return strcmp(parent, "/tmp") != 0 && has_grant_in(ask->grants, parent) &&
	       !has_grant_in(ask->grants, ask->object); /* it is there: `mkdir -p` asks for all of a path */
}

/* ---- the rules ---- */

/* Where the whole host is granted, a grant says nothing about a name that is not there: a program probes for many, and no
 * policy needs them. */
static bool is_probe(struct deciding *g, uint32_t right)
{
	return g->ask->shows_host && right != RIGHT_WRITE && !is(g, FACT_MADE) && !is(g, FACT_THERE);
}

/* In a place of the cell's own what was written is not executed, and what the host has is not there. 0: that does not decide it. */
static uint8_t judge_own(struct deciding *g, uint32_t right)
{
	if (right == RIGHT_WRITE && is(g, FACT_BASE))
		return 0;
	if (right == RIGHT_RUN && is(g, FACT_WRITTEN))
		return EFFECT_DENIED_WRITTEN;
	if (!is_in(g->ask->object, g->ask->home) || is(g, FACT_MADE))
		return 0;
	return is(g, FACT_THERE) ? EFFECT_DENIED : EFFECT_ABSENT;
}

/* What nothing allows: what the host has is denied, what it has not was only a probe. */
static uint8_t judge_rest(struct deciding *g, uint32_t right)
{
	const uint8_t kind = g->ask->kind;

	/* of a name that is there the kernel says so before it asks for a right: `mkdir -p` asks for each part of a path */
	if ((kind == EFFECT_MKDIR || kind == EFFECT_LINK) && is(g, FACT_EXISTS))
		return EFFECT_ALLOWED; /* to learn that it is there */
	if (is(g, FACT_THERE))
		return EFFECT_DENIED;
	/* a new name is denied as much as an old one, if its directory is there */
	return right == RIGHT_WRITE && is(g, FACT_ABOVE) ? EFFECT_DENIED_NEW : EFFECT_ABSENT;
}

/* The rules, in this order: what is hidden is denied; a grant, but for what is held in it; a place of the cell's own; the rest of the
 * base; the rest. */
static void judge_path(struct deciding *g)
{
	const struct decide_ask *ask = g->ask;
	const uint32_t right = effect_right(ask->kind);
	const struct grant_request want = { .verb = verb_of(right), .object = ask->object };
	const struct grant_decision by = grant_check(ask->grants, &want);
	const bool granted = decide_is_granted_place(ask->grants, ask->object);
	struct decision *d = &g->d;
	bool own;

	if (is(g, FACT_HIDDEN)) {
		d->verdict = is(g, FACT_STORE) ? EFFECT_DENIED_STORE : EFFECT_DENIED_HIDDEN;
		return;
	}
	if (is(g, FACT_UNSEEN)) {
		d->verdict = EFFECT_DENIED_HIDDEN;
		return;
	}
	if (by.allowed && !(right == RIGHT_WRITE && is(g, FACT_PROTECTED))) {
		d->verdict = is_probe(g, right) ? EFFECT_ABSENT : EFFECT_ALLOWED;
		d->grant = by.grant;
		return;
	}
	if (by.allowed && is(g, FACT_HELD)) {
		d->verdict = EFFECT_DENIED_HELD;
		return;
	}
	own = !granted && is(g, FACT_PRIVATE);
	d->verdict = own ? judge_own(g, right) : 0;
	if (d->verdict != 0)
		return;
	/* in a granted tree beneath the home nothing is the cell's own */
	if (is(g, granted ? FACT_SYSTEM : FACT_BASE)) {
		d->verdict = right == RIGHT_RUN && !own && !is(g, FACT_THERE) ? EFFECT_ABSENT : EFFECT_ALLOWED;
		d->base = right == RIGHT_WRITE && is_beside(ask) ? EFFECT_BASE_GONE : EFFECT_BASE;
		return;
	}
	d->verdict = judge_rest(g, right);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Of "inet HOST:PORT", or the same and " as NAME". */
static struct grant_decision check_endpoint(const struct decide_ask *ask)
{
	const char *endpoint = ask->object + strlen("inet ");
	char text[ENDPOINT_TEXT_MAX];
	const struct grant_request want = { .verb = VERB_CONNECT, .object = text };
	const size_t n = strcspn(endpoint, " ");

	if (n >= sizeof text)
		return (struct grant_decision){ .grant = GRANT_NONE };
	memcpy(text, endpoint, n);
	text[n] = 0;
	return grant_check(ask->grants, &want);
}

/* A grant lets it be connected to; what is said there first, not always. */
static uint8_t judge_hello(struct deciding *g)
{
	if (is(g, FACT_OTHER_NAME))
		return EFFECT_DENIED_OTHER_NAME;
	if (is(g, FACT_BAD_HELLO))
		return EFFECT_DENIED_BAD_HELLO;
	return is(g, FACT_HIDDEN_NAME) ? EFFECT_DENIED_HIDDEN_NAME : EFFECT_ALLOWED;
}

/* Who judges requests holds them against the terms of the grant that lets it be connected to. */
static uint8_t judge_request(struct deciding *g)
{
	const struct grant_decision d = check_endpoint(g->ask);

	if (!d.allowed || is(g, FACT_REFUSED))
		return EFFECT_DENIED_REQUEST;
	g->d.grant = d.grant;
	return EFFECT_ALLOWED;
}

/* The grant of a socket that has this path; GRANT_NONE. */
static uint32_t grant_of_socket(const struct decide_ask *ask, const char *path)
{
	char object[EFFECT_OBJECT_MAX + sizeof "unix:"];
	const struct grant_request want = { .verb = VERB_CONNECT, .object = object };
	struct grant_decision d;

	(void)snprintf(object, sizeof object, "unix:%s", path); /* objects are shorter */
	d = grant_check(ask->grants, &want);
	return d.allowed ? d.grant : GRANT_NONE;
}

/* By the name that was asked for, or the file that it leads to. */
static uint8_t judge_socket(struct deciding *g)
{
	uint32_t grant = grant_of_socket(g->ask, g->ask->object + strlen("unix "));

	if (grant == GRANT_NONE)
		grant = grant_of_socket(g->ask, g->ask->socket);
	if (grant == GRANT_NONE)
		return 0;
	if (is(g, FACT_WITHDRAWN))
		return EFFECT_DENIED_WITHDRAWN;
	g->d.grant = grant;
	return EFFECT_ALLOWED;
}

/* Where one is granted, the cell has sockets, and none of the host's but that. */
static bool grants_a_socket(const struct grant_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_CONNECT && begins(grant_object(set, i), "unix:"))
			return true;
	return false;
}

/* Nothing but what is granted and the cell's own loopback and sockets can be reached. */
static uint8_t judge_address(struct deciding *g)
{
	const struct decide_ask *ask = g->ask;

	if (begins(ask->object, "inet ")) {
		const struct grant_decision d = check_endpoint(ask);
		uint8_t verdict;

		g->d.grant = GRANT_NONE;
		if (d.allowed && is(g, FACT_WITHDRAWN))
			return EFFECT_DENIED_WITHDRAWN;
		verdict = d.allowed ? judge_hello(g) : 0;
		g->d.grant = verdict == EFFECT_ALLOWED ? d.grant : GRANT_NONE;
		if (d.allowed)
			return verdict;
	}
	if (begins(ask->object, "inet 127.") || begins(ask->object, "inet [::1]") || begins(ask->object, "unix @"))
		return EFFECT_ALLOWED;
	if (ask->socket != NULL) {
		const uint8_t verdict = judge_socket(g);

		if (verdict != 0)
			return verdict;
		if (decide_is_granted_place(ask->grants, ask->socket) || is(g, FACT_PRIVATE))
			return EFFECT_ALLOWED;
		return is(g, FACT_THERE) ? EFFECT_DENIED : EFFECT_ABSENT;
	}
	/* relative, so where the program stands: in a staged tree it is a socket of the cell's own, or none */
	return begins(ask->object, "unix ") && (is(g, FACT_STAGED) || grants_a_socket(ask->grants)) ? EFFECT_ALLOWED
												    : EFFECT_DENIED;
}

struct decision decide(const struct decide_ask *ask, decide_fact_fn *fact, void *arg)
{
	struct deciding g = { .ask = ask, .fact = fact, .arg = arg, .d = { .grant = GRANT_NONE } };

	if (ask->kind == EFFECT_OPAQUE) { /* told as it is */
		g.d.verdict = EFFECT_ALLOWED;
	} else if (ask->kind == EFFECT_CONNECT) {
		g.d.verdict = judge_address(&g);
		g.d.base = g.d.verdict == EFFECT_ALLOWED && g.d.grant == GRANT_NONE ? EFFECT_BASE : EFFECT_BASE_NOT;
	} else if (ask->kind == EFFECT_REQUEST) {
		g.d.verdict = judge_request(&g);
	} else if (ask->kind == EFFECT_READ && is(&g, FACT_USR)) {
		g.d.verdict = EFFECT_ALLOWED;
		g.d.base = EFFECT_BASE;
	} else {
		judge_path(&g);
	}
	return g.d;
}
