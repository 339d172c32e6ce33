#include "ask/scopes.h"

#include <stdio.h>
#include <string.h>

static const struct scope_row {
	enum issuer issuer;
	const char *scope;
	bool writes;
	const char *areas;
} rows[] = {
#define SCOPE(issuer, scope, writes, areas) { ISSUER_##issuer, scope, writes, areas },
#include "ask/scopes.def"
#undef SCOPE
};

#define ELSEWHERE "/api/v3" /* before the paths of a GitHub of one's own */

/* ---- patterns that meet ---- */

#define PARTS_MAX (HTTP_PATTERN_MAX / 2) /* each has a slash before it, and all but the last a letter */

struct parts {
	size_t n;
	const char *at[PARTS_MAX]; /* borrowed; each ends at a slash or a NUL */
};

static void split(const char *pattern, struct parts *ret)
{
	ret->n = 0;
	for (; *pattern == '/' && ret->n < PARTS_MAX; pattern += strcspn(pattern, "/"))
		ret->at[ret->n++] = ++pattern;
}

static bool is_deep(const char *part)
{
	return part[0] == HTTP_PATH_WILD && part[1] == HTTP_PATH_WILD;
}

/* From the first wildcard on they may. */
static bool parts_meet(const char *a, const char *b)
{
	while (*a != 0 && *a == *b && *a != '/' && *a != HTTP_PATH_WILD) {
		a++;
		b++;
	}
	return *a == HTTP_PATH_WILD || *b == HTTP_PATH_WILD || ((*a == 0 || *a == '/') && (*b == 0 || *b == '/'));
}

/* Whether some path is meant by both: part by part, where http_patterns_may_meet says yes from the first wildcard on. */
static bool patterns_meet(const char *one, const char *other)
{
	bool rests[PARTS_MAX + 1][PARTS_MAX + 1] = { { false } }; /* whether those from here on meet */
	struct parts a, b;

	split(one, &a);
	split(other, &b);
	for (size_t i = a.n + 1; i-- > 0;)
		for (size_t j = b.n + 1; j-- > 0;) {
			if (i < a.n && is_deep(a.at[i]))
				rests[i][j] = rests[i + 1][j] || (j < b.n && rests[i][j + 1]);
			else if (j < b.n && is_deep(b.at[j]))
				rests[i][j] = rests[i][j + 1] || (i < a.n && rests[i + 1][j]);
			else if (i < a.n && j < b.n)
				rests[i][j] = parts_meet(a.at[i], b.at[j]) && rests[i + 1][j + 1];
			else
				rests[i][j] = i == a.n && j == b.n;
		}
	return rests[0][0];
}

/* ---- scopes ---- */

static bool is_reading(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

static bool meets(const char *pattern, const char *prefix, const char *area, size_t n)
{
	char written[HTTP_PATTERN_MAX], normal[HTTP_PATTERN_MAX];
	const int length = snprintf(written, sizeof written, "%s%.*s", prefix, (int)n,
				    area); /* fits: they are of the table */

	return http_pattern_take(written, (size_t)length, normal) == NULL && patterns_meet(pattern, normal);
}

static bool meets_any(const char *pattern, const char *areas)
{
	for (size_t n; *areas != 0; areas += n + (areas[n] == ' ')) {
		n = strcspn(areas, " ");
		if (meets(pattern, "", areas, n) || meets(pattern, ELSEWHERE, areas, n))
			return true;
	}
	return false;
}

/* What operations of GraphQL need is not in the table: they may need any scope. */
static enum scope_use operations_use(const struct scope_row *row, const struct terms *t)
{
	if (t->n_listed > 0)
		return SCOPE_USED;
	for (uint32_t i = 0; i < t->n_operations; i++)
		if (!row->writes || t->operations[i].type == TERMS_MUTATION)
			return SCOPE_USED;
	return t->n_operations > 0 ? SCOPE_ONLY_READ : SCOPE_UNUSED;
}

/* The wider use of the two. */
static enum scope_use both(enum scope_use a, enum scope_use b)
{
	if (a == SCOPE_USED || b == SCOPE_USED)
		return SCOPE_USED;
	return a == SCOPE_ONLY_READ || b == SCOPE_ONLY_READ ? SCOPE_ONLY_READ : SCOPE_UNUSED;
}

static enum scope_use use_of(const struct scope_row *row, const struct terms *t)
{
	enum scope_use use = operations_use(row, t);

	if (row->areas[0] != 0 && t->n_rules == 0 && t->n_operations == 0 && t->n_listed == 0)
		return SCOPE_USED; /* every request is granted */
	if (row->areas[0] == 0)
		return SCOPE_UNUSED;
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (!terms_rule_is_graphql(&t->rules[i]) && meets_any(t->rules[i].pattern, row->areas))
			use = both(use, row->writes && is_reading(t->rules[i].method) ? SCOPE_ONLY_READ : SCOPE_USED);
	return use;
}

enum scope_use scope_use_of(enum issuer issuer, const char *scope, const struct terms *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].issuer == issuer && strcmp(rows[i].scope, scope) == 0)
			return use_of(&rows[i], t);
	return SCOPE_UNKNOWN;
}
