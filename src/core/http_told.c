#include "core/http_told.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "core/http_shape.h"

/* Up to the next `end`, which is taken, too, or to the last byte. False: it is empty, or there is no room. */
static bool take_word(const char **at, char end, char *ret, size_t size)
{
	const char *behind = strchrnul(*at, end);
	const size_t n = (size_t)(behind - *at);

	if (n == 0 || n >= size)
		return false;
	memcpy(ret, *at, n);
	ret[n] = 0;
	*at = *behind == 0 ? behind : behind + 1;
	return true;
}

/* Behind a path: "mutation:createIssue", as a term has it. */
static bool split_operation(struct http_told *t)
{
	char *mark = strchr(t->path, HTTP_TOLD_FIELD), *colon;

	t->operation[0] = 0;
	if (mark == NULL)
		return true;
	*mark = 0;
	colon = strchr(mark + 1, ':');
	if (colon == NULL || !text_copy(t->operation, sizeof t->operation, mark + 1))
		return false;
	t->operation[colon - mark - 1] = ' ';
	return true;
}

bool http_told_take(const char *object, struct http_told *ret)
{
	static const char inet[] = "inet ";
	char status[4];

	if (strncmp(object, inet, sizeof inet - 1) != 0)
		return false;
	object += sizeof inet - 1;
	return take_word(&object, ' ', ret->endpoint, sizeof ret->endpoint) &&
	       take_word(&object, ' ', ret->method, sizeof ret->method) &&
	       take_word(&object, ' ', ret->path, sizeof ret->path) && text_copy(status, sizeof status, object) &&
	       parse_u32(status, 0, 999, &ret->status) && split_operation(ret);
}

bool http_told_pattern(const struct http_told *t, char ret[HTTP_PATTERN_MAX])
{
	return http_pattern_take(t->path, strlen(t->path), ret) == NULL;
}

bool http_rule_put(const struct terms_rule *r, char ret[HTTP_RULE_TEXT_MAX])
{
	const int n = snprintf(ret, HTTP_RULE_TEXT_MAX, "%s ", r->method);

	return http_pattern_put(r->pattern, ret + n, HTTP_RULE_TEXT_MAX - (size_t)n);
}

static bool take_path(const struct http_told *t, char ret[HTTP_PATTERN_MAX])
{
	return strlen(t->path) + 1 < sizeof t->path &&
	       http_path_take(t->path, strlen(t->path), ret, HTTP_PATTERN_MAX) == NULL;
}

bool http_told_missing(const struct terms *granted, const struct http_told *t, bool exact, char ret[HTTP_RULE_TEXT_MAX])
{
	struct terms more = *granted;
	struct terms_rule *rule = &more.rules[more.n_rules];
	char path[HTTP_PATTERN_MAX];

	if (more.n_rules == 0 || more.n_rules == TERMS_RULES_MAX || !take_path(t, path) ||
	    terms_rule_of(granted, t->method, path) >= 0)
		return false;
	more.n_rules++;
	(void)text_copy(rule->method, sizeof rule->method, t->method); /* of one size */
	if (exact)
		(void)text_copy(rule->pattern, sizeof rule->pattern, path); /* likewise */
	else if (!http_shape(path, rule->pattern))
		return false;
	return terms_rule_of(&more, t->method, path) >= 0 && http_rule_put(rule, ret) &&
	       terms_set(&more, TERM_HTTP, ret, NULL) == 0; /* a method of any letters is told */
}
