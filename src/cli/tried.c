#include "cli/tried.h"

#include <stdlib.h>
#include <string.h>

#include "audit/policy_asked.h"
#include "base/cleanup.h"
#include "lib/policy_handle.h"
#include "lib/public.h"

/* `.` or `./x` */
static bool is_within(const struct policy *p, const struct policy_line *l)
{
	if (!policy_means(p, l))
		return false;
	return strcmp(l->object, ".") == 0 || strncmp(l->object, "./", 2) == 0;
}

static int add_within(const struct policy *p, const struct policy_line *l, struct grant_set *set, struct err *e)
{
	char path[GRANT_OBJECT_MAX];

	if (!path_normalise("/", l->object, path, sizeof path)) /* it has no "..": policy_add */
		return err_set(e, AMBIT_LIMIT, NULL, "%s: the path is too long", l->object);
	return grant_add_qualified(set, (enum grant_verb)l->verb, path, l->flags, &l->qualifiers, "", policy_flow(p, l),
				   NULL, e);
}

/* Takes the lines on the workspace out of p. */
static int take_within(struct policy *p, struct grant_set *set, struct err *e)
{
	uint32_t kept = 0;
	int r = 0;

	grant_set_init(set);
	for (uint32_t i = 0; i < p->n_lines && r == 0; i++) {
		if (is_within(p, &p->lines[i]))
			r = add_within(p, &p->lines[i], set, e);
		else if (kept++ != i)
			p->lines[kept - 1] = p->lines[i];
	}
	p->n_lines = kept;
	return r;
}

static int resolve(struct policy *p, struct policy_asked *ret, struct err *e)
{
	/* `.` is in none of the lines that are left, and nothing leads out of the root */
	const struct policy_place place = { .workspace = "/", .home = getenv("HOME") };
	struct limits limits = { .value = { 0 } };
	int r = take_within(p, &ret->within, e);

	grant_set_init(&ret->fixed);
	return r < 0 ? r : policy_resolve(p, &place, &ret->fixed, &limits, NULL, e);
}

int tried_policy(const char *path, struct buf *out, struct ambit_error *e)
{
	auto_free struct policy_asked *asked = malloc(sizeof *asked);
	struct ambit_policy *policy = NULL;
	struct err err;
	int r;

	if (asked == NULL)
		return public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory for a policy"), &err);
	r = ambit_policy_new(&policy, e);
	r = r < 0 ? r : ambit_policy_load(policy, path, e);
	if (r == 0) {
		r = public_error(e, resolve(&policy->policy, asked, &err), &err);
		policy_asked_encode(asked, out);
	}
	ambit_policy_free(policy);
	if (r == 0 && out->failed)
		r = public_error(e, err_set(&err, AMBIT_LIMIT, NULL, "the policy is too long to be tried"), &err);
	return r;
}
