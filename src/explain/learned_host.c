#include "explain/learned_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define ONE sizeof(void *) /* of the list */

/* ---- hosts ---- */

static struct learned_host *host_create(const struct grant_set *set, uint32_t grant, const char *object)
{
	struct learned_host *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->qualifiers = set->grants[grant].qualifiers;
	h->object = strdup(object);
	if (h->object != NULL && flow_take(grant_flow(set, grant), &h->flow) == 0 &&
	    terms_take(grant_terms(set, grant), &h->terms, NULL) == 0)
		return h;
	free(h->object);
	free(h);
	return NULL;
}

static void host_destroy(struct learned_host *h)
{
	path_list_finish(&h->rules);
	path_list_finish(&h->operations);
	free(h->object);
	free(h);
}

/* There are few: a record has as many grants, and of one that is wide as many hosts as are told apart. */
struct learned_host *learned_hosts_of(struct learned_hosts *l, const struct grant_set *set, uint32_t grant,
				      const char *object)
{
	struct learned_host **grown, *h;
	size_t at = 0;

	while (at < l->n && strcmp(l->at[at]->object, object) < 0)
		at++;
	if (at < l->n && strcmp(l->at[at]->object, object) == 0)
		return l->at[at];
	grown = realloc(l->at, (l->n + 1) * ONE);
	l->at = grown != NULL ? grown : l->at;
	h = grown != NULL ? host_create(set, grant, object) : NULL;
	if (h == NULL) {
		l->failed = true;
		return NULL;
	}
	memmove(l->at + at + 1, l->at + at, (l->n - at) * ONE);
	l->at[at] = h;
	l->n++;
	return h;
}

void learned_hosts_finish(struct learned_hosts *l)
{
	for (size_t i = 0; i < l->n; i++)
		host_destroy(l->at[i]);
	free(l->at);
	*l = (struct learned_hosts){ .n = 0 };
}

/* ---- what was used ---- */

/* Whether it was let pass for its document: what passes so by a rule of its own would pass without one. */
static bool was_document(const struct terms *granted, const char *pattern)
{
	if (terms_are_graphql(granted))
		return true;
	for (uint32_t i = 0; i < granted->n_rules; i++)
		if (terms_rule_is_graphql(&granted->rules[i]) &&
		    http_patterns_may_meet(pattern, granted->rules[i].pattern))
			return true;
	return false;
}

static void use_operation(struct learned_host *h, const struct http_told *t)
{
	if (t->operation[0] != 0)
		path_list_add(&h->operations, t->operation);
	else
		h->all_operations = true;
}

static bool is_deep(const char *pattern)
{
	return strstr(pattern, (const char[]){ HTTP_PATH_WILD, HTTP_PATH_WILD, 0 }) != NULL;
}

/* As an HTTP method GRAPHQL is one, too, and as a rule it means others. */
static bool can_be_named(const char *rule, bool document)
{
	struct terms t = { .n_rules = 0 };

	return terms_set(&t, TERM_HTTP, rule, NULL) == 0 && (document || !terms_rule_is_graphql(&t.rules[0]));
}

void learned_host_use(struct learned_host *h, const struct http_told *t)
{
	char text[HTTP_RULE_TEXT_MAX];
	struct terms_rule rule;
	bool document;

	if (!http_told_pattern(t, rule.pattern)) {
		h->all_rules = h->all_operations = true;
		return;
	}
	document = was_document(&h->terms, rule.pattern);
	(void)text_copy(rule.method, sizeof rule.method, document ? "GRAPHQL" : t->method); /* of one size */
	if (!http_rule_put(&rule, text)) {
		h->all_rules = true;
		return;
	}
	if (!can_be_named(text, document)) {
		h->unnamed = true;
		return;
	}
	if (document)
		use_operation(h, t);
	h->as_granted |= is_deep(rule.pattern); /* no kind of request is: it is told by its rule */
	path_list_add(&h->rules, text);
}

bool learned_host_is_unused(const struct learned_host *h)
{
	return !terms_are_none(&h->terms) && h->rules.n == 0 && !h->all_rules;
}

/* ---- as terms ---- */

static bool read_rule(const char *text, struct terms_rule *ret)
{
	const char *blank = strchr(text, ' ');

	ret->method[0] = 0;
	strncat(ret->method, text, (size_t)(blank - text)); /* as http_rule_put wrote it */
	return http_pattern_take(blank + 1, strlen(blank + 1), ret->pattern) == NULL;
}

static bool covers(const char *outer, const char *inner)
{
	struct terms_rule o, i;

	return read_rule(outer, &o) && read_rule(inner, &i) && http_pattern_is_within(i.pattern, o.pattern) &&
	       (strcmp(i.method, o.method) == 0 || (strcmp(o.method, "GET") == 0 && strcmp(i.method, "HEAD") == 0));
}

/* No two of them cover each other: they are told in one way each. */
static bool is_covered(const struct path_list *rules, size_t which)
{
	for (size_t i = 0; i < rules->n; i++)
		if (i != which && covers(rules->paths[i], rules->paths[which]))
			return true;
	return false;
}

/* With commas between. False: they have no room. */
static bool join(const struct path_list *list, bool few, char ret[TERMS_TEXT_MAX])
{
	struct buf out;

	buf_init_in(&out, ret, TERMS_TEXT_MAX);
	for (size_t i = 0; i < list->n; i++)
		if (!few || !is_covered(list, i))
			buf_printf(&out, "%s%s", out.len > 0 ? ", " : "", list->paths[i]);
	return buf_cstr(&out) != NULL;
}

/* What a person listed by its hash stays: nobody tells which of them were used. */
static void put_listed(const struct terms *granted, struct path_list *operations)
{
	for (uint32_t i = 0; i < granted->n_listed; i++) {
		char text[sizeof "persisted " + sizeof granted->listed[0]];

		(void)snprintf(text, sizeof text, "persisted %s", granted->listed[i]);
		path_list_add(operations, text);
	}
}

/* False: it is as it was. */
static bool narrow(struct learned_host *h, struct terms *to, enum term which)
{
	const bool is_http = which == TERM_HTTP;
	struct path_list *used = is_http ? &h->rules : &h->operations;
	char text[TERMS_TEXT_MAX];

	return !(is_http ? h->all_rules : h->all_operations) && used->n > 0 && join(used, is_http, text) &&
	       terms_set(to, which, text, NULL) == 0;
}

static void settle(struct learned_host *h)
{
	struct terms used = h->terms;
	const bool documents = h->all_operations || h->operations.n > 0;

	if (!h->all_operations && h->operations.n > 0)
		put_listed(&h->terms, &h->operations);
	h->as_granted |= !narrow(h, &used, TERM_GRAPHQL) && documents;
	h->as_granted |= !narrow(h, &used, TERM_HTTP);
	if (!terms_say_graphql(&used) && terms_say_graphql(&h->terms))
		used.n_operations = used.n_listed = 0; /* else every request would have to be a document */
	if (terms_check(&used, NULL) == 0 && terms_are_within(&used, &h->terms))
		h->terms = used;
	else
		h->as_granted = true;
}

void learned_hosts_settle(struct learned_hosts *l)
{
	for (size_t i = 0; i < l->n; i++) {
		settle(l->at[i]);
		l->failed |= l->at[i]->rules.failed || l->at[i]->operations.failed;
	}
}
